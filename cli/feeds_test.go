package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/testkit/taxii"
)

const oneKEV = `{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2025.09.28","dateReleased":"2025-09-28T12:00:00.0000Z","count":1,"vulnerabilities":[{"cveID":"CVE-2024-3400","dateAdded":"2024-04-12"}]}`

// leeward runs a command line with an environment and returns what it printed.
func leeward(t *testing.T, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e strings.Builder
	code = Run(t.Context(), args, IO{In: strings.NewReader(""), Out: &o, Err: &e, Env: func(name string) string { return env[name] }, Now: time.Now})
	return code, o.String(), e.String()
}

// A bundle that is pushed to a running server obeys the server's keys, whatever
// the command that pushes it trusts.
func TestServerTrusts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("kev.json"), []byte(oneKEV), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"feeds", "update", "kev=" + in("kev.json")}, {"feeds", "keygen", in("key")}, {"feeds", "keygen", in("other")},
		{"feeds", "export", in("plain.zip")}, {"feeds", "export", "--sign", in("key"), in("signed.zip")}, {"feeds", "export", "--sign", in("other"), in("others.zip")},
	} {
		if code, _, errs := leeward(t, nil, append([]string{"--data", in("from")}, args...)...); code != 0 {
			t.Fatalf("%v: %s", args, errs)
		}
	}
	s := startSite(t, "--offline", "--trust", in("key.pub"))
	for _, tt := range []struct{ bundle, err string }{
		{"plain.zip", "the bundle is not signed"},
		{"others.zip", "is not a trusted key"},
		{"signed.zip", ""},
	} {
		code, out, errs := leeward(t, nil, "--data", s.dir, "feeds", "import", in(tt.bundle))
		if tt.err == "" && (code != 0 || !regexp.MustCompile(`(?m)^kev +1 `).MatchString(out)) {
			t.Errorf("%s: exit code %d: %s%s", tt.bundle, code, out, errs)
		}
		if tt.err != "" && (code == 0 || !strings.Contains(errs, tt.err)) {
			t.Errorf("%s: exit code %d: %s, want %q", tt.bundle, code, errs, tt.err)
		}
	}
	// A running server exports, and the command signs: the key stays with it.
	if code, _, errs := leeward(t, nil, "--data", s.dir, "feeds", "export", "--sign", in("key"), in("again.zip")); code != 0 {
		t.Errorf("export from the server: %s", errs)
	}
	if code, _, errs := leeward(t, map[string]string{}, "--data", in("third"), "feeds", "import", "--trust", in("key.pub"), in("again.zip")); code != 0 || !strings.Contains(errs, "signed by the trusted key") {
		t.Errorf("import of it: %s", errs)
	}
	if code, _, errs := leeward(t, nil, "--data", in("never"), "serve", "--trust", in("nowhere")); code == 0 || !strings.Contains(errs, "cannot read the key") {
		t.Errorf("a server whose keys are missing starts: %s", errs)
	}
}

// Every feed has one task on its own schedule, and none when nothing is to be
// fetched.
func TestFeedTasks(t *testing.T) {
	t.Parallel()
	a := &app{feeds: &intel.Keeper{Registered: builtin.Feeds()}}
	for _, fetch := range []bool{true, false} {
		tasks := a.feedTasks(fetch)
		if len(tasks) != len(a.feeds.Registered) {
			t.Fatalf("%d tasks for %d feeds", len(tasks), len(a.feeds.Registered))
		}
		for i, f := range a.feeds.Registered {
			if src := f.Source(); tasks[i].Name != "feed."+src.Name || (tasks[i].Every == src.Every) != fetch || tasks[i].Every > 31*24*time.Hour {
				t.Errorf("fetch = %v: the task of %s is %+v", fetch, src.Name, tasks[i])
			}
		}
	}
}

// One command fetches KEV, EPSS and OSV from a mirror of real files, and again
// asks only whether they changed.
func TestRefreshFromMirror(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "shared", "intel")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the shared material is not here")
	}
	var asked, sent atomic.Int64
	files := http.FileServer(http.Dir(dir))
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		counted := &counting{ResponseWriter: w}
		files.ServeHTTP(counted, r)
		sent.Add(counted.n)
	}))
	defer mirror.Close()
	data := t.TempDir()
	begin := time.Now()
	code, out, errs := leeward(t, nil, "--data", data, "feeds", "update",
		"kev="+mirror.URL+"/kev/known_exploited_vulnerabilities_asof_2025-09-28.json.gz",
		"epss="+mirror.URL+"/epss/epss_scores-2025-09-28.csv.gz",
		"osv="+mirror.URL+"/osv/Go/all.zip")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, want := range []string{`kev +1417 `, `epss +295871 `, `osv +4291 `} {
		if !regexp.MustCompile("(?m)^" + want).MatchString(out) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	t.Logf("%d bytes in %v", sent.Load(), time.Since(begin).Round(time.Millisecond))
	sent.Store(0)
	begin = time.Now()
	if code, _, errs := leeward(t, nil, "--data", data, "feeds", "update", "kev", "epss", "osv"); code != 0 || sent.Load() != 0 || asked.Load() != 6 {
		t.Errorf("again: exit code %d, %d requests, %d bytes: %s", code, asked.Load(), sent.Load(), errs)
	}
	t.Logf("again in %v", time.Since(begin).Round(time.Millisecond))
}

// counting counts what is sent.
type counting struct {
	http.ResponseWriter
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.ResponseWriter.Write(p)
}

func TestDiscoverCollections(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(&taxii.Server{Header: "Basic dTpzZXNhbWU="})
	defer web.Close()
	env := map[string]string{"LEEWARD_FEED_MINE_USER": "u", "LEEWARD_FEED_MINE_PASSWORD": "sesame"}
	code, out, errs := leeward(t, env, "feeds", "discover", "--feed", "mine", web.URL+"/taxii2/")
	if code != 0 || !strings.Contains(out, "All may read") || !strings.Contains(out, "taxii+"+web.URL+"/root/collections/open/") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	if code, out, _ := leeward(t, env, "--json", "feeds", "discover", "--feed", "mine", web.URL+"/taxii2/"); code != 0 || !strings.Contains(out, `"can_read":true`) {
		t.Errorf("as JSON: exit code %d: %s", code, out)
	}
	if code, out, errs := leeward(t, env, "feeds", "discover", web.URL+"/taxii2/"); code == 0 || out != "" || !strings.Contains(errs, "401") {
		t.Errorf("without credentials: exit code %d: %s%s", code, out, errs)
	}
}
