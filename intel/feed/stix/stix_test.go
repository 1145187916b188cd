package stix_test

import (
	"os"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/stix"
)

// feed believes in nothing after the middle of 2026.
var feed = stix.Feed{Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }

// What has a feed of its own is sent there.
func TestTakes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ path, err string }{
		"ATT&CK": {"../attack/testdata/release.json", "update attack=FILE"},
		"CAPEC":  {"../capec/testdata/stix-capec.json", "update capec=FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			feedtest.Expect(t, feed, data, 0, tt.err)
		})
	}
}
