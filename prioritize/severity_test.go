package prioritize_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/prioritize"
)

func TestVectorSeverity(t *testing.T) {
	t.Parallel()
	for vector, want := range map[string]string{
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": "critical",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":                    "critical",
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H":                    "high",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N":                    "medium",
		"CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N":                    "low",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N":                    "info",
		"(AV:N/AC:L/Au:N/C:C/I:C/A:C)":                                    "critical",
		"CVSS:3.1/AV:X":                                                   "unknown",
		"":                                                                "unknown",
	} {
		if got := prioritize.VectorSeverity(vector).String(); got != want {
			t.Errorf("%s: %s, want %s", vector, got, want)
		}
	}
}
