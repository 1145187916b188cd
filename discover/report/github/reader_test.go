package github_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/github"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, github.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, github.Reader{}, "github_vulnerability", "github_secrets_detection_report")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, github.Reader{}) }

// TestAlert reads alerts with what tells their states and their repositories.
func TestAlert(t *testing.T) {
	vulnerable := `"securityVulnerability":{"package":{"name":"cart"},"advisory":{"summary":"s","identifiers":[{"value":"GHSA-aaaa-bbbb-cccc"}]}}`
	for _, c := range []struct{ report, want string }{
		{`[{"state":"OPEN","dismissedAt":"2026-01-01",` + vulnerable + `}]`, " []"},
		{`[{"state":"AUTO_DISMISSED","html_url":"https://github.com/example/shop/security/dependabot/1",` + vulnerable + `}]`, "suppressed [repository:github.com/example/shop]"},
		{`[{"state":"DISMISSED","dismissReason":"NOT_USED","url":"https://git.example.com/api/v3/repos/example/shop/dependabot/alerts/1",` + vulnerable + `}]`, "not_affected [repository:git.example.com/example/shop]"},
		{`[[{"dismissedAt":"2026-01-01","repository":{"nameWithOwner":"example/shop"},` + vulnerable + `}]]`, "suppressed [repository:github.com/example/shop]"},
		{`{"data":{"organization":{"repositories":{"nodes":[{"nameWithOwner":"example/shop","vulnerabilityAlerts":{"nodes":[{` + vulnerable + `}]}}]}}}}`, " [repository:github.com/example/shop]"},
		{`{"data":{"viewer":{"organizations":{"nodes":[{"repositories":{"nodes":[{"url":"https://github.com/example/shop","vulnerabilityAlerts":{"nodes":[{` + vulnerable + `}]}}]}}]}}}}`, " [repository:github.com/example/shop]"},
		{`{"repository":{"url":"https://github.com/example/shop","vulnerabilityAlerts":{"edges":[{"node":{"fixedAt":"2026-01-01",` + vulnerable + `}}]}}}`, "fixed [repository:github.com/example/shop]"},
		{`{"data":{"repository":{"vulnerabilityAlerts":{"nodes":[]}}}} {"data":{"a":{"url":"https://github.com/example/pay","vulnerabilityAlerts":{"nodes":[{` + vulnerable + `}]}}}}`, " [repository:github.com/example/pay]"},
	} {
		got := "nothing"
		for o, err := range (github.Reader{}).Read(t.Context(), strings.NewReader(c.report)) {
			if err != nil {
				t.Errorf("%s: %v", c.report, err)
			}
			if o.Kind == exposure.ObservedWeakness && err == nil {
				got = fmt.Sprint(o.State, " ", o.Asset.Identifiers)
			}
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.report, got, c.want)
		}
	}
}
