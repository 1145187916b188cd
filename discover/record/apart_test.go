package record_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// rules reads a report whose handler states the rule of each record.
func rules(t *testing.T, spec record.Spec, report string) (all []string) {
	t.Helper()
	for o, err := range spec.Read(context.Background(), strings.NewReader(report)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == exposure.ObservedWeakness {
			all = append(all, o.Rule)
		}
	}
	return all
}

func TestNamesWithDots(t *testing.T) {
	t.Parallel()
	handle := func(r *record.Report, v record.Value) error {
		r.Weakness(exposure.Observation{Rule: v.Text("id") + r.Up(0).Text("of")})
		return nil
	}
	for path, report := range map[string]string{
		"'a.b/c; v=1.0'.list[]": `{"a.b/c; v=1.0": {"of": "x", "list": [{"id": "1"}]}}`,
		"a.'b.c'[]":             `{"a": {"of": "x", "b.c": [{"id": "1"}]}}`,
		"'a.b'[].list[]":        `{"a.b": [{"of": "x", "list": [{"id": "1"}]}]}`,
	} {
		got := rules(t, record.Spec{Tool: "t", Records: map[string]record.Handler{path: handle}}, report)
		if diff := cmp.Diff([]string{"1x"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// What stands behind more records than are usually held is known when the
// format says that it needs it; and without it nothing is stated.
func TestHold(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"list": [`)
	for i := range 3000 {
		fmt.Fprintf(&b, `{"id": "%d", "text": "%s"},`, i, strings.Repeat("x", 4000))
	}
	b.WriteString(`{"id": "last"}], "name": "known"}`)
	spec := record.Spec{Tool: "t", Records: map[string]record.Handler{"list[]": func(r *record.Report, v record.Value) error {
		r.Weakness(exposure.Observation{Rule: "x" + r.Top().Text("name")})
		return nil
	}}}
	for _, c := range []struct {
		hold   int
		report string
		n      int
		rule   string
		fails  bool
	}{
		{0, b.String(), 3001, "x", false},
		{64 << 20, b.String(), 3001, "xknown", false},
		{4 << 20, b.String(), 0, "", true},
		{64 << 20, strings.TrimSuffix(b.String(), "}"), 0, "", true},
		{64 << 20, b.String() + "garbage", 3001, "xknown", true},
	} {
		spec.Hold, spec.Exact = c.hold, c.hold > 0
		n, rule, fails := 0, "", false
		for o, err := range spec.Read(context.Background(), strings.NewReader(c.report)) {
			if err != nil {
				fails = true
			} else if o.Kind == exposure.ObservedWeakness {
				n, rule = n+1, o.Rule
			}
		}
		if n != c.n || rule != c.rule && c.hold > 0 || fails != c.fails {
			t.Errorf("with %d: %d records, the last %q, fails %v; want %d, %q, %v", c.hold, n, rule, fails, c.n, c.rule, c.fails)
		}
	}
}

// Each element of an array at the top holds its own records, and each of
// several documents.
func TestElements(t *testing.T) {
	t.Parallel()
	handle := func(r *record.Report, v record.Value) error {
		r.Weakness(exposure.Observation{Rule: v.Text("id") + r.Up(0).Text("of")})
		return nil
	}
	spec := record.Spec{Tool: "t", Lines: true, Records: map[string]record.Handler{"[].list[]": handle, "list[]": handle}}
	for _, report := range []string{
		`[{"of": "x", "list": [{"id": "1"}]}, {"list": [{"id": "2"}], "of": "y"}]`,
		`{"of": "x", "list": [{"id": "1"}]}` + "\n" + `{"list": [{"id": "2"}], "of": "y"}` + "\n",
	} {
		if diff := cmp.Diff([]string{"1x", "2y"}, rules(t, spec, report)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", report, diff)
		}
	}
}

// Elements that stand apart are stated as they end, however many there are and
// whatever becomes of the rest.
func TestApart(t *testing.T) {
	t.Parallel()
	spec := record.Spec{Tool: "t", Exact: true, Hold: 1 << 20, Apart: true, Records: map[string]record.Handler{"items[].list[]": func(r *record.Report, v record.Value) error {
		r.Weakness(exposure.Observation{Rule: "x" + r.Up(0).Text("of")})
		return nil
	}}}
	element := `{"list": [{"text": "` + strings.Repeat("x", 700_000) + `"}], "of": "y"},`
	n := 0
	var last error
	for o, err := range spec.Read(context.Background(), strings.NewReader(`{"items": [`+strings.Repeat(element, 3)+`{"list": [{}], "of`)) {
		if last = err; err == nil && o.Rule == "xy" {
			n++
		}
	}
	if n != 3 || last == nil {
		t.Errorf("%d of 3 elements, and %v", n, last)
	}
}
