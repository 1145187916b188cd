package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/server"
)

// ask sends a request and returns the answer with its body read.
func (v *visitor) ask(method, path, body string, header ...string) (*http.Response, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res, string(text)
}

const formType = "application/x-www-form-urlencoded"

// session is the cookie that the visitor would send.
func (v *visitor) session() string {
	u, err := url.Parse(v.url)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == "leeward" {
			return c.Value
		}
	}
	return ""
}

// plant gives the visitor a session cookie.
func (v *visitor) plant(value string) {
	u, err := url.Parse(v.url)
	if err != nil {
		v.t.Fatal(err)
	}
	v.client.Jar, _ = cookiejar.New(nil)
	v.client.Jar.SetCookies(u, []*http.Cookie{{Name: "leeward", Value: value, Path: "/"}})
}

func (v *visitor) signedIn() bool {
	code, _ := v.do("GET", "/api/v1/summary", "")
	return code == http.StatusOK
}

// A session is known to nobody but the browser that signed in: it gets a new
// name whenever somebody signs in, and ends for good.
func TestSessions(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	s.admin()
	v := s.visitor()
	login := fmt.Sprintf(`{"name":"ada","password":%q}`, password)
	const planted = "cGxhbnRlZC1ieS1zb21lYm9keS1lbHNlLTAwMDAwMDA"
	v.plant(planted)
	if code, _ := v.do("POST", "/sign-in", login); code != http.StatusNoContent {
		t.Fatalf("sign-in: %d", code)
	}
	first := v.session()
	if first == planted || first == "" || !v.signedIn() {
		t.Errorf("signed in as session %q", first)
	}
	other := s.visitor()
	if other.plant(planted); other.signedIn() {
		t.Error("a planted session was signed in")
	}
	if code, _ := v.do("POST", "/sign-in", login); code != http.StatusNoContent || v.session() == first {
		t.Errorf("signing in again kept the session (%d)", code)
	}
	if other.plant(first); other.signedIn() {
		t.Error("the session before still works")
	}
	second := v.session()
	res, _ := v.ask("POST", "/account/password", url.Values{"old": {password}, "new": {password + "!"}}.Encode(), "Content-Type", formType)
	if res.StatusCode != http.StatusSeeOther || v.session() == second || !v.signedIn() {
		t.Errorf("a new password kept the session (%d)", res.StatusCode)
	}
	if other.plant(second); other.signedIn() {
		t.Error("the session of the old password still works")
	}
	third := v.session()
	v.do("POST", "/sign-out", "{}")
	if other.plant(third); other.signedIn() {
		t.Error("the session works after signing out")
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		flags := []string{"--offline"}
		if secure {
			flags = append(flags, "--secure")
		}
		s := startSite(t, flags...)
		v := s.visitor()
		res, _ := v.ask("POST", "/setup", fmt.Sprintf(`{"link":%q,"name":"ada","password":%q}`, s.link, password), "Content-Type", "application/json")
		cookies := res.Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%d cookies: %v", len(cookies), cookies)
		}
		c := cookies[0]
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != secure || len(c.Value) < 40 {
			t.Errorf("--secure=%v: %s", secure, c)
		}
		// Who only reads writes nothing: a page must not wait for an import.
		if !secure {
			if res, _ := v.ask("GET", "/", ""); len(res.Cookies()) != 0 {
				t.Errorf("reading a page writes a session: %v", res.Cookies())
			}
		}
	}
}

// Other sites cannot make a signed-in browser do anything.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	from := [][]string{
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "same-site", "Origin", "https://sibling.example"},
		{"Origin", "https://evil.example"}, // a browser without Sec-Fetch-Site
		{"Origin", "null"},                 // a sandboxed frame
	}
	for r := range access {
		method, path := reached(r)
		if method == "GET" {
			continue
		}
		for _, headers := range from {
			for kind, body := range map[string]string{formType: "name=x&cause=triage", "application/json": `{"name":"x"}`, "text/plain": `{"name":"x"}`, "multipart/form-data; boundary=x": "--x--"} {
				if res, _ := admin.ask(method, path, body, append(headers, "Content-Type", kind)...); res.StatusCode != http.StatusForbidden {
					t.Errorf("%s of %v with %s: %s", r, headers, kind, res.Status)
				}
			}
		}
	}
	if !admin.signedIn() {
		t.Error("another site signed somebody out")
	}
	if res, _ := admin.ask("POST", "/sign-out", "", "Sec-Fetch-Site", "same-origin", "Origin", s.url); res.StatusCode != http.StatusSeeOther {
		t.Errorf("our own form: %s", res.Status)
	}
}

// Every answer, whatever it is, forbids scripts of others, frames and guesses
// about its type.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	check := func(what string, res *http.Response) {
		t.Helper()
		policy := res.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !slices.Contains(strings.Split(policy, "; "), want) {
				t.Errorf("%s: the policy does not say %s: %q", what, want, policy)
			}
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", what, name, got, want)
			}
		}
		if cache := res.Header.Get("Cache-Control"); !strings.Contains(cache, "no-store") && !(res.StatusCode == 200 && strings.Contains(cache, "immutable")) {
			t.Errorf("%s: may be kept by caches: %q", what, cache)
		}
	}
	for _, v := range []*visitor{s.visitor(), admin} {
		for r := range access {
			if r == "GET /api/v1/events" && v == admin || r == "POST /sign-out" || strings.Contains(r, "/demo") {
				continue // does not end; would sign out; takes long
			}
			method, path := reached(r)
			res, _ := v.ask(method, path, "")
			check(fmt.Sprintf("%s (%s)", r, res.Status), res)
		}
	}
	for what, header := range map[string][]string{
		"a wrong token": {"Authorization", "Bearer nonsense"}, "another site": {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
	} {
		res, _ := admin.ask("POST", "/findings/move", "", header...)
		check(what, res)
	}
	res, _ := admin.ask("PATCH", "/findings", "")
	check("a wrong method", res)
	_, text := admin.ask("GET", "/", "")
	_, rest, _ := strings.Cut(text, `rel="stylesheet" href="`)
	sheet, _, _ := strings.Cut(rest, `"`)
	if res, _ := admin.ask("GET", sheet, ""); res.StatusCode != http.StatusOK {
		t.Errorf("the style sheet %q: %s", sheet, res.Status)
	} else {
		check("the style sheet", res)
	}
}

// A link to the sign-in page leads nowhere else.
func TestRedirectsStayHere(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	login := url.Values{"name": {"ada"}, "password": {password}}
	for i, next := range []string{
		"//evil.example", `/\evil.example`, "/\t/evil.example", "https://evil.example", `\\evil.example`, "https:evil.example", "javascript:alert(1)", "///evil.example",
		"/\n/evil.example", "\t//evil.example", " //evil.example", "/\x00/evil.example", "evil.example", "/..//evil.example", "@evil.example", "/%0d%0aSet-Cookie:x=y", "/%09/evil.example", "data:text/html,x",
	} {
		login.Set("next", next)
		shown, _ := admin.ask("GET", "/sign-in?next="+url.QueryEscape(next), "")
		answers := []*http.Response{shown}
		if i < 4 { // each costs the work of a password
			posted, _ := s.visitor().ask("POST", "/sign-in", login.Encode(), "Content-Type", formType)
			answers = append(answers, posted)
		}
		for _, res := range answers {
			// Browsers ignore tabs and line ends, and take \ for /.
			to := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimSpace(res.Header.Get("Location")))
			if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
				t.Errorf("next=%q: %s to %q", next, res.Status, res.Header.Get("Location"))
			}
		}
	}
	login.Set("next", "/findings?q=kev%3Atrue")
	if res, _ := s.visitor().ask("POST", "/sign-in", login.Encode(), "Content-Type", formType); res.Header.Get("Location") != "/findings?q=kev%3Atrue" {
		t.Errorf("a page of ours: %q", res.Header.Get("Location"))
	}
	for _, referer := range []string{"https://evil.example/", s.url + "//evil.example/", s.url + `/\evil.example`} {
		res, _ := admin.ask("POST", "/findings/move", "ids=F-1&cause=triage", "Content-Type", formType, "Referer", referer)
		if to := res.Header.Get("Location"); strings.Contains(to, "evil") && !strings.HasPrefix(to, "/%5C") {
			t.Errorf("sent back to %q", to)
		}
	}
}

// Passwords cannot be guessed, not even many at a time, and a name that is no
// name costs nothing.
func TestGuessing(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	s.admin()
	var mu sync.Mutex
	answers := map[int]int{}
	var wg sync.WaitGroup
	for range 40 {
		v := s.visitor()
		wg.Go(func() {
			res, err := v.client.Post(v.url+"/sign-in", "application/json", strings.NewReader(`{"name":"ada","password":"a wrong password"}`))
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			mu.Lock()
			answers[res.StatusCode]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if answers[http.StatusForbidden] > 13 || answers[http.StatusForbidden]+answers[http.StatusServiceUnavailable] != 40 {
		t.Errorf("40 guesses at once: %v", answers)
	}
	if code, _ := s.visitor().do("POST", "/sign-in", fmt.Sprintf(`{"name":%q,"password":"a wrong password"}`, strings.Repeat("x", 50_000))); code != http.StatusForbidden {
		t.Errorf("a name of 50,000 letters: %d", code)
	}
	// Whether an account exists is not told.
	_, known := s.visitor().do("POST", "/sign-in", `{"name":"ada ","password":"a wrong password"}`)
	_, unknown := s.visitor().do("POST", "/sign-in", `{"name":"eve","password":"a wrong password"}`)
	if known != unknown {
		t.Errorf("%q and %q differ", known, unknown)
	}
}

// takenBody counts what the server takes of a body that is far too large.
type takenBody struct {
	io.Reader
	n atomic.Int64
}

func (c *takenBody) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// Only reports and bundles may be large.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	whole := int64(64 << 20)
	if live.Race {
		whole /= 2
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for r, least := range access {
		method, path := reached(r)
		if method == "GET" || r == "POST /import" || r == "POST /api/v1/scans" || r == "POST /api/v1/feeds/bundle" || r == "POST /sign-out" || strings.HasSuffix(path, "/demo") {
			continue
		}
		for _, kind := range []string{formType, "application/json", "multipart/form-data; boundary=x"} {
			start := map[string]string{formType: "name=", "application/json": `{"name":"`}[kind]
			if start == "" {
				start = "--x\r\nContent-Disposition: form-data; name=\"reason\"; filename=\"x\"\r\n\r\n"
			}
			body := &takenBody{Reader: io.LimitReader(io.MultiReader(strings.NewReader(start), endless{}), whole)}
			req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", kind)
			client := admin.client
			if least == server.Nobody {
				client = s.visitor().client
			}
			wg.Go(func() {
				res, err := client.Do(req)
				if err == nil {
					res.Body.Close()
				}
				// A refusal may reach us as a broken connection.
				if n := body.n.Load(); n > whole/2 {
					t.Errorf("%s took %d bytes of %s", r, n, kind)
				}
			})
		}
	}
}
