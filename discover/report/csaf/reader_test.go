package csaf_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/csaf"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, csaf.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, csaf.Reader{}, "csaf") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, csaf.Reader{}) }
