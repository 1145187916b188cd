package msdefender_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/msdefender"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, msdefender.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, msdefender.Reader{}, "ms_defender") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, msdefender.Reader{}) }
