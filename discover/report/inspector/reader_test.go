package inspector_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/inspector"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, inspector.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, inspector.Reader{}, "aws_inspector2") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, inspector.Reader{}) }
