package sonarqube_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/sonarqube"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, sonarqube.Reader{},
		reporttest.Open("its members are the rules, by their keys", "rules"),
	)
}
func TestCorpus(t *testing.T) { reporttest.Conform(t, sonarqube.Reader{}, "sonarqube") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, sonarqube.Reader{}) }

// TestDecisions tries what is said of issues and hotspots over the versions.
func TestDecisions(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]exposure.State{
		`"status": "OPEN"`:      exposure.StatePresent,
		`"status": "REOPENED"`:  exposure.StatePresent,
		`"status": "TO_REVIEW"`: exposure.StatePresent,
		`"status": "RESOLVED", "resolution": "FALSE-POSITIVE"`:                     exposure.StateNotAffected,
		`"status": "RESOLVED", "resolution": "WONTFIX", "issueStatus": "ACCEPTED"`: exposure.StateSuppressed,
		`"issueStatus": "FALSE_POSITIVE", "status": "RESOLVED"`:                    exposure.StateNotAffected,
		`"issueStatus": "FIXED", "status": "CLOSED"`:                               exposure.StateFixed,
		`"status": "CLOSED", "resolution": "REMOVED"`:                              exposure.StateFixed,
		`"status": "REVIEWED", "resolution": "SAFE"`:                               exposure.StateNotAffected,
		`"status": "REVIEWED", "resolution": "ACKNOWLEDGED"`:                       exposure.StateSuppressed,
		`"status": "REVIEWED", "resolution": "FIXED"`:                              exposure.StateFixed,
	} {
		for _, o := range found(t, `{"issues": [{"rule": "a:S1", "key": "k", `+said+`}]}`) {
			if o.State != want {
				t.Errorf("%s is %q, want %q", said, o.State, want)
			}
		}
	}
}

// TestDependencies tries the messages about components.
func TestDependencies(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]exposure.Component{
		"Filename: cart:1.1.2 | Reference: CVE-2025-0001":              {Name: "cart", Version: "1.1.2"},
		"Filename: cart-2-1.3.0.jar | References: CVE-2025-0001 (7.5)": {Name: "cart-2", Version: "1.3.0"},
		"Filename: cart-31.0-jre.jar | Reference: CVE-2025-0001":       {Name: "cart", Version: "31.0-jre"},
		"Filename: cart.jar | Reference: CVE-2025-0001":                {Name: "cart"},
		"Filename: pkg:npm/cart | Reference: CVE-2025-0001":            {Name: "pkg:npm/cart"},
		"The Filename: cart": {},
	} {
		for _, o := range found(t, fmt.Sprintf(`{"issues": [{"rule": "OWASP:A", "key": "k", "message": %q}]}`, message)) {
			if o.Component != want {
				t.Errorf("%s is of %+v, want %+v", message, o.Component, want)
			}
		}
	}
}

func found(t *testing.T, in string) (all []exposure.Observation) {
	t.Helper()
	for o, err := range (sonarqube.Reader{}).Read(t.Context(), strings.NewReader(in)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == exposure.ObservedWeakness {
			all = append(all, o)
		}
	}
	if len(all) != 1 {
		t.Errorf("%d weaknesses in %s", len(all), in)
	}
	return all
}
