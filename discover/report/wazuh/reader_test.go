package wazuh_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/wazuh"
)

func TestReader(t *testing.T) { reporttest.Run(t, wazuh.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, wazuh.Reader{}, "wazuh") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, wazuh.Reader{}) }
