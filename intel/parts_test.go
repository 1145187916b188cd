package intel_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/intel"
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// named is an edition whose ids begin with a word.
func named(date, word string, n int) string {
	return strings.ReplaceAll(edition(date, n), "CVE-2025-", word+"-")
}

// holds says how many of the first hundred ids with a word are known.
func (s *stand) holds(t testing.TB, word string) (n int) {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if snapshot.Threat([]string{fmt.Sprintf("%s-%04d", word, i)}).PublishedDay != 0 {
			n++
		}
	}
	return n
}

// A file of a feed that fails keeps its last good copy, the others go on, and
// the error names it.
func TestPartFails(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.text("/a/all", named("2025-09-20", "A", 10))
	s.site.text("/c/all", named("2025-09-20", "C", 10))
	got, changed := s.update(t, intel.Options{}, "many")
	if !changed || s.holds(t, "A") != 10 || s.holds(t, "B") != 0 || s.holds(t, "C") != 10 {
		t.Errorf("b is missing: changed = %v, %+v", changed, got)
	}
	if !strings.Contains(got.Error, "1 of 3 files failed") || !strings.Contains(got.Error, s.site.URL+"/b/all") || strings.Contains(got.Error, "/a/all") {
		t.Errorf("error %q", got.Error)
	}

	s.site.text("/b/all", named("2025-09-20", "B", 10))
	if got, changed = s.update(t, intel.Options{}, "many"); !changed || got.Error != "" || s.holds(t, "B") != 10 || got.Facts() != 30 {
		t.Errorf("b came: changed = %v, %+v", changed, got)
	}

	s.site.text("/a/all", named("2025-09-21", "A", 12))
	s.site.text("/b/all", "<html>")
	s.site.text("/c/all", named("2025-09-19", "C", 20))
	got, changed = s.update(t, intel.Options{}, "many")
	if !changed || s.holds(t, "A") != 12 || s.holds(t, "B") != 10 || s.holds(t, "C") != 10 {
		t.Errorf("b is damaged and c old: changed = %v, %+v", changed, got)
	}
	if !strings.Contains(got.Error, "2 of 3 files failed") || !strings.Contains(got.Error, "/b/all: a web page came instead") || !strings.Contains(got.Error, "/c/all is of 2025-09-19, older") {
		t.Errorf("error %q", got.Error)
	}
	if got.Date().Day() != 20 || got.Version() != "v2025-09-21" {
		t.Errorf("the feed is of %v, version %s: want that of its oldest and of its newest file", got.Date(), got.Version())
	}

	for _, p := range []string{"/a/all", "/b/all", "/c/all"} {
		s.site.set(p, nil)
	}
	writes := s.shelf.writes
	got, changed = s.update(t, intel.Options{}, "many")
	if changed || s.shelf.writes != writes || got.Facts() != 32 || !strings.Contains(got.Error, "3 of 3 files failed") {
		t.Errorf("all are gone: changed = %v, %+v", changed, got)
	}
}

// Only a file that changed is read, and the others stay as they are.
func TestPartUnchanged(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, w := range []string{"A", "B", "C"} {
		s.site.text("/"+strings.ToLower(w)+"/all", named("2025-09-20", w, 10))
	}
	first, _ := s.update(t, intel.Options{}, "many")
	if got, changed := s.update(t, intel.Options{}, "many"); changed || got.Facts() != 30 {
		t.Errorf("the same again: changed = %v, %+v", changed, got)
	}
	s.site.text("/b/all", named("2025-09-21", "B", 11))
	got, changed := s.update(t, intel.Options{}, "many")
	if !changed || s.holds(t, "A") != 10 || s.holds(t, "B") != 11 || s.holds(t, "C") != 10 {
		t.Errorf("b changed: changed = %v, %+v", changed, got)
	}
	if got.Parts[0].Length != first.Parts[0].Length || got.Parts[1].SHA256 == first.Parts[1].SHA256 {
		t.Errorf("parts %+v, were %+v", got.Parts, first.Parts)
	}
}

// When a new version of the program asks for the files in another order, the
// copies follow.
func TestPartsReordered(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for i, w := range []string{"A", "B", "C"} {
		s.site.text("/"+strings.ToLower(w)+"/all", named("2025-09-20", w, 10+i))
	}
	s.update(t, intel.Options{}, "many")
	feed := s.Registered[1].(list)
	feed.source.URLs = slices.Clone(feed.source.URLs)
	slices.Reverse(feed.source.URLs)
	s.Registered[1] = feed
	got, _ := s.update(t, intel.Options{}, "many")
	s.Release()
	if s.holds(t, "A") != 10 || s.holds(t, "B") != 11 || s.holds(t, "C") != 12 || got.Error != "" {
		t.Errorf("%d, %d, %d known, state %+v", s.holds(t, "A"), s.holds(t, "B"), s.holds(t, "C"), got)
	}
}

func TestLocations(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "list.csv")
	if err := os.WriteFile(file, []byte(edition("2025-09-22", 12)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no feed"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.site.text("/one", edition("2025-09-20", 10))
	s.site.text("/mirror", edition("2025-09-21", 11))
	s.site.text("/moved", edition("2025-09-24", 14))
	s.site.set("/short", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/moved", http.StatusFound) })
	for _, tt := range []struct {
		name      string
		set       []string // nil: as before
		known     int
		from      string
		remembers []string
		err       string
	}{
		{"the public address", nil, 10, s.site.URL + "/one", nil, ""},
		{"a URL", []string{s.site.URL + "/mirror"}, 11, s.site.URL + "/mirror", []string{s.site.URL + "/mirror"}, ""},
		{"the same from now on", nil, 11, s.site.URL + "/mirror", []string{s.site.URL + "/mirror"}, ""},
		{"a file", []string{file}, 12, file, []string{file}, ""},
		{"a directory", []string{dir}, 12, file, []string{dir}, ""},
		{"older is refused from any place", []string{s.site.URL + "/mirror"}, 12, file, []string{dir}, "older than the copy of 2025-09-22"},
		{"no such file", []string{file + ".gz"}, 12, file, []string{dir}, "cannot read " + file + ".gz"},
		{"no such address", []string{s.site.URL + "/mistake"}, 12, file, []string{dir}, "404"},
		{"no web address", []string{"ftp://example.com/x"}, 12, file, []string{dir}, "must begin with https://"},
		{"a redirect", []string{s.site.URL + "/short"}, 14, s.site.URL + "/short", []string{s.site.URL + "/short"}, ""},
		{"the public address is older", []string{"default"}, 14, s.site.URL + "/short", []string{s.site.URL + "/short"}, "older"},
	} {
		o := intel.Options{}
		if tt.set != nil {
			o.Locations = map[string][]string{"one": tt.set}
		}
		got, _ := s.update(t, o, "one")
		if n := s.known(t); n != tt.known || got.Parts[0].Location != tt.from {
			t.Errorf("%s: %d known from %s, want %d from %s", tt.name, n, got.Parts[0].Location, tt.known, tt.from)
		}
		if !strings.Contains(got.Error, tt.err) || tt.err == "" && got.Error != "" {
			t.Errorf("%s: error %q, want %q", tt.name, got.Error, tt.err)
		}
		if diff := cmp.Diff(tt.remembers, got.Locations); diff != "" {
			t.Errorf("%s: remembered locations differ (-want +got):\n%s", tt.name, diff)
		}
	}
	got, _ := s.update(t, intel.Options{Locations: map[string][]string{"one": {"default"}}, Force: true}, "one")
	if s.known(t) != 10 || got.Locations != nil || got.Error != "" {
		t.Errorf("default, by force: %d known, %+v", s.known(t), got)
	}
}

// Of several files that are each a whole edition only the newest counts: the
// older would bring back what was taken out.
func TestNewestOfSeveral(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("2025-09-21.csv", edition("2025-09-21", 30))
	put("2025-09-23.csv", edition("2025-09-23", 20))
	put("2025-09-22.csv", edition("2025-09-22", 40))
	o := intel.Options{Locations: map[string][]string{"one": {dir}}}
	if got, changed := s.update(t, o, "one"); !changed || s.known(t) != 20 || len(got.Parts) != 1 || got.Error != "" {
		t.Errorf("changed = %v, %d known, %+v", changed, s.known(t), got)
	}
	if got, changed := s.update(t, intel.Options{}, "one"); changed || s.known(t) != 20 || got.Error != "" {
		t.Errorf("again: changed = %v, %d known, %+v", changed, s.known(t), got)
	}
	put("2025-09-24.csv", edition("2025-09-24", 21))
	put("2025-09-25.csv", "not a list")
	if got, changed := s.update(t, intel.Options{}, "one"); !changed || s.known(t) != 21 || !strings.Contains(got.Error, "1 of 5 files failed") || !strings.Contains(got.Error, "2025-09-25.csv") {
		t.Errorf("with a new one and a stranger: changed = %v, %d known, %+v", changed, s.known(t), got)
	}
	put("2025-09-26.csv", edition("2025-09-26", 3))
	if got, changed := s.update(t, intel.Options{}, "one"); changed || s.known(t) != 21 || !strings.Contains(got.Error, "holds 3 records") {
		t.Errorf("the newest is a fragment: changed = %v, %d known, %+v", changed, s.known(t), got)
	}
}

// Directories and files that are no feeds are told apart from empty ones.
func TestStrangeLocations(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.text("/one", edition("2025-09-20", 10))
	s.update(t, intel.Options{}, "one")
	empty, many, deep, large := t.TempDir(), t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "large.csv")
	for i := range 501 {
		if err := os.WriteFile(filepath.Join(many, fmt.Sprintf("%d.json", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(deep, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(deep, "a", "b", "list.json"), []byte(edition("2025-09-22", 12)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		location, err string
		known         int
	}{
		{empty, "holds no .json, .csv, .gz or .zip file", 10},
		{many, "501 files are more than the 500", 10},
		{pipe, "is not a file of at most 1 MiB", 10},
		{large, "is not a file of at most 1 MiB", 10},
		{"", "cannot read", 10},
		{"https://user:sesame@[broken/", "must begin with https://", 10},
		{deep, "", 12},
	} {
		got, changed := s.update(t, intel.Options{Locations: map[string][]string{"one": {tt.location}}}, "one")
		if !strings.Contains(got.Error, tt.err) || changed != (tt.err == "") || s.known(t) != tt.known {
			t.Errorf("%q: changed = %v, %d known, error %q, want %q", tt.location, changed, s.known(t), got.Error, tt.err)
		}
		if strings.Contains(got.Error, "sesame") {
			t.Errorf("%q: the error tells a secret: %s", tt.location, got.Error)
		}
	}
}

// Other files for a feed of several may not lose more than half of it either.
func TestFewerFiles(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, w := range []string{"A", "B", "C"} {
		s.site.text("/"+strings.ToLower(w)+"/all", named("2025-09-20", w, 10))
	}
	s.update(t, intel.Options{}, "many")
	s.site.text("/mirror", named("2025-09-21", "A", 11))
	o := intel.Options{Locations: map[string][]string{"many": {s.site.URL + "/mirror"}}}
	if got, changed := s.update(t, o, "many"); changed || got.Facts() != 30 || got.Locations != nil || !strings.Contains(got.Error, "all files together hold 11 records, and the copy that is kept 30") {
		t.Errorf("changed = %v, %+v", changed, got)
	}
	o.Force = true
	if got, changed := s.update(t, o, "many"); !changed || got.Facts() != 11 || len(got.Locations) != 1 || s.holds(t, "B") != 0 {
		t.Errorf("by force: changed = %v, %+v", changed, got)
	}
}

// A URL with what may be a secret is used once. Nothing of it is kept or told.
func TestSecrets(t *testing.T) {
	t.Parallel()
	mirror := newSite(t)
	mirror.text("/private", edition("2025-09-21", 11))
	base := strings.TrimPrefix(mirror.URL, "http://")
	for _, tt := range []struct {
		url   string
		works bool
	}{
		{"http://user:sesame@" + base + "/private", true},
		{"http://" + base + "/private?token=sesame", true},
		{"http://" + base + "/private?path=a/sesame/b", true},
		{"http://" + base + "/private#sesame", true},
		{"http://user:sesame@" + base + "/gone", false},
		{"http://user:sesame@127.0.0.1:1/", false},
		{"http://user:sesame@" + base + "/%zz", false},
		{"ftp://user:sesame@" + base + "/private", false},
	} {
		s := newStand(t)
		s.site.text("/one", edition("2025-09-20", 10))
		s.site.text("/a/all", edition("2025-09-20", 10))
		s.update(t, intel.Options{})
		var told strings.Builder
		got, changed := s.update(t, intel.Options{
			Progress:  func(feed, doing string) { told.WriteString(doing) },
			Locations: map[string][]string{"one": {tt.url}, "many": {s.site.URL + "/a/all", tt.url}},
		})
		if changed != tt.works || (got.Error == "") != tt.works || got.Locations != nil {
			t.Errorf("%s: changed = %v, %+v", tt.url, changed, got)
		}
		for name, state := range s.shelf.states {
			if strings.Contains(string(state), "sesame") {
				t.Errorf("%s: the state of %s holds a secret: %s", tt.url, name, state)
			}
		}
		if told.Len() == 0 || strings.Contains(told.String(), "sesame") {
			t.Errorf("%s: the progress tells a secret: %s", tt.url, &told)
		}
	}
}

// Files whose addresses differ only in what is not shown stay apart.
func TestLikeAddresses(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.set("/get", func(w http.ResponseWriter, r *http.Request) {
		word := r.URL.Query().Get("part")
		w.Header().Set("ETag", word)
		if r.Header.Get("If-None-Match") == word {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, named("2025-09-20", word, map[string]int{"A": 10, "B": 50}[word]))
	})
	o := intel.Options{Locations: map[string][]string{"many": {s.site.URL + "/get?part=A", s.site.URL + "/get?part=B"}}}
	for range 2 {
		got, _ := s.update(t, o, "many")
		if got.Error != "" || s.holds(t, "A") != 10 || s.holds(t, "B") != 50 || got.Parts[0].Location != s.site.URL+"/get" || got.Parts[1].Location != s.site.URL+"/get (2)" {
			t.Errorf("%d and %d known, %+v", s.holds(t, "A"), s.holds(t, "B"), got)
		}
	}
	if status := s.site.asked[3].Get("If-None-Match"); status != "B" {
		t.Errorf("asked for B with %q", status)
	}
}
