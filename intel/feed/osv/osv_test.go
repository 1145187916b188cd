package osv_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/osv"
)

func TestFeed(t *testing.T) { feedtest.Run(t, osv.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, osv.Feed{}) }

// archive packs documents, one an entry.
func archive(t testing.TB, method uint16, docs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, doc := range docs {
		w, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%d.json", i), Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const advisory = `{"id":"GO-2025-0001","modified":"2025-09-01T00:00:00Z"}`

func TestAdvisory(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in   string
		want intel.Fact
	}{
		"the least": {advisory, intel.Fact{ID: "GO-2025-0001"}},
		"related and upstream are no aliases": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","related":["CVE-2025-0001"],"upstream":["CVE-2025-0002"],"aliases":["CVE-2025-0003"]}`,
			intel.Fact{ID: "A-1", Aliases: []string{"CVE-2025-0003"}},
		},
		"aliases once, without itself and without nonsense": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","aliases":["B-1","A-1","B-1","","C 1","C-1"]}`,
			intel.Fact{ID: "A-1", Aliases: []string{"B-1", "C-1"}},
		},
		"published by a zone": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","published":"1970-01-03T01:00:00+02:00"}`,
			intel.Fact{ID: "A-1"}, // before there were advisories
		},
		"published": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","published":"2025-01-01T01:00:00+02:00"}`,
			intel.Fact{ID: "A-1", Threat: exposure.Threat{PublishedDay: 20088}}, // 2024-12-31 UTC
		},
		"NVD was first": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","published":"2025-01-01T00:00:00Z","database_specific":{"nvd_published_at":"2024-12-01T00:00:00Z"}}`,
			intel.Fact{ID: "A-1", Threat: exposure.Threat{PublishedDay: 20058}},
		},
		"NVD was later": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","published":"2025-01-01T00:00:00Z","database_specific":{"nvd_published_at":"2025-02-01T00:00:00Z"}}`,
			intel.Fact{ID: "A-1", Threat: exposure.Threat{PublishedDay: 20089}},
		},
		"withdrawn": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","withdrawn":"2025-08-01T00:00:00Z"}`,
			intel.Fact{ID: "A-1", Threat: exposure.Threat{Withdrawn: true}},
		},
		"never withdrawn": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","withdrawn":"0001-01-01T00:00:00Z"}`,
			intel.Fact{ID: "A-1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Read(t.Context(), osv.Feed{}, archive(t, zip.Deflate, tt.in))
			if got.Err != nil {
				t.Fatal(got.Err)
			}
			if diff := cmp.Diff([]intel.Fact{tt.want}, got.Facts); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	many := func(n int, more ...string) (docs []string) {
		for i := range n {
			docs = append(docs, strings.Replace(advisory, "0001", fmt.Sprint(i), 1))
		}
		return append(docs, more...)
	}
	damaged := archive(t, zip.Store, advisory)
	damaged[bytes.Index(damaged, []byte("GO-2025"))] = 'X'
	method := archive(t, zip.Store, advisory)
	for _, head := range []string{"PK\x03\x04", "PK\x01\x02"} {
		at := bytes.Index(method, []byte(head)) + 8
		if head == "PK\x01\x02" {
			at += 2
		}
		method[at] = 99 // a way of packing that nobody knows
	}
	for name, tt := range map[string]struct {
		in      []byte
		facts   int
		skipped int
		err     string // empty: taken
	}{
		"one":                {archive(t, zip.Deflate, advisory), 1, 0, ""},
		"stored":             {archive(t, zip.Store, advisory), 1, 0, ""},
		"one in a hundred":   {archive(t, zip.Deflate, many(99, `{"id":7}`)...), 99, 1, ""},
		"two in a hundred":   {archive(t, zip.Deflate, many(98, `{"id":7}`, `[]`)...), 98, 2, "2 of 100 records"},
		"without id":         {archive(t, zip.Deflate, many(99, `{"aliases":["CVE-2025-0001"]}`)...), 99, 1, ""},
		"id with a space":    {archive(t, zip.Deflate, many(99, `{"id":"A 1"}`)...), 99, 1, ""},
		"cut JSON":           {archive(t, zip.Deflate, many(99, `{"id":"A-1","aliases":[`)...), 99, 1, ""},
		"an endless text":    {archive(t, zip.Deflate, many(99, `{"id":"A-1","details":"`+strings.Repeat("a", 33<<20)+`"}`)...), 99, 1, ""},
		"an endless space":   {archive(t, zip.Deflate, many(99, advisory+strings.Repeat(" ", 33<<20))...), 99, 1, ""},
		"never changed":      {archive(t, zip.Deflate, `{"id":"A-1"}`), 1, 0, "must say when"},
		"a wrong checksum":   {damaged, 0, 0, "entry 1 of the archive is damaged"},
		"packed in some way": {method, 0, 0, "entry 1 of the archive is damaged"},
		"no advisory":        {archive(t, zip.Deflate), 0, 0, "holds no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := feedtest.Expect(t, osv.Feed{}, tt.in, tt.facts, tt.err); got.Edition.Skipped != tt.skipped {
				t.Errorf("%d skipped, want %d", got.Edition.Skipped, tt.skipped)
			}
		})
	}
}

// An advisory that says it has more other names than a weakness can have gives
// the first of them.
func TestManyAliases(t *testing.T) {
	t.Parallel()
	var aliases []string
	for i := range 200 {
		aliases = append(aliases, fmt.Sprintf("%q", fmt.Sprintf("B-%d", i)))
	}
	got := feedtest.Read(t.Context(), osv.Feed{}, archive(t, zip.Deflate, `{"id":"A-1","modified":"2025-09-01T00:00:00Z","aliases":[`+strings.Join(aliases, ",")+`]}`))
	if got.Err != nil || len(got.Facts) != 1 || len(got.Facts[0].Aliases) != intel.MaxAliases || got.Facts[0].Aliases[0] != "B-0" {
		t.Errorf("%+v", got)
	}
}

// A directory of entries that are nothing must not fill the memory.
func TestManyEntries(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	name := strings.Repeat("a", 60_000)
	for range 1_200 {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if got := feedtest.Read(t.Context(), osv.Feed{}, b.Bytes()); got.Err == nil || !strings.Contains(got.Err.Error(), "too many entries") {
		t.Errorf("a directory of 72 MB: %v", got.Err)
	}
}

// BenchmarkRead gives bytes of text a second; unpacking alone is the limit.
func BenchmarkRead(b *testing.B) {
	var docs []string
	size := 0
	for i := range 10_000 {
		doc := fmt.Sprintf(`{"schema_version":"1.7.0","id":"GHSA-%04d-3333-4444","modified":%q,"published":"2024-05-14T01:02:03Z","aliases":["CVE-2024-%d"],"summary":"A weakness","details":%q,"affected":[{"package":{"name":"example.com/mod","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.3"}]}]}],"database_specific":{"severity":"HIGH"}}`,
			i, time.Unix(1_700_000_000+int64(i), 0).UTC().Format(time.RFC3339), 10_000+i, strings.Repeat("It is weak. ", 80))
		docs, size = append(docs, doc), size+len(doc)
	}
	data := archive(b, zip.Deflate, docs...)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		_, err := osv.Feed{}.Read(b.Context(), bytes.NewReader(data), func(intel.Fact) error { n++; return nil })
		if err != nil || n != len(docs) {
			b.Fatal(n, err)
		}
	}
}
