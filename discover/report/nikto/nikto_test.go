package nikto_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/nikto"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, nikto.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, nikto.Reader{}, "nikto") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, nikto.Reader{}) }
