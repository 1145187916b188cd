package guard_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

func port(t testing.TB, address string) int {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Requests reach what is in scope, by redirects as well, and nothing else.
func TestDo(t *testing.T) {
	t.Parallel()
	var reached []string
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached = append(reached, r.URL.Path) }))
	defer outside.Close()
	inside := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/in":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/out":
			http.Redirect(w, r, outside.URL+"/secret", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/endless":
			for r.Context().Err() == nil {
				w.Write(make([]byte, 4096))
			}
		default:
			io.WriteString(w, r.Method+" "+r.RequestURI)
		}
	}))
	defer inside.Close()
	e := guardtest.Engagement()
	e.Targets = []string{inside.URL}
	s := guardtest.Open(t, guard.Config{}, e)
	for path, want := range map[string]string{"/in": "GET /end", "/plain?x=1": "GET /plain?x=1"} {
		res, err := s.Do(t.Context(), &guard.Request{URL: inside.URL + path, Redirects: 5})
		if err != nil || string(res.Body) != want || res.TLS == nil || res.Refused != nil {
			t.Errorf("%s: %+v, %v", path, res, err)
		}
	}
	res, err := s.Do(t.Context(), &guard.Request{URL: inside.URL + "/out", Redirects: 5})
	if err != nil || res.Status != 302 || res.Refused == nil || !strings.Contains(res.Refused.Error(), "no target holds 127.0.0.1") && !strings.Contains(res.Refused.Error(), "private or loopback") {
		t.Errorf("a redirect out of scope: %+v, %v", res, err)
	}
	if res, err = s.Do(t.Context(), &guard.Request{URL: inside.URL + "/loop", Redirects: 3}); err != nil || len(res.Hops) != 3 || res.Status != 302 {
		t.Errorf("a loop: %+v, %v", res, err)
	}
	if res, err = s.Do(t.Context(), &guard.Request{URL: inside.URL + "/endless", Limit: 10000}); err != nil || len(res.Body) != 10000 || !res.Truncated {
		t.Errorf("an endless answer: %v", err)
	}
	if res, err = s.Do(t.Context(), &guard.Request{URL: inside.URL, Path: "/a/../%2e%2e/b?c=%zz"}); err != nil || string(res.Body) != "" && !strings.Contains(string(res.Body), "/a/../%2e%2e/b") {
		t.Errorf("a raw path: %+v, %v", res, err)
	}
	if _, err := s.Do(t.Context(), &guard.Request{URL: outside.URL}); !refused(err) {
		t.Errorf("a request out of scope: %v", err)
	}
	if len(reached) > 0 {
		t.Errorf("what is out of scope was reached: %v", reached)
	}
}

func refused(err error) bool {
	var no *guard.Refusal
	return errors.As(err, &no)
}

// A stop ends what runs, at once.
func TestStop(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer srv.Close()
	log := &guardtest.Log{}
	g := guard.New(guard.Config{Auditor: log, Now: time.Now})
	e := guardtest.Engagement()
	grant := guard.Grant{Engagements: []exposure.Engagement{e}}
	if err := g.Grant(grant); err != nil {
		t.Fatal(err)
	}
	s := g.Session(0, "test")
	defer s.Close()
	c, err := s.Dial(t.Context(), guard.Action{Host: "127.0.0.1", Port: port(t, srv.URL)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	go func() {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}()
	go func() {
		_, err := s.Do(t.Context(), &guard.Request{URL: srv.URL})
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	grant.Halted = map[int64]string{0: "somebody called"}
	if err := g.Grant(grant); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("it went on")
		}
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
	if _, err := s.Dial(t.Context(), guard.Action{Host: "127.0.0.1", Port: port(t, srv.URL)}); !refused(err) || !strings.Contains(err.Error(), "somebody called") {
		t.Errorf("after the stop: %v", err)
	}
	last := log.Entries()
	if !slices.ContainsFunc(last, func(e guard.Entry) bool { return e.Kind == guard.Stopped }) {
		t.Errorf("the stop was not written down: %+v", last)
	}
}

// An audit file that was changed, cut in the middle or put together anew does
// not hold.
func TestAuditFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "audit.jsonl")
	for range 2 {
		f, err := guard.OpenFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := guardtest.Open(t, guard.Config{Auditor: f}, guardtest.Engagement())
		for _, host := range []string{"127.0.0.1", "192.0.2.1"} {
			c, err := s.Dial(t.Context(), guard.Action{Host: host, Port: 1})
			if err == nil {
				c.Close()
			}
		}
		s.Close()
		f.Close()
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	verify := func(text string) (int64, error) {
		n, _, err := guard.Verify(guard.Entries(strings.NewReader(text)))
		return n, err
	}
	if n, err := verify(string(whole)); err != nil || n != 6 {
		t.Errorf("%d entries, %v", n, err)
	}
	for name, text := range map[string]string{
		"changed":  strings.Replace(string(whole), "192.0.2.1", "192.0.2.2", 1),
		"left out": strings.Join(slices.Delete(slices.Clone(lines), 2, 3), ""),
		"swapped":  lines[1] + lines[0] + strings.Join(lines[2:], ""),
		"doubled":  lines[0] + string(whole),
		"torn":     string(whole[:len(whole)-20]),
	} {
		if _, err := verify(text); err == nil {
			t.Errorf("%s: it holds", name)
		}
	}
}

// Who lets connections of others in is not led out by a Host header.
func TestHostHeader(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) }))
	defer srv.Close()
	s := guardtest.Loopback(t)
	for host, ok := range map[string]bool{"www.example.test": true, "www.example.org": false, net.JoinHostPort("example.test", "99"): true, "10.0.0.1": false} {
		res, err := s.Do(t.Context(), &guard.Request{URL: srv.URL, Header: []guard.Field{{Name: "Host", Value: host}}})
		if ok != (err == nil) || ok && string(res.Body) != host {
			t.Errorf("%s: %+v, %v", host, res, err)
		}
	}
}
