package checkmarx_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/checkmarx"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, checkmarx.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, checkmarx.Reader{}, "checkmarx", "checkmarx_one")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, checkmarx.Reader{}) }
