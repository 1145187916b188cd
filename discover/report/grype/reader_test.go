package grype_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/grype"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, grype.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, grype.Reader{}, "anchore_grype") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, grype.Reader{}) }
