package record_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// TestEmpty reads reports in which nothing was found, and what is no report.
func TestEmpty(t *testing.T) {
	t.Parallel()
	ignore := func(*record.Report, record.Value) error { return nil }
	list := record.Spec{Tool: "example", Records: map[string]record.Handler{"[]": ignore}}
	member := record.Spec{
		Tool: "example", Records: map[string]record.Handler{"results[]": ignore},
		Bare: func(top record.Value) bool { return top.At("passed").Exists() },
	}
	for _, tt := range []struct {
		spec record.Spec
		in   string
		ok   bool
	}{
		{list, `[]`, true}, {list, `null`, true}, {list, ` null `, true}, {list, `null{`, false}, {list, `0`, false},
		{member, `{"results":null}`, true}, {member, `{"passed":0}`, true}, {member, `{"other":0}`, false}, {member, `null`, false},
	} {
		var err error
		for _, e := range tt.spec.Read(t.Context(), strings.NewReader(tt.in)) {
			if e != nil {
				err = e
			}
		}
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.in, err)
		}
	}
}

// TestUp tells what holds a record, in each of several documents.
func TestUp(t *testing.T) {
	t.Parallel()
	spec := record.Spec{Tool: "example", Records: map[string]record.Handler{"[].items[]": func(r *record.Report, v record.Value) error {
		r.Weakness(exposure.Observation{Rule: r.Up(0).Text("kind") + v.Text("id")})
		return nil
	}}}
	for _, in := range []string{
		`[{"kind":"a","items":[{"id":1}]},{"items":[{"id":2}],"kind":"b"}]`,
		`{"kind":"a","items":[{"id":1}]}{"items":[{"id":2}],"kind":"b"}`,
	} {
		got := ""
		for o, err := range spec.Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			got += " " + o.Rule
		}
		if got = strings.TrimSpace(got); got != "a1 b2" {
			t.Errorf("%s: %q", in, got)
		}
	}
}

// TestMembers counts the last of several members of one name.
func TestMembers(t *testing.T) {
	t.Parallel()
	spec := record.Spec{Tool: "example", Records: map[string]record.Handler{"[]": func(r *record.Report, v record.Value) error {
		rule := ""
		for name, value := range v.Members("") {
			rule += name + value.Text()
		}
		r.Weakness(exposure.Observation{Rule: rule})
		return nil
	}}}
	for o, err := range spec.Read(t.Context(), strings.NewReader(`[{"a":1,"b":2,"a":3}]`)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Rule != "" && o.Rule != "b2a3" {
			t.Errorf("members %q", o.Rule)
		}
	}
}
