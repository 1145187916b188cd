package cwe_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/intel/feed/cwe"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

func TestFeed(t *testing.T) { feedtest.Run(t, cwe.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, cwe.Feed{}) }
