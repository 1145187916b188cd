package kubebench_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/kubebench"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, kubebench.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, kubebench.Reader{}, "kubebench") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, kubebench.Reader{}) }
