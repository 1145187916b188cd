package capec_test

import (
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/intel/feed/capec"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

// feed believes in nothing after the middle of 2026.
var feed = capec.Feed{Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }
