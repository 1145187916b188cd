package metasploit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/metasploit"
)

// feed believes in nothing after the middle of 2026.
var feed = metasploit.Feed{Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }

// A list of first sightings, which is no sample of its own: the other feeds of
// exploits read it as well.
func TestList(t *testing.T) {
	t.Parallel()
	got := feedtest.Read(t.Context(), feed, []byte("cve,first_seen\nCVE-2024-0001,2024-02-29\nCVE-2024-0002,2024-03-01\n"))
	want := feedtest.Result{
		Edition: intel.Edition{Date: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)},
		Facts:   []intel.Fact{{ID: "CVE-2024-0001", Threat: exposure.Threat{MetasploitDay: 19782}}, {ID: "CVE-2024-0002", Threat: exposure.Threat{MetasploitDay: 19783}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list differs (-want +got):\n%s", diff)
	}
}

const module = `"exploit_a/b":{"fullname":"exploit/a/b","type":"exploit","references":["CVE-2024-0001"],"mod_time":"2025-03-04 10:00:00 +0000"}`

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"one":                     {"{" + module + "}", 1, ""},
		"byte order mark":         {"\ufeff{" + module + "}\r\n", 1, ""},
		"no references":           {`{"a":{"fullname":"exploit/a","mod_time":"2025-03-04 10:00:00 +0000"}}`, 0, ""}, // the keeper refuses it
		"references that are odd": {strings.Replace("{"+module+"}", `"CVE-2024-0001"`, `"","CVE-","CVE-2024-X","cve","CVE-2024-0001 "`, 1), 0, ""},
		"none":                    {"{}", 0, "holds no module"},
		"no name":                 {strings.Replace("{"+module+"}", "fullname", "name", 1), 0, "1 of 1 records"},
		"a shape of its own":      {`{"a":[]}`, 0, "1 of 1 records"},
		"references are a text":   {strings.Replace("{"+module+"}", `["CVE-2024-0001"]`, `"CVE-2024-0001"`, 1), 0, "1 of 1 records"},
		"changed on no day":       {strings.Replace("{"+module+"}", "2025-03-04 10", "yesterday", 1), 1, "must say when"},
		"changed in days to come": {strings.Replace("{"+module+"}", "2025", "2027", 1), 1, "must say when"},
		"cut":                     {("{" + module + "}")[:120], 0, "cannot be read on"},
		"something after the end": {"{" + module + "}{}", 1, "cannot be read on"},
		"two in a hundred":        {"{" + strings.Repeat(module+",", 98) + `"a":{},"b":7}`, 98, "2 of 100 records"},
		"deeper than anything":    {strings.Repeat(`{"a":`, 100_000), 0, "cannot be read on"},
		"a table without types":   {"module,disclosure_date,cves\n", 0, `there is no column "type"`},
		"a table without days":    {"module,type,disclosure_date,cves\na,exploit,,CVE-2024-0001\n", 1, "must say when"},
		"a row without a module":  {"module,type,disclosure_date,cves\n,exploit,2024-01-01,CVE-2024-0001\n", 0, "1 of 1 records"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feedtest.Expect(t, feed, []byte(tt.in), tt.facts, tt.err)
		})
	}
}

// Real files, as far as they are here, hold what their makers counted.
func TestCorpus(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 11, 23, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]struct {
		ids, days int // CVEs, and of those the ones with a day
		date      string
	}{
		"metasploit_cve_first_seen.csv.gz":     {2680, 2680, "2025-09-22"},
		"metasploit_modules_2025-11-23.csv.gz": {640, 0, "2025-10-14"},
	} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "intel", "exploits", name))
		if err != nil {
			t.Skip("the shared material is not here")
		}
		got := feedtest.Read(t.Context(), metasploit.Feed{Now: func() time.Time { return now }}, data)
		ids, days := map[string]bool{}, map[string]bool{}
		for _, f := range got.Facts {
			ids[f.ID] = true
			if f.Threat.MetasploitDay != intel.UnknownDay {
				days[f.ID] = true
			}
		}
		if date := got.Edition.Date.Format(time.DateOnly); got.Err != nil || len(ids) != want.ids || len(days) != want.days || date != want.date || got.Edition.Skipped != 0 {
			t.Errorf("%s: %d CVEs, %d with a day, of %s, %d skipped, %v; want %+v", name, len(ids), len(days), date, got.Edition.Skipped, got.Err, want)
		}
	}
}
