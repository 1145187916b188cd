package record_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestOSV(t *testing.T) {
	t.Parallel()
	const in = `{"id":"GHSA-aaaa-bbbb-cccc","aliases":["CVE-2099-1","CVE-2099-0001","ghsa-AAAA-bbbb-cccc"],"summary":"s","details":"d",
		"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"},{"type":"Ubuntu","score":"low"}],
		"database_specific":{"severity":"MODERATE","cwe_ids":["CWE-20","CWE-79"]},"references":[{"type":"WEB","url":"https://example.com/a"},{"url":"https://example.com/a"}],
		"affected":[
			{"package":{"name":"One"},"database_specific":{"cwes":[{"cweId":"CWE-22"}]},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2"},{"fixed":"2.1"}]},{"type":"GIT","events":[{"fixed":"00ff"}]}]},
			{"package":{"name":"two"},"severity":[{"score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}],"ranges":[{"events":[{"fixed":"9"}]}]}]}`
	want := exposure.Observation{
		Class: "vuln", Rule: "GHSA-aaaa-bbbb-cccc", Advisories: []string{"GHSA-aaaa-bbbb-cccc", "CVE-2099-0001"}, Aliased: true, Title: "s", Description: "d",
		Severity: exposure.SeverityMedium, CWEs: []int{20, 79, 22}, CVSS: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"},
		References: []string{"https://example.com/a"}, Component: exposure.Component{Fixed: "1.2, 2.1"},
	}
	if diff := cmp.Diff(want, osv(t, in)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for in, want := range map[string]string{
		`{"id":"DEBIAN-CVE-2099-1234","upstream":["CVE-2099-1234"]}`:      "DEBIAN-CVE-2099-1234 CVE-2099-1234 true",
		`{"id":"DSA-1-1","upstream":["CVE-2099-0001","CVE-2099-0002"]}`:   "DSA-1-1 CVE-2099-0001 CVE-2099-0002 false",
		`{"id":"DSA-1-1","upstream":["CVE-2099-0001"],"aliases":["odd"]}`: "DSA-1-1 CVE-2099-0001 true",
		`{"id":"GO-2099-0001"}`: "GO-2099-0001 false",
	} {
		o := osv(t, in)
		if got := fmt.Sprintf("%s %t", strings.Join(o.Advisories, " "), o.Aliased); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// osv reads one vulnerability.
func osv(t *testing.T, in string) (got exposure.Observation) {
	t.Helper()
	s := record.Spec{Tool: "example", Records: map[string]record.Handler{"": func(_ *record.Report, v record.Value) error {
		got = record.OSV(v, "one")
		return nil
	}}}
	for _, err := range s.Read(t.Context(), strings.NewReader(in)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	return got
}
