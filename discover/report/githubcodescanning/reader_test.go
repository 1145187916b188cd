package githubcodescanning_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/githubcodescanning"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, githubcodescanning.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, githubcodescanning.Reader{}, "github_sast")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, githubcodescanning.Reader{}) }
