package record_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// wrong is a format with records at places of every kind.
func wrong() record.Spec {
	hit := func(r *record.Report, v record.Value) error {
		for part := range v.List("parts") {
			r.Weakness(exposure.Observation{Rule: v.Text("rule"), Title: part.Text("name")})
		}
		return nil
	}
	return record.Spec{Tool: "example", Lines: true, Records: map[string]record.Handler{"runs[].hits[]": hit, "named.by{}": hit, "one": hit}}
}

// Whatever stands where a record should is lost with a message, unless it says
// nothing.
func TestWrongKinds(t *testing.T) {
	t.Parallel()
	const good = `{"rule": "a", "parts": [{"name": "A"}]}`
	for in, want := range map[string]string{
		`{"runs": [{"hits": [` + good + `, 7]}]}`:                            "it is no object",
		`{"runs": [{"hits": [` + good + `, ["x"]]}]}`:                        "it is no object",
		`{"runs": [{"hits": [` + good + `, null, "", [], {}]}]}`:             "",
		`{"runs": [{"hits": [` + good + `]}, 7]}`:                            "it is no object",
		`{"runs": [{"hits": [` + good + `]}, {"hits": "x"}]}`:                "hits is no list",
		`{"runs": [{"hits": [` + good + `]}, {"hits": " "}, null]}`:          "",
		`{"runs": [{"hits": [` + good + `]}], "named": 7}`:                   "named is no object",
		`{"runs": [{"hits": [` + good + `]}], "named": {"by": "x"}}`:         "by is no object",
		`{"runs": [{"hits": [` + good + `]}], "named": {"by": {"n": true}}}`: "it is no object",
		`{"runs": [{"hits": [` + good + `]}], "one": "x"}`:                   "one is no object",
		`{"runs": [{"hits": [{"rule": "a", "parts": [7, {"name": "A"}]}]}]}`: "a value without members stands where one with name is expected",
	} {
		found, lost, ends := read(t, wrong(), in)
		if diff := cmp.Diff([]string{"a A"}, found[max(0, len(found)-1):]); diff != "" || ends != nil {
			t.Errorf("%s: ends with %v, found (-want +got):\n%s", in, ends, diff)
		}
		if got := strings.Join(lost, "\n"); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: lost %q, want %q", in, lost, want)
		}
	}
}

// A first line that is broken costs itself.
func TestFirstLine(t *testing.T) {
	t.Parallel()
	const good = `{"one": {"rule": "a", "parts": [{"name": "A"}]}}` + "\n"
	for _, first := range []string{"7", `"x"`, "null", "[]", `{"one": {"ru`, "level=info msg=started"} {
		found, _, ends := read(t, wrong(), first+"\n"+good+good)
		if diff := cmp.Diff([]string{"a A", "a A"}, found); diff != "" || ends != nil {
			t.Errorf("%s: ends with %v, found (-want +got):\n%s", first, ends, diff)
		}
	}
	pretty := "{\"runs\": [{\"hits\": [\n{\"rule\": \"a\", \"parts\": [{\"name\": \"A\"}]}\n]}]}"
	if found, lost, ends := read(t, wrong(), pretty); len(found) != 1 || len(lost) > 0 || ends != nil {
		t.Errorf("an array with a record a line: found %q, lost %q, ends with %v", found, lost, ends)
	}
}
