package wiz_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/wiz"
)

func TestReader(t *testing.T) { reporttest.Run(t, wiz.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, wiz.Reader{}, "wiz") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, wiz.Reader{}) }
