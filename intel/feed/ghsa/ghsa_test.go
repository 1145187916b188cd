package ghsa_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/ghsa"
	"github.com/leeward-ctem/leeward/intel/feed/osv"
)

func TestFeed(t *testing.T) { feedtest.Run(t, ghsa.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, ghsa.Feed{}) }

func archive(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.Create(entries[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, entries[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReviewed(t *testing.T) {
	t.Parallel()
	const (
		reviewed   = "advisory-database-main/advisories/github-reviewed/2025/01/GHSA-2222-3333-4444/GHSA-2222-3333-4444.json"
		unreviewed = "advisory-database-main/advisories/unreviewed/2025/01/GHSA-2222-3333-5555/GHSA-2222-3333-5555.json"
		one        = `{"id":"GHSA-2222-3333-4444","modified":"2025-09-01T00:00:00Z"`
	)
	for name, tt := range map[string]struct {
		in     []byte
		facts  int
		vector string
		err    string // empty: taken
	}{
		"reviewed":                     {archive(t, reviewed, one+"}"), 1, "", ""},
		"beside what nobody looked at": {archive(t, unreviewed, one+"}", reviewed, one+"}"), 1, "", ""},
		"only what nobody looked at":   {archive(t, unreviewed, one+"}"), 0, "", "holds no folder advisories/github-reviewed/"},
		"a vector":                     {archive(t, reviewed, one+`,"severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}]}`), 1, "AV:N/AC:L/Au:N/C:P/I:P/A:P", ""},
		"a severity of another shape":  {archive(t, reviewed, one+`,"severity":"HIGH"}`), 1, "", ""},
		"a score that is no vector":    {archive(t, reviewed, one+`,"severity":[{"type":"CVSS_V3","score":9.8}]}`), 1, "", ""},
		"broken":                       {archive(t, reviewed, one), 0, "", "1 of 1 records cannot be read"},
		"empty":                        {archive(t, "advisory-database-main/advisories/github-reviewed/2025/", ""), 0, "", "holds no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Expect(t, ghsa.Feed{}, tt.in, tt.facts, tt.err)
			if tt.facts > 0 && got.Facts[0].Threat.Vector != tt.vector {
				t.Errorf("vector %q, want %q", got.Facts[0].Threat.Vector, tt.vector)
			}
		})
	}
}

// As OSV packs them the same advisories say the same, and of which packages besides.
func TestOSV(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/main.zip")
	if err != nil {
		t.Fatal(err)
	}
	feedtest.Expect(t, osv.Feed{}, data, 0, "read it as the feed ghsa")
	got := feedtest.Expect(t, ghsa.Feed{}, data, 5, "")
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var flat []string
	for _, fact := range got.Facts {
		for _, f := range z.File {
			if r, err := f.Open(); err == nil && bytes.Contains([]byte(f.Name), []byte(fact.ID+".json")) {
				body, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				flat = append(flat, fact.ID+".json", string(body))
			}
		}
	}
	want := feedtest.Expect(t, osv.Feed{}, archive(t, flat...), 5, "")
	for i := range want.Facts {
		want.Facts[i].Affected = nil
	}
	if diff := cmp.Diff(want.Facts, got.Facts); diff != "" {
		t.Errorf("differs (-osv +ghsa):\n%s", diff)
	}
}
