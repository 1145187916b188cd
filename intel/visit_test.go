package intel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// script answers requests by a list, the last answer for ever, and notes when
// they came.
type script struct {
	answers []any // a text, or an error
	at      []time.Time
	asked   []string
}

func (s *script) Fetch(ctx context.Context, r safehttp.Request, w io.Writer) (a safehttp.Answer, err error) {
	answer := s.answers[min(len(s.at), len(s.answers)-1)]
	s.at, s.asked = append(s.at, time.Now()), append(s.asked, r.Address)
	if err, ok := answer.(error); ok {
		io.WriteString(w, "what came before it broke")
		return a, err
	}
	_, err = io.WriteString(w, answer.(string))
	return a, err
}

func busy(after time.Duration) error {
	return fmt.Errorf("busy: %w", &safehttp.Failure{Status: 503, Temporary: true, After: after, Err: errors.New("503")})
}

// scripted is a stand in a bubble of time, in which a script is the network.
func scripted(answers ...any) (*stand, *script) {
	net := &script{answers: answers}
	src := intel.Source{Name: "one", Title: "the list one", URLs: []string{"https://feeds.example/one"}, Every: time.Hour, Stale: time.Hour, MaxBytes: 1 << 20}
	s := &stand{shelf: newShelf()}
	s.Keeper = &intel.Keeper{Registered: []intel.Feed{list{src}}, Store: s.shelf, Fetcher: net, Now: time.Now, Patience: intel.Patient()}
	return s, net
}

func TestTriesAgain(t *testing.T) {
	t.Parallel()
	broken := fmt.Errorf("broken: %w", &safehttp.Failure{Temporary: true, Err: errors.New("reset")})
	gone := fmt.Errorf("gone: %w", &safehttp.Failure{Status: 404, Err: errors.New("404")})
	good := edition("1999-12-31", 10) // a bubble begins on the first of January 2000
	for name, tt := range map[string]struct {
		answers  []any
		tries    int
		min, max time.Duration // until the last one
		err      string
	}{
		"at once":                 {[]any{good}, 1, 0, 0, ""},
		"the second time":         {[]any{broken, good}, 2, time.Second, 3 * time.Second, ""},
		"the fourth time":         {[]any{broken, busy(0), broken, good}, 4, 7 * time.Second, 21 * time.Second, ""},
		"never":                   {[]any{broken}, 4, 7 * time.Second, 21 * time.Second, "broken"},
		"not what will not pass":  {[]any{gone, good}, 1, 0, 0, "gone"},
		"when it was told to":     {[]any{busy(90 * time.Second), good}, 2, 90 * time.Second, 90 * time.Second, ""},
		"not when told too late":  {[]any{busy(time.Hour), good}, 1, 0, 0, "busy"},
		"told again and again":    {[]any{busy(80 * time.Second)}, 3, 160 * time.Second, 160 * time.Second, "busy"},
		"not what is not the net": {[]any{errors.New("disk full")}, 1, 0, 0, "disk full"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, net := scripted(tt.answers...)
				began := time.Now()
				got, changed := s.update(t, intel.Options{})
				if len(net.at) != tt.tries || changed != (tt.err == "") || !strings.Contains(got.Error, tt.err) || tt.err == "" && got.Error != "" {
					t.Fatalf("%d tries, changed = %v, %+v", len(net.at), changed, got)
				}
				if took := net.at[len(net.at)-1].Sub(began); took < tt.min || took > tt.max {
					t.Errorf("the last try was after %v, want %v to %v", took, tt.min, tt.max)
				}
				if tt.err == "" && s.known(t) != 10 {
					t.Errorf("%d known: a broken try was mixed with a good one", s.known(t))
				}
			})
		})
	}
}

// A host that asks to be left alone for long is not asked again before that,
// but by force.
func TestLeavesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, net := scripted(busy(time.Hour), edition("1999-12-31", 10))
		s.update(t, intel.Options{})
		time.Sleep(30 * time.Minute)
		got, _ := s.update(t, intel.Options{})
		if len(net.at) != 1 || !strings.Contains(got.Error, "feeds.example asked to be left alone until 2000-01-01T01:00:00Z") {
			t.Errorf("%d requests, error %q", len(net.at), got.Error)
		}
		if got, _ := s.update(t, intel.Options{Force: true}); len(net.at) != 2 || got.Error != "" {
			t.Errorf("by force: %d requests, error %q", len(net.at), got.Error)
		}
		time.Sleep(time.Hour)
		if got, _ := s.update(t, intel.Options{}); len(net.at) != 3 || got.Error != "" {
			t.Errorf("later: %d requests, error %q", len(net.at), got.Error)
		}
	})
}

// Of a host that cannot be reached not every file is tried so often, and
// between two files of one host there is a pause.
func TestManyFilesOfAHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, net := scripted(fmt.Errorf("away: %w", &safehttp.Failure{Temporary: true, Unreachable: true, Err: errors.New("no route")}))
		feed := s.Registered[0].(list)
		feed.source.URLs = []string{"https://a.example/1", "https://a.example/2", "https://a.example/3", "https://b.example/1"}
		s.Registered[0] = feed
		got, _ := s.update(t, intel.Options{})
		if len(net.at) != 8 || !strings.Contains(got.Error, "4 of 4 files failed") {
			t.Errorf("%d requests, %q: want four to each host", len(net.at), got.Error)
		}
		net.answers, net.at = []any{edition("1999-12-31", 10)}, nil
		s.update(t, intel.Options{})
		for i, want := range []time.Duration{0, 250 * time.Millisecond, 250 * time.Millisecond, 0} {
			if i > 0 && net.at[i].Sub(net.at[i-1]) != want {
				t.Errorf("request %d came %v after the one before, want %v", i, net.at[i].Sub(net.at[i-1]), want)
			}
		}
	})
}

// Who ends an update does not wait for the next try.
func TestStopsWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, net := scripted(busy(time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if _, _, err := s.Update(ctx, nil, intel.Options{}); !errors.Is(err, context.DeadlineExceeded) || len(net.at) != 1 || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v and %d requests", err, time.Since(began), len(net.at))
		}
	})
}

// Credentials go to the locations that were set, over https or within this
// machine, and nowhere else.
func TestCredentials(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  map[string]string
		set  string // empty: the public address
		want string
		err  string
	}{
		"a token":               {map[string]string{"LEEWARD_FEED_ONE_TOKEN": " sesame\n"}, "/mirror", "Bearer sesame", ""},
		"a user":                {map[string]string{"LEEWARD_FEED_ONE_USER": "u", "LEEWARD_FEED_ONE_PASSWORD": "sesame"}, "/mirror", "Basic dTpzZXNhbWU=", ""},
		"of another feed":       {map[string]string{"LEEWARD_FEED_MANY_TOKEN": "sesame"}, "/mirror", "", ""},
		"to the public address": {map[string]string{"LEEWARD_FEED_ONE_TOKEN": "sesame"}, "", "", ""},
		"in the clear":          {map[string]string{"LEEWARD_FEED_ONE_TOKEN": "sesame"}, "http://192.0.2.1/", "", "in the clear: use https"},
		"with a line break":     {map[string]string{"LEEWARD_FEED_ONE_TOKEN": "ses\name"}, "/mirror", "", "invalid header field"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.Env = func(name string) string { return tt.env[name] }
			s.site.text("/one", edition("2025-09-27", 10))
			s.site.text("/mirror", edition("2025-09-27", 10))
			o := intel.Options{}
			if tt.set != "" {
				if strings.HasPrefix(tt.set, "/") {
					tt.set = s.site.URL + tt.set
				}
				o.Locations = map[string][]string{"one": {tt.set}}
			}
			got, _ := s.update(t, o, "one")
			if (got.Error == "") != (tt.err == "") || !strings.Contains(got.Error, tt.err) {
				t.Errorf("error %q, want %q", got.Error, tt.err)
			}
			if tt.err == "" && s.site.asked[0].Get("Authorization") != tt.want {
				t.Errorf("asked with %q, want %q", s.site.asked[0].Get("Authorization"), tt.want)
			}
			if kept := string(s.shelf.states["one"]); strings.Contains(kept, "sesame") || strings.Contains(kept, "ses\\name") {
				t.Errorf("the state holds the secret: %s", kept)
			}
		})
	}
}

// The public addresses lead to the public internet; a mirror may be anywhere.
func TestPrivateNetwork(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.site.text("/one", edition("2025-09-27", 10))
	named := strings.Replace(s.site.URL, "127.0.0.1", "localhost", 1) + "/one"
	feed := s.Registered[0].(list)
	feed.source.URLs = []string{named}
	s.Registered[0] = feed
	if got, _ := s.update(t, intel.Options{}, "one"); !strings.Contains(got.Error, "is in a private network") || !strings.Contains(got.Error, "as the location of the feed") {
		t.Errorf("a public name that leads inside: %q", got.Error)
	}
	if got, _ := s.update(t, intel.Options{Locations: map[string][]string{"one": {s.site.URL + "/one"}}}, "one"); got.Error != "" || s.known(t) != 10 {
		t.Errorf("a mirror inside: %q", got.Error)
	}
	s.site.set("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/one", http.StatusFound) })
	if got, _ := s.update(t, intel.Options{Force: true, Locations: map[string][]string{"one": {s.site.URL + "/moved"}}}, "one"); got.Error != "" {
		t.Errorf("a mirror inside that moved a file: %q", got.Error)
	}
}
