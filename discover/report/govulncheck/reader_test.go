package govulncheck_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/govulncheck"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, govulncheck.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, govulncheck.Reader{}, "govulncheck") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, govulncheck.Reader{}) }
