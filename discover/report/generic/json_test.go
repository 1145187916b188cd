package generic_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// TestForms writes one list in many ways.
func TestForms(t *testing.T) {
	t.Parallel()
	a, b := `{"title": "One", "severity": "low"}`, `{"title": "Two", "severity": "high"}`
	for name, in := range map[string]string{
		"document":        `{"findings": [` + a + "," + b + `]}`,
		"with a name":     `{"name": "x", "title": "y", "description": "z", "findings": [` + a + "," + b + `], "soc": true}`,
		"array":           "[" + a + ",\n" + b + "]",
		"lines":           a + "\n" + b + "\n",
		"CRLF and blank":  a + "\r\n\r\n" + b,
		"lines with BOM":  "\ufeff" + a + "\n" + b,
		"one after other": strings.ReplaceAll(a, ",", ",\n") + b,
		"arrays":          "[" + a + "][" + b + "]",
		"documents":       `{"findings": [` + a + `]} {"findings": [` + b + `]}`,
	} {
		var got []string
		for _, o := range must(t, in) {
			got = append(got, fmt.Sprint(o.Tool, " ", o.Title, " ", o.Severity))
		}
		if diff := cmp.Diff([]string{"generic One low", "generic Two high"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestTypes gives values in types that others use.
func TestTypes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"title": "a", "cwe": "CWE-79"`:                                                    "[79]",
		`"title": "a", "cwe": 79.0`:                                                        "[]",
		`"title": "a", "cwes": [79, "CWE-80", null]`:                                       "[80]", // with a name among them, bare numbers may be anything
		`"title": "a", "cve": ["CVE-2024-0001"]`:                                           "CVE-2024-0001",
		`"title": "a", "vulnerability_ids": [{"vulnerability_id": "GHSA-aaaa-bbbb-cccc"}]`: "GHSA-aaaa-bbbb-cccc",
		`"title": 12`:                                      "12",
		`"title": true`:                                    "true",
		`"title": null, "rule": "R"`:                       "R",
		`"title": "a", "title": "b"`:                       "b",
		`"title": ["a", "b"]`:                              "a b",
		`"title": "\ud800 \u0041"`:                         "\ufffd A",
		"\"title\": \"caf\xe9\"":                           "caf\ufffd",
		`"title": "a", "active": 0`:                        "suppressed",
		`"title": "a", "active": "false"`:                  "suppressed",
		`"title": "a", "line": "7", "file_path": "x"`:      "x:7",
		`"title": "a", "line": 7.5, "file_path": "x"`:      "x",
		`"title": "a", "endpoints": [7, "a.example"]`:      "hostname:a.example",
		`"title": "a", "endpoints": "a.example"`:           "hostname:a.example",
		`"title": "a", "endpoints": {"host": "a.example"}`: "hostname:a.example",
		`"title": "a", "endpoints": [{"host": "a.example", "port": "8443", "path": "x", "query": "y=1", "protocol": "https", "fragment": null}]`: "hostname:a.example 8443/tcp /x?y=1",
		`"title": "a", "asset": {"name": "a.example"}`:                "hostname:a.example",
		`"title": "a", "references": [{"url": "https://a.example/"}]`: "https://a.example/",
		`"title": "a", "epss_score": {"x": [1]}, "unknown": [[[]]]`:   "a",
	} {
		o := one(t, "[{"+in+"}]")
		if s := fmt.Sprintf("%v %s %s %v %s %s %v", o.CWEs, o.Advisories, o.Title, o.State, o.Asset.Key(), o.Location, o.References); !strings.Contains(s, want) {
			t.Errorf("%s: %s, want %s in it", in, s, want)
		}
	}
}

// TestBrokenFindings: a broken finding costs itself, and is named by its place.
func TestBrokenFindings(t *testing.T) {
	t.Parallel()
	good := `{"title": "Good", "severity": "low"}`
	for broken, want := range map[string]string{
		`7`:                       "record 2 (byte 37): it is no object",
		`null`:                    "record 2 (byte 37): it is no object",
		`{}`:                      "record 2 (byte 37): it has neither a title",
		`{"title": ""}`:           "record 2 (byte 37): it has neither a title",
		`{"title": {"a": 1}}`:     `record 2 (byte 37): "title" is an object where a text is expected`,
		`{"severity": [["low"]]}`: `record 2 (byte 37): "severity" is a list of lists`,
		`{"title": "a", "endpoints": [` + strings.Repeat(`"a",`, 100_001) + `"a"]}`: "record 2 (byte 37): it names more than 100000 endpoints",
	} {
		found, lost, end := read(t, strings.NewReader("["+good+","+broken+","+good+"]"))
		if len(found) != 2 || len(lost) != 1 || !strings.HasPrefix(lost[0], want) || end != nil {
			t.Errorf("%.60s: found %d, lost %q, ends %v", broken, len(found), lost, end)
		}
	}
	for broken, want := range map[string]string{
		`{"title": "a"`:                  "record 2 (byte 37): it is not valid JSON",
		`{"title": "a"} x`:               "record 2 (byte 37): it is not valid JSON",
		`not JSON`:                       "record 2 (byte 37): it is no object",
		`[1]`:                            "record 2 (byte 37): it is no object",
		strings.Repeat(`{"a":`, 100_000): "record 2 (byte 37): it is not valid JSON",
		strings.Repeat("[", 100_000):     "record 2 (byte 37): it is no object",
		`{"title":"` + strings.Repeat("a", 17<<20) + `"}`: "record 2 (byte 37): line is too long",
	} {
		found, lost, end := read(t, strings.NewReader(good+"\n"+broken+"\n"+good))
		if len(found) != 2 || len(lost) != 1 || !strings.HasPrefix(lost[0], want) || end != nil {
			t.Errorf("%.60s: found %d, lost %q, ends %v", broken, len(found), lost, end)
		}
	}
}

// TestTool: where in a report its tool is named makes no difference, up to a
// point that is told.
func TestTool(t *testing.T) {
	t.Parallel()
	finding := `{"title": "a", "severity": "low"}`
	many := finding + strings.Repeat(","+finding, 30_000)
	long := strings.Repeat(`{"title": "a", "description": "`+strings.Repeat("x", 60_000)+`"},`, 200) + finding
	for name, tt := range map[string]struct {
		in   string
		want string
		lost bool
	}{
		"before":         {`{"type": "Acme Audit", "findings": [` + finding + `]}`, "acme-audit", false},
		"behind":         {`{"findings": [` + finding + `], "type": "Acme Audit"}`, "acme-audit", false},
		"tool and type":  {`{"type": "x", "tool": "Acme Audit", "findings": [` + finding + `]}`, "acme-audit", false},
		"its own name":   {`{"type": "Generic Findings Import", "findings": [` + finding + `]}`, "generic", false},
		"its own behind": {`{"type": "Acme Audit (Generic Findings Import)", "findings": [` + finding + `]}`, "acme-audit", false},
		"no text":        {`{"type": 7, "findings": [` + finding + `]}`, "generic", false},
		"nowhere":        {`{"findings": [` + finding + `]}`, "generic", false},
		"nowhere, many":  {`{"findings": [` + many + `]}`, "generic", false},
		"behind many":    {`{"findings": [` + many + `], "type": "Acme Audit"}`, "generic", true},
		"behind much":    {`{"findings": [` + long + `], "type": "Acme Audit"}`, "generic", true},
		"in findings":    {`{"findings": [{"title": "a", "tool": "Acme Audit"}], "type": "x"}`, "acme-audit", false},
	} {
		found, lost, end := read(t, strings.NewReader(tt.in))
		if end != nil || len(found) == 0 || (len(lost) > 0) != tt.lost {
			t.Errorf("%s: found %d, lost %q, ends %v", name, len(found), lost, end)
		}
		for _, o := range found {
			if o.Tool != tt.want {
				t.Errorf("%s: tool %q, want %q", name, o.Tool, tt.want)
				break
			}
		}
	}
}

// TestCoverage: nothing is covered unless the report says so.
func TestCoverage(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"findings": []}`: "",
		`{"coverage": [{"host": "a.example", "class": "web"}], "findings": []}`:                                     "generic hostname:a.example web []",
		`{"findings": [], "coverage": {"asset": "a.example", "class": "vuln", "rules": ["R"]}, "type": "T"}`:        "t hostname:a.example vuln [R]",
		`{"coverage": [{"class": "web", "tool": "U"}], "findings": [], "type": "T"}`:                                "u  web []",
		`{"coverage": [{"host": "a.example"}, {"host": "a.example b.example", "class": "web"}, 7], "findings": []}`: "lost lost lost",
		`{"coverage": [{"host": "a.example", "class": "web", "rules": "R"}], "findings": []}`:                       "lost",
		`{"coverage": [{"url": "https://a.example/", "class": "web"}], "findings": [], "extra": 1}`:                 "generic hostname:a.example web []",
		`{"coverage": 0.9, "findings": []}`:                                                                         "",
	} {
		found, lost, end := read(t, strings.NewReader(in))
		var got []string
		for _, o := range found {
			if o.Kind != exposure.ObservedCoverage || o.Class != o.Coverage.Class {
				t.Errorf("%s: %+v", in, o)
			}
			got = append(got, fmt.Sprint(o.Tool, " ", o.Asset.Key(), " ", o.Coverage.Class, " ", o.Coverage.Rules))
		}
		for range lost {
			got = append(got, "lost")
		}
		if s := strings.Join(got, " "); s != want || end != nil {
			t.Errorf("%s: %q, want %q; lost %q, ends %v", in, s, want, lost, end)
		}
	}
}
