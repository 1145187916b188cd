package nuclei_test

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
	"github.com/leeward-ctem/leeward/intel/feed/nuclei"
)

// feed believes in nothing after the middle of 2026.
var feed = nuclei.Feed{Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }

// A list of first sightings, which is no sample of its own: the other feeds of
// exploits read it as well.
func TestList(t *testing.T) {
	t.Parallel()
	got := feedtest.Read(t.Context(), feed, []byte("cve,first_seen\nCVE-2024-0001,2024-02-29\nCVE-2024-0002,2024-03-01\n"))
	want := feedtest.Result{
		Edition: intel.Edition{Date: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)},
		Facts:   []intel.Fact{{ID: "CVE-2024-0001", Threat: exposure.Threat{NucleiDay: 19782}}, {ID: "CVE-2024-0002", Threat: exposure.Threat{NucleiDay: 19783}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list differs (-want +got):\n%s", diff)
	}
}

const line = `{"ID":"CVE-2024-0001","Info":{"Name":"x"},"file_path":"http/cves/2024/CVE-2024-0001.yaml"}` + "\n"

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"one":                     {line, 1, ""},
		"byte order mark":         {"\ufeff" + line, 1, ""},
		"blank lines":             {"\n" + line + "\r\n\r\n" + line, 2, ""},
		"an object":               {"{}\n", 0, "1 of 1 records"},
		"no file":                 {strings.Replace(line, "file_path", "path", 1), 0, "1 of 1 records"},
		"no such id":              {strings.Replace(line, "CVE-2024-0001", "CNVD-2024-0001", 1), 0, "1 of 1 records"},
		"an id of years to come":  {strings.Replace(line, "CVE-2024-0001", "CVE-2027-0001", 1), 0, "1 of 1 records"},
		"an id of no year":        {strings.Replace(line, "CVE-2024-0001", "CVE-0000-0001", 1), 0, "1 of 1 records"},
		"cut":                     {line + line[:40], 1, "middle of a line"},
		"cut before the line end": {line[:len(line)-1], 1, "middle of a line"},
		"a line too long":         {line + `{"ID":"` + strings.Repeat("x", 2<<20) + "\n", 1, "1 of 2 records"},
		"one in a hundred":        {strings.Repeat(line, 99) + "x\n", 99, ""},
		"two in a hundred":        {strings.Repeat(line, 98) + "x\n{}\n", 98, "2 of 100 records"},
		"another table":           {"a,b\n", 0, `there is no column "cve"`},
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
		"nuclei_cve_first_seen.csv.gz": {3313, 3313, "2025-09-24"},
	} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "intel", "exploits", name))
		if err != nil {
			t.Skip("the shared material is not here")
		}
		got := feedtest.Read(t.Context(), nuclei.Feed{Now: func() time.Time { return now }}, data)
		ids, days := map[string]bool{}, map[string]bool{}
		for _, f := range got.Facts {
			ids[f.ID] = true
			if f.Threat.NucleiDay != intel.UnknownDay {
				days[f.ID] = true
			}
		}
		if date := got.Edition.Date.Format(time.DateOnly); got.Err != nil || len(ids) != want.ids || len(days) != want.days || date != want.date || got.Edition.Skipped != 0 {
			t.Errorf("%s: %d CVEs, %d with a day, of %s, %d skipped, %v; want %+v", name, len(ids), len(days), date, got.Edition.Skipped, got.Err, want)
		}
	}
}
