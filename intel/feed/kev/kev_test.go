package kev_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/kev"
)

func TestFeed(t *testing.T) { feedtest.Run(t, kev.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, kev.Feed{}) }

// catalogue returns a catalogue that says to hold count entries.
func catalogue(count string, entries ...string) string {
	return fmt.Sprintf(`{"catalogVersion":"2025.09.25","dateReleased":"2025-09-25T16:00:00Z","count":%s,"vulnerabilities":[%s]}`, count, strings.Join(entries, ","))
}

const listed = `{"cveID":"CVE-2025-0001","dateAdded":"2025-09-25","dueDate":"2025-10-16"}`

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"one":                     {catalogue("1", listed), 1, ""},
		"none":                    {catalogue("0"), 0, ""}, // the keeper refuses it
		"byte order mark":         {"\ufeff" + catalogue("1", listed) + "\r\n", 1, ""},
		"one is missing":          {catalogue("2", listed), 1, "should hold 2 entries and holds 1"},
		"one too many":            {catalogue("1", listed, listed), 2, "should hold 1 entries and holds 2"},
		"no count":                {catalogue("null", listed), 1, "lacks"},
		"count is a text":         {catalogue(`"1"`, listed), 0, "cannot be read on"},
		"no entries":              {`{"catalogVersion":"2025.09.25","dateReleased":"2025-09-25T16:00:00Z","count":0}`, 0, "lacks"},
		"entries are an object":   {`{"vulnerabilities":{}}`, 0, "cannot be read on"},
		"two lists":               {`{"vulnerabilities":[],"vulnerabilities":[]}`, 0, "cannot be read on"},
		"released on no date":     {strings.Replace(catalogue("1", listed), "2025-09-25T16:00:00Z", "yesterday", 1), 1, "no date"},
		"something after the end": {catalogue("1", listed) + "{}", 1, "cannot be read on"},
		"an entry is cut":         {catalogue("1", listed)[:150], 0, "cannot be read on"},
		"an array":                {"[" + catalogue("1", listed) + "]", 0, "does not begin"},
		"a shape of its own":      {catalogue("1", `"CVE-2025-0001"`), 0, "1 of 1 records cannot be read"},
		"no such day":             {catalogue("1", strings.Replace(listed, "09-25", "02-30", 1)), 0, "1 of 1 records"},
		"no such id":              {catalogue("1", strings.Replace(listed, "CVE-2025-0001", "GHSA-2222-3333-4444", 1)), 0, "1 of 1 records"},
		"one in a hundred":        {catalogue("100", append(repeat(listed, 99), "{}")...), 99, ""},
		"two in a hundred":        {catalogue("100", append(repeat(listed, 98), "{}", "7")...), 98, "2 of 100 records"},
		"deeper than anything":    {strings.Repeat(`{"a":`, 100_000), 0, "cannot be read on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feedtest.Expect(t, kev.Feed{}, []byte(tt.in), tt.facts, tt.err)
		})
	}
}

func repeat(s string, n int) (all []string) {
	for range n {
		all = append(all, s)
	}
	return all
}

// A skipped record is counted.
func TestSkipped(t *testing.T) {
	t.Parallel()
	got := feedtest.Read(t.Context(), kev.Feed{}, []byte(catalogue("200", append(repeat(listed, 198), "{}", "{}")...)))
	want := intel.Edition{Version: "2025.09.25", Date: got.Edition.Date, Skipped: 2}
	if diff := cmp.Diff(want, got.Edition); diff != "" || got.Err != nil {
		t.Errorf("edition differs (-want +got):\n%s%v", diff, got.Err)
	}
}

// More text than any catalogue has is refused, however little of it is sent.
func TestBomb(t *testing.T) {
	t.Parallel()
	bomb := feedtest.Gzip(t, strings.NewReader(`{"title":"`), feedtest.Zeros(70<<20))
	got := feedtest.Read(t.Context(), kev.Feed{}, bomb)
	if len(bomb) > 1<<20 || got.Err == nil || !strings.Contains(got.Err.Error(), "cannot be read on") {
		t.Errorf("%d bytes that unpack to 70 MiB: %v", len(bomb), got.Err)
	}
}
