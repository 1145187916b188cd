package dependencytrack_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/dependencytrack"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, dependencytrack.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, dependencytrack.Reader{}, "dependency_track")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, dependencytrack.Reader{}) }
