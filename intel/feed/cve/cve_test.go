package cve_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/intel/feed/cve"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/vulnrichment"
)

func TestFeed(t *testing.T) { feedtest.Run(t, cve.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, cve.Feed{}) }

// archive packs names and contents.
func archive(t testing.TB, method uint16, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
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

const record = `{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2024-90001","state":"PUBLISHED","datePublished":"2024-03-01T10:00:00.000Z","dateUpdated":"2025-09-27T08:00:00.000Z"},"containers":{"cna":{}}}`

func TestFaults(t *testing.T) {
	t.Parallel()
	const name = "cves/2024/90xxx/CVE-2024-90001.json"
	inner := string(archive(t, zip.Deflate, name, record))
	damaged := archive(t, zip.Store, "cves.zip", inner)
	damaged[bytes.Index(damaged, []byte(name))+len(name)+5] ^= 0xff
	for what, tt := range map[string]struct {
		in    []byte
		facts int
		err   string // empty: taken
	}{
		"of the repository":         {archive(t, zip.Deflate, "cvelistV5-main/"+name, record), 1, ""},
		"of a release":              {archive(t, zip.Deflate, "cves.zip", inner), 1, ""},
		"of a release, stored":      {archive(t, zip.Store, "cves.zip", inner), 1, ""},
		"the inner archive alone":   {[]byte(inner), 1, ""},
		"a page within":             {archive(t, zip.Deflate, "cves.zip", "<html>"), 0, "no zip archive"},
		"half an archive within":    {archive(t, zip.Deflate, "cves.zip", inner[:len(inner)/2]), 0, "no zip archive"},
		"an archive thrice":         {archive(t, zip.Deflate, "cves.zip", string(archive(t, zip.Deflate, "cves.zip", inner))), 0, "holds no CVE record"},
		"damaged within":            {damaged, 0, "entry 1 of the archive is damaged"},
		"records somewhere else":    {archive(t, zip.Deflate, "x/2024/90xxx/CVE-2024-90001.json", record), 0, "are not in a folder cves"},
		"records that are none":     {archive(t, zip.Deflate, name, "[]"), 0, "1 of 1 records cannot be read"},
		"a record of a long number": {archive(t, zip.Deflate, name, strings.Replace(record, "2024-90001", "2024-"+strings.Repeat("9", 40), 1)), 0, "1 of 1 records cannot be read"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			feedtest.Expect(t, cve.Feed{}, tt.in, tt.facts, tt.err)
		})
	}
}

// What both feeds hold they tell the same of, and each says where the archive of
// the other belongs.
func TestVulnrichment(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/main.zip")
	if err != nil {
		t.Fatal(err)
	}
	feedtest.Expect(t, vulnrichment.Feed{}, data, 0, "read it as the feed cve")
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, f := range z.File {
		if !strings.Contains(f.Name, "/CVE-") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		lines.WriteString(strings.ReplaceAll(string(body), "\n", "") + "\n")
	}
	want := feedtest.Expect(t, vulnrichment.Feed{}, []byte(lines.String()), 5, "")
	got := feedtest.Expect(t, cve.Feed{}, data, 5, "")
	if diff := cmp.Diff(want.Facts, got.Facts); diff != "" {
		t.Errorf("differs (-vulnrichment +cve):\n%s", diff)
	}
}
