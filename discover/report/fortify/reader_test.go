package fortify_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/fortify"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, fortify.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, fortify.Reader{}, "fortify") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, fortify.Reader{}) }
