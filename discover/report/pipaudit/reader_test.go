package pipaudit_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/pipaudit"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, pipaudit.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, pipaudit.Reader{}, "pip_audit") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, pipaudit.Reader{}) }
