package bandit_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/bandit"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, bandit.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, bandit.Reader{}, "bandit") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, bandit.Reader{}) }
