package veracode_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/veracode"
	"github.com/leeward-ctem/leeward/exposure"
)

func TestReader(t *testing.T) { reporttest.Run(t, veracode.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, veracode.Reader{}, "veracode") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, veracode.Reader{}) }

// TestDecisions tries what became of findings: only what was approved counts.
func TestDecisions(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]exposure.State{
		`"status": "OPEN", "resolution": "UNRESOLVED", "resolution_status": "NONE"`:                   exposure.StatePresent,
		`"status": "OPEN", "resolution": "POTENTIAL_FALSE_POSITIVE", "resolution_status": "PROPOSED"`: exposure.StatePresent,
		`"status": "OPEN", "resolution": "POTENTIAL_FALSE_POSITIVE", "resolution_status": "APPROVED"`: exposure.StateNotAffected,
		`"status": "OPEN", "resolution": "MITIGATED", "resolution_status": "APPROVED"`:                exposure.StateSuppressed,
		`"status": "OPEN", "resolution": "MITIGATED", "resolution_status": "REJECTED"`:                exposure.StatePresent,
		`"status": "CLOSED", "resolution": "MITIGATED", "resolution_status": "APPROVED"`:              exposure.StateSuppressed,
		`"status": "CLOSED", "resolution": "FIXED", "resolution_status": "NONE"`:                      exposure.StateFixed,
	} {
		in := `{"findings": [{"issue_id": 1, "scan_type": "STATIC", "finding_status": {` + said + `}, "finding_details": {"severity": 3, "cwe": {"id": 79}}}]}`
		for o, err := range (veracode.Reader{}).Read(t.Context(), strings.NewReader(in)) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Kind == exposure.ObservedWeakness && o.State != want {
				t.Errorf("%s is %q, want %q", said, o.State, want)
			}
		}
	}
}
