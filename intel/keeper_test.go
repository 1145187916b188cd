package intel_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

func TestUpdate(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.text("/one", edition("2025-09-27", 10))
	var told []string
	got, changed := s.update(t, intel.Options{Progress: func(feed, doing string) { told = append(told, feed+": "+doing) }}, "one")
	if !changed || s.known(t) != 10 {
		t.Errorf("changed = %v, %d weaknesses known, want 10", changed, s.known(t))
	}
	want := intel.State{Name: "one", Tried: s.now, Parts: []intel.Part{{
		Location: s.site.URL + "/one", Fetched: s.now, Length: got.Parts[0].Length,
		Edition: intel.Edition{Version: "v2025-09-27", Date: time.Date(2025, 9, 27, 0, 0, 0, 0, time.UTC), Facts: 10},
		SHA256:  sha(edition("2025-09-27", 10)),
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"one: reading " + s.site.URL + "/one"}, told); diff != "" {
		t.Errorf("progress differs (-want +got):\n%s", diff)
	}
	states, err := s.States(t.Context())
	if err != nil || len(states) != 2 || states[0].Facts() != 10 || states[1].Name != "many" || states[1].Facts() != 0 {
		t.Errorf("States = %+v, %v", states, err)
	}
}

// A new edition is whole: what it does not list any more is not known any more.
func TestNewEditionReplaces(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.text("/one", edition("2025-09-26", 10))
	s.update(t, intel.Options{}, "one")
	s.site.text("/one", edition("2025-09-27", 9))
	if _, changed := s.update(t, intel.Options{}, "one"); !changed || s.known(t) != 9 {
		t.Errorf("changed = %v, %d known, want 9", changed, s.known(t))
	}
}

func TestUnchanged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ header, value, asks string }{
		"ETag":           {"ETag", `"v1"`, "If-None-Match"},
		"Last-Modified":  {"Last-Modified", "Sat, 27 Sep 2025 06:00:00 GMT", "If-Modified-Since"},
		"checksum":       {"X-Nothing", "1", ""},
		"a long ETag":    {"ETag", `"` + strings.Repeat("x", 2000) + `"`, ""},
		"ETag that lies": {"ETag", `"new each time"`, "If-None-Match"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.site.set("/one", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(tt.header, tt.value)
				if tt.asks != "" && r.Header.Get(tt.asks) == tt.value && name != "ETag that lies" {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				io.WriteString(w, edition("2025-09-27", 10))
			})
			first, _ := s.update(t, intel.Options{}, "one")
			snapshot, err := s.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.now = s.now.Add(time.Hour)
			second, changed := s.update(t, intel.Options{}, "one")
			if changed || s.shelf.writes != 1 {
				t.Errorf("changed = %v and %d copies written, want one", changed, s.shelf.writes)
			}
			if !second.Fetched().Equal(s.now) || second.Facts() != 10 || second.Parts[0].SHA256 != first.Parts[0].SHA256 {
				t.Errorf("state %+v", second)
			}
			if again, _ := s.Snapshot(t.Context()); again != snapshot {
				t.Error("the snapshot was made again though nothing changed")
			}
			if tt.asks != "" && s.site.asked[1].Get(tt.asks) != tt.value {
				t.Errorf("asked with %v", s.site.asked[1])
			}
			if tt.asks == "" && (s.site.asked[1].Get("If-None-Match") != "" || s.site.asked[1].Get("If-Modified-Since") != "") {
				t.Errorf("asked with %v", s.site.asked[1])
			}
		})
	}
}

// What is refused leaves the last good copy, says why, and is forgotten when a
// good edition comes.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		page http.HandlerFunc
		err  string
	}{
		"older":          {write(edition("2025-09-25", 10)), "older than the copy of 2025-09-26"},
		"less than half": {write(edition("2025-09-27", 4)), "holds 4 records, and the copy that is kept 10"},
		"nothing":        {write(edition("2025-09-27", 0)), "holds no records"},
		"of the future":  {write(edition("2026-09-27", 10)), "which is to come"},
		"an empty file":  {write(""), "has no end"},
		"HTML":           {write("<!DOCTYPE html><title>Sign in</title>"), "a web page came instead"},
		"cut by nobody":  {write(edition("2025-09-27", 10)[:60]), "has no end"},
		"half a file": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, edition("2025-09-27", 10))
		}, "it ended after"},
		"half a stream": {func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, edition("2025-09-27", 10))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "it ended after"},
		"ten gigabytes claimed": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10737418240")
			w.WriteHeader(http.StatusOK)
		}, "has 10737418240 bytes, more than"},
		"an endless file": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, "has more than the 1048576 bytes"},
		"an error":               {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502"},
		"gone":                   {nil, "404"},
		"not modified since now": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotModified) }, "304"},
		"in circles":             {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/one", http.StatusFound) }, "more than five redirects"},
		"to the metadata of a cloud": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}, "metadata address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.site.text("/one", edition("2025-09-26", 10))
			before, _ := s.update(t, intel.Options{}, "one")
			s.now = s.now.Add(time.Hour)
			s.site.set("/one", tt.page)
			got, changed := s.update(t, intel.Options{}, "one")
			if !strings.Contains(got.Error, tt.err) {
				t.Errorf("error %q, want %q", got.Error, tt.err)
			}
			if changed || s.known(t) != 10 || !got.Tried.Equal(s.now) {
				t.Errorf("changed = %v, %d known, tried %v", changed, s.known(t), got.Tried)
			}
			if diff := cmp.Diff(before.Parts, got.Parts); diff != "" {
				t.Errorf("the kept copy differs (-before +after):\n%s", diff)
			}
			s.site.text("/one", edition("2025-09-27", 11))
			if got, changed := s.update(t, intel.Options{}, "one"); !changed || got.Error != "" || s.known(t) != 11 {
				t.Errorf("a good edition: changed = %v, error %q, %d known, want 11", changed, got.Error, s.known(t))
			}
		})
	}
}

func write(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) }
}

// A first file is not compared with anything, but must be the feed.
func TestFirstRefused(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	got, changed := s.update(t, intel.Options{}, "one")
	if changed || !strings.Contains(got.Error, "404") || s.known(t) != 0 || !got.Stale(s.Registered[0].Source(), s.now) {
		t.Errorf("changed = %v, state %+v", changed, got)
	}
}

func TestForce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text  string
		facts int
		date  string
	}{
		"older":          {edition("2024-01-01", 10), 10, "2024-01-01"},
		"less than half": {edition("2025-09-27", 1), 1, "2025-09-27"},
		"the same":       {edition("2025-09-26", 10), 10, "2025-09-26"},
		"of the future":  {edition("2099-01-01", 10), 10, "2025-09-28"}, // or nothing could follow
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.site.text("/one", edition("2025-09-26", 10))
			s.update(t, intel.Options{}, "one")
			s.site.text("/one", tt.text)
			got, changed := s.update(t, intel.Options{Force: true}, "one")
			if !changed || got.Error != "" || s.known(t) != tt.facts || got.Date().Format(time.DateOnly) != tt.date {
				t.Errorf("changed = %v, %d known, state %+v", changed, s.known(t), got)
			}
		})
	}
	s := newStand(t)
	s.site.text("/one", edition("2025-09-26", 10))
	s.update(t, intel.Options{}, "one")
	s.site.text("/one", "<html>")
	if got, changed := s.update(t, intel.Options{Force: true}, "one"); changed || got.Error == "" || s.known(t) != 10 {
		t.Errorf("force takes what is no feed: %+v", got)
	}
}

// A feed whose date is that of its newest record may fall back a little, once.
func TestFalls(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	feed := s.Registered[0].(list)
	feed.source.Falls = 7 * 24 * time.Hour
	s.Registered[0] = feed
	for i, tt := range []struct{ date, err string }{
		{"2025-09-20", ""},
		{"2025-09-14", ""},
		{"2025-09-12", "older than the copy of 2025-09-20"},
		{"2025-09-21", ""},
	} {
		s.site.text("/one", edition(tt.date, 10+i))
		got, changed := s.update(t, intel.Options{}, "one")
		if changed != (tt.err == "") || !strings.Contains(got.Error, tt.err) || got.Date().Before(time.Date(2025, 9, 20, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("edition %d of %s: changed = %v, error %q, date %v", i, tt.date, changed, got.Error, got.Date())
		}
	}
}

// A server that never answers is left when the caller wishes, nothing changes,
// and who asks meanwhile does not wait.
func TestHangs(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]http.HandlerFunc{
		"before the answer": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"within the answer": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, edition("2025-09-27", 10)[:40])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.site.text("/one", edition("2025-09-26", 10))
			s.update(t, intel.Options{}, "one")
			before := string(s.shelf.states["one"])
			arrived := make(chan bool)
			s.site.set("/one", func(w http.ResponseWriter, r *http.Request) { close(arrived); page(w, r) })
			ctx, cancel := context.WithCancel(t.Context())
			ends := make(chan error, 1)
			go func() {
				_, changed, err := s.Update(ctx, nil, intel.Options{})
				if changed {
					t.Error("changed = true")
				}
				ends <- err
			}()
			<-arrived
			s.Release()
			if n := s.known(t); n != 10 {
				t.Errorf("%d known while an update hangs, want 10", n)
			}
			cancel()
			if err := <-ends; !errors.Is(err, context.Canceled) {
				t.Errorf("Update = %v", err)
			}
			if after := string(s.shelf.states["one"]); after != before {
				t.Errorf("the state changed from %s to %s", before, after)
			}
		})
	}
}

// One feed that fails does not stop the others.
func TestOneFails(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, p := range []string{"/a/all", "/b/all", "/c/all"} {
		s.site.text(p, edition("2025-09-27", 5))
	}
	states, changed, err := s.Update(t.Context(), nil, intel.Options{})
	if err != nil || !changed || len(states) != 2 || states[0].Error == "" || states[1].Error != "" || states[1].Facts() != 15 {
		t.Errorf("Update = %+v, %v, %v", states, changed, err)
	}
}

// A feed without a public address is left alone until it is given a location,
// all of which count together; "default" ends the use of it.
func TestNotConfigured(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	own := intel.Source{Name: "own", Title: "a list of our own", Every: 24 * time.Hour, Stale: 72 * time.Hour, MaxBytes: 1 << 20}
	s.Registered = append(s.Registered, list{own})
	ours := func() intel.State {
		t.Helper()
		states, err := s.States(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return states[2]
	}
	states, _, err := s.Update(t.Context(), nil, intel.Options{})
	if got := ours(); err != nil || len(states) != 2 || got.Wanted(own) || got.Stale(own, s.now) || !got.Tried.IsZero() {
		t.Errorf("before: %d states, %+v, %v", len(states), got, err)
	}
	for _, o := range []intel.Options{{}, {Force: true}} {
		if got, changed := s.update(t, o, "own"); changed || !strings.Contains(got.Error, "name a URL, a file or a directory") {
			t.Errorf("by name: %+v", got)
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"a.json": edition("2025-09-26", 10), "b.json": edition("2025-09-27", 4)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, changed := s.update(t, intel.Options{Locations: map[string][]string{"own": {dir}}}, "own")
	if !changed || got.Error != "" || got.Facts() != 14 || s.known(t) != 10 {
		t.Errorf("a directory: changed = %v, %+v", changed, got)
	}
	if states, _, err = s.Update(t.Context(), nil, intel.Options{}); err != nil || len(states) != 3 || states[2].Facts() != 14 {
		t.Errorf("from now on: %+v, %v", states, err)
	}
	if got := ours(); !got.Wanted(own) || got.Stale(own, s.now) || !got.Stale(own, s.now.AddDate(0, 0, 7)) {
		t.Errorf("configured: %+v", got)
	}
	got, changed = s.update(t, intel.Options{Locations: map[string][]string{"own": {"default"}}}, "own")
	if !changed || got.Error != "" || s.known(t) != 0 || got.Wanted(own) {
		t.Errorf("no more: changed = %v, %+v", changed, got)
	}
	if got := ours(); got.Wanted(own) || got.Stale(own, s.now) {
		t.Errorf("afterwards: %+v", got)
	}
	if _, changed = s.update(t, intel.Options{Locations: map[string][]string{"own": {"default"}}}, "own"); changed {
		t.Error("what is not there changed")
	}
}

func TestUnknownFeed(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, o := range []struct {
		names     []string
		locations map[string][]string
	}{{[]string{"one", "two"}, nil}, {nil, map[string][]string{"two": {"/tmp"}}}} {
		_, _, err := s.Update(t.Context(), o.names, intel.Options{Locations: o.locations})
		if err == nil || exposure.KindOf(err) != exposure.Invalid || err.Error() != `there is no feed "two": use one, many` {
			t.Errorf("Update(%v) = %v", o, err)
		}
	}
}

// A feed on request is fetched when it is named, and from then on with the
// others.
func TestOnRequest(t *testing.T) {
	t.Parallel()
	large := func(t *testing.T) *stand {
		s := newStand(t)
		feed := s.Registered[0].(list)
		feed.source.OnRequest = true
		s.Registered[0] = feed
		for _, p := range []string{"/a/all", "/b/all", "/c/all"} {
			s.site.text(p, edition("2025-09-27", 5))
		}
		return s
	}
	asked := func(t *testing.T, s *stand, names []string, o intel.Options) bool {
		t.Helper()
		states, _, err := s.Update(t.Context(), names, o)
		if err != nil {
			t.Fatal(err)
		}
		return len(states) > 0 && states[0].Name == "one"
	}
	for name, tt := range map[string]struct {
		first  func(t *testing.T, s *stand)
		wanted bool
	}{
		"nobody asked":                {func(*testing.T, *stand) {}, false},
		"the schedule asked":          {func(t *testing.T, s *stand) { asked(t, s, []string{"one"}, intel.Options{Scheduled: true}) }, false},
		"asked, and it failed":        {func(t *testing.T, s *stand) { asked(t, s, []string{"one"}, intel.Options{}) }, true},
		"asked for in the background": {func(t *testing.T, s *stand) { s.Want(t.Context(), []string{"one"}) }, true},
		"came in a bundle": {func(t *testing.T, s *stand) {
			from := full(t)
			if _, _, err := s.Import(t.Context(), strings.NewReader(string(export(t, from))), false); err != nil {
				t.Fatal(err)
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := large(t)
			tt.first(t, s)
			s.site.text("/one", edition("2025-09-27", 10))
			if got := asked(t, s, nil, intel.Options{}); got != tt.wanted {
				t.Errorf("fetched with all others: %v, want %v", got, tt.wanted)
			}
			if got := asked(t, s, []string{"one"}, intel.Options{Scheduled: true}); got != tt.wanted {
				t.Errorf("fetched on schedule: %v, want %v", got, tt.wanted)
			}
			states, err := s.States(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if src := s.Registered[0].Source(); states[0].Wanted(src) != tt.wanted || states[0].Stale(src, s.now.Add(1000*time.Hour)) != tt.wanted {
				t.Errorf("state %+v", states[0])
			}
		})
	}
	if err := newStand(t).Want(t.Context(), []string{"two"}); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("Want of an unknown feed = %v", err)
	}
}
