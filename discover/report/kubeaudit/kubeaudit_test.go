package kubeaudit_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/kubeaudit"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, kubeaudit.Reader{}) }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, kubeaudit.Reader{}) }
