package openvex_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/openvex"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, openvex.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, openvex.Reader{}, "openvex") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, openvex.Reader{}) }
