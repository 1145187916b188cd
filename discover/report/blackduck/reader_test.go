package blackduck_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/blackduck"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, blackduck.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, blackduck.Reader{}, "blackduck") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, blackduck.Reader{}) }
