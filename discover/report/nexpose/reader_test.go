package nexpose_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/nexpose"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, nexpose.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, nexpose.Reader{}, "nexpose") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, nexpose.Reader{}) }
