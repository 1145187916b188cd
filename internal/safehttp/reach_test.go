package safehttp_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// at returns a server on an address of this machine.
func at(t *testing.T, address string, page http.HandlerFunc) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Skipf("no server on %s: %v", address, err)
	}
	s := httptest.NewUnstartedServer(page)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// Only 127.0.0.1 counts as private here, so that 127.0.0.2 stands for a server
// of the public internet.
func TestReach(t *testing.T) {
	t.Parallel()
	inside := at(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		io.WriteString(w, "inside")
	})
	outside := at(t, "127.0.0.2", func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		io.WriteString(w, "outside"+r.Header.Get("Authorization"))
	})
	named := strings.Replace(inside.URL, "127.0.0.1", "localhost", 1)
	to := func(from, to string) string { return from + "/?to=" + url.QueryEscape(to) }
	for name, tt := range map[string]struct {
		address string
		public  bool
		want    string // of the file; empty: refused
		err     string
	}{
		"outside":                           {outside.URL, true, "outside*", ""},
		"an own mirror":                     {inside.URL, false, "inside", ""},
		"an own mirror by name":             {named, false, "inside", ""},
		"an address that says it is inside": {inside.URL, true, "inside", ""},
		"a public name that leads inside":   {named, true, "", "127.0.0.1 is in a private network"},
		"outside sends inside":              {to(outside.URL, inside.URL), true, "", "127.0.0.1 is in a private network"},
		"a set address outside, too":        {to(outside.URL, named), false, "", "127.0.0.1 is in a private network"},
		"inside sends inside":               {to(inside.URL, named), false, "inside", ""},
		"inside sends outside":              {to(inside.URL, outside.URL), false, "outside", ""}, // without credentials
		"outside by way of itself":          {to(outside.URL, to(outside.URL, inside.URL)), true, "", "127.0.0.1 is in a private network"},
		"metadata by number":                {"http://169.254.169.254/latest/", false, "", "metadata address"},
		"metadata by redirect, outside":     {to(outside.URL, "http://169.254.169.254/"), true, "", "metadata address"},
		"metadata by redirect, inside":      {to(inside.URL, "http://169.254.169.254/"), false, "", "metadata address"},
		"metadata in IPv6":                  {"http://[::ffff:169.254.169.254]/", false, "", "metadata address"},
		"metadata through NAT64":            {"http://[64:ff9b::a9fe:a9fe]/", false, "", "metadata address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := safehttp.New("test")
			c.Private = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}
			// A connection inside that is there already is no way in.
			if _, err := c.Fetch(t.Context(), safehttp.Request{Address: inside.URL, Limit: 100}, io.Discard); err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			_, err := c.Fetch(t.Context(), safehttp.Request{Address: tt.address, Public: tt.public, Limit: 100, Header: map[string]string{"Authorization": "*"}}, &b)
			if b.String() != tt.want || (tt.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %v, want %q, %q", &b, err, tt.want, tt.err)
			}
			var f *safehttp.Failure
			if err != nil && (!errors.As(err, &f) || f.Temporary) {
				t.Errorf("the refusal is told as one that may pass: %+v", f)
			}
		})
	}
}

// The networks of one's own, as they are without being set.
func TestPrivate(t *testing.T) {
	t.Parallel()
	c := safehttp.New("test")
	for address, want := range map[string]bool{
		"10.1.2.3": true, "172.16.0.1": true, "172.32.0.1": false, "192.168.1.1": true, "100.64.0.1": true, "127.0.0.1": true,
		"0.0.0.0": true, "224.0.0.1": true, "255.255.255.255": true, "9.9.9.9": false, "198.51.100.1": false,
		"::1": true, "::": true, "fc00::1": true, "fd12::1": true, "2606:4700::1111": false,
	} {
		a, got := netip.MustParseAddr(address), false
		for _, p := range c.Private {
			got = got || p.Contains(a)
		}
		if got != want {
			t.Errorf("%s counts as private: %v, want %v", address, got, want)
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	date := time.Now().Add(2 * time.Hour).UTC().Format(http.TimeFormat)
	for name, tt := range map[string]struct {
		status    int
		header    string
		temporary bool
		after     time.Duration
		text      string
	}{
		"not found":            {404, "", false, 0, "there is no such file"},
		"gone":                 {410, "", false, 0, "there is no such file"},
		"turned away":          {403, "", false, 0, "set the credentials"},
		"asks for credentials": {401, "", false, 0, "set the credentials"},
		"busy":                 {429, "7", true, 7 * time.Second, "left alone for 7s"},
		"busy for a fraction":  {429, "1.6", true, 2 * time.Second, "left alone for 2s"},
		"busy, without saying": {429, "", true, 0, "try again later"},
		"busy until a date":    {503, date, true, 2 * time.Hour, "left alone for"},
		"busy for ever":        {503, "99999999999999999999", true, 24 * time.Hour, "left alone for 24h0m0s"},
		"busy since the past":  {503, "Thu, 01 Jan 1970 00:00:00 GMT", true, 0, "try again later"},
		"busy less than ever":  {503, "-5", true, 0, "try again later"},
		"busy, not a number":   {503, "NaN", true, 0, "try again later"},
		"busy, in words":       {503, "soon", true, 0, "try again later"},
		"broken":               {500, "", true, 0, "try again later"},
		"unchanged, of what":   {304, "", false, 0, "without us having a copy"},
		"a teapot":             {418, "", false, 0, "check the address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", tt.header)
				w.WriteHeader(tt.status)
			}))
			defer srv.Close()
			_, err := safehttp.New("test").Fetch(t.Context(), safehttp.Request{Address: srv.URL, Limit: 100}, io.Discard)
			var f *safehttp.Failure
			if !errors.As(err, &f) || f.Status != tt.status || f.Temporary != tt.temporary || f.Unreachable {
				t.Fatalf("%+v, %v", f, err)
			}
			// A date is written down before, however long it takes until it is read.
			if d := f.After - tt.after; d > 2*time.Second || d < -2*time.Second && tt.header != date || d < -time.Hour {
				t.Errorf("to be left alone for %v, want %v", f.After, tt.after)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v, want %q", err, tt.text)
			}
		})
	}
	_, err := safehttp.New("test").Fetch(t.Context(), safehttp.Request{Address: "http://127.0.0.1:1/", Limit: 100}, io.Discard)
	var f *safehttp.Failure
	if !errors.As(err, &f) || !f.Temporary || !f.Unreachable {
		t.Errorf("nobody listens: %+v, %v", f, err)
	}
}

// Who hangs, or sends so little that it would take for ever, is left.
func TestPace(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		page http.HandlerFunc
		err  string // empty: taken
	}{
		"no answer": {func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "does not answer within"},
		"nothing after the headers": {func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "it sent 0 bytes within"},
		"a byte now and then": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				fmt.Fprint(w, "x")
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, "too slow"},
		"fast, then nothing": {func(w http.ResponseWriter, r *http.Request) {
			w.Write(make([]byte, 10_000))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "it sent 0 bytes within"},
		"slow enough": {func(w http.ResponseWriter, r *http.Request) {
			for range 10 {
				w.Write(make([]byte, 2000))
				w.(http.Flusher).Flush()
				time.Sleep(60 * time.Millisecond)
			}
		}, ""},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.Write(make([]byte, 200))
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}, "it takes more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.page)
			defer srv.Close()
			c := safehttp.New("test")
			c.Limits = safehttp.Limits{Answer: 500 * time.Millisecond, Window: 300 * time.Millisecond, Least: 1000, Whole: 2 * time.Second}
			_, err := c.Fetch(t.Context(), safehttp.Request{Address: srv.URL, Limit: 1 << 20}, io.Discard)
			if (tt.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v, want %q", err, tt.err)
			}
			var f *safehttp.Failure
			if err != nil && (!errors.As(err, &f) || !f.Temporary) {
				t.Errorf("%+v: want one that may pass", f)
			}
		})
	}
}
