package cloudsploit_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/cloudsploit"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, cloudsploit.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, cloudsploit.Reader{}, "cloudsploit") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, cloudsploit.Reader{}) }
