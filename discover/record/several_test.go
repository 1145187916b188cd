package record_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// TestSeveral reads records of several documents: each is told what holds it,
// though all of them are held.
func TestSeveral(t *testing.T) {
	t.Parallel()
	spec := record.Spec{Tool: "example", Records: map[string]record.Handler{}}
	for _, place := range []string{"found[]", "[].found[]"} {
		spec.Records[place] = func(r *record.Report, v record.Value) error {
			r.Weakness(exposure.Observation{Rule: v.Text("rule"), Title: r.Up(0).Text("host") + r.Top().Text("host")})
			return nil
		}
	}
	for _, in := range []string{
		`[{"host":"a","found":[{"rule":"1"}]},{"found":[{"rule":"2"},{"rule":"3"}],"host":"b"}]`,
		`{"host":"a","found":[{"rule":"1"}]}{"found":[{"rule":"2"},{"rule":"3"}],"host":"b"}`,
	} {
		var got []string
		for o, err := range spec.Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == exposure.ObservedWeakness {
				got = append(got, o.Title+o.Rule)
			}
		}
		if want := []string{"aa1", "bb2", "bb3"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", in, got, want)
		}
	}
}
