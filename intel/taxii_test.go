package intel_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/testkit/taxii"
)

// collection is a feed for tests: of a STIX bundle, the vulnerabilities by name.
type collection struct{ source intel.Source }

func (s collection) Source() intel.Source { return s.source }

func (s collection) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (e intel.Edition, err error) {
	var bundle struct {
		Type, ID string
		Objects  []struct {
			Type, Name string
			Created    time.Time
		}
	}
	if json.NewDecoder(io.NewSectionReader(f, 0, f.Size())).Decode(&bundle) != nil || bundle.Type != "bundle" || len(bundle.ID) != len("bundle--")+36 {
		return e, intel.Refused("this is no STIX bundle")
	}
	for n, o := range bundle.Objects {
		if err := add(intel.Fact{ID: o.Name, Threat: exposure.Threat{PublishedDay: n + 1}}); err != nil {
			return e, err
		}
		if o.Created.After(e.Date) {
			e.Date = o.Created
		}
	}
	return e, ctx.Err()
}

// objects are n vulnerabilities, a minute apart.
func objects(n int) (all []taxii.Object) {
	for i := range n {
		at := time.Date(2025, 9, 20, 0, i, 0, 123456000, time.UTC)
		all = append(all, taxii.Object{Added: at, STIX: fmt.Sprintf(`{"type":"vulnerability","name":"CVE-2025-%04d","created":%q}`, i, at.Format(time.RFC3339Nano))})
	}
	return all
}

// collected is a stand whose feed one is read from a TAXII server.
func collected(t testing.TB, server *taxii.Server) (s *stand, location string) {
	t.Helper()
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	s = newStand(t)
	s.Registered[0] = collection{s.Registered[0].Source()}
	return s, "taxii+" + web.URL + "/root/collections/open/"
}

func TestCollection(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		server *taxii.Server
		asked  int
	}{
		"one page":              {&taxii.Server{}, 1},
		"pages by name":         {&taxii.Server{PageSize: 4}, 3},
		"pages by date":         {&taxii.Server{PageSize: 4, ByDate: true}, 3},
		"pages of one":          {&taxii.Server{PageSize: 1}, 10},
		"without dates":         {&taxii.Server{PageSize: 4, Undated: true}, 3},
		"with a token":          {&taxii.Server{PageSize: 5, Header: "Bearer sesame"}, 2},
		"busy, then a page":     {&taxii.Server{PageSize: 5, Fault: once(2, http.StatusServiceUnavailable)}, 3},
		"too often, then again": {&taxii.Server{PageSize: 5, Fault: once(1, http.StatusTooManyRequests)}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := tt.server
			server.Objects = objects(10)
			s, location := collected(t, server)
			s.Patience = intel.Patience{Tries: 2, Total: time.Second}
			s.Env = func(name string) string { return map[string]string{"LEEWARD_FEED_ONE_TOKEN": "sesame"}[name] }
			got, changed := s.update(t, intel.Options{Locations: map[string][]string{"one": {location}}}, "one")
			if got.Error != "" || !changed || s.known(t) != 10 || len(got.Locations) != 1 || got.Parts[0].Location != location {
				t.Fatalf("changed = %v, %d known, %+v", changed, s.known(t), got)
			}
			asked := server.Asked()
			if len(asked) != tt.asked {
				t.Errorf("%d requests, want %d", len(asked), tt.asked)
			}
			for _, r := range asked {
				if r.Header.Get("Accept") != "application/taxii+json;version=2.1" || r.URL.Path != "/root/collections/open/objects/" || r.URL.Query().Get("limit") != "1000" {
					t.Errorf("asked for %s with %q", r.URL, r.Header.Get("Accept"))
				}
			}
			if kept := string(s.shelf.states["one"]); strings.Contains(kept, "sesame") {
				t.Errorf("the state holds the token: %s", kept)
			}
		})
	}
}

// once answers one request with a status.
func once(when, status int) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n == when {
			w.WriteHeader(status)
		}
		return n == when
	}
}

// Nothing added: one small question. Something added, a week gone, or by force:
// all of it, because what was taken out or changed is not told.
func TestCollectionAgain(t *testing.T) {
	t.Parallel()
	server := &taxii.Server{Objects: objects(10), PageSize: 4}
	s, location := collected(t, server)
	o := intel.Options{Locations: map[string][]string{"one": {location}}}
	s.update(t, o, "one")
	step := func(what string, o intel.Options, asked, known int, changes bool) {
		t.Helper()
		before := len(server.Asked())
		s.now = s.now.Add(time.Hour)
		got, changed := s.update(t, o, "one")
		if got.Error != "" || changed != changes || s.known(t) != known || !got.Fetched().Equal(s.now) {
			t.Errorf("%s: changed = %v, %d known, %+v", what, changed, s.known(t), got)
		}
		if n := len(server.Asked()) - before; n != asked {
			t.Errorf("%s: %d requests, want %d", what, n, asked)
		}
	}
	step("nothing added", intel.Options{}, 1, 10, false)
	if q := server.Asked()[3].URL.Query(); q.Get("limit") != "1" || q.Get("added_after") != "2025-09-20T00:09:00.123456Z" {
		t.Errorf("asked %v", q)
	}
	step("by force", intel.Options{Force: true}, 3, 10, true)
	server.Change(func(s *taxii.Server) { s.Objects = objects(11) })
	step("one added", intel.Options{}, 4, 11, true)
	server.Change(func(s *taxii.Server) { s.Objects = s.Objects[:9] })
	step("some taken out, unseen", intel.Options{}, 1, 11, false)
	s.now = s.now.Add(8 * 24 * time.Hour)
	server.Change(func(s *taxii.Server) { s.Objects = append(objects(9), objects(12)[10:]...) })
	before := s.shelf.writes
	got, changed := s.update(t, intel.Options{}, "one")
	if got.Error != "" || !changed || got.Facts() != 11 || s.shelf.writes != before+1 || s.known(t) != 9 {
		t.Errorf("after a week: changed = %v, %+v", changed, got)
	}
	step("all of it, the same", intel.Options{}, 1, 9, false)
}

// A server that does not keep to the standard, or to its word.
func TestCollectionRefused(t *testing.T) {
	t.Parallel()
	text := func(kind, body string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, n int) bool {
			w.Header().Set("Content-Type", kind)
			io.WriteString(w, body)
			return true
		}
	}
	const media = "application/taxii+json;version=2.1"
	for name, tt := range map[string]struct {
		server   *taxii.Server
		location func(string) string // may change it
		err      string
	}{
		"a page for ever":            {&taxii.Server{Fault: text(media, `{"more":true,"next":"7","objects":[{"type":"vulnerability","name":"A"}]}`)}, nil, "does not come to an end: after 2 pages"},
		"more, but nothing":          {&taxii.Server{Fault: text(media, `{"more":true,"next":"7","objects":[]}`)}, nil, "does not come to an end"},
		"more, but not where":        {&taxii.Server{Fault: text(media, `{"more":true,"objects":[{"type":"vulnerability","name":"A"}]}`)}, nil, "does not come to an end"},
		"by date, standing still":    {&taxii.Server{PageSize: 4, ByDate: true, Undated: true}, nil, "does not come to an end"},
		"pages without number":       {&taxii.Server{Fault: endless}, nil, "holds more than 1 MiB"},
		"a place of a megabyte":      {&taxii.Server{Fault: text(media, `{"more":true,"next":"`+strings.Repeat("7", 1<<19)+`","objects":[{}]}`)}, nil, "does not come to an end"},
		"a page without end":         {&taxii.Server{Fault: text(media, `{"objects":[{"name":"`+strings.Repeat("a", 2<<20)+`"}]}`)}, nil, "1048576"},
		"half a page":                {&taxii.Server{Fault: text(media, `{"objects":[{"type":`)}, nil, "or not all of it"},
		"another form":               {&taxii.Server{Fault: text(media, `["a"]`)}, nil, "no TAXII 2.1"},
		"other types":                {&taxii.Server{Fault: text(media, `{"more":"yes","objects":{}}`)}, nil, "no TAXII 2.1"},
		"deeper than anything":       {&taxii.Server{Fault: text(media, `{"objects":[`+strings.Repeat("[", 400_000))}, nil, "no TAXII 2.1"},
		"HTML":                       {&taxii.Server{Fault: text("text/html; charset=utf-8", `<html>Sign in`)}, nil, `answers with "text/html`},
		"TAXII 2.0":                  {&taxii.Server{Fault: text("application/vnd.oasis.stix+json; version=2.0", `{"type":"bundle","objects":[]}`)}, nil, "not as a TAXII 2.1 server does"},
		"a later version":            {&taxii.Server{Fault: text("application/taxii+json;version=3.0", `{}`)}, nil, "not as a TAXII 2.1 server does"},
		"an error that says nothing": {&taxii.Server{Fault: text(media, `{}`)}, nil, "holds no object that may be read"},
		"not acceptable":             {&taxii.Server{Fault: once(1, http.StatusNotAcceptable)}, nil, "does not speak TAXII 2.1"},
		"no credentials":             {&taxii.Server{Header: "Bearer sesame"}, nil, "LEEWARD_FEED_ONE_TOKEN"},
		"closed":                     {&taxii.Server{}, of("closed"), "LEEWARD_FEED_ONE_TOKEN"},
		"empty":                      {&taxii.Server{}, of("empty"), "holds no object"},
		"no such collection":         {&taxii.Server{}, of("other"), "`leeward feeds discover` lists the collections"},
		"a second page that fails":   {&taxii.Server{PageSize: 4, Fault: once(2, http.StatusInternalServerError)}, nil, "500"},
		"a user in the address":      {&taxii.Server{}, func(l string) string { return strings.Replace(l, "://", "://u:sesame@", 1) }, "must have no user and no query"},
		"a query in the address":     {&taxii.Server{}, func(l string) string { return l + "?api_key=sesame" }, "must have no user and no query"},
		"no web address":             {&taxii.Server{}, func(l string) string { return "taxii+ftp://127.0.0.1/" }, "must begin with https://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := tt.server
			server.Objects = objects(10)
			s, location := collected(t, server)
			if tt.location != nil {
				location = tt.location(location)
			}
			got, changed := s.update(t, intel.Options{Locations: map[string][]string{"one": {location}}}, "one")
			if changed || !strings.Contains(got.Error, tt.err) || got.Locations != nil {
				t.Errorf("changed = %v, error %q, want %q", changed, got.Error, tt.err)
			}
			if strings.Contains(string(s.shelf.states["one"]), "sesame") {
				t.Errorf("the state tells a secret: %s", s.shelf.states["one"])
			}
		})
	}
}

func of(id string) func(string) string {
	return func(l string) string { return strings.Replace(l, "/open/", "/"+id+"/", 1) }
}

// endless is a server with always another page.
func endless(w http.ResponseWriter, _ *http.Request, n int) bool {
	w.Header().Set("Content-Type", "application/taxii+json;version=2.1")
	fmt.Fprintf(w, `{"more":true,"next":"%d","objects":[{"name":%q}]}`, n, strings.Repeat("a", 100_000))
	return true
}

// A good copy stays when the server goes wrong later.
func TestCollectionKept(t *testing.T) {
	t.Parallel()
	server := &taxii.Server{Objects: objects(10), PageSize: 4}
	s, location := collected(t, server)
	s.update(t, intel.Options{Locations: map[string][]string{"one": {location}}}, "one")
	server.Change(func(s *taxii.Server) {
		s.Objects, s.Fault = objects(20), func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Query().Get("next") != "8" {
				return false
			}
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
	})
	got, changed := s.update(t, intel.Options{}, "one")
	if changed || !strings.Contains(got.Error, "502") || s.known(t) != 10 || got.Facts() != 10 {
		t.Errorf("changed = %v, %d known, %+v", changed, s.known(t), got)
	}
	server.Change(func(s *taxii.Server) { s.Fault = nil })
	if got, changed := s.update(t, intel.Options{}, "one"); !changed || got.Error != "" || s.known(t) != 20 {
		t.Errorf("well again: changed = %v, %+v", changed, got)
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	server := &taxii.Server{Header: "Bearer sesame"}
	web := httptest.NewServer(server)
	defer web.Close()
	other := httptest.NewServer(&taxii.Server{Header: "Bearer sesame"})
	defer other.Close()
	s := newStand(t)
	s.Env = func(name string) string { return map[string]string{"LEEWARD_FEED_ONE_TOKEN": "sesame"}[name] }
	at := "taxii+" + web.URL + "/root/collections/"
	want := []intel.Collection{
		{Root: "A root", ID: "open", Title: "All may read", Description: "What tests read", CanRead: true, Location: at + "open/"},
		{Root: "A root", ID: "closed", Title: "Nobody may read", Location: at + "closed/"},
		{Root: "A root", ID: "empty", Title: "Nothing to read", CanRead: true, Location: at + "empty/"},
	}
	for _, address := range []string{"/taxii2/", "/taxii2", "/root/"} {
		got, err := s.Discover(t.Context(), web.URL+address, "one")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", address, err, diff)
		}
	}
	if _, err := s.Discover(t.Context(), web.URL+"/taxii2/", ""); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without credentials: %v", err)
	}
	if _, err := s.Discover(t.Context(), strings.Replace(web.URL, "://", "://u:sesame@", 1), ""); err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("with credentials in the address: %v", err)
	}
	// A root elsewhere gets no credentials, and does not hide the others.
	server.Change(func(s *taxii.Server) {
		s.Fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Path != "/taxii2/" {
				return false
			}
			w.Header().Set("Content-Type", "application/taxii+json;version=2.1")
			fmt.Fprintf(w, `{"title":"two","api_roots":[%q,"/root/"]}`, other.URL+"/root/")
			return true
		}
	})
	got, err := s.Discover(t.Context(), web.URL+"/taxii2/", "one")
	if diff := cmp.Diff(want, got); diff != "" || err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a root elsewhere: %v (-want +got):\n%s", err, diff)
	}
}
