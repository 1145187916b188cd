package observations_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/observations"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, observations.Reader{}) }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, observations.Reader{}) }
