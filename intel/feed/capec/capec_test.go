package capec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/intel/feed/capec"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

// feed believes in nothing after the middle of 2026.
var feed = capec.Feed{Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }

// Only a catalogue of patterns is taken, not a report that cites some.
func TestTakes(t *testing.T) {
	t.Parallel()
	const pattern = `{"type":"attack-pattern","id":"attack-pattern--00000001-0000-4000-8000-000000000001","modified":"2023-01-01T00:00:00Z","name":"Slip","x_capec_status":"Draft","external_references":[{"source_name":"capec","external_id":"CAPEC-66"},{"source_name":"cwe","external_id":"CWE-X"},{"source_name":"ATTACK","external_id":"TA0001"}]}`
	const malware = `{"type":"malware","id":"malware--00000001-0000-4000-8000-000000000002","modified":"2023-01-01T00:00:00Z","name":"M"}`
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"a catalogue":              {`{"objects":[` + pattern + `]}`, 1, ""},
		"a report":                 {`{"objects":[` + pattern + "," + malware + `]}`, 0, "names nobody who attacks"},
		"patterns without a state": {`{"objects":[` + strings.ReplaceAll(pattern, "x_capec_status", "status") + `]}`, 0, "names nobody who attacks"},
		"all of it deprecated":     {`{"objects":[` + strings.ReplaceAll(pattern, "Draft", "Deprecated") + `]}`, 0, "none that says who attacks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Expect(t, feed, []byte(tt.in), tt.facts, tt.err)
			for _, f := range got.Facts {
				if f.ID != "CAPEC-66" || len(f.Links) != 0 {
					t.Errorf("fact %+v", f)
				}
			}
		})
	}
}
