package sonarqube_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/discover/report/reporttest"
	"github.com/leeward-ctem/leeward/discover/report/sonarqube"
)

func TestReader(t *testing.T) { reporttest.Run(t, sonarqube.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, sonarqube.Reader{}, "sonarqube") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, sonarqube.Reader{}) }
