package poc_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/poc"
)

// feed believes in nothing after the middle of 2026.
var feed = poc.Feed{Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }}

func TestFeed(t *testing.T) { feedtest.Run(t, feed) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, feed) }

// A list of first sightings, which is no sample of its own: the other feeds of
// exploits read it as well.
func TestList(t *testing.T) {
	t.Parallel()
	got := feedtest.Read(t.Context(), feed, []byte("cve,first_seen\nCVE-2024-0001,2024-02-29\nCVE-2024-0002,2024-03-01\n"))
	want := feedtest.Result{
		Edition: intel.Edition{Date: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)},
		Facts:   []intel.Fact{{ID: "CVE-2024-0001", Threat: exposure.Threat{PoCDay: 19782}}, {ID: "CVE-2024-0002", Threat: exposure.Threat{PoCDay: 19783}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list differs (-want +got):\n%s", diff)
	}
}

// archive packs documents by their names.
func archive(t testing.TB, docs ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(docs); i += 2 {
		w, err := z.Create("PoC-in-GitHub-master/" + docs[i])
		if err == nil {
			_, err = w.Write([]byte(docs[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const repository = `{"id":1,"created_at":"2024-02-29T12:00:00Z","updated_at":"2025-01-01T00:00:00Z"}`

func TestFaults(t *testing.T) {
	t.Parallel()
	name := "2024/CVE-2024-0001.json"
	for name, tt := range map[string]struct {
		in    string
		facts int
		err   string // empty: taken
	}{
		"one":                     {archive(t, name, "["+repository+"]"), 1, ""},
		"what is no document":     {archive(t, "README.md", "x", "CVE.json", "{}", name, "["+repository+"]"), 1, ""},
		"no repositories":         {archive(t, name, "["+repository+"]", "2024/CVE-2024-0002.json", "[]"), 1, ""},
		"no documents":            {archive(t, "README.md", "x"), 0, "holds no document"},
		"an object":               {archive(t, name, repository), 0, "1 of 1 records"},
		"no dates":                {archive(t, name, "[{}]"), 1, "must say when"},
		"dates of days to come":   {archive(t, name, `[{"created_at":"2027-01-01T00:00:00Z"}]`), 1, "must say when"},
		"a document too long":     {archive(t, name, "["+strings.Repeat(" ", 17<<20)+"]"), 0, "1 of 1 records"},
		"cut":                     {archive(t, name, "["+repository+"]")[:100], 0, "no zip archive"},
		"a list of something":     {"a,b\n", 0, `there is no column "cve"`},
		"a list without its days": {"cve\nCVE-2024-0001\n", 0, `there is no column "first_seen"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feedtest.Expect(t, feed, []byte(tt.in), tt.facts, tt.err)
		})
	}
}

// The day is that of the oldest repository which can be about the CVE.
func TestFirst(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		repository: 19782,
		repository + `,{"created_at":"2024-02-28T23:00:00-05:00"},{"created_at":"2024-03-01T00:00:00Z"}`: 19782,
		repository + `,{"created_at":"2024-01-01T00:00:00Z"}`:                                            19723,
		repository + `,{"created_at":"2023-12-31T23:59:59Z"}`:                                            19782,
		`{"created_at":"2020-01-01T00:00:00Z"}`:                                                          intel.UnknownDay,
		`{"created_at":"2027-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"}`:                      intel.UnknownDay,
	} {
		got := feedtest.Read(t.Context(), feed, []byte(archive(t, "2024/CVE-2024-0001.json", "["+in+"]")))
		if got.Err != nil || len(got.Facts) != 1 || got.Facts[0].Threat.PoCDay != want {
			t.Errorf("%s gives %+v, want day %d", in, got, want)
		}
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
		"trickest_poc_first_seen.csv.gz": {147435, 147435, "2025-09-28"},
	} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "intel", "exploits", name))
		if err != nil {
			t.Skip("the shared material is not here")
		}
		got := feedtest.Read(t.Context(), poc.Feed{Now: func() time.Time { return now }}, data)
		ids, days := map[string]bool{}, map[string]bool{}
		for _, f := range got.Facts {
			ids[f.ID] = true
			if f.Threat.PoCDay != intel.UnknownDay {
				days[f.ID] = true
			}
		}
		if date := got.Edition.Date.Format(time.DateOnly); got.Err != nil || len(ids) != want.ids || len(days) != want.days || date != want.date || got.Edition.Skipped != 0 {
			t.Errorf("%s: %d CVEs, %d with a day, of %s, %d skipped, %v; want %+v", name, len(ids), len(days), date, got.Edition.Skipped, got.Err, want)
		}
	}
}
