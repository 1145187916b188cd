package veracode_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/veracode"
)

func TestReader(t *testing.T) { reporttest.Run(t, veracode.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, veracode.Reader{}, "veracode") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, veracode.Reader{}) }
