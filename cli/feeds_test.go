package cli

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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
