package generic_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/generic"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, generic.Reader{}) }

func FuzzReader(f *testing.F) { reporttest.Fuzz(f, generic.Reader{}) }

// read returns what a report states, its broken records, and how it ends.
func read(t testing.TB, r io.Reader) (found []exposure.Observation, lost []string, end error) {
	t.Helper()
	for o, err := range discover.Guarded(t.Context(), generic.Reader{}, r) {
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			lost = append(lost, err.Error())
		case err != nil:
			end = err
		case o.Kind != exposure.ObservedRun:
			found = append(found, o)
		}
	}
	return found, lost, end
}

// one returns the one finding that a report states.
func one(t *testing.T, report string) exposure.Observation {
	t.Helper()
	found, lost, end := read(t, strings.NewReader(report))
	if len(found) != 1 || lost != nil || end != nil {
		t.Fatalf("%d findings, lost %q, ends %v, want one finding:\n%s", len(found), lost, end, report)
	}
	return found[0]
}

// row is a table of a single finding.
func row(columns, cells string) string { return columns + "\n" + cells + "\n" }

func TestSniff(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"title,severity\n":                                    true,
		"Title;Severity;Host\n":                               true,
		"sep=;\nTitle;Severity;Host\n":                        true,
		"\ufefftitle\tcve\thost\n":                            true,
		"TITLE,Cwe_Id,File Path":                              true,
		"title,severity,a,b,c,d\n":                            false, // mostly another's
		"Name,Risk,Host\n":                                    false, // common words, none of them ours to claim
		"title\n":                                             false,
		"title,severity of the matter":                        false,
		"# title, severity\n":                                 false,
		`{"findings": [{"title": "a", "severity": "Low"`:      true,
		`{"type": "x", "findings": [{"cve": 1, "title": "a"}`: true,
		`{"findings": []}`:                                    true,
		`{"findings": null, "name": "x"}`:                     true,
		`{"findings": [], "nextToken": null}`:                 false,
		`{"findings": [{"title": "a", "severity": "x", "resources": 1, "findingArn": 2, "remediation": 3}]}`: false,
		`[{"title": "a", "severity": "Low"}]`:            true,
		`[{"name": "a", "severity": "Low", "title": "b"`: true,
		`[]`: false,
		`{"title": "a", "severity": "Low"}` + "\n{": true,
		`{"title": "a"}`:                  false,
		`{"kind":"weakness","title":"a"}`: false,
		`<findings/>`:                     false,
		"":                                false,
		"\x00\x01,\x02":                   false,
		strings.Repeat(`{"a":`, 20000):    false,
		"title,severity" + strings.Repeat(",", 9999): false,
	} {
		if got := (generic.Reader{}).Sniff(decode.NewHead([]byte(in))); got != want {
			t.Errorf("Sniff(%.60q) = %v", in, got)
		}
	}
}

func TestNotFindings(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", " \r\n", "[", "{}", "{}\n ", `{"a": 1}`, `{"findings": 7}`, "<a/>", "a,b\n1,2\n", "just a text", `"title`, "sep=;\n", `{"findings": [`, `{"findings": [] trailing`,
		"title" + strings.Repeat(",x", 1001) + "\n", strings.Repeat("[", 100_000), `{"findings": [` + strings.Repeat(`{"a":`, 100_000),
	} {
		if _, _, end := read(t, strings.NewReader(in)); exposure.KindOf(end) != exposure.Invalid {
			t.Errorf("%.40q ends with %v", in, end)
		}
	}
	for _, in := range []string{`{"findings": []}`, "[]", `{"findings": null}`, "title,severity\n"} {
		if found, lost, end := read(t, strings.NewReader(in)); len(found)+len(lost) > 0 || end != nil {
			t.Errorf("%q: found %v, lost %q, ends %v", in, found, lost, end)
		}
	}
}

// TestColumns gives one column at a time another name and form.
func TestColumns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		columns, cells string
		get            func(o *exposure.Observation) any
		want           any
	}{
		{"Title", "A  title", func(o *exposure.Observation) any { return o.Title }, "A title"},
		{"name,title", "wrong,A title", func(o *exposure.Observation) any { return o.Title }, "A title"},
		{"title,name", "A title,wrong", func(o *exposure.Observation) any { return o.Title }, "A title"},
		{"name,title", "A title,", func(o *exposure.Observation) any { return o.Title }, "A title"},
		{"cve", "cve-2024-0001", func(o *exposure.Observation) any { return o.Title }, "CVE-2024-0001"},
		{"rule", "R1", func(o *exposure.Observation) any { return o.Title }, "R1"},
		{"title,SEVERITY", "a,HIGH", func(o *exposure.Observation) any { return o.Severity }, exposure.SeverityHigh},
		{"title,Severity Level", "a,Moderate", func(o *exposure.Observation) any { return o.Severity }, exposure.SeverityMedium},
		{"title,numerical_severity", "a,S0", func(o *exposure.Observation) any { return o.Severity }, exposure.SeverityCritical},
		{"title,severity", "a,7", func(o *exposure.Observation) any { return o.Severity }, exposure.SeverityUnknown},
		{"title,severity", "a,None", func(o *exposure.Observation) any { return o.Severity }, exposure.SeverityInfo},
		{"title,severity,cvssv3_score", "a,,9.0", func(o *exposure.Observation) any { return o.Severity }, exposure.SeverityCritical},
		{"title,severity,cvssv3_score", "a,Low,9.0", func(o *exposure.Observation) any { return o.Severity }, exposure.SeverityLow},
		{"title,cvss", "a,6.9 (AV:N/AC:L/Au:N/C:P/I:P/A:P)", func(o *exposure.Observation) any { return fmt.Sprint(o.Severity, o.CVSS) }, "medium [AV:N/AC:L/Au:N/C:P/I:P/A:P]"},
		{"title,cvss score", "a,10.1", func(o *exposure.Observation) any { return o.Severity }, exposure.SeverityUnknown},
		{"title,CVSSV3,cvssv4", "a,CVSS:3.1/AV:N,CVSS:4.0/AV:L", func(o *exposure.Observation) any { return o.CVSS }, []string{"CVSS:3.1/AV:N", "CVSS:4.0/AV:L"}},
		{"title,CweId", "a,79", func(o *exposure.Observation) any { return o.CWEs }, []int{79}},
		{"title,CWE", `a,"CWE-79: Cross-site (Level 2), CWE-80"`, func(o *exposure.Observation) any { return o.CWEs }, []int{79, 80}},
		{"title,cwes,cwe", `a,"79;80",79`, func(o *exposure.Observation) any { return o.CWEs }, []int{79, 80}},
		{"title,cwe", "a,0", func(o *exposure.Observation) any { return o.CWEs }, []int(nil)},
		{"title,cwe", "a,NVD-CWE-noinfo", func(o *exposure.Observation) any { return o.CWEs }, []int(nil)},
		{"title,CVE", `a,"CVE-2024-0001 (and CVE-2024-0002)"`, func(o *exposure.Observation) any { return fmt.Sprint(o.Advisories, o.Aliased, o.Rule) }, "[CVE-2024-0001 CVE-2024-0002] falsea"},
		{"title,cve,vulnerability id", "a,CVE-2024-0001,ghsa-AAAA-bbbb-cccc", func(o *exposure.Observation) any { return fmt.Sprint(o.Advisories, o.Aliased, o.Rule) }, "[CVE-2024-0001 GHSA-aaaa-bbbb-cccc] trueCVE-2024-0001"},
		{"title,cve", "a,N/A", func(o *exposure.Observation) any { return fmt.Sprint(o.Advisories, o.Rule) }, "[]a"},
		{"title,cve", "a,CVE-2024-1", func(o *exposure.Observation) any { return o.Advisories }, []string(nil)},
		{"title,vulnerability_ids", "a,10107", func(o *exposure.Observation) any { return fmt.Sprint(o.Advisories, o.Rule) }, "[]10107"},
		{"title,vulnerability_ids", "a,RHSA-2024:0001", func(o *exposure.Observation) any { return o.Rule }, "RHSA-2024:0001"},
		{"title,vuln_id_from_tool,unique_id_from_tool", "a,V,U", func(o *exposure.Observation) any { return o.Rule }, "V"},
		{"title,vuln_id_from_tool,unique_id_from_tool", "a,,U", func(o *exposure.Observation) any { return o.Rule }, "U"},
		{"title", "The  Title.", func(o *exposure.Observation) any { return o.Rule }, "the title"},
		{"title,component_name,component_version,fix_version", "a,b,1,2", func(o *exposure.Observation) any { return o.Component }, exposure.Component{Name: "b", Version: "1", Fixed: "2"}},
		{"title,component,version,fixed", "a,b,1,1", func(o *exposure.Observation) any { return fmt.Sprint(o.Component.Fixed, o.State) }, "1"},
		{"title,purl", "a,not one", func(o *exposure.Observation) any { return o.Component }, exposure.Component{}},
		{"title,file_path,line", `a,src\a.go,12`, func(o *exposure.Observation) any { return o.Location }, exposure.Location{File: "src/a.go", Line: 12}},
		{"title,line", "a,-1", func(o *exposure.Observation) any { return o.Location }, exposure.Location{}},
		{"title,tool", "a,Burp Suite Pro", func(o *exposure.Observation) any { return o.Tool }, "burp-suite-pro"},
		{"title,class", "a,Misconfiguration", func(o *exposure.Observation) any { return o.Class }, "misconfig"},
		{"title,class,file", "a,Of any kind!,x", func(o *exposure.Observation) any { return o.Class }, "code"},
		{"title,confidence", "a,80%", func(o *exposure.Observation) any { return o.Confidence }, 80},
		{"title,scanner_confidence", "a,7", func(o *exposure.Observation) any { return o.Confidence }, 30},
		{"title,static_finding", "a,TRUE", func(o *exposure.Observation) any { return o.Detection }, exposure.DetectionStatic},
		{"title,references", `a,"[1] <https://a.example/x>, see b"`, func(o *exposure.Observation) any { return o.References }, []string{"https://a.example/x"}},
		{"title,references", "a,the manual", func(o *exposure.Observation) any { return o.References }, []string{"the manual"}},
		{"title,impact", "a,high", func(o *exposure.Observation) any { return o.Description }, "Impact: high"},
		{"title,port,protocol", "a,53,UDP", func(o *exposure.Observation) any { return o.Location }, exposure.Location{Port: 53, Protocol: "udp"}},
		{"title,port", "a,65536", func(o *exposure.Observation) any { return o.Location }, exposure.Location{}},
	} {
		o := one(t, row(tt.columns, tt.cells))
		if diff := cmp.Diff(tt.want, tt.get(&o)); diff != "" {
			t.Errorf("%s\n%s\n(-want +got):\n%s", tt.columns, tt.cells, diff)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		columns, cells string
		want           exposure.State
	}{
		{"title,active", "a,TRUE", exposure.StatePresent},
		{"title,active", "a,", exposure.StatePresent},
		{"title,active", "a,maybe", exposure.StatePresent},
		{"title,active", "a,False", exposure.StateSuppressed},
		{"title,active,false_p", "a,false,true", exposure.StateNotAffected},
		{"title,active,FalsePositive,IsMitigated", "a,FALSE,TRUE,TRUE", exposure.StateNotAffected},
		{"title,active,is_mitigated", "a,TRUE,TRUE", exposure.StateFixed},
		{"title,active,mitigated", "a,TRUE,2025-01-02", exposure.StateFixed},
		{"title,mitigated", "a,FALSE", exposure.StatePresent},
		{"title,mitigated", "a,not yet", exposure.StatePresent},
		{"title,risk_accepted,active", "a,1,0", exposure.StateSuppressed},
		{"title,risk_accepted,is_mitigated", "a,yes,yes", exposure.StateFixed},
		{"title,out_of_scope", "a,y", exposure.StateSuppressed},
		{"title,Duplicate", "a,TRUE", exposure.StateSuppressed},
		{"title,under_review", "a,TRUE", exposure.StatePresent},
		{"title,fixed", "a,yes", exposure.StateFixed},
		{"title,fixed", "a,no", exposure.StatePresent},
		{"title,status", "a,Open", exposure.StatePresent},
		{"title,status", "a,Resolved", exposure.StateFixed},
		{"title,status", "a,False-Positive", exposure.StateNotAffected},
		{"title,status", "a,won't fix", exposure.StateSuppressed},
		{"title,status", `a,"Active, Verified"`, exposure.StatePresent},
		{"title,status", `a,"Inactive, Mitigated"`, exposure.StateFixed},
		{"title,status", "a,something", exposure.StatePresent},
	} {
		if o := one(t, row(tt.columns, tt.cells)); o.State != tt.want {
			t.Errorf("%s / %s: %q, want %q", tt.columns, tt.cells, o.State, tt.want)
		}
	}
}

// TestSeen: the date when a weakness was first seen says nothing of when its
// status came to be what it is.
func TestSeen(t *testing.T) {
	t.Parallel()
	for cells, want := range map[string]string{
		"a,2025-01-01,,,":                "2025-01-01",
		"a,2025-01-01,2025-02-01,,":      "2025-02-01",
		"a,2025-01-01,,open,":            "",
		"a,2025-01-01,2025-02-01,open,":  "2025-02-01",
		"a,2025-01-01,,suppressed,":      "",
		"a,2025-01-01,2025-02-01,fixed,": "",
		"a,2025-01-01,,fixed,2025-03-01": "",
		"a,2025-01-01,,false positive,":  "",
		"a,soon,,,":                      "",
		"a,1969-01-01,,,":                "",
		"a,2025-01-01,not yet,,":         "2025-01-01",
	} {
		got := ""
		o := one(t, row("title,first_seen,last_seen,status,mitigated", cells))
		if !o.Seen.IsZero() {
			got = o.Seen.Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("%s: seen %q, want %q", cells, got, want)
		}
		if kept := strings.Contains(fmt.Sprint(o.Evidence), "first seen 2025-01-01"); kept != (strings.Contains(cells, "2025-01-01") && want != "2025-01-01") {
			t.Errorf("%s: the date of the first sight is kept: %v", cells, kept)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2025-02-03":                       "2025-02-03T00:00:00Z",
		"2025/02/03":                       "2025-02-03T00:00:00Z",
		"20250203":                         "2025-02-03T00:00:00Z",
		"2025-2-3":                         "2025-02-03T00:00:00Z",
		"2025-02-03 14:05":                 "2025-02-03T14:05:00Z",
		"2025-02-03T14:05:06Z":             "2025-02-03T14:05:06Z",
		"2025-02-03T14:05:06.123456+02:00": "2025-02-03T12:05:06.123456Z",
		"2025-02-03 14:05:06 +0200":        "2025-02-03T12:05:06Z",
		"2025-02-03 14:05:06 UTC":          "2025-02-03T14:05:06Z",
		"02/03/2025":                       "2025-02-03T00:00:00Z", // the month first, as in the reference
		"28/02/2025":                       "2025-02-28T00:00:00Z",
		"02/28/2025":                       "2025-02-28T00:00:00Z",
		"28-02-2025":                       "2025-02-28T00:00:00Z",
		"03.02.2025":                       "2025-02-03T00:00:00Z",
		"03.02.2025 14:05:06":              "2025-02-03T14:05:06Z",
		"2/3/2025 2:05 PM":                 "2025-02-03T14:05:00Z",
		"2/3/2025, 2:05:06 PM":             "2025-02-03T14:05:06Z",
		"3 Feb 2025":                       "2025-02-03T00:00:00Z",
		"Feb 3, 2025":                      "2025-02-03T00:00:00Z",
		"February 3, 2025 14:05":           "2025-02-03T14:05:00Z",
		"Feb 3, 2025, 2:05 PM":             "2025-02-03T14:05:00Z",
		"03-Feb-2025":                      "2025-02-03T00:00:00Z",
		"Mon, 3 Feb 2025 14:05:06 GMT":     "2025-02-03T14:05:06Z",
		"Mon Feb  3 14:05:06 2025":         "2025-02-03T14:05:06Z",
		"1738591506":                       "2025-02-03T14:05:06Z",
		"1738591506000":                    "2025-02-03T14:05:06Z",
		"31/02/2025":                       "",
		"13/13/2025":                       "",
		"2025-02-30":                       "",
		"2025":                             "",
		"0000-00-00":                       "",
		"9999-12-31":                       "",
		"45691":                            "",
		"yesterday":                        "",
		"99999999999999999999":             "",
		"2025-02-03-04":                    "",
		"1/2":                              "",
		"////":                             "",
		strings.Repeat("1", 1000):          "",
	} {
		o := one(t, row("title\tdate", "a\t"+in))
		got := ""
		if !o.Seen.IsZero() {
			got = o.Seen.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("date %q is %q, want %q", in, got, want)
		}
	}
}

// bench reads data again and again.
func bench(b *testing.B, data []byte) {
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		for _, err := range (generic.Reader{}).Read(b.Context(), bytes.NewReader(data)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkCSV(b *testing.B) {
	var in bytes.Buffer
	in.WriteString("Date,Title,CweId,Url,Severity,Description,Mitigation,Impact,References,Active,Verified,FalsePositive,Duplicate,CVE,component_name,component_version\n")
	for i := 0; in.Len() < 4<<20; i++ {
		fmt.Fprintf(&in, "2025-02-28,Library with a flaw number %d,79,https://host-%d.example/app/page/%d,High,\"A made-up flaw, in a made-up function, that takes a \"\"quoted\"\" value.\nIt has a second line.\",Upgrade to the next version.,Sessions can be taken over.,https://example.com/advisories/%d,TRUE,FALSE,FALSE,FALSE,CVE-2025-%05d,libfoo,1.2.3\n", i%500, i%1000, i, i, i)
	}
	bench(b, in.Bytes())
}

func BenchmarkJSON(b *testing.B) {
	var in bytes.Buffer
	in.WriteString(`{"type":"Acme Audit","findings":[`)
	for i := 0; in.Len() < 4<<20; i++ {
		if i > 0 {
			in.WriteByte(',')
		}
		fmt.Fprintf(&in, `{"title":"Library with a flaw number %d","severity":"High","description":"A made-up flaw in a made-up function.","mitigation":"Upgrade.","date":"2025-02-28","cve":"CVE-2025-%05d","cwe":79,"active":true,"component_name":"libfoo","component_version":"1.2.3","endpoints":["https://host-%d.example/app/page/%d"]}`, i%500, i, i%1000, i)
	}
	in.WriteString(`]}`)
	bench(b, in.Bytes())
}
