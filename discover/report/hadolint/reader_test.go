package hadolint_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/hadolint"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, hadolint.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, hadolint.Reader{}, "hadolint") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, hadolint.Reader{}) }
