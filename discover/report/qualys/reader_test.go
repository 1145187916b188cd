package qualys_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/qualys"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, qualys.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, qualys.Reader{}, "qualys", "qualys_vmdr", "qualys_webapp")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, qualys.Reader{}) }
