package govulncheck_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/govulncheck"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, govulncheck.Reader{},
		reporttest.Ordered("the stream begins with its configuration, and tells of a vulnerability before it is found", ""),
		reporttest.Ordered("the first frame is that of the vulnerable function", "trace"),
	)
}
func TestCorpus(t *testing.T) { reporttest.Conform(t, govulncheck.Reader{}, "govulncheck") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, govulncheck.Reader{}) }
