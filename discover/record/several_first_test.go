package record_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// TestFirst reads records that stand behind what they explain first, and of a large
// report those before it.
func TestFirstBeforeAbout(t *testing.T) {
	t.Parallel()
	large := `"` + strings.Repeat("x", 9<<20) + `"`
	for in, want := range map[string][]string{
		`{"found":[{"rule":"1"},{"rule":"2"}],"rules":{"1":{"name":"one"},"2":{"name":"two"}},"host":"h"}`:                              {"h one", "h two"},
		`{"host":"h","rules":{"1":{"name":"one"}},"found":[{"rule":"1"},{"rule":"2","is":` + large + `}],"rules":{"2":{"name":"two"}}}`: {"h one", "h 2"},
		`{"host":"h","rules":{"1":{"name":"one"}},"found":[{"rule":"1"},{"rule":"2"},<html>`:                                            {"h one"},
		`<r host="h"><found rule="1"/><rule id="1" name="one"/></r>`:                                                                    {"h one"},
	} {
		names := map[string]string{}
		name := func(id, name string) error { names[id] = name; return nil }
		found := func(r *record.Report, v record.Value) error {
			rule := v.Text("rule", "@rule")
			if names[rule] != "" {
				rule = names[rule]
			} else if r.Cut() {
				return errors.New("its rule is missing")
			}
			r.Weakness(exposure.Observation{Rule: rule, Title: r.Up(0).Text("host", "@host") + " " + rule})
			return nil
		}
		spec := record.Spec{
			Tool:  "example",
			First: []string{"rules{}", "r.rule"},
			Records: map[string]record.Handler{
				"found[]": found, "r.found": found,
				"rules{}": func(_ *record.Report, v record.Value) error { return name(v.Key, v.Text("name")) },
				"r.rule":  func(_ *record.Report, v record.Value) error { return name(v.Text("@id"), v.Text("@name")) },
			},
		}
		var got []string
		for o, err := range spec.Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				if !strings.Contains(in, "<html>") {
					t.Fatal(err)
				}
				continue
			}
			if o.Kind == exposure.ObservedWeakness {
				got = append(got, o.Title)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%.200s: got %q, want %q", in, got, want)
		}
	}
}
