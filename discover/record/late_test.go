package record_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// late is a format that tells its rules behind what it found.
func late(whole bool, hold int) record.Spec {
	names := map[string]string{}
	rule := func(_ *record.Report, v record.Value) error {
		names[v.Text("id", "@id")] = v.Text("name", "@name")
		return nil
	}
	hit := func(r *record.Report, v record.Value) error {
		id := v.Text("rule", "@rule")
		r.Weakness(exposure.Observation{Rule: id, Title: names[id]})
		return nil
	}
	return record.Spec{
		Tool:    "example",
		Records: map[string]record.Handler{"hits[]": hit, "rules[]": rule, "report.hit": hit, "report.rule": rule},
		First:   []string{"rules[]", "report.rule"}, Whole: whole, Hold: hold,
	}
}

func TestFirst(t *testing.T) {
	t.Parallel()
	const object = `{"hits": [{"rule": "b"}, {"rule": "a"}], "rules": [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]}`
	const element = `<report><hit rule="b"/><rule id="b" name="B"/><hit rule="a"/><rule id="a" name="A"/></report>`
	for _, c := range []struct {
		name, in string
		spec     record.Spec
		found    []string
		ends     string
	}{
		{"rules behind", object, late(false, 0), []string{"b B", "a A"}, ""},
		{"elements between", element, late(true, 0), []string{"b B", "a A"}, ""},
		{"too much to hold", object, late(true, 1), []string{"b b", "a a"}, ""},
		{"cut off", object[:len(object)-20], late(false, 0), []string{"b b", "a A"}, "cut off"},
		{"cut off, and not whole", object[:len(object)-20], late(true, 0), nil, "cut off"},
		{"cut off element", element[:len(element)-20], late(true, 0), nil, "cut off"},
		{"something behind", object + "]", late(true, 0), []string{"b B", "a A"}, "not valid"},
		{"something behind an element", element + "<html/>", late(true, 0), []string{"b B", "a A"}, "second document"},
		{"nothing found", `<report/>`, late(true, 0), nil, ""},
		{"another document", `<other/>`, late(true, 0), nil, "not a report"},
	} {
		found, lost, ends := read(t, c.spec, c.in)
		if diff := cmp.Diff(c.found, found); diff != "" || len(lost) > 0 {
			t.Errorf("%s: lost %q, found (-want +got):\n%s", c.name, lost, diff)
		}
		if (ends == nil) != (c.ends == "") || !strings.Contains(fmt.Sprint(ends), c.ends) && c.ends != "" {
			t.Errorf("%s: ends with %v, want %q", c.name, ends, c.ends)
		}
	}
}
