package testssl_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/testssl"
)

func TestReader(t *testing.T) { reporttest.Run(t, testssl.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, testssl.Reader{}, "testssl") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, testssl.Reader{}) }
