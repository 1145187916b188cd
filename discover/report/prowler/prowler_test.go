package prowler_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/prowler"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, prowler.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, prowler.Reader{}, "aws_prowler", "aws_prowler_v3plus", "prowler")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, prowler.Reader{}) }
