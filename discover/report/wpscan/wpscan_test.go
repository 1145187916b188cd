package wpscan_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/wpscan"
)

func TestReader(t *testing.T) { reporttest.Run(t, wpscan.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, wpscan.Reader{}, "wpscan") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, wpscan.Reader{}) }
