package semgrep_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/semgrep"
)

func TestReader(t *testing.T) { reporttest.Run(t, semgrep.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, semgrep.Reader{}, "semgrep", "semgrep_pro") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, semgrep.Reader{}) }
