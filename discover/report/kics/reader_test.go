package kics_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/kics"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, kics.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, kics.Reader{}, "kics") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, kics.Reader{}) }
