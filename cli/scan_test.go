package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// weakServer starts a server whose certificate nobody knows.
func weakServer(t *testing.T) (port string, stop func()) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port(), s.Close
}

func TestScanOfAHost(t *testing.T) {
	t.Parallel()
	port, _ := weakServer(t)
	data := t.TempDir()
	code, out, errs := leeward(t, nil, "--data", data, "scan", "--engines", "ports,tls", "127.0.0.1:"+port)
	if code != exitDone || !strings.Contains(out, "SEVERITY") || !strings.Contains(out, "tls/") || !strings.Contains(errs, "ports: ") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	files, _ := filepath.Glob(filepath.Join(data, "audit", "scan-*.jsonl"))
	if len(files) != 1 {
		t.Fatalf("audit files: %q", files)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, _, err := guard.Verify(guard.Entries(f)); err != nil || n < 2 {
		t.Errorf("audit file: %d entries, %v", n, err)
	}

	// The same for programs.
	code, out, _ = leeward(t, nil, "--data", data, "--json", "scan", "--engines", "ports,tls", "127.0.0.1:"+port)
	rules, covered := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(out) {
		var o exposure.Observation
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		rules[o.Rule] = true
		if o.Coverage != nil {
			covered[o.Coverage.Class] = true
		}
		if o.Tool != "leeward" || strings.HasPrefix(o.Asset.Key(), "ip:127") {
			t.Errorf("%s of %s", o.Tool, o.Asset.Key())
		}
	}
	if code != exitDone || len(rules) < 2 || !covered["tls-cli"] || !covered["ports-cli"] {
		t.Errorf("exit code %d, rules %v, covered %v", code, rules, covered)
	}

	code, out, errs = leeward(t, nil, "--data", data, "scan", "--sarif", "--fail-on", "low", "--engines", "ports,tls", "127.0.0.1:"+port)
	var sarif struct {
		Version string
		Runs    []struct{ Results []struct{ RuleID string } }
	}
	if err := json.Unmarshal([]byte(out), &sarif); err != nil || sarif.Version != "2.1.0" || len(sarif.Runs[0].Results) == 0 || !strings.HasPrefix(sarif.Runs[0].Results[0].RuleID, "tls/") {
		t.Errorf("%v: %s", err, out)
	}
	if code != exitFound {
		t.Errorf("exit code %d, want %d: %s", code, exitFound, errs)
	}
	if code, _, errs := leeward(t, nil, "--data", data, "scan", "--fail-on", "critical", "--engines", "ports,tls", "127.0.0.1:"+port); code != exitDone {
		t.Errorf("nothing is critical, and the exit code is %d: %s", code, errs)
	}
}

// What is stored is known the second time, and closed when it is gone.
func TestScanIsStored(t *testing.T) {
	t.Parallel()
	port, stop := weakServer(t)
	data := t.TempDir()
	args := []string{"--data", data, "scan", "--store", "--asset", "hostname:box.example", "--engines", "ports,tls", "127.0.0.1:" + port}
	code, _, errs := leeward(t, nil, args...)
	if code != exitDone || !strings.Contains(errs, "imported: ") || strings.Contains(errs, "imported: 0 new") {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if code, _, errs = leeward(t, nil, args...); code != exitDone || !strings.Contains(errs, "imported: 0 new") || !strings.Contains(errs, " 0 closed") {
		t.Errorf("again: exit code %d: %s", code, errs)
	}
	if code, out, errs := leeward(t, nil, "--data", data, "findings"); code != exitDone || !strings.Contains(out, "box.example") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	stop()
	// From elsewhere the closed port says nothing.
	if code, _, errs = leeward(t, nil, append(args[:len(args):len(args)], "--from", "outside")...); code != exitDone || !strings.Contains(errs, " 0 closed") {
		t.Errorf("from elsewhere: exit code %d: %s", code, errs)
	}
	if code, _, errs = leeward(t, nil, args...); code != exitDone || strings.Contains(errs, " 0 closed") {
		t.Errorf("when it is gone: exit code %d: %s", code, errs)
	}
}

func TestScanIsPushed(t *testing.T) {
	t.Parallel()
	port, _ := weakServer(t)
	var got bytes.Buffer
	var format, token string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		format, token = r.URL.Query().Get("format"), r.Header.Get("Authorization")
		_, _ = got.ReadFrom(r.Body)
		fmt.Fprintln(w, `{"rows":[{"new":3}]}`)
	}))
	defer server.Close()
	code, _, errs := leeward(t, map[string]string{"LEEWARD_TOKEN": "sesame"}, "--data", t.TempDir(), "scan", "--push", server.URL, "--engines", "ports,tls", "127.0.0.1:"+port)
	if code != exitDone || format != "observations" || token != "Bearer sesame" || !strings.Contains(errs, "imported: 3 new") || !strings.Contains(got.String(), `"rule":"tls/`) {
		t.Errorf("exit code %d, format %q, token %q: %s\n%s", code, format, token, errs, got.String())
	}
	for name, args := range map[string][]string{"token": {"--push", server.URL}, "address of a server": {"--push", "ftp://x"}, "does not answer": {"--push", "http://127.0.0.1:1"}} {
		env := map[string]string{"LEEWARD_TOKEN": "sesame"}
		if name == "token" {
			env = nil
		}
		code, _, errs := leeward(t, env, append(append([]string{"--data", t.TempDir(), "scan", "--engines", "ports", "127.0.0.1:" + port}, args...), "--ports", port)...)
		if code != exitFailed || !strings.Contains(errs, name) {
			t.Errorf("%s: exit code %d: %s", name, code, errs)
		}
	}
}

// What is not named, or not allowed, gets no packet, and that is said.
func TestScanIsRefused(t *testing.T) {
	t.Parallel()
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	text := "name: x\nowner: Ada\ntargets: [10.0.0.0/8]\nlevel: observe\nexpires: " + time.Now().AddDate(0, 0, 3).Format(time.DateOnly) + "\n"
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--engagement", rules, "127.0.0.1:1"}, exitRecords, "no target holds 127.0.0.1"},
		{[]string{"169.254.169.254:80"}, exitRecords, "metadata"},
		{[]string{"--engagement", "absent.yaml", "127.0.0.1"}, exitFailed, "absent.yaml: no such file"},
		{[]string{"10.0.0.0/8"}, exitFailed, "more than 65536"},
		{[]string{"--ports", "x", "127.0.0.1"}, exitFailed, "write them as"},
		{[]string{"--engines", "nonsense", "127.0.0.1"}, exitFailed, `no engine "nonsense"`},
		{[]string{"--fail-on", "dire", "127.0.0.1"}, exitFailed, "--fail-on"},
		{[]string{"--from", "in-side", "127.0.0.1"}, exitFailed, "lower case"},
		{[]string{"--level", "emulation", "127.0.0.1"}, exitUsage, "emulation"},
		{[]string{"--asset", "ip:10.0.0.1", "127.0.0.1", "127.0.0.2"}, exitFailed, "one target"},
		{[]string{"https://u:p@example.com/"}, exitFailed, "credentials"},
		{[]string{"--rate=-1", "127.0.0.1"}, exitFailed, "limits"},
		{[]string{"./absent"}, exitFailed, "absent"},
		{[]string{"--templates", "/absent", "127.0.0.1"}, exitFailed, "/absent"},
		{[]string{}, exitUsage, "expected"},
	} {
		code, out, errs := leeward(t, nil, append([]string{"--data", t.TempDir(), "scan"}, tt.args...)...)
		if code != tt.code || !strings.Contains(errs, tt.want) {
			t.Errorf("%q: exit code %d, want %d, and %q in:\n%s%s", tt.args, code, tt.code, tt.want, out, errs)
		}
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	var asked sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked.Store(r.URL.Path, true) }))
	defer server.Close()
	data := t.TempDir()
	dir := t.TempDir()
	code, out, errs := leeward(t, nil, "--data", data, "scan", "--dry-run", strings.TrimPrefix(server.URL, "http://"), "169.254.169.254", dir)
	if code != exitDone || !strings.Contains(out, "would send to 127.0.0.1: tcp ") || !strings.Contains(out, "refused 169.254.169.254") || !strings.Contains(out, "reads "+dir) {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	asked.Range(func(path, _ any) bool { t.Errorf("%v was asked for", path); return true })
	if _, err := os.Stat(filepath.Join(data, "audit")); !os.IsNotExist(err) {
		t.Errorf("a dry run wrote an audit file: %v", err)
	}
}

// Ctrl C ends a scan within a second, and what was found is shown.
func TestScanIsStopped(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"stopped": nil, "--timeout": {"--timeout", "300ms"}} {
		ctx, cancel := context.WithCancel(t.Context())
		var out, errs bytes.Buffer
		began := time.Now()
		if args == nil {
			time.AfterFunc(300*time.Millisecond, cancel)
		}
		code := Run(ctx, append([]string{"--data", t.TempDir(), "scan", "--ports", "-", "--rate", "5", "127.0.0.0/24"}, args...), IO{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) string { return "" }, Now: time.Now})
		if took := time.Since(began); code != exitFailed || took > 3*time.Second || !strings.Contains(errs.String(), name) || !strings.Contains(errs.String(), "looks were finished") {
			t.Errorf("%s: exit code %d after %v: %s", name, code, took, errs.String())
		}
		cancel()
	}
}

func TestPrefixes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.0.0.0 10.0.0.255":             "10.0.0.0/24",
		"10.0.0.1 10.0.0.6":               "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32",
		"10.0.0.5 10.0.0.5":               "10.0.0.5/32",
		"10.0.255.255 10.1.0.0":           "10.0.255.255/32 10.1.0.0/32",
		"255.255.255.254 255.255.255.255": "255.255.255.254/31",
		"2001:db8:: 2001:db8::ffff":       "2001:db8::/112",
		"0.0.0.0 255.255.255.255":         "0.0.0.0/0",
	} {
		first, last, _ := strings.Cut(text, " ")
		got := strings.Join(prefixes(netip.MustParseAddr(first), netip.MustParseAddr(last)), " ")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}
