package invicti_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/invicti"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, invicti.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, invicti.Reader{}, "acunetix", "invicti", "netsparker")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, invicti.Reader{}) }
