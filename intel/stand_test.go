package intel_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// shelf is a store in memory.
type shelf struct {
	mu     sync.Mutex
	states map[string][]byte
	bodies map[string][]byte
	writes int                            // of bodies
	onBody func(name string, body []byte) // called before a body is given away; may be nil
}

func newShelf() *shelf { return &shelf{states: map[string][]byte{}, bodies: map[string][]byte{}} }

func (s *shelf) Feeds(ctx context.Context) (map[string][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.states), ctx.Err()
}

func (s *shelf) FeedBody(ctx context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	body, hook := s.bodies[name], s.onBody
	s.mu.Unlock()
	if hook != nil {
		hook(name, body)
	}
	return body, ctx.Err()
}

func (s *shelf) PutFeed(ctx context.Context, name string, state, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	s.states[name] = slices.Clone(state)
	if body != nil {
		s.bodies[name] = slices.Clone(body)
		s.writes++
	}
	return nil
}

// list is a feed for tests: a line with the date and the version, a line with
// an id and its aliases for each weakness, and a last line that says end. The
// facts are days of publication, counted from the first line.
type list struct{ source intel.Source }

func (l list) Source() intel.Source { return l.source }

func (l list) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (e intel.Edition, err error) {
	lines := bufio.NewScanner(io.NewSectionReader(f, 0, f.Size()))
	last := ""
	for n := 0; lines.Scan(); n++ {
		last = lines.Text()
		fields := strings.Fields(last)
		switch {
		case n == 0:
			if len(fields) != 2 {
				return e, intel.Refused("this is no list for tests")
			}
			if e.Date, err = time.Parse(time.DateOnly, fields[0]); err != nil {
				return e, intel.Refused("this is no list for tests")
			}
			e.Version = fields[1]
		case len(fields) > 0 && last != "end":
			if err := add(intel.Fact{ID: fields[0], Aliases: fields[1:], Threat: exposure.Threat{PublishedDay: n}}); err != nil {
				return e, err
			}
		}
	}
	if last != "end" || lines.Err() != nil {
		return e, intel.Refused("the list for tests has no end")
	}
	return e, ctx.Err()
}

// edition is the text of a list with n weaknesses.
func edition(date string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s v%s\n", date, date)
	for i := range n {
		fmt.Fprintf(&b, "CVE-2025-%04d\n", i)
	}
	return b.String() + "end\n"
}

// site is a web server whose pages can be changed.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]http.HandlerFunc
	asked []http.Header
}

func newSite(t testing.TB) *site {
	s := &site{pages: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		page := s.pages[r.URL.Path]
		s.asked = append(s.asked, r.Header.Clone())
		s.mu.Unlock()
		if page == nil {
			http.NotFound(w, r)
			return
		}
		page(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) set(path string, page http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = page
}

func (s *site) text(path, text string) {
	s.set(path, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) })
}

// stand is a keeper with its surroundings.
type stand struct {
	*intel.Keeper
	shelf *shelf
	site  *site
	now   time.Time
}

// newStand returns a keeper of a feed "one" with one file and a feed "many"
// with the files a, b and c.
func newStand(t testing.TB) *stand {
	s := &stand{shelf: newShelf(), site: newSite(t), now: time.Date(2025, 9, 28, 12, 0, 0, 0, time.UTC)}
	source := func(name string, paths ...string) list {
		src := intel.Source{Name: name, Title: "the list " + name, Licence: "CC0-1.0", Every: 24 * time.Hour, Stale: 72 * time.Hour, MaxBytes: 1 << 20}
		for _, p := range paths {
			src.URLs = append(src.URLs, s.site.URL+p)
		}
		return list{src}
	}
	s.Keeper = &intel.Keeper{
		Registered: []intel.Feed{source("one", "/one"), source("many", "/a/all", "/b/all", "/c/all")},
		Store:      s.shelf, Fetcher: safehttp.New("test"), Now: func() time.Time { return s.now },
	}
	return s
}

// update updates feeds and returns the state of the first.
func (s *stand) update(t testing.TB, o intel.Options, names ...string) (state intel.State, changed bool) {
	t.Helper()
	states, changed, err := s.Update(t.Context(), names, o)
	if err != nil {
		t.Fatal(err)
	}
	return states[0], changed
}

// known counts the ids CVE-2025-0000 and up that the snapshot knows.
func (s *stand) known(t testing.TB) (n int) {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for ; snapshot.Threat([]string{fmt.Sprintf("CVE-2025-%04d", n)}).PublishedDay != 0; n++ {
	}
	return n
}
