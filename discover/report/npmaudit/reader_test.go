package npmaudit_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/npmaudit"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, npmaudit.Reader{},
		reporttest.Open("their members are the records, by the names of packages and the numbers of advisories", "vulnerabilities", "advisories"),
	)
}
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, npmaudit.Reader{}, "npm_audit", "npm_audit_7_plus", "yarn_audit", "pnpm_audit")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, npmaudit.Reader{}) }
