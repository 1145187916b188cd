package prismacloud_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/prismacloud"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, prismacloud.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, prismacloud.Reader{}, "twistlock") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, prismacloud.Reader{}) }
