package openvex_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/openvex"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, openvex.Reader{},
		reporttest.Either("a product was a text before version 0.2", "products", "subcomponents"),
	)
}
func TestCorpus(t *testing.T) { reporttest.Conform(t, openvex.Reader{}, "openvex") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, openvex.Reader{}) }
