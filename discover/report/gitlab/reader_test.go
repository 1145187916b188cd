package gitlab_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/gitlab"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, gitlab.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, gitlab.Reader{}, "gitlab_sast", "gitlab_dep_scan", "gitlab_container_scan", "gitlab_secret_detection_report")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, gitlab.Reader{}) }

// TestIdentity reads entries with identifiers in the ways that analyzers write them.
func TestIdentity(t *testing.T) {
	for _, c := range []struct{ ids, want string }{
		{`{"type":"semgrep_id","value":"a.b"},{"type":"bandit_test_id","value":"B105"}`, "semgrep a.b [] false []"},
		{`{"type":"cwe","value":"CWE-79","name":"CWE-79"},{"type":"eslint_rule_id","value":"eval"}`, "eslint eval [] false [79]"},
		{`{"type":"ZAProxy_PluginId","value":"10020"}`, "zaproxy 10020 [] false []"},
		{`{"type":"gemnasium","value":"uuid"},{"type":"CVE","value":"CVE-2099-0001"},{"type":"ghsa","value":"GHSA-aaaa-bbbb-cccc"}`, "gemnasium uuid [CVE-2099-0001 GHSA-aaaa-bbbb-cccc] true []"},
		{`{"type":"cve","value":"CVE-2099-0001"},{"type":"cve","value":"CVE-2099-0002"}`, "gitlab CVE-2099-0001 [CVE-2099-0001 CVE-2099-0002] false []"},
		{`{"type":"usn","value":"USN-1-1"},{"type":"cve","value":"CVE-2099-0001"}`, "gitlab CVE-2099-0001 [CVE-2099-0001] false []"},
		{`{"type":"rhsa","value":"RHSA-2099:1"}`, "gitlab RHSA-2099:1 [RHSA-2099:1] false []"},
		{`{"type":"cve","value":"GHSA-aaaa-bbbb-cccc"}`, "gitlab GHSA-aaaa-bbbb-cccc [GHSA-aaaa-bbbb-cccc] false []"},
		{`{"type":"trufflehog_rule_id","name":"TruffleHog rule ID Key in URL","value":"Key in URL"}`, "trufflehog Key in URL [] false []"},
		{`{"type":"owasp","name":"A1","value":"A1"}`, "gitlab n [] false []"},
	} {
		report := `{"version":"15.0.0","vulnerabilities":[{"name":"n","location":{},"identifiers":[` + c.ids + `]}]}`
		for o, err := range (gitlab.Reader{}).Read(t.Context(), strings.NewReader(report)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind != exposure.ObservedWeakness {
				continue
			}
			if got := fmt.Sprint(o.Tool, " ", o.Rule, " ", o.Advisories, " ", o.Aliased, " ", o.CWEs); got != c.want {
				t.Errorf("%s: got %s, want %s", c.ids, got, c.want)
			}
		}
	}
}
