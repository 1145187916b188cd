package export_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/sarif"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/mobilize/export"
)

// document is what the schema asks for, and what GitHub does.
type document struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []struct {
		Tool *struct {
			Driver struct {
				Name, Version, InformationURI string
				Rules                         []struct {
					ID                   string
					ShortDescription     struct{ Text string }
					FullDescription      struct{ Text string }
					Help                 struct{ Text string }
					HelpURI              string
					DefaultConfiguration struct{ Level string }
					Properties           map[string]any
				}
			}
		}
		Bases   map[string]struct{ URI string } `json:"originalUriBaseIds"`
		Results []struct {
			RuleID              string
			RuleIndex           *int
			Kind, Level         string
			Message             struct{ Text string }
			PartialFingerprints map[string]string
			Rank                float64
			Suppressions        []struct{ Kind, Status string }
			Properties          map[string]any
			Locations           []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI, URIBaseID string }
					Region           struct{ StartLine int }
				}
			}
		}
	}
}

func parse(t *testing.T, file []byte) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(file, &d); err != nil {
		t.Fatal(err)
	}
	if d.Version != "2.1.0" || !strings.Contains(d.Schema, "sarif-2.1.0") || len(d.Runs) != 1 || d.Runs[0].Tool == nil || d.Runs[0].Tool.Driver.Name == "" || d.Runs[0].Results == nil {
		t.Fatalf("no SARIF 2.1.0: %.200s", file)
	}
	rules := d.Runs[0].Tool.Driver.Rules
	ids := map[string]bool{}
	for _, r := range rules {
		if r.ID == "" || ids[r.ID] || r.ShortDescription.Text == "" || r.FullDescription.Text == "" || r.Help.Text == "" {
			t.Errorf("rule %+v", r)
		}
		ids[r.ID] = true
	}
	for i, r := range d.Runs[0].Results {
		if r.RuleID == "" || r.Message.Text == "" || r.Suppressions == nil || r.Rank < 0 || r.Rank > 100 {
			t.Errorf("result %d: %+v", i, r)
		}
		if r.RuleIndex != nil && (*r.RuleIndex >= len(rules) || rules[*r.RuleIndex].ID != r.RuleID) {
			t.Errorf("result %d has the rule number %d and the id %s", i, *r.RuleIndex, r.RuleID)
		}
		if (r.Kind != "") != (r.Level == "none") {
			t.Errorf("result %d is of kind %q and level %q", i, r.Kind, r.Level)
		}
		if r.PartialFingerprints["primaryLocationLineHash"] == "" && r.Properties["id"] != "" {
			t.Errorf("result %d has no identity", i)
		}
		if len(r.Locations) != 1 || r.Locations[0].PhysicalLocation.Region.StartLine != 1 {
			t.Fatalf("result %d: %+v", i, r)
		}
		a := r.Locations[0].PhysicalLocation.ArtifactLocation
		if u, err := url.Parse(a.URI); err != nil || a.URI == "" || strings.HasPrefix(a.URI, "/") || strings.Contains("/"+a.URI+"/", "/../") || u.Scheme != "" && u.Host == "" {
			t.Errorf("result %d is at %q", i, a.URI)
		}
		if a.URIBaseID != "" && d.Runs[0].Bases[a.URIBaseID].URI == "" {
			t.Errorf("result %d is at a base %s that is not described", i, a.URIBaseID)
		}
	}
	return d
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	d := parse(t, written(t, export.SARIF, sample()))
	run := d.Runs[0]
	for i, want := range []struct{ uri, base, kind, level, suppressed string }{
		{"vpn-1.example", "", "", "error", ""},
		{"src/a%20b/login.go", "", "", "error", ""},
		{"usr/lib/libssl.so.3", "ROOTPATH", "", "warning", "accepted"},
		{"shop.example/search", "", "", "note", ""},
		{"fe80%3A%3A1%25eth0", "", "pass", "none", ""},
		{"-2+3", "", "notApplicable", "none", ""},
	} {
		r := run.Results[i]
		a := r.Locations[0].PhysicalLocation.ArtifactLocation
		suppressed := ""
		if len(r.Suppressions) > 0 {
			suppressed = r.Suppressions[0].Status
		}
		if a.URI != want.uri || a.URIBaseID != want.base || r.Kind != want.kind || r.Level != want.level || suppressed != want.suppressed {
			t.Errorf("result %d: at %q of %q, kind %q, level %q, suppression %q; want %+v", i, a.URI, a.URIBaseID, r.Kind, r.Level, suppressed, want)
		}
	}
	p := run.Results[0].Properties
	if p["risk"] != 912.0 || p["band"] != "critical" || p["kev"] != true || p["epss"] != 0.94357 || run.Results[1].Properties["epss"] != nil {
		t.Errorf("properties: %v", p)
	}
	if r := run.Tool.Driver.Rules[0]; r.HelpURI != "https://www.cve.org/CVERecord?id=CVE-2024-3400" || r.Properties["security-severity"] != "9.5" || r.DefaultConfiguration.Level != "error" {
		t.Errorf("%+v", r)
	}
}

// A rule is as bad as the worst of its results, and described by the first.
func TestRules(t *testing.T) {
	t.Parallel()
	rows := []export.Row{
		{ID: "F-1", Rule: "r", Title: "first", Severity: "low"}, {ID: "F-2", Rule: "r", Title: "second", Severity: "critical"},
		{ID: "F-3", Rule: "r", Severity: "medium"}, {ID: "F-4"}, {ID: "F-5", CVEs: []string{"CVE-1"}},
	}
	rules := parse(t, written(t, export.SARIF, rows)).Runs[0].Tool.Driver.Rules
	var got []string
	for _, r := range rules {
		got = append(got, fmt.Sprint(r.ID, " ", r.ShortDescription.Text, " ", r.DefaultConfiguration.Level, " ", r.Properties["security-severity"]))
	}
	want := []string{"r first error 9.5", "unnamed unnamed warning <nil>", "CVE-1 CVE-1 warning <nil>"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rules %q, want %q", got, want)
	}
}

// Beyond the bound results are still there, without a description.
func TestManyRules(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	const n, most = 50_010, 50_000
	err := export.Write(&b, export.SARIF, tool, func(yield func(export.Row, error) bool) {
		for i := range n {
			if !yield(export.Row{ID: "F", Rule: fmt.Sprint("r", i)}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	run := parse(t, b.Bytes()).Runs[0]
	if len(run.Results) != n || len(run.Tool.Driver.Rules) != most || run.Results[n-1].RuleIndex != nil || run.Results[n-1].RuleID != fmt.Sprint("r", n-1) {
		t.Errorf("%d results and %d rules, want %d and %d", len(run.Results), len(run.Tool.Driver.Rules), n, most)
	}
}

// read returns the weaknesses that our own reader finds.
func read(t testing.TB, file []byte) []exposure.Observation {
	t.Helper()
	if !(sarif.Reader{}).Sniff(decode.NewHead(file[:min(len(file), 4096)])) {
		t.Error("our own reader does not recognise the file")
	}
	var found []exposure.Observation
	for o, err := range (sarif.Reader{}).Read(t.Context(), bytes.NewReader(file)) {
		var lost *exposure.RecordError
		switch {
		case errors.As(err, &lost):
			t.Errorf("a record is lost: %v", err)
		case err != nil:
			t.Fatal(err)
		case o.Kind == exposure.ObservedWeakness:
			found = append(found, o)
		}
	}
	return found
}

// Our own reader finds what was written, whether the rules come late for it or not.
func TestReadsBack(t *testing.T) {
	t.Parallel()
	for name, long := range map[string]int{"in time": 0, "too late for the rules": 12 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows := sample()
			for i := range rows {
				rows[i].FirstSeen += strings.Repeat("x", long) // the reader holds 64 MiB
			}
			file := written(t, export.SARIF, rows)
			found := read(t, file)
			if len(found) != 4 { // two are no problems
				t.Fatalf("%d weaknesses, want 4", len(found))
			}
			for i, o := range found {
				r := rows[i]
				state := exposure.StatePresent
				if r.Status == "excepted" {
					state = exposure.StateSuppressed
				}
				if o.Rule != r.Rule || o.Severity.String() != r.Severity || !strings.HasPrefix(o.Title, r.Title) || o.State != state {
					t.Errorf("%s became %s %q %v %v", r.ID, o.Rule, o.Title, o.Severity, o.State)
				}
				if strings.HasPrefix(r.Rule, "CVE-") && (len(o.Advisories) != 1 || o.Advisories[0] != r.Rule) {
					t.Errorf("%s has the advisories %v", r.ID, o.Advisories)
				}
			}
			// With its rule at hand, a result has the rule's words alone.
			if late := found[3].Title != rows[3].Title; late != (long > 0) {
				t.Errorf("the last result has the title %q", found[3].Title)
			}
		})
	}
}

// Whatever a scanner wrote, the file can be read, by us and by GitHub.
func FuzzSARIF(f *testing.F) {
	f.Add("title", "CVE-2024-3400", "web-1", "443/tcp", "src/a.go", "/login?x", "critical", "0123456789abcdef")
	f.Add("[click](https://evil.example) {0}", "a/b", "../../etc", "x\x00", "../..//C:\\x", "https://u:p@h/%zz", "", "")
	f.Add("\xff", "", "", "", "/", "//x", "none", " ")
	f.Fuzz(func(t *testing.T, title, rule, asset, location, file, uri, severity, print string) {
		row := export.Row{ID: "F-1", Title: title, Rule: rule, Asset: asset, Location: location, File: file, URI: uri, Severity: severity, Status: "open", Fingerprint: print}
		out := written(t, export.SARIF, []export.Row{row, row})
		d := parse(t, out)
		if strings.Contains(d.Runs[0].Results[0].Message.Text, "](") {
			t.Errorf("a link of others: %q", d.Runs[0].Results[0].Message.Text)
		}
		if strings.TrimSpace(rule) == "" {
			return // a rule without a name has no identity to a reader
		}
		if n := len(read(t, out)); n != 2 {
			t.Errorf("our own reader finds %d, want 2", n)
		}
	})
}
