// Package feedtest is the contract every feed keeps. A feed's test is one
// call:
//
//	func TestFeed(t *testing.T) { feedtest.Run(t, kev.Feed{}) }
//	func FuzzFeed(f *testing.F) { feedtest.Fuzz(f, kev.Feed{}) }
//
// Each file in the feed's testdata directory is a sample edition; beside it
// stands NAME.golden with the edition and its facts, one JSON object a line,
// rewritten by `go test ./intel/feed/... -update`.
package feedtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

var update = flag.Bool("update", false, "rewrite golden files")

// Run checks the contract of f with the samples in ./testdata.
func Run(t *testing.T, f intel.Feed) {
	t.Helper()
	t.Run("source", func(t *testing.T) { source(t, f.Source()) })
	name := f.Source().Name
	if !slices.ContainsFunc(builtin.Feeds(), func(o intel.Feed) bool { return o.Source().Name == name }) {
		t.Errorf("%s is not registered in builtin.Feeds", name)
	}
	samples := samplesIn(t, "testdata")
	if len(samples) == 0 {
		t.Fatal("no samples in testdata: every feed needs at least one")
	}
	for _, path := range samples {
		data := contents(t, path)
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			t.Run("golden", func(t *testing.T) { golden(t, f, path, data) })
			t.Run("truncated", func(t *testing.T) {
				truncated(t, f, data, slices.Contains([]string{".csv", ".ndjson"}, filepath.Ext(path)))
			})
			t.Run("stops", func(t *testing.T) { stops(t, f, data) })
			t.Run("stateless", func(t *testing.T) { stateless(t, f, data) })
			t.Run("stranger", func(t *testing.T) {
				for _, other := range builtin.Feeds() {
					if n := other.Source().Name; n != name {
						if got := Read(t.Context(), other, data); got.Err == nil {
							t.Errorf("the feed %s takes this sample of %s", n, name)
						}
					}
				}
			})
		})
	}
	t.Run("refuses", func(t *testing.T) { refuses(t, f) })
}

// Fuzz checks that no input makes f panic, hang or say what cannot be kept.
func Fuzz(f *testing.F, feed intel.Feed) {
	for _, path := range samplesIn(f, "testdata") {
		if data := contents(f, path); len(data) <= 32<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		valid(t, Read(t.Context(), feed, data))
	})
}

// FuzzAll is [Fuzz] for all feeds in one, with the samples of all: each gets the
// others' too, and one program is built for it.
func FuzzAll(f *testing.F, feeds []intel.Feed, dir string) {
	for i, feed := range feeds {
		for _, path := range samplesIn(f, filepath.Join(dir, feed.Source().Name, "testdata")) {
			if data := contents(f, path); len(data) <= 32<<10 {
				f.Add(uint8(i), data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, data []byte) { valid(t, Read(t.Context(), feeds[int(n)%len(feeds)], data)) })
}

// Result is what a feed makes of a file.
type Result struct {
	Edition intel.Edition
	Facts   []intel.Fact
	Err     error
}

// Read reads data with f.
func Read(ctx context.Context, f intel.Feed, data []byte) (r Result) {
	r.Edition, r.Err = f.Read(ctx, bytes.NewReader(data), func(fact intel.Fact) error {
		r.Facts = append(r.Facts, fact)
		return nil
	})
	return r
}

// Expect checks what comes of a file: so many facts, and an error that holds a
// text, is short and is the fault of the file; none where the text is empty.
func Expect(t *testing.T, f intel.Feed, data []byte, facts int, text string) Result {
	t.Helper()
	got := Read(t.Context(), f, data)
	if text == "" && got.Err != nil || text != "" && (got.Err == nil || !strings.Contains(got.Err.Error(), text)) {
		t.Errorf("error %v, want %q", got.Err, text)
	}
	if got.Err != nil && (exposure.KindOf(got.Err) != exposure.Invalid || len(got.Err.Error()) > 500) {
		t.Errorf("the error is of kind %v: %v", exposure.KindOf(got.Err), got.Err)
	}
	if len(got.Facts) != facts {
		t.Errorf("%d facts, want %d", len(got.Facts), facts)
	}
	return got
}

// valid checks what the keeper relies on.
func valid(t *testing.T, r Result) {
	t.Helper()
	for i := range r.Facts {
		if err := r.Facts[i].Check(); err != nil {
			t.Errorf("a fact that cannot be kept: %v", err)
		}
	}
	if r.Edition.Skipped < 0 {
		t.Errorf("%d records skipped", r.Edition.Skipped)
	}
	if r.Err == nil && len(r.Facts) > 0 && r.Edition.Date.IsZero() {
		t.Error("an edition without a date: an older one could not be told from it")
	}
}

// source checks that everything is said that people and the keeper need.
func source(t *testing.T, s intel.Source) {
	if !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(s.Name) {
		t.Errorf("Name = %q: want a word of small letters, people type it", s.Name)
	}
	if dir, err := os.Getwd(); err != nil || filepath.Base(dir) != s.Name {
		t.Errorf("the feed %s lies in the folder %s", s.Name, filepath.Base(dir))
	}
	if s.Title == "" || s.Licence == "" {
		t.Errorf("Title = %q, Licence = %q: want both", s.Title, s.Licence)
	}
	if s.Attribution == "" && (strings.Contains(s.Licence, "BY") || strings.Contains(s.Licence, "attribution")) {
		t.Errorf("Licence = %q asks for an attribution, and there is none", s.Licence)
	}
	for i, u := range s.URLs {
		if !regexp.MustCompile(`^https://[^@?#]+$`).MatchString(u) || slices.Contains(s.URLs[:i], u) {
			t.Errorf("URL %q: want an https address without user, query and fragment, once", u)
		}
	}
	if s.Every <= 0 || s.Stale < s.Every || s.Falls < 0 || s.Falls > s.Stale {
		t.Errorf("Every = %v, Stale = %v, Falls = %v: want 0 < Every ≤ Stale, and 0 ≤ Falls ≤ Stale", s.Every, s.Stale, s.Falls)
	}
	if s.MaxBytes <= 0 || s.MaxBytes > 4<<30 {
		t.Errorf("MaxBytes = %d: want a bound", s.MaxBytes)
	}
}

func golden(t *testing.T, f intel.Feed, path string, data []byte) {
	got := Read(t.Context(), f, data)
	if got.Err != nil {
		t.Fatalf("%s refuses its own sample: %v", f.Source().Name, got.Err)
	}
	valid(t, got)
	got.Edition.Facts = len(got.Facts) // as the keeper counts
	out := line(t, got.Edition)
	for _, fact := range got.Facts {
		out += line(t, fact)
	}
	file := path + ".golden"
	if *update {
		if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run `go test ./intel/feed/... -update` and read the result", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out, "\n")); diff != "" {
		t.Errorf("facts differ (-want +got):\n%s", diff)
	}
}

func line(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

// truncated cuts the sample at many places: half a feed is no feed. Only plain
// lines that end at the end of one cannot be told from fewer lines; that is
// why the keeper refuses editions that lost more than half.
func truncated(t *testing.T, f intel.Feed, data []byte, lines bool) {
	whole := Read(t.Context(), f, data)
	if !lines {
		data = bytes.TrimRight(data, " \r\n\t")
	}
	step := max(1, len(data)/200)
	for cut := 0; cut < len(data); cut++ {
		if cut%step != 0 && cut < len(data)-30 {
			continue
		}
		got := Read(t.Context(), f, data[:cut])
		if got.Err != nil {
			continue
		}
		if !lines || data[cut-1] != '\n' {
			t.Fatalf("cut at byte %d of %d: taken for whole, with %d of %d facts", cut, len(data), len(got.Facts), len(whole.Facts))
		}
		if diff := cmp.Diff(append([]intel.Fact(nil), whole.Facts[:len(got.Facts)]...), got.Facts); diff != "" {
			t.Fatalf("cut at byte %d of %d: other facts (-whole +cut):\n%s", cut, len(data), diff)
		}
	}
}

// stops checks that the caller can end the reading.
func stops(t *testing.T, f intel.Feed, data []byte) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := Read(ctx, f, data); !errors.Is(got.Err, context.Canceled) || len(got.Facts) > 0 {
		t.Errorf("Read of a cancelled context gives %d facts and %v", len(got.Facts), got.Err)
	}
	full, n := errors.New("disk full"), 0
	_, err := f.Read(t.Context(), bytes.NewReader(data), func(intel.Fact) error { n++; return full })
	if n != 1 || err != full {
		t.Errorf("add failed, and Read called it %d times and returned %v: want it once, and its error as it is", n, err)
	}
	half := broken{bytes.NewReader(data), int64(len(data)) / 2}
	if _, err := f.Read(t.Context(), half, func(intel.Fact) error { return nil }); err == nil {
		t.Error("an error of the disk was swallowed")
	}
}

// broken is a file of which only a part can be read.
type broken struct {
	*bytes.Reader
	until int64
}

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.until {
		return 0, errors.New("disk on fire")
	}
	return b.Reader.ReadAt(p, off)
}

// stateless reads the same sample several times at once.
func stateless(t *testing.T, f intel.Feed, data []byte) {
	want := Read(t.Context(), f, data)
	results := make(chan Result, 4)
	for range cap(results) {
		go func() { results <- Read(context.WithoutCancel(t.Context()), f, data) }()
	}
	for range cap(results) {
		got := <-results
		if diff := cmp.Diff(want.Facts, got.Facts); diff != "" || got.Err != nil || got.Edition != want.Edition {
			t.Errorf("reading again gives %+v, %v and (-first +again):\n%s", got.Edition, got.Err, diff)
		}
	}
}

// refuses gives f what it may meet instead of its files, and the samples of
// all other feeds.
func refuses(t *testing.T, f intel.Feed) {
	page := []byte("<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n<body>Please sign in to the proxy.</body></html>\n")
	others := map[string][]byte{
		"nothing":             {},
		"a space":             []byte(" \n"),
		"a page of HTML":      page,
		"a page, gzip":        Gzip(t, bytes.NewReader(page)),
		"a page, zip":         zipped(t, "index.html", page),
		"a page called JSON":  zipped(t, "index.json", page),
		"an empty gzip":       Gzip(t),
		"an empty zip":        zipped(t, "", nil),
		"null":                []byte("null"),
		"an object":           []byte("{}"),
		"an array":            []byte("[]"),
		"an object in a zip":  zipped(t, "a.json", []byte("{}")),
		"an error of S3":      []byte(`<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`),
		"binary":              bytes.Repeat([]byte{0, 0xff, 0x1f, 0x8b}, 100),
		"the start of gzip":   {0x1f, 0x8b},
		"the start of a zip":  []byte("PK\x03\x04"),
		"a pointer of Git":    []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
		"a header of columns": []byte("cve,epss,percentile\nCVE-2024-0001,0.1,0.2\n"),
	}
	for _, o := range builtin.Feeds() {
		if name := o.Source().Name; name != f.Source().Name {
			for _, path := range samplesIn(t, filepath.Join("..", name, "testdata")) {
				others[path] = contents(t, path)
			}
		}
	}
	for name, data := range others {
		got := Read(t.Context(), f, data)
		if got.Err == nil {
			t.Errorf("%s is taken for %s", name, f.Source().Name)
			continue
		}
		if msg := got.Err.Error(); strings.ContainsAny(msg, "\x00\x1b\n") || len(msg) > 500 || len(msg) < 20 {
			t.Errorf("%s: the error is not a sentence for people: %q", name, msg)
		}
	}
}
