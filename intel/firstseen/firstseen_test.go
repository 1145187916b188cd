package firstseen_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/feedtest"
	"github.com/leeward-ctem/leeward/intel/firstseen"
)

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// read reads a list of proofs of concept.
func read(ctx context.Context, data []byte) (r feedtest.Result) {
	to := func(t *exposure.Threat) *int { return &t.PoCDay }
	r.Edition, r.Err = firstseen.List(ctx, bytes.NewReader(data), "the list", now, to, func(f intel.Fact) error {
		r.Facts = append(r.Facts, f)
		return nil
	})
	return r
}

const (
	header = "cve,first_seen\n"
	row    = "CVE-2024-0001,2024-02-29\n"
)

func TestList(t *testing.T) {
	t.Parallel()
	first := intel.Fact{ID: "CVE-2024-0001", Threat: exposure.Threat{PoCDay: 19782}}
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	many := strings.Repeat(row, 99)
	for name, tt := range map[string]struct {
		in      string
		facts   int
		skipped int
		err     string // empty: taken
	}{
		"one":                         {header + row, 1, 0, ""},
		"none":                        {header, 0, 0, ""}, // the keeper refuses it
		"one twice":                   {header + row + row, 2, 0, ""},
		"a byte order mark":           {"\ufeff" + header + row, 1, 0, ""},
		"lines end in two bytes":      {"cve,first_seen\r\nCVE-2024-0001,2024-02-29\r\n", 1, 0, ""},
		"quotation marks":             {"\"cve\",\"first_seen\"\n\"CVE-2024-0001\",\"2024-02-29\"\n", 1, 0, ""},
		"other columns":               {"source,first_seen,CVE \nx,2024-02-29,CVE-2024-0001\n", 1, 0, ""},
		"a time":                      {header + "CVE-2024-0001,2024-02-29T12:00:00Z\n", 1, 0, ""},
		"blank lines":                 {header + "\n" + row + "\n", 1, 0, ""},
		"today":                       {header + "CVE-2024-0001,2026-07-01\n", 1, 0, ""},
		"tomorrow":                    {header + "CVE-2024-0001,2026-07-02\n", 0, 1, "1 of 1 records"},
		"the first day":               {header + "CVE-2024-0001,1999-01-01\n", 1, 0, ""},
		"the day before":              {header + "CVE-2024-0001,1998-12-31\n", 0, 1, "1 of 1 records"},
		"no such day":                 {header + "CVE-2024-0001,2023-02-29\n", 0, 1, "1 of 1 records"},
		"no day":                      {header + "CVE-2024-0001,\n", 0, 1, "1 of 1 records"},
		"no such id":                  {header + "GHSA-2222-3333-4444,2024-02-29\n", 0, 1, "1 of 1 records"},
		"too few cells":               {header + "CVE-2024-0001\n", 0, 1, "1 of 1 records"},
		"one in a hundred":            {header + many + "x,y\n", 99, 1, ""},
		"two in a hundred":            {header + many[len(row):] + "x,y\nx,y\n", 98, 2, "2 of 100 records"},
		"a bad quotation mark":        {header + many + "\"a\"b,c\n", 99, 1, ""},
		"a quotation mark stays open": {header + many + "\"a,c\n", 99, 1, ""},
		"cut":                         {header + row + row[:10], 1, 0, "middle of a line"},
		"cut in a quotation":          {header + many + "\"a,c", 99, 1, "middle of a line"},
		"cut in the header":           {header[:8], 0, 0, "no column"},
		"the header without its end":  {header[:len(header)-1], 0, 0, "middle of a line"},
		"nothing":                     {"", 0, 0, "does not begin as a table"},
		"another table":               {"cve,epss\nCVE-2024-0001,0.1\n", 0, 0, `no column "first_seen"`},
		"a page":                      {"<!DOCTYPE html>\n<html></html>\n", 0, 0, `no column "cve"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for form, data := range map[string][]byte{"plain": []byte(tt.in), "gzip": feedtest.Gzip(t, strings.NewReader(tt.in))} {
				got := read(t.Context(), data)
				if tt.err == "" && got.Err != nil || tt.err != "" && (got.Err == nil || !strings.Contains(got.Err.Error(), tt.err)) {
					t.Errorf("%s: error %v, want %q", form, got.Err, tt.err)
				}
				if got.Err != nil && exposure.KindOf(got.Err) != exposure.Invalid {
					t.Errorf("%s: the error is of kind %v", form, exposure.KindOf(got.Err))
				}
				if len(got.Facts) != tt.facts || got.Edition.Skipped != tt.skipped {
					t.Errorf("%s: %d facts and %d skipped, want %d and %d", form, len(got.Facts), got.Edition.Skipped, tt.facts, tt.skipped)
				}
				if strings.Contains(tt.in, "2024-02-29") && len(got.Facts) > 0 {
					if diff := cmp.Diff(first, got.Facts[0]); diff != "" || got.Err == nil && !got.Edition.Date.Equal(day) {
						t.Errorf("%s: edition of %v, and (-want +got):\n%s", form, got.Edition.Date, diff)
					}
				}
			}
		})
	}
}

// The reading ends when the caller wants it to, and with the caller's error.
func TestStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := read(ctx, []byte(header+row)); !errors.Is(got.Err, context.Canceled) || len(got.Facts) > 0 {
		t.Errorf("%d facts, %v", len(got.Facts), got.Err)
	}
	full, n := errors.New("disk full"), 0
	_, err := firstseen.List(t.Context(), strings.NewReader(header+row+row), "the list", now, func(t *exposure.Threat) *int { return &t.PoCDay }, func(intel.Fact) error { n++; return full })
	if err != full || n != 1 {
		t.Errorf("%d calls, %v", n, err)
	}
}

func TestBomb(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{"in the header": "", "in a row": header} {
		bomb := feedtest.Gzip(t, strings.NewReader(head), feedtest.Zeros(280<<20))
		if got := read(t.Context(), bomb); len(bomb) > 1<<20 || got.Err == nil || len(got.Facts) > 0 {
			t.Errorf("%s: %d bytes that unpack to 280 MiB: %v", name, len(bomb), got.Err)
		}
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	days := firstseen.Until(now)
	for text, want := range map[string]int{"2024-02-29": 19782, " 2024-02-29 ": 19782, "29/02/2024": 19782, "9/2/2024": 19762, "2/29/2024": 0, "2026-07-02": 0, "1998-12-31": 0, "": 0} {
		if got := days.Day(text, time.DateOnly, "2/1/2006"); got != want {
			t.Errorf("%q is day %d, want %d", text, got, want)
		}
	}
	if got := firstseen.Date(19782).Format(time.DateOnly); got != "2024-02-29" || !firstseen.Date(0).IsZero() {
		t.Errorf("day 19782 is %s", got)
	}
}

func TestCVEs(t *testing.T) {
	t.Parallel()
	want := []string{"CVE-2021-44228", "CVE-2021-45046", "CVE-2021-0001", "CVE-2021-0002", "CVE-2021-0003"}
	if diff := cmp.Diff(want, firstseen.CVEs("CVE-2021-44228;OSVDB-1;CVE-2021-45046, CVE-2021-0001 | CVE-2021-0002\tCVE-2021-0003 CVE-2021-TBD,")); diff != "" {
		t.Errorf("ids differ (-want +got):\n%s", diff)
	}
	if got := firstseen.CVEs(" ;, "); got != nil {
		t.Errorf("no ids are %q", got)
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte(header + row))
	f.Add([]byte("\ufeff\"cve\",\"first_seen\"\r\n\"CVE-2024-0001\",\"2024-02-29\"\r\n\"a\n\"b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got := read(t.Context(), data)
		for i := range got.Facts {
			if err := got.Facts[i].Check(); err != nil {
				t.Errorf("a fact that cannot be kept: %v", err)
			}
		}
		if got.Err == nil && len(got.Facts) > 0 && got.Edition.Date.IsZero() {
			t.Error("an edition without a date")
		}
	})
}
