package azuredefender_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/azuredefender"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, azuredefender.Reader{}) }
func TestCorpus(t *testing.T) {
	reporttest.Conform(t, azuredefender.Reader{}, "azure_security_center_recommendations")
}
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, azuredefender.Reader{}) }
