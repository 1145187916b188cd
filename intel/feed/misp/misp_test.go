package misp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/misp"
)

var feed = misp.Feed{Now: func() time.Time { return time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }

const (
	named   = `"uuid":"5acc0001-0000-4000-8000-000000000001","info":"X"`
	changed = named + `,"timestamp":"1714521600"`
)

func event(members string) string { return `{"Event":{` + members + `}}` }

func export(events ...string) string { return `{"response":[` + strings.Join(events, ",") + `]}` }

func TestFaults(t *testing.T) {
	t.Parallel()
	one := event(changed)
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"one":                     {one, 1, ""},
		"a list":                  {"[" + one + "," + one + "]", 2, ""},
		"a bare one":              {"{" + changed + "}", 1, ""},
		"an answer with one":      {`{"response":` + one + `}`, 1, ""},
		"none":                    {export(), 0, "holds none"},
		"an answer of nothing":    {`{"response":{}}`, 0, "holds none"},
		"a manifest of a feed":    {`{"5acc0001-0000-4000-8000-000000000001":{"info":"X","Orgc":{"name":"CIRCL"}}}`, 0, "holds none"},
		"attributes alone":        {`{"response":{"Attribute":[]}}`, 0, "1 of 1 records"},
		"a cluster of the galaxy": {`{"type":"threat-actor","uuid":"5acc0001-0000-4000-8000-000000000001","version":1,"values":[]}`, 0, "1 of 1 records"},
		"no time":                 {event(named), 1, "when it was changed"},
		"a time to come":          {event(named + `,"timestamp":"9999999999"`), 1, "when it was changed"},
		"an endless time":         {event(named + `,"timestamp":"99999999999999999999999"`), 1, "when it was changed"},
		"no uuid":                 {event(`"info":"X","timestamp":"1714521600"`), 0, "1 of 1 records"},
		"no name":                 {event(strings.Replace(changed, `"X"`, `" \u0007"`, 1)), 0, "1 of 1 records"},
		"a name of another kind":  {event(strings.Replace(changed, `"X"`, `[]`, 1)), 0, "1 of 1 records"},
		"an event that is a text": {`{"Event":"X"}`, 0, "1 of 1 records"},
		"two in a hundred":        {export(append(slices.Repeat([]string{one}, 98), event(""), "7")...), 98, "2 of 100 records"},
		"something after the end": {one + "{}", 1, "cannot be read on"},
		"cut":                     {one[:50], 0, "cannot be read on"},
		"deeper than anything":    {strings.Repeat(`{"response":`, 100_000), 0, "cannot be read on"},
		"answers in answers":      {strings.Repeat(`{"response":[`, 5_000) + strings.Repeat("]}", 5_000), 0, "holds none"},
		"more than anybody has":   {export(slices.Repeat([]string{"7"}, 100_001)...), 0, "100001 of 100001 records"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feedtest.Expect(t, feed, []byte(tt.in), tt.facts, tt.err)
		})
	}
}

// read are the facts of one event.
func read(t *testing.T, members string) []intel.Fact {
	t.Helper()
	got := feedtest.Read(t.Context(), feed, []byte(event(changed+","+members)))
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	for i := range got.Facts {
		if err := got.Facts[i].Check(); err != nil {
			t.Error(err)
		}
	}
	return got.Facts
}

// What is for its recipients alone is not kept, nor named in the notice.
func TestRed(t *testing.T) {
	t.Parallel()
	for _, mark := range []string{"tlp:red", "TLP:RED", " tlp:Red "} {
		in := export(event(changed+`,"Tag":[{"name":"`+mark+`"},{"name":"tlp:green"},{"name":"misp-galaxy:threat-actor=\"Secret\""}],"Attribute":[{"type":"vulnerability","value":"CVE-2024-0001"}]`), event(changed))
		got := feedtest.Expect(t, feed, []byte(in), 1, "")
		if want := "1 of 2 events are TLP:RED, for their recipients alone, and were left out"; got.Edition.Notice != want || got.Edition.Skipped != 0 {
			t.Errorf("%q: edition %+v", mark, got.Edition)
		}
	}
	if !feed.Source().Private {
		t.Error("bundles would carry away what was confided")
	}
	for mark, want := range map[string]string{"tlp:white": "TLP:CLEAR.", "tlp:amber+strict": "TLP:AMBER+STRICT.", "tlp:blue": "", "red": ""} {
		if got := read(t, `"Tag":[{"name":"`+mark+`"}]`)[0].Entry.Summary; got != want {
			t.Errorf("%q is shown as %q, want %q", mark, got, want)
		}
	}
}

// What is far too long, too much, or of another kind is cut or left out, and
// the event stays.
func TestHostile(t *testing.T) {
	t.Parallel()
	t.Run("a long text", func(t *testing.T) {
		t.Parallel()
		text := strings.Repeat("x ", 5<<20)
		got := read(t, `"Orgc":{"name":"`+text+`"},"Tag":[{"name":"misp-galaxy:threat-actor=\"`+text+`\""},{"name":"`+text+`"}],"Attribute":[{"type":"vulnerability","value":"`+text+`"}]`)
		if len(got) != 2 || len(got[1].Entry.Name) > intel.MaxName {
			t.Errorf("%d facts", len(got))
		}
	})
	t.Run("many", func(t *testing.T) {
		t.Parallel()
		var tags, attributes []string
		for i := range 100_000 {
			tags = append(tags, fmt.Sprintf(`{"name":"misp-galaxy:tool=\"tool %d\""}`, i))
			attributes = append(attributes, fmt.Sprintf(`{"type":"vulnerability","value":"CVE-2024-%06d"}`, i))
		}
		got := read(t, `"Tag":[`+strings.Join(tags, ",")+`],"Attribute":[`+strings.Join(attributes, ",")+`]`)
		if len(got[0].Links) != intel.MaxLinks {
			t.Errorf("%d links", len(got[0].Links))
		}
	})
	t.Run("of another kind", func(t *testing.T) {
		t.Parallel()
		got := read(t, `"Tag":[7,null,{"name":{}},{"name":"misp-galaxy:"},{"name":"misp-galaxy:sector"},{"name":"misp-galaxy:sector=\"\""}],"Attribute":[7,{"type":[]},{"type":"vulnerability","value":{}},{"type":"vulnerability","value":"CVE-2024-0001","Sighting":{}}],"Object":[{"Attribute":7},[]],"Orgc":7,"date":"2024-02-30","threat_level_id":[]`)
		want := []intel.Fact{{ID: "misp:5acc0001-0000-4000-8000-000000000001", Aliases: []string{"uuid:5acc0001-0000-4000-8000-000000000001"}, Entry: &intel.Entry{Kind: intel.KindCampaign, Name: "X"}, Links: []intel.Link{{Relation: intel.Exploits, To: "CVE-2024-0001"}}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("facts differ (-want +got):\n%s", diff)
		}
	})
}
