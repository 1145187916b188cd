package feedtest_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

// FuzzFeeds gives every feed what no publisher writes.
func FuzzFeeds(f *testing.F) { feedtest.FuzzAll(f, builtin.Feeds(), "..") }
