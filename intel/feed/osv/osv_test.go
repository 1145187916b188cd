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
	"github.com/leeward-ctem/leeward/intel/match"
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
		"its vector, of the newest version": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}]}`,
			intel.Fact{ID: "A-1", Threat: exposure.Threat{Vector: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}},
		},
		"the vector of a package": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","severity":"high","affected":[{"severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}]}]}`,
			intel.Fact{ID: "A-1", Threat: exposure.Threat{Vector: "AV:N/AC:L/Au:N/C:P/I:P/A:P"}},
		},
		"classes": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","database_specific":{"cwe_ids":["CWE-79","CWE-79","CWE-x","NVD-CWE-noinfo","CWE-89"]}}`,
			intel.Fact{ID: "A-1", Links: []intel.Link{{Relation: intel.OfClass, To: "CWE-79"}, {Relation: intel.OfClass, To: "CWE-89"}}},
		},
		"packages": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","affected":[
				{"package":{"ecosystem":"PyPI","name":"x"},"ranges":[{"type":"GIT","repo":"https://example.com","events":[{"introduced":"0"}]},{"type":"ECOSYSTEM","events":[{"introduced":"1.0"},{"last_affected":"1.9"}]}],"versions":["0.9","1.0","1.5","2.0b"]},
				{"package":{"purl":"pkg:npm/%40a/b"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0","fixed":"1.2.3"},{"limit":"2.0.0"}]}]},
				{"package":{"ecosystem":"PyPI","name":"y"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`,
			intel.Fact{ID: "A-1", Affected: []match.Affected{
				{Ecosystem: "PyPI", Name: "x", Ranges: []match.Range{{Events: []match.Event{{Kind: match.Introduced, Version: "1.0"}, {Kind: match.LastAffected, Version: "1.9"}}}}, Versions: []string{"0.9", "2.0b"}},
				{Ecosystem: "npm", Name: "@a/b", Ranges: []match.Range{{Events: []match.Event{{Kind: match.Introduced, Version: "0"}, {Kind: match.Fixed, Version: "1.2.3"}, {Kind: match.Limit, Version: "2.0.0"}}}}},
				{Ecosystem: "PyPI", Name: "y", Ranges: []match.Range{{Semver: true, Events: []match.Event{{Kind: match.Introduced, Version: "0"}}}}},
			}},
		},
		"packages of which no version can be told": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","affected":[
				{"package":{"ecosystem":"Go","name":"commits"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]},
				{"package":{"ecosystem":"Go","name":"nothing"}},
				{"package":{"ecosystem":"Go","name":"broken"},"ranges":[{"type":"SEMVER","events":"all"}],"versions":["1.0.0"]},
				{"package":{"ecosystem":"Go","name":"long"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"` + strings.Repeat("1", 200) + `"}]}]},
				{"package":{"ecosystem":"Go"}},{"ranges":[]},7]}`,
			intel.Fact{ID: "A-1", Affected: []match.Affected{
				{Ecosystem: "Go", Name: "commits", Partial: true}, {Ecosystem: "Go", Name: "nothing", Partial: true}, {Ecosystem: "Go", Name: "broken", Partial: true}, {Ecosystem: "Go", Name: "long", Partial: true},
			}},
		},
		"packages of another shape": {
			`{"id":"A-1","modified":"2025-09-01T00:00:00Z","affected":{"package":"x"}}`,
			intel.Fact{ID: "A-1"},
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
