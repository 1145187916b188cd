package http_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	engine "github.com/leeward-ctem/leeward/discover/scan/http"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// resolver answers every question with 127.0.0.1.
func resolver(t testing.TB) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
			}
			if answer, err := m.Pack(); err == nil {
				c.WriteTo(answer, from)
			}
		}
	}()
	return c.LocalAddr().String()
}

const name = "www.example.test"

// job looks at a server by its name.
func job(t testing.TB, s *httptest.Server, level exposure.Level) scan.Job {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, _ := strconv.Atoi(u.Port())
	return scan.Job{
		Target: scan.Target{Kind: scan.Service, Host: name, Port: port, Protocol: "tcp", Service: u.Scheme, TLS: u.Scheme == "https"},
		Level:  level, Network: guardtest.LoopbackWithResolver(t, resolver(t)),
		Now: func() time.Time { return time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC) },
	}
}

// safe sends the headers of a site that has nothing to be said against.
func safe(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Server", "nginx")
}

type answer func(w http.ResponseWriter, r *http.Request)

// with is a safe page with something changed.
func with(change func(h http.Header), body string) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		safe(w)
		if change != nil {
			change(w.Header())
		}
		if r.URL.Path != "/" || r.Method != "GET" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, body)
	}
}

const page = `<!doctype html><html><head><title>Shop</title><link rel=stylesheet href="/static/a.css"></head><body>Hello</body></html>`

func TestEngine(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(http.Header) {
		return func(h http.Header) {
			if h.Del(name); value != "" {
				h.Set(name, value)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		plain bool
		level exposure.Level
		serve answer
		want  []string
	}{
		{name: "a clean site", level: exposure.LevelProbe, serve: with(nil, page)},
		{name: "no headers", serve: with(func(h http.Header) { clear(h); h.Set("Content-Type", "text/html") }, page), want: []string{
			"http/missing-csp", "http/missing-frame-protection", "http/missing-hsts", "http/missing-nosniff", "http/missing-referrer-policy"}},
		{name: "an API needs no headers of pages", serve: with(func(h http.Header) {
			clear(h)
			h.Set("Content-Type", "application/json")
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}, `{}`)},
		{name: "short HSTS", serve: with(set("Strict-Transport-Security", "max-age=300"), page), want: []string{"http/short-hsts"}},
		{name: "framed by X-Frame-Options", serve: with(func(h http.Header) {
			h.Set("Content-Security-Policy", "default-src 'self'")
			h.Set("X-Frame-Options", "DENY")
		}, page)},
		{name: "framed by anybody", serve: with(set("Content-Security-Policy", "default-src 'self'; frame-ancestors *"), page), want: []string{"http/missing-frame-protection"}},
		{name: "a policy that allows inline", serve: with(set("Content-Security-Policy", "script-src 'self' 'unsafe-inline'; frame-ancestors 'none'"), page), want: []string{"http/unsafe-csp"}},
		{name: "a policy without scripts", serve: with(set("Content-Security-Policy", "frame-ancestors 'none'"), page), want: []string{"http/unsafe-csp"}},
		{name: "inline, turned off by a nonce", serve: with(set("Content-Security-Policy", "script-src 'nonce-a' 'unsafe-inline' 'strict-dynamic' https:; frame-ancestors 'none'"), page)},
		{name: "a policy in the page", serve: with(func(h http.Header) { h.Del("Content-Security-Policy"); h.Set("X-Frame-Options", "DENY") },
			`<meta http-equiv="content-security-policy" content="default-src 'self'">`)},
		{name: "whole referrers", serve: with(set("Referrer-Policy", "unsafe-url"), page), want: []string{"http/unsafe-referrer-policy"}},
		{name: "cookies", serve: with(set("Set-Cookie", "PHPSESSID=abcdef; path=/"), page), want: []string{
			"http/cookie-without-httponly", "http/cookie-without-samesite", "http/cookie-without-secure"}},
		{name: "good cookies", serve: with(func(h http.Header) {
			h.Add("Set-Cookie", "sessionid=abcdef; Secure; HttpOnly; SameSite=Lax")
			h.Add("Set-Cookie", "theme=dark; Path=/")
			h.Add("Set-Cookie", "csrf_token=x; Secure; SameSite=Strict")
			h.Add("Set-Cookie", "oldsession=; Max-Age=0")
			h.Add("Set-Cookie", "auth=gone; Expires=Thu, 01-Jan-1970 00:00:00 GMT")
		}, page)},
		{name: "versions", serve: with(func(h http.Header) { h.Set("Server", "nginx/1.29.3"); h.Set("X-Powered-By", "PHP/8.4.2") }, page), want: []string{"http/version-disclosure"}},
		{name: "an old version", serve: with(set("X-Powered-By", "PHP/7.4.33"), page), want: []string{"http/end-of-life", "http/version-disclosure"}},
		{name: "mixed content", serve: with(nil, `<script src="http://cdn.example/a.js"></script>`), want: []string{"http/mixed-content"}},
		{name: "links are no content", serve: with(nil, `<a href="http://cdn.example/">a</a><!-- <script src="http://a.example/a.js"></script> -->`)},
		{name: "a default page", serve: with(nil, `<title>Welcome to nginx!</title>`), want: []string{"http/default-page"}},
		{name: "a page about nginx", serve: with(nil, `<title>How we welcome nginx</title>`)},
		{name: "a listing", serve: with(nil, `<title>Index of /</title><a href="a.zip">a.zip</a>`), want: []string{"http/directory-listing"}},
		{name: "a listing of files", serve: func(w http.ResponseWriter, r *http.Request) {
			if safe(w); r.URL.Path == "/static/" {
				fmt.Fprint(w, "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n<a href=\"a.css\">a.css</a>\n</pre>\n")
				return
			}
			fmt.Fprint(w, page)
		}, want: []string{"http/directory-listing"}},
		{name: "any origin", level: exposure.LevelProbe, serve: func(w http.ResponseWriter, r *http.Request) {
			safe(w)
			if o := r.Header.Get("Origin"); o != "" {
				w.Header().Set("Access-Control-Allow-Origin", o)
				w.Header().Set("Access-Control-Allow-Credentials", "true")
			}
			fmt.Fprint(w, page)
		}, want: []string{"http/cors-any-origin"}},
		{name: "any origin, too low a level", level: exposure.LevelObserve, serve: func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Origin") != "" || r.Method != "GET" {
				t.Errorf("%s with %q at observe", r.Method, r.Header.Get("Origin"))
			}
			safe(w)
			fmt.Fprint(w, page)
		}},
		{name: "a public API", level: exposure.LevelProbe, serve: with(set("Access-Control-Allow-Origin", "*"), page)},
		{name: "TRACE", level: exposure.LevelProbe, serve: func(w http.ResponseWriter, r *http.Request) {
			if safe(w); r.Method == "TRACE" {
				w.Header().Set("Content-Type", "message/http")
				fmt.Fprint(w, "TRACE / HTTP/1.1\r\n")
				r.Header.Write(w)
				return
			}
			fmt.Fprint(w, page)
		}, want: []string{"http/trace-enabled"}},
		{name: "plain HTTP", plain: true, serve: with(nil, page), want: []string{"http/no-https-redirect"}},
		{name: "a password over plain HTTP", plain: true, serve: with(nil, `<form><input type=Password></form>`), want: []string{"http/no-https-redirect", "http/password-over-http"}},
		{name: "plain HTTP that leads to HTTPS", plain: true, serve: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.invalid/", http.StatusMovedPermanently)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := httptest.NewTLSServer
			if tt.plain {
				start = httptest.NewServer
			}
			s := start(http.HandlerFunc(tt.serve))
			t.Cleanup(s.Close)
			j := job(t, s, max(tt.level, exposure.LevelObserve))
			all, errs := scantest.Run(t, engine.Engine{}, j)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			want := tt.want
			if want == nil {
				want = []string{}
			}
			if diff := cmp.Diff(want, scantest.Rules(all)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			at := exposure.Location{Port: j.Port, Protocol: "tcp"}
			for _, rule := range want {
				if !scantest.Covered(all, "http", rule, at) {
					t.Errorf("%s is found and not covered", rule)
				}
			}
			if probed := scantest.Covered(all, "http", "http/trace-enabled", at); probed != (j.Level >= exposure.LevelProbe) {
				t.Errorf("TRACE is covered: %v", probed)
			}
			for _, o := range all {
				if o.Kind == exposure.ObservedWeakness && (o.Location.Port != j.Port || o.Location.Service == "") {
					t.Errorf("location %+v", o.Location)
				}
				for _, e := range o.Evidence {
					if strings.Contains(e.Text, "abcdef") {
						t.Errorf("the evidence quotes a cookie: %s", e.Text)
					}
				}
			}
		})
	}
}

func TestTechnologies(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(with(func(h http.Header) {
		h.Set("Server", "Apache/2.4.62 (Debian) OpenSSL/3.5.1 mod_perl/2.0.12")
		h.Set("Set-Cookie", "PHPSESSID=x; Secure; HttpOnly; SameSite=Lax")
	}, `<meta name="generator" content="WordPress 6.8.1"><script src="/wp-includes/js/jquery-3.7.1.min.js"></script>
		<script src="https://code.jquery.com/ui/jquery-ui-1.13.2.js"></script><script src="https://cdn.example/npm/bootstrap@5.3.3/dist/js/bootstrap.min.js"></script>`)))
	t.Cleanup(s.Close)
	all, errs := scantest.Run(t, engine.Engine{}, job(t, s, exposure.LevelObserve))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	got := map[string]string{}
	for _, o := range all {
		if o.Kind == exposure.ObservedInventory {
			got[o.Component.Name] = o.Component.Version + " " + o.Component.Purl
		}
	}
	want := map[string]string{
		"Apache HTTP Server": "2.4.62 pkg:generic/httpd@2.4.62", "OpenSSL": "3.5.1 pkg:generic/openssl@3.5.1", "mod_perl": "2.0.12 ", "PHP": " ",
		"WordPress": "6.8.1 pkg:generic/wordpress@6.8.1", "jQuery": "3.7.1 pkg:npm/jquery@3.7.1", "jQuery UI": "1.13.2 pkg:npm/jquery-ui@1.13.2",
		"Bootstrap": "5.3.3 pkg:npm/bootstrap@5.3.3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is no answer of the application states nothing and covers nothing.
func TestInconclusive(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]answer{
		"a failure": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"too many":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"a firewall": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<title>Attention Required! | Cloudflare</title>")
		},
		"a challenge": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cf-Mitigated", "challenge")
			w.WriteHeader(http.StatusForbidden)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewTLSServer(http.HandlerFunc(serve))
			t.Cleanup(s.Close)
			if all, errs := scantest.Run(t, engine.Engine{}, job(t, s, exposure.LevelProbe)); len(all) > 0 || len(errs) > 0 {
				t.Errorf("%+v, %v", all, errs)
			}
		})
	}
}

// A redirect out of scope is not followed, and what is elsewhere is not ours.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "Apache/2.2.3")
		fmt.Fprint(w, page)
	}))
	t.Cleanup(other.Close)
	for _, to := range []string{other.URL, "https://203.0.113.9/", "//169.254.169.254/latest/meta-data/", "/again"} {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			safe(w)
			http.Redirect(w, r, to, http.StatusFound)
		}))
		t.Cleanup(s.Close)
		j := job(t, s, exposure.LevelObserve)
		all, errs := scantest.Run(t, engine.Engine{}, j)
		if len(errs) > 0 || len(scantest.Rules(all)) > 0 {
			t.Errorf("%s: %v, %v", to, scantest.Rules(all), errs)
		}
		if !scantest.Covered(all, "http", "http/missing-csp", exposure.Location{Port: j.Port}) {
			t.Errorf("%s: a redirect leaves no page, and that is not covered", to)
		}
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]answer{
		"an endless body": func(w http.ResponseWriter, r *http.Request) {
			safe(w)
			for line := strings.Repeat("<p title='", 1000); r.Context().Err() == nil; {
				if _, err := fmt.Fprint(w, line); err != nil {
					return
				}
			}
		},
		"many cookies": func(w http.ResponseWriter, _ *http.Request) {
			safe(w)
			for i := range 2000 {
				w.Header().Add("Set-Cookie", fmt.Sprintf("sess%d=1", i))
			}
		},
		"odd words": func(w http.ResponseWriter, _ *http.Request) {
			safe(w)
			w.Header().Set("Server", "nginx/1.2\xff\xfe "+strings.Repeat("9.9", 5000))
			w.Header()["Set-Cookie"] = []string{"=", ";", "a", "sid=\x80; Expires=never; =;"}
			fmt.Fprint(w, "<title>\x00\xff</title><link href='%zz'><script src='http://%'></script><meta name=generator content='\x01WordPress'>")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewTLSServer(http.HandlerFunc(serve))
			t.Cleanup(s.Close)
			all, errs := scantest.Run(t, engine.Engine{}, job(t, s, exposure.LevelProbe))
			if len(errs) > 0 || len(all) == 0 || len(all) > 500 {
				t.Errorf("%d observations, %v", len(all), errs)
			}
		})
	}
}

// A question that a server hangs up on costs what it was for.
func TestHangUp(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "TRACE" {
			panic(http.ErrAbortHandler)
		}
		safe(w)
		fmt.Fprint(w, page)
	}))
	t.Cleanup(s.Close)
	j := job(t, s, exposure.LevelProbe)
	all, errs := scantest.Run(t, engine.Engine{}, j)
	at := exposure.Location{Port: j.Port}
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "TRACE") || scantest.Covered(all, "http", "http/trace-enabled", at) || !scantest.Covered(all, "http", "http/cors-any-origin", at) {
		t.Errorf("%v", errs)
	}
}

func TestAway(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	j := job(t, s, exposure.LevelObserve)
	s.Close()
	if all, errs := scantest.Run(t, engine.Engine{}, j); len(all) > 0 || len(errs) != 1 {
		t.Errorf("nobody listens: %+v, %v", all, errs)
	}
	j.Host = "203.0.113.5"
	_, errs := scantest.Run(t, engine.Engine{}, j)
	var no *guard.Refusal
	if len(errs) != 1 || !errors.As(errs[0], &no) {
		t.Errorf("out of scope: %v", errs)
	}
	j.Service = "ssh"
	if all, errs := scantest.Run(t, engine.Engine{}, j); len(all) > 0 || len(errs) > 0 {
		t.Errorf("no web server: %+v, %v", all, errs)
	}
}
