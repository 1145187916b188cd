package epss_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/epss"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
)

func TestFeed(t *testing.T) { feedtest.Run(t, epss.Feed{}) }

func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, epss.Feed{}) }

const (
	comment = "#model_version:v2025.03.14,score_date:2025-03-30T00:00:00+0000\n"
	header  = "cve,epss,percentile\n"
	row     = "CVE-2024-0001,0.5,0.75\n"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	// 1 row in 100 may be broken.
	with := func(broken string) string { return comment + header + strings.Repeat(row, 99) + broken + "\n" }
	for name, tt := range map[string]struct {
		in      string
		facts   int
		skipped int
		err     string // empty: taken
	}{
		"one":                      {comment + header + row, 1, 0, ""},
		"none":                     {comment + header, 0, 0, ""}, // the keeper refuses it
		"byte order mark":          {"\ufeff" + comment + header + row, 1, 0, ""},
		"Windows":                  {strings.ReplaceAll(comment+header+row, "\n", "\r\n"), 1, 0, ""},
		"empty lines":              {comment + header + "\n" + row + "\n", 1, 0, ""},
		"zone as Z":                {strings.Replace(comment, "+0000", "Z", 1) + header + row, 1, 0, ""},
		"zone with a colon":        {strings.Replace(comment, "+0000", "+00:00", 1) + header + row, 1, 0, ""},
		"a day only":               {strings.Replace(comment, "T00:00:00+0000", "", 1) + header + row, 1, 0, ""},
		"a new column":             {comment + "cve,epss,percentile,trend\n" + "CVE-2024-0001,0.5,0.75,up\n", 1, 0, ""},
		"score above one":          {with("CVE-2024-0002,1.00001,0.5"), 99, 1, ""},
		"score below zero":         {with("CVE-2024-0002,-0.1,0.5"), 99, 1, ""},
		"score is no number":       {with("CVE-2024-0002,NaN,0.5"), 99, 1, ""},
		"score is endless":         {with("CVE-2024-0002,Inf,0.5"), 99, 1, ""},
		"score is missing":         {with("CVE-2024-0002,,0.5"), 99, 1, ""},
		"percentile above one":     {with("CVE-2024-0002,0.5,50"), 99, 1, ""},
		"percentile is missing":    {with("CVE-2024-0002,0.5"), 99, 1, ""},
		"no CVE id":                {with("GHSA-2222-3333-4444,0.5,0.5"), 99, 1, ""},
		"small letters":            {with("cve-2024-0002,0.5,0.5"), 99, 1, ""},
		"a long line":              {with("CVE-2024-0002,0.5,0.5" + strings.Repeat("0", 300_000)), 99, 1, ""},
		"two broken rows":          {comment + header + strings.Repeat(row, 98) + "x\ny\n", 98, 2, "2 of 100 records"},
		"cut in a line":            {comment + header + row + "CVE-2024-0002,0.5,0.7", 2, 0, "middle of a line"},
		"no comment":               {header + row, 0, 0, "does not state the model's version"},
		"an empty first line":      {"\n" + comment + header + row, 0, 0, "is not"},
		"no version":               {"#score_date:2025-03-30T00:00:00Z\n" + header + row, 0, 0, "does not state the model's version"},
		"a version with spaces":    {"#model_version:a b,score_date:2025-03-30T00:00:00Z\n" + header + row, 0, 0, "does not state the model's version"},
		"no date":                  {"#model_version:v2025.03.14\n" + header + row, 0, 0, "of what day"},
		"no header":                {comment + row, 0, 0, "second line"},
		"columns in another order": {comment + "cve,percentile,epss\n" + row, 0, 0, "second line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, data := range map[string][]byte{"plain": []byte(tt.in), "gzip": feedtest.Gzip(t, strings.NewReader(tt.in))} {
				if got := feedtest.Expect(t, epss.Feed{}, data, tt.facts, tt.err); got.Edition.Skipped != tt.skipped {
					t.Errorf("%d skipped, want %d", got.Edition.Skipped, tt.skipped)
				}
			}
		})
	}
}

// Every score says which model it is of, and the day is that of the scores in
// both spellings.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"+0000", "Z"} {
		got := feedtest.Read(t.Context(), epss.Feed{}, []byte("#model_version:v2026.06.15,score_date:2026-07-01T12:55:00"+zone+"\n"+header+row))
		want := feedtest.Result{
			Edition: intel.Edition{Version: "v2026.06.15", Date: time.Date(2026, 7, 1, 12, 55, 0, 0, time.UTC)},
			Facts:   []intel.Fact{{ID: "CVE-2024-0001", Threat: exposure.Threat{EPSS: 0.5, Percentile: 0.75, EPSSModel: "v2026.06.15"}}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", zone, diff)
		}
	}
}

// A checksum that does not fit is a damaged file, though all lines are there.
func TestChecksum(t *testing.T) {
	t.Parallel()
	data := feedtest.Gzip(t, strings.NewReader(comment+header+row))
	data[len(data)-5] ^= 1
	if got := feedtest.Read(t.Context(), epss.Feed{}, data); got.Err == nil || !strings.Contains(got.Err.Error(), "damaged") {
		t.Errorf("a wrong checksum gives %v", got.Err)
	}
}

func TestBomb(t *testing.T) {
	t.Parallel()
	bomb := feedtest.Gzip(t, strings.NewReader(comment+header), feedtest.Zeros(130<<20))
	got := feedtest.Read(t.Context(), epss.Feed{}, bomb)
	if len(bomb) > 4<<20 || got.Err == nil || !strings.Contains(got.Err.Error(), "128 MiB") {
		t.Errorf("%d bytes that unpack to 130 MiB: %v", len(bomb), got.Err)
	}
}

// BenchmarkRead gives bytes of text a second; unpacking alone is the limit.
func BenchmarkRead(b *testing.B) {
	var in strings.Builder
	in.WriteString(comment + header)
	for i := range 300_000 {
		fmt.Fprintf(&in, "CVE-%d-%d,%.5f,%.5f\n", 1999+i/12_000, 1000+i%12_000, float64(i%1000)/1000, float64(i)/300_000)
	}
	data := feedtest.Gzip(b, strings.NewReader(in.String()))
	b.SetBytes(int64(in.Len()))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		_, err := epss.Feed{}.Read(b.Context(), bytes.NewReader(data), func(intel.Fact) error { n++; return nil })
		if err != nil || n != 300_000 {
			b.Fatal(n, err)
		}
	}
}
