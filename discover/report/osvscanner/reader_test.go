package osvscanner_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/osvscanner"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, osvscanner.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, osvscanner.Reader{}, "osv_scanner") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, osvscanner.Reader{}) }
