package testssl_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/testssl"
)

func TestReader(t *testing.T) {
	reporttest.Run(t, testssl.Reader{},
		reporttest.Open("the members of a host that are lists are its results, whatever they are called", ""),
		reporttest.Either("the members of a host that are no lists are facts about it", "vulnerabilities", "clientProblem1"),
	)
}
func TestCorpus(t *testing.T) { reporttest.Conform(t, testssl.Reader{}, "testssl") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, testssl.Reader{}) }
