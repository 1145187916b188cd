package burp_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/burp"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, burp.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, burp.Reader{}, "burp") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, burp.Reader{}) }
