package attack_test

import (
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/intel/feed/attack"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

// feed believes in nothing after the middle of 2026.
var feed = attack.Feed{Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }

// Only a release of ATT&CK is taken; a part of one is a release too.
func TestTakes(t *testing.T) {
	t.Parallel()
	const technique = `{"type":"attack-pattern","id":"attack-pattern--00000001-0000-4000-8000-000000000001","modified":"2025-01-01T00:00:00Z","name":"Knock","external_references":[{"source_name":"mitre-attack","external_id":"T9001"}]}`
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"a release":            {`{"objects":[` + technique + `,{"type":"x-mitre-collection","id":"x-mitre-collection--1","modified":"2025-02-01T00:00:00Z","x_mitre_version":"99.9"}]}`, 1, ""},
		"a matrix":             {`{"objects":[{"type":"x-mitre-matrix","id":"x-mitre-matrix--1"},` + technique + `]}`, 1, ""},
		"what cites ATT&CK":    {`{"objects":[` + technique + `]}`, 0, "what others publish is for the feed stix"},
		"a release of nothing": {`{"objects":[{"type":"x-mitre-matrix","id":"x-mitre-matrix--1","modified":"2025-02-01T00:00:00Z"}]}`, 0, "none that says who attacks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Expect(t, feed, []byte(tt.in), tt.facts, tt.err)
			if name == "a release" && got.Edition.Version != "99.9" {
				t.Errorf("edition %+v", got.Edition)
			}
		})
	}
}
