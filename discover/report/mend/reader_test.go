package mend_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/mend"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, mend.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, mend.Reader{}, "mend") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, mend.Reader{}) }
