package nexusiq_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/nexusiq"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, nexusiq.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, nexusiq.Reader{}, "sonatype") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, nexusiq.Reader{}) }
