package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/internal/testkit"
)

// syncBuffer is a buffer that a server writes while a test reads.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// site is a real server on loopback.
type site struct {
	t    *testing.T
	url  string
	link string // of the first account
	dir  string
	log  *syncBuffer
	stop func() int
}

func startSite(t *testing.T, flags ...string) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), log: &syncBuffer{}}
	if slices.Contains(flags, "--demo") { // it is there already, from when it was loaded first
		made, err := demoData()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(s.dir, os.DirFS(made)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.serve(flags...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	if m := regexp.MustCompile(`(/setup\?link=)(\S+)`).FindStringSubmatch(s.log.String()); m != nil {
		s.link = m[2]
	}
	return s
}

// serve starts a server on the data directory of the site.
func (s *site) serve(flags ...string) error {
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	std := IO{In: strings.NewReader(""), Out: io.Discard, Err: s.log, Now: time.Now, Env: func(name string) string {
		if name == childVariable {
			return "1" // its scan processes are this program as well
		}
		return ""
	}}
	go func() {
		code <- Run(ctx, append([]string{"--data", s.dir, "serve", "--addr", "127.0.0.1:0"}, flags...), std)
	}()
	s.stop = sync.OnceValue(func() int { cancel(); return <-code })
	serves := regexp.MustCompile(`serves on (http://\S+)`)
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if m := serves.FindStringSubmatch(s.log.String()); m != nil {
			s.url = m[1]
			return nil
		}
		if time.Now().After(end) {
			s.stop()
			return fmt.Errorf("the server did not start: %s", s.log)
		}
	}
}

// demoData is a data directory that a server loaded the demo into.
var demoData = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp(shared, "demo"); err != nil {
		return "", err
	}
	s := &site{dir: dir, log: &syncBuffer{}}
	if err := s.serve("--demo", "--offline"); err != nil {
		return "", err
	}
	if code := s.stop(); code != 0 {
		return "", fmt.Errorf("exit code %d: %s", code, s.log)
	}
	return dir, nil
})

// command runs a command line on the data directory of the site, which asks the
// server, and returns its exit code and all that it prints.
func (s *site) command(args ...string) (code int, text string) {
	s.t.Helper()
	var out bytes.Buffer
	std := IO{In: strings.NewReader(""), Out: &out, Err: &out, Env: func(string) string { return "" }, Now: time.Now}
	code = Run(s.t.Context(), append([]string{"--data", s.dir}, args...), std)
	return code, out.String()
}

// visitor is a browser-like client with its own cookies.
type visitor struct {
	*site
	client *http.Client
	token  string
}

func (s *site) visitor() *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{site: s, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (v *visitor) do(method, path, body string, header ...string) (int, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	}
	if v.token != "" {
		req.Header.Set("Authorization", "Bearer "+v.token)
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
	return res.StatusCode, string(text)
}

const password = "correct horse battery"

// admin makes the first account by the printed link.
func (s *site) admin() *visitor {
	s.t.Helper()
	v := s.visitor()
	if code, text := v.do("POST", "/setup", fmt.Sprintf(`{"link":%q,"name":"ada","password":%q}`, s.link, password)); code != http.StatusNoContent {
		s.t.Fatalf("setup: %d %s", code, text)
	}
	return v
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	stranger := s.visitor()
	if code, _ := stranger.do("POST", "/setup", `{"link":"guess","name":"eve","password":"a long password"}`); code != http.StatusForbidden {
		t.Errorf("a guessed link gave %d", code)
	}
	admin := s.admin()
	if code, _ := admin.do("GET", "/api/v1/findings", ""); code != http.StatusOK {
		t.Errorf("the administrator gets %d", code)
	}
	if code, _ := stranger.do("POST", "/setup", fmt.Sprintf(`{"link":%q,"name":"eve","password":"a long password"}`, s.link)); code != http.StatusForbidden {
		t.Errorf("the link worked twice: %d", code)
	}
	if code, _ := stranger.do("POST", "/sign-in", `{"name":"ada","password":"wrong"}`); code != http.StatusForbidden {
		t.Errorf("a wrong password gave %d", code)
	}
	if code, _ := stranger.do("GET", "/api/v1/findings", ""); code != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", code)
	}
	if code, _ := stranger.do("POST", "/sign-in", fmt.Sprintf(`{"name":"ada","password":%q}`, password)); code != http.StatusNoContent {
		t.Errorf("sign-in gave %d", code)
	}
	if code, _ := stranger.do("GET", "/api/v1/findings", ""); code != http.StatusOK {
		t.Errorf("after sign-in %d", code)
	}
	if code, _ := stranger.do("POST", "/sign-out", "{}"); code != http.StatusNoContent {
		t.Errorf("sign-out gave %d", code)
	}
	if code, _ := stranger.do("GET", "/api/v1/findings", ""); code != http.StatusUnauthorized {
		t.Errorf("after sign-out %d", code)
	}
	// A form that redirects elsewhere stays here.
	if code, _ := s.visitor().do("POST", "/sign-in", "name=ada&password="+strings.ReplaceAll(password, " ", "+")+"&next=//evil.example", "Content-Type", "application/x-www-form-urlencoded"); code != http.StatusSeeOther {
		t.Errorf("form sign-in gave %d", code)
	}
	// Another site cannot make our browser change anything.
	if code, _ := admin.do("POST", "/api/v1/findings/move", `{"ids":["F-1"],"cause":"triage"}`, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); code != http.StatusForbidden {
		t.Errorf("a cross-site request gave %d", code)
	}
	guesser := s.visitor()
	refused := 0
	for range 14 {
		if code, _ := guesser.do("POST", "/sign-in", `{"name":"ada","password":"wrong"}`); code == http.StatusServiceUnavailable {
			refused++
		}
	}
	if refused == 0 {
		t.Error("passwords can be guessed without end")
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline") // who waits for feeds that cannot be fetched waits long
	admin := s.admin()
	roles := []string{"viewer", "analyst", "owner", "operator", "admin"}
	report := `{"SchemaVersion":2,"ArtifactName":"x","ArtifactType":"container_image","Results":[]}`
	calls := []struct {
		method, path, body string
		least              int
	}{
		{"GET", "/api/v1/findings", "", 0},
		{"GET", "/api/v1/assets", "", 0},
		{"GET", "/api/v1/groups?by=severity", "", 0},
		{"GET", "/api/v1/scans", "", 0},
		{"GET", "/api/v1/jobs", "", 0},
		{"GET", "/metrics", "", 0},
		{"POST", "/api/v1/scans?name=r", report, 1},
		{"POST", "/api/v1/findings/move", `{"filter":"id:1","cause":"triage"}`, 1},
		{"POST", "/api/v1/findings/move", `{"filter":"id:1","cause":"claim"}`, 2},
		{"POST", "/api/v1/assign", `{"ids":["F-1"],"owner":"Payments"}`, 1},
		{"POST", "/api/v1/undo", `{"undo":99}`, 1},
		{"GET", "/api/v1/owners", "", 0},
		{"GET", "/api/v1/concerned?q=is:open", "", 0},
		{"POST", "/api/v1/verdicts", `{"ids":["F-1"],"kind":"blocked","evidence":"the gateway answers 403"}`, 1},
		{"POST", "/api/v1/exceptions", `{"ids":["F-1"],"reason":"replaced next month","expires":"2020-01-01"}`, 2},
		{"GET", "/api/v1/views", "", 0},
		{"GET", "/api/v1/complete?q=sev:&at=4", "", 0},
		{"POST", "/api/v1/views", `{"name":"mine","q":"kev:true"}`, 0},
		{"POST", "/api/v1/views", `{"name":"ours","q":"kev:true","shared":true}`, 1},
		{"DELETE", "/api/v1/views/999", "", 0},
		{"GET", "/api/v1/summary", "", 0},
		{"GET", "/api/v1/verdicts", "", 0},
		{"GET", "/api/v1/measures", "", 0},
		{"GET", "/api/v1/measures/unseen?kind=host", "", 0},
		{"GET", "/api/v1/report?days=7", "", 0},
		{"GET", "/api/v1/scope", "", 0},
		{"GET", "/api/v1/feeds", "", 0},
		{"GET", "/api/v1/programme", "", 0},
		{"GET", "/api/v1/remediations", "", 0},
		{"GET", "/api/v1/findings.csv", "", 0},
		{"PUT", "/api/v1/programme", `{"body":"nonsense: 1"}`, 3},
		{"POST", "/api/v1/feeds/update", `{"names":["nonsense"]}`, 3},
		{"POST", "/api/v1/feeds/bundle", "nonsense", 3},
		{"DELETE", "/api/v1/demo", "", 3},
		{"POST", "/api/v1/jobs/999/retry", "", 3},
		{"POST", "/api/v1/accounts", "{}", 4},
		{"GET", "/api/v1/accounts", "", 4},
		{"PATCH", "/api/v1/accounts/999", "{}", 4},
		{"POST", "/api/v1/accounts/999/reset", "", 4},
		{"DELETE", "/api/v1/accounts/999/tokens/1", "", 4},
		{"GET", "/api/v1/sessions", "", 0},
		{"GET", "/api/v1/scope/choices", "", 0},
	}
	for i, role := range roles {
		if code, text := admin.do("POST", "/api/v1/accounts", fmt.Sprintf(`{"name":%q,"password":%q,"role":%q}`, role, password, role)); code != http.StatusOK {
			t.Fatalf("account: %d %s", code, text)
		}
		v := s.visitor()
		if code, _ := v.do("POST", "/sign-in", fmt.Sprintf(`{"name":%q,"password":%q}`, role, password)); code != http.StatusNoContent {
			t.Fatalf("%s cannot sign in: %d", role, code)
		}
		for _, c := range calls {
			code, text := v.do(c.method, c.path, c.body)
			allowed := code != http.StatusForbidden && code != http.StatusUnauthorized
			if allowed != (i >= c.least) {
				t.Errorf("%s %s %s: %d %s", role, c.method, c.path, code, text)
			}
			if anonymous, _ := s.visitor().do(c.method, c.path, c.body); anonymous != http.StatusUnauthorized {
				t.Errorf("anonymous %s %s: %d", c.method, c.path, anonymous)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	admin := s.admin()
	code, text := admin.do("POST", "/api/v1/tokens", `{"name":"ci","scopes":["read"],"days":30}`)
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	var made struct {
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil || !strings.HasPrefix(made.Secret, "lwd_") {
		t.Fatalf("%v: %s", err, text)
	}
	ci := s.visitor()
	ci.token = made.Secret
	if code, _ := ci.do("GET", "/api/v1/findings", ""); code != http.StatusOK {
		t.Errorf("a token to read gets %d", code)
	}
	if code, _ := ci.do("POST", "/api/v1/accounts", "{}"); code != http.StatusForbidden {
		t.Errorf("a token to read makes accounts: %d", code)
	}
	ci.token += "x"
	if code, _ := ci.do("GET", "/api/v1/findings", ""); code != http.StatusUnauthorized {
		t.Errorf("a wrong token gets %d", code)
	}
	for _, bad := range []string{`{"name":"","scopes":["read"],"days":1}`, `{"name":"x","scopes":["all"],"days":1}`, `{"name":"x","scopes":["read"],"days":0}`, `nonsense`} {
		if code, _ := admin.do("POST", "/api/v1/tokens", bad); code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, code)
		}
	}
}

func TestImportOverHTTP(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	admin := s.admin()
	var report bytes.Buffer
	if err := testkit.Trivy(&report, testkit.Estate{Findings: 300, Seed: 4}); err != nil {
		t.Fatal(err)
	}
	code, text := admin.do("POST", "/api/v1/scans?name=r.json", report.String(), "Content-Type", "application/octet-stream")
	if code != http.StatusOK || !strings.Contains(text, `"new":300`) {
		t.Fatalf("%d %s", code, text)
	}
	code, text = admin.do("GET", "/api/v1/findings?q=sev:critical&limit=5", "")
	if code != http.StatusOK || !strings.Contains(text, `"total":75`) {
		t.Errorf("%d %s", code, text)
	}
	code, text = admin.do("GET", "/api/v1/findings/F-1", "")
	if code != http.StatusOK || !strings.Contains(text, `"timeline":[{`) || !strings.Contains(text, `"factors":[{`) {
		t.Errorf("%d %s", code, text)
	}
	if code, _ := admin.do("GET", "/api/v1/findings/F-999999", ""); code != http.StatusNotFound {
		t.Errorf("a finding that is not there: %d", code)
	}
	if code, text := admin.do("GET", "/api/v1/findings?q=sevv:x", ""); code != http.StatusBadRequest || !strings.Contains(text, "did you mean sev") {
		t.Errorf("%d %s", code, text)
	}
	code, text = admin.do("POST", "/api/v1/findings/move", `{"filter":"sev:critical","cause":"claim","reason":"patched"}`)
	if code != http.StatusOK || !strings.Contains(text, `"moved":75`) {
		t.Errorf("%d %s", code, text)
	}
	if code, text = admin.do("GET", "/api/v1/findings?q=status:fix_claimed", ""); !strings.Contains(text, `"total":75`) {
		t.Errorf("%d %s", code, text)
	}
	if got := s.stop(); got != 0 {
		t.Errorf("the server ended with %d: %s", got, s.log)
	}
}

func TestServerTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	var errs syncBuffer
	std := IO{In: strings.NewReader(""), Out: io.Discard, Err: &errs, Env: func(string) string { return "" }, Now: time.Now}
	addr := strings.TrimPrefix(s.url, "http://")
	if code := Run(t.Context(), []string{"--data", t.TempDir(), "serve", "--addr", addr}, std); code != exitFailed || !strings.Contains(errs.String(), "is in use") {
		t.Errorf("exit %d: %s", code, &errs)
	}
}

// Pages and files are small on the way when the browser can unpack them, and
// the same.
func TestCompression(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	_, page := admin.ask("GET", "/findings", "", "Accept-Encoding", "identity")
	_, rest, _ := strings.Cut(page, `rel="stylesheet" href="`)
	sheet, _, _ := strings.Cut(rest, `"`)
	for _, path := range []string{"/import", sheet} {
		_, plain := admin.ask("GET", path, "", "Accept-Encoding", "gzip;q=0, br")
		res, packed := admin.ask("GET", path, "", "Accept-Encoding", "br, gzip;q=0.8")
		if res.Header.Get("Content-Encoding") != "gzip" || !slices.Contains(res.Header.Values("Vary"), "Accept-Encoding") || len(packed)*2 > len(plain) {
			t.Errorf("%s: %d bytes for %d: %v", path, len(packed), len(plain), res.Header)
		}
		z, err := gzip.NewReader(strings.NewReader(packed))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != plain {
			t.Errorf("%s: another page when it is unpacked (%v)", path, err)
		}
	}
	// What may hold a secret is not compressed.
	if res, _ := admin.ask("POST", "/account/tokens", "name=ci&scope=read&days=30", "Content-Type", formType, "Accept-Encoding", "gzip"); res.StatusCode != http.StatusOK || res.Header.Get("Content-Encoding") != "" {
		t.Errorf("a new token: %s %v", res.Status, res.Header)
	}
}

// A push with a key is done once: a retry is answered with what came of the
// first, and one that failed may be tried again.
func TestPushWithAKey(t *testing.T) {
	t.Parallel()
	s := startSite(t, "--offline")
	admin := s.admin()
	report := func(n int) string {
		var b bytes.Buffer
		if err := testkit.Trivy(&b, testkit.Estate{Findings: n, Seed: 5}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	push := func(v *visitor, key, body string) (int, string) {
		return v.do("POST", "/api/v1/scans?name=r.json", body, "Content-Type", "application/octet-stream", "Idempotency-Key", key)
	}
	for _, failing := range []string{"this is no report", report(10)[:4000]} {
		if code, text := push(admin, "one", failing); code != http.StatusOK || !strings.Contains(text, `"failure":`) {
			t.Fatalf("%d %s", code, text)
		}
	}
	code, first := push(admin, "one", report(10))
	if code != http.StatusOK || !strings.Contains(first, `"observations":10`) {
		t.Fatalf("%d %s", code, first)
	}
	if code, again := push(admin, "one", report(20)); code != http.StatusOK || again != first {
		t.Errorf("the retry says %d %s, the first %s", code, again, first)
	}
	if n := admin.total("is:any"); n != 10 {
		t.Errorf("%d findings after the retry", n)
	}
	if code, text := push(admin.as("analyst"), "one", report(20)); code != http.StatusOK || !strings.Contains(text, `"observations":20`) {
		t.Errorf("somebody else's key: %d %s", code, text)
	}
	if code, text := push(admin, strings.Repeat("k", 201), report(10)); code != http.StatusUnprocessableEntity && code != http.StatusBadRequest {
		t.Errorf("a key without end: %d %s", code, text)
	}
	_, document := admin.do("GET", "/api/v1/openapi.json", "")
	for _, want := range []string{`"Idempotency-Key"`, `"import-report"`, `"export-findings-csv"`, `"text/event-stream"`} {
		if !strings.Contains(document, want) {
			t.Errorf("the OpenAPI document has no %s", want)
		}
	}
}
