package sslyze_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/sslyze"
)

func TestReader(t *testing.T) { reporttest.Run(t, sslyze.Reader{}) }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, sslyze.Reader{}) }
