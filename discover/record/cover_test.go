package record_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// TestCoveredBy checks that coverage is stated once for each tool, asset and
// class, with all rules in order.
func TestCoveredBy(t *testing.T) {
	spec := record.Spec{Tool: "example", Records: map[string]record.Handler{"[]": func(r *record.Report, v record.Value) error {
		a := exposure.AssetRef{Kind: exposure.AssetHost}
		a.Add(exposure.IDHostname, v.Text("host"))
		r.CoveredBy(v.Text("tool"), a, "misconfig", v.Text("rule"))
		return nil
	}}}
	report := `[{"host":"a.example.com","rule":"2"},{"host":"a.example.com","rule":"1","tool":"other"},{"host":"a.example.com","rule":"1"},{"host":"a.example.com","rule":"2"}]`
	var got []string
	for o, err := range spec.Read(t.Context(), strings.NewReader(report)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == exposure.ObservedCoverage {
			got = append(got, fmt.Sprint(o.Tool, " ", o.Coverage.Rules))
		}
	}
	if want := "example [1 2], other [1]"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
