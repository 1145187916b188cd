package vulnrichment_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/feed/vulnrichment"
)

func TestFeed(t *testing.T) { feedtest.Run(t, vulnrichment.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, vulnrichment.Feed{}) }

// record returns a CVE record with metrics by its publisher and by CISA.
func record(cve, state, cna, adp string) string {
	return fmt.Sprintf(`{"dataType":"CVE_RECORD","cveMetadata":{"cveId":%q,"state":%q,"datePublished":"2024-02-06T00:00:00","dateUpdated":"2024-08-20T01:02:03.004Z"},"containers":{"cna":{"metrics":[%s]},"adp":[{"providerMetadata":{"shortName":"CISA-ADP","dateUpdated":"2024-08-22T15:06:10.001Z"},"metrics":[%s]}]}}`,
		cve, state, cna, adp)
}

func ssvc(at string, options ...string) string {
	return fmt.Sprintf(`{"other":{"type":"ssvc","content":{"timestamp":%q,"options":[%s]}}}`, at, strings.Join(options, ","))
}

const (
	weak   = "CVE-2024-90001"
	v31    = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	header = "cve,published,state,vector,cvss4_vector,ssvc_exploitation,ssvc_automatable,ssvc_technical_impact,ssvc_timestamp\n"
	row    = weak + ",2024-02-06,PUBLISHED," + v31 + ",,poc,no,total,2024-08-22\n"
	full   = `{"Exploitation":"poc"},{"Automatable":"yes"},{"Technical Impact":"total"}`
)

func dayOf(t *testing.T, date string) int {
	t.Helper()
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	return intel.Day(at)
}

func TestRecord(t *testing.T) {
	t.Parallel()
	published, assessed := dayOf(t, "2024-02-06"), dayOf(t, "2024-05-23")
	for name, tt := range map[string]struct {
		in   string
		want exposure.Threat
	}{
		"nothing more": {record(weak, "PUBLISHED", "", ""), exposure.Threat{PublishedDay: published}},
		"poc": {
			record(weak, "PUBLISHED", "", ssvc("2024-05-23T18:29:59.000Z", full)),
			exposure.Threat{PublishedDay: published, PoCDay: intel.UnknownDay, Automatable: "yes", Impact: "total"},
		},
		"poc of a new one": {
			record(weak, "PUBLISHED", "", ssvc("2024-02-09T18:29:59.000Z", full)),
			exposure.Threat{PublishedDay: published, PoCDay: published + 3, Automatable: "yes", Impact: "total"},
		},
		"active, in capitals": {
			record(weak, "PUBLISHED", "", ssvc("2024-05-23T18:29:59.000Z", `{"EXPLOITATION":"ACTIVE"}`, `{"automatable":"No"}`, `{"Technical impact":"Partial"}`)),
			exposure.Threat{PublishedDay: published, ObservedDay: assessed, Automatable: "no", Impact: "partial"},
		},
		"none": {
			record(weak, "PUBLISHED", "", ssvc("2024-05-23T18:29:59.000Z", `{"Exploitation":"none"}`, `{"Automatable":"no"}`)),
			exposure.Threat{PublishedDay: published, Automatable: "no"},
		},
		"other words": {
			record(weak, "PUBLISHED", "", ssvc("2024-05-23T18:29:59.000Z", `{"Exploitation":"perhaps"}`, `{"Automatable":"maybe"}`, `{"Technical Impact":"some"}`)),
			exposure.Threat{PublishedDay: published},
		},
		"active since nobody says": {
			record(weak, "PUBLISHED", "", ssvc("", `{"Exploitation":"active"}`)),
			exposure.Threat{PublishedDay: published, ObservedDay: dayOf(t, "2024-08-22")},
		},
		"assessed twice": {
			record(weak, "PUBLISHED", "", ssvc("2024-05-23T18:29:59.000Z", `{"Exploitation":"active"}`)+","+ssvc("2024-05-22T18:29:59.000Z", `{"Exploitation":"none"}`)),
			exposure.Threat{PublishedDay: published, ObservedDay: assessed},
		},
		"assessed by somebody else": {
			strings.Replace(record(weak, "PUBLISHED", "", ssvc("2024-05-23T18:29:59.000Z", full)), "CISA-ADP", "other", 1),
			exposure.Threat{PublishedDay: published},
		},
		"rejected": {record(weak, "REJECTED", "", ""), exposure.Threat{PublishedDay: published, Withdrawn: true}},
		"the newest vector": {
			record(weak, "PUBLISHED", `{"cvssV3_1":{"vectorString":"`+v31+`"}},{"cvssV4_0":{"vectorString":"CVSS:4.0/AV:N"}}`, ""),
			exposure.Threat{PublishedDay: published, Vector: "CVSS:4.0/AV:N"},
		},
		"that of the publisher": {
			record(weak, "PUBLISHED", `{"cvssV3_1":{"vectorString":"`+v31+`"}}`, `{"cvssV3_1":{"vectorString":"CVSS:3.1/AV:P"}}`),
			exposure.Threat{PublishedDay: published, Vector: v31},
		},
		"that of CISA": {
			record(weak, "PUBLISHED", `{"cvssV2_0":{"vectorString":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}}`, `{"cvssV3_1":{"vectorString":"`+v31+`"}}`),
			exposure.Threat{PublishedDay: published, Vector: v31},
		},
		"no vector": {
			record(weak, "PUBLISHED", `{"cvssV3_1":{"vectorString":"high"}},{"cvssV4_0":{"vectorString":"CVSS:`+strings.Repeat("A", 300)+`"}}`, ""),
			exposure.Threat{PublishedDay: published},
		},
		"metrics of other kinds": {
			record(weak, "PUBLISHED", `{"other":{"type":"severity","content":"high"}},{"format":"x"}`, `{"other":{"type":"kev","content":[1,"2"]}}`),
			exposure.Threat{PublishedDay: published},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Read(t.Context(), vulnrichment.Feed{}, []byte(tt.in+"\n"))
			if got.Err != nil {
				t.Fatal(got.Err)
			}
			if diff := cmp.Diff([]intel.Fact{{ID: weak, Threat: tt.want}}, got.Facts); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
			if date := got.Edition.Date.Format(time.RFC3339); date != "2024-08-22T15:06:10Z" && name != "assessed by somebody else" {
				t.Errorf("of %s", date)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	good := record(weak, "PUBLISHED", "", "")
	summary := func(ssvc string) string {
		return `{"cve":"` + weak + `","published":"2024-02-06","cvss":{},"ssvc":` + ssvc + `}`
	}
	lines := func(n int, more ...string) []byte {
		return []byte(strings.Join(append(slices.Repeat([]string{good}, n), more...), "\n") + "\n")
	}
	damaged := archive(t, zip.Store, good)
	damaged[bytes.Index(damaged, []byte("CVE_RECORD"))] = 'X'
	for name, tt := range map[string]struct {
		in      []byte
		facts   int
		skipped int
		err     string // empty: taken
	}{
		"a line":                  {lines(1), 1, 0, ""},
		"byte order mark":         {slices.Concat([]byte("\ufeff"), lines(1)), 1, 0, ""},
		"empty lines":             {[]byte("\n\n" + good + "\r\n\n"), 1, 0, ""},
		"half a line":             {lines(1)[:200], 0, 1, "ends in the middle of a line"},
		"no line end":             {[]byte(good), 1, 0, "ends in the middle of a line"},
		"one in a hundred":        {lines(99, `{"cveMetadata":{"cveId":7}}`), 99, 1, ""},
		"two in a hundred":        {lines(98, `{}`, `[]`), 98, 2, "2 of 100 records"},
		"another id":              {lines(99, record("GHSA-2222-3333-4444", "PUBLISHED", "", "")), 99, 1, ""},
		"metrics are a text":      {lines(99, record(weak, "PUBLISHED", `"high"`, "")), 99, 1, ""},
		"options are a text":      {lines(99, record(weak, "PUBLISHED", "", `{"other":{"type":"ssvc","content":{"options":"poc"}}}`)), 99, 1, ""},
		"three points of four":    {lines(99, summary(`["poc","no","total"]`)), 99, 1, ""},
		"points of numbers":       {lines(99, summary(`[1,2,3,4]`)), 99, 1, ""},
		"an endless line":         {lines(99, `{"a":"`+strings.Repeat("a", 33<<20)+`"}`), 99, 1, ""},
		"no day at all":           {[]byte(`{"cve":"` + weak + "\"}\n"), 1, 0, "must say when they changed"},
		"of NVD":                  {[]byte(`{"resultsPerPage":1,"format":"NVD_CVE","vulnerabilities":[{"cve":{"id":"` + weak + "\"}}]}\n"), 0, 1, "1 of 1 records"},
		"an archive":              {archive(t, zip.Deflate, good), 1, 0, ""},
		"a damaged one":           {damaged, 0, 0, "entry 2 of the archive is damaged"},
		"of other documents":      {archive(t, zip.Deflate), 0, 0, "holds no CVE record"},
		"of endless records":      {archive(t, zip.Deflate, slices.Concat(slices.Repeat([]string{good}, 99), []string{`{"a":"` + strings.Repeat("a", 33<<20) + `"}`})...), 99, 1, ""},
		"a table":                 {[]byte(header + row), 1, 0, ""},
		"of a byte order mark":    {[]byte("\ufeff" + header + row), 1, 0, ""},
		"of Windows":              {[]byte(strings.ReplaceAll(header+row, "\n", "\r\n")), 1, 0, ""},
		"of no rows":              {[]byte(header), 0, 0, "holds no CVE record"},
		"of half a row":           {[]byte(header + row + row[:30]), 2, 0, "ends in the middle of a line"},
		"of other columns":        {[]byte("cve,first_seen\n" + weak + ",2024-02-06\n"), 0, 0, "nor a table with the columns"},
		"of short rows":           {[]byte(header + strings.Repeat(row, 99) + weak + "\n"), 100, 0, ""},
		"of a row that is open":   {[]byte(header + strings.Repeat(row, 99) + "\"" + row), 99, 1, ""},
		"of a row of something":   {[]byte(header + strings.Repeat(row, 99) + "something\n"), 99, 1, ""},
		"deeper than anything":    {[]byte(strings.Repeat(`{"a":`, 100_000) + "\n"), 0, 1, "1 of 1 records"},
		"an archive of nothing":   {[]byte("PK\x05\x06" + strings.Repeat("\x00", 18)), 0, 0, "holds no CVE record"},
		"the start of an archive": {archive(t, zip.Deflate, good)[:100], 0, 0, "no zip archive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := feedtest.Expect(t, vulnrichment.Feed{}, tt.in, tt.facts, tt.err); got.Edition.Skipped != tt.skipped {
				t.Errorf("%d skipped, want %d", got.Edition.Skipped, tt.skipped)
			}
		})
	}
}

// archive packs records as GitHub packs the repository, after a README.
func archive(t testing.TB, method uint16, records ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name, text string) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	put("vulnrichment-develop/package.json", "{}")
	for i, r := range records {
		put(fmt.Sprintf("vulnrichment-develop/2024/90xxx/CVE-2024-%d.json", 90_000+i), r)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shared is a file of the shared material, published by others.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "intel", "cve", name))
	if err != nil {
		t.Skip("the shared material is not here")
	}
	return data
}

// Both real files are read whole, with what they are known to hold.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		date string
		want map[string]int
	}{
		"vulnrichment_compact_2025-01-24.csv.gz": {"2025-01-23", map[string]int{
			"facts": 62862, "rejected": 145, "undated": 500, "observed": 320, "poc": 10907, "yes": 12305, "no": 50408, "total": 20251, "partial": 42462,
			"CVSS:4.0": 3878, "CVSS:3.1": 43097, "CVSS:3.0": 3664, "vectors": 3425,
		}},
		"cve_rich_sample.ndjson.gz": {"", map[string]int{"facts": 2180, "observed": 318, "poc": 582}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := feedtest.Read(t.Context(), vulnrichment.Feed{}, shared(t, name))
			if got.Err != nil || got.Edition.Skipped != 0 {
				t.Fatal(got.Edition, got.Err)
			}
			counts, vectors := map[string]int{"facts": len(got.Facts)}, map[string]bool{}
			for _, f := range got.Facts {
				h := &f.Threat
				for what, is := range map[string]bool{
					"rejected": h.Withdrawn, "undated": h.PublishedDay == 0, "observed": h.ObservedDay != 0, "poc": h.PoCDay != 0,
					h.Automatable: h.Automatable != "", h.Impact: h.Impact != "", h.Vector[:min(8, len(h.Vector))]: h.Vector != "",
				} {
					if is {
						counts[what]++
					}
				}
				if h.Vector != "" {
					vectors[h.Vector] = true
				}
			}
			counts["vectors"] = len(vectors)
			for what, n := range tt.want {
				if counts[what] != n {
					t.Errorf("%d %s, want %d", counts[what], what, n)
				}
			}
			if tt.date != "" && got.Edition.Date.Format(time.DateOnly) != tt.date {
				t.Errorf("of %v, want %s", got.Edition.Date, tt.date)
			}
			t.Log(slices.Sorted(maps.Keys(counts)), counts)
		})
	}
}

// BenchmarkRead gives bytes of text a second; unpacking alone is the limit.
func BenchmarkRead(b *testing.B) {
	var docs []string
	size := 0
	for i := range 5_000 {
		var r map[string]any
		if err := json.Unmarshal([]byte(record(fmt.Sprintf("CVE-2024-%d", 10_000+i), "PUBLISHED", `{"cvssV3_1":{"vectorString":"`+v31+`"}}`, ssvc("2024-05-23T18:29:59.000Z", full))), &r); err != nil {
			b.Fatal(err)
		}
		r["more"] = strings.Repeat("It is weak. ", 300) // the usual length
		doc, err := json.MarshalIndent(r, "", "    ")
		if err != nil {
			b.Fatal(err)
		}
		docs, size = append(docs, string(doc)), size+len(doc)
	}
	data := archive(b, zip.Deflate, docs...)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		_, err := vulnrichment.Feed{}.Read(b.Context(), bytes.NewReader(data), func(intel.Fact) error { n++; return nil })
		if err != nil || n != len(docs) {
			b.Fatal(n, err)
		}
	}
}
