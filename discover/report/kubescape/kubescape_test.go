package kubescape_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/kubescape"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, kubescape.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, kubescape.Reader{}, "kubescape") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, kubescape.Reader{}) }
