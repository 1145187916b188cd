package cargoaudit_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/cargoaudit"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, cargoaudit.Reader{},
		reporttest.Open("their members are the functions that are affected, and the kinds of warnings", "functions", "warnings"),
	)
}
func TestCorpus(t *testing.T) { reporttest.Conform(t, cargoaudit.Reader{}, "cargo_audit") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, cargoaudit.Reader{}) }
