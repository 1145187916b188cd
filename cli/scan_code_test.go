package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeFiles puts files into a directory.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const ownRule = "- id: acme-base\n  title: An image is not made from ours\n  severity: high\n  applies: dockerfile\n  when: \"!it.last_from.startsWith('registry.acme.internal/')\"\n  why: Only ours are kept up.\n  fix: Use one of ours.\n"

// Secrets and settings of a directory are found, kept without the secret, and
// closed when they are gone. (Of a repository its history would have to be there.)
func TestScanOfCode(t *testing.T) {
	t.Parallel()
	const secret = "tr0ub4dor3"
	dir, rules, data := t.TempDir(), t.TempDir(), t.TempDir()
	writeFiles(t, dir, map[string]string{".env": "DB_PASSWORD=" + secret + "\n", "Dockerfile": "FROM debian:12\nRUN sudo apt-get update\nUSER app\n"})
	writeFiles(t, rules, map[string]string{"own.yaml": ownRule})
	scan := func() (int, string) {
		code, out, errs := leeward(t, nil, "--data", data, "scan", "--engines", "secrets,config", "--rules", rules, "--store", "--fail-on", "high", "--asset", "path:acme/shop", dir)
		if strings.Contains(out+errs, secret) {
			t.Errorf("the secret is shown: %s%s", out, errs)
		}
		return code, out + errs
	}
	code, told := scan()
	for _, want := range []string{"secrets/password", "config/dockerfile-sudo", "config/acme-base"} {
		if !strings.Contains(told, want) {
			t.Errorf("%s is not told: %s", want, told)
		}
	}
	if code != exitFound {
		t.Errorf("exit code %d: %s", code, told)
	}
	open := func() string {
		code, out, errs := leeward(t, nil, "--data", data, "findings", "--json", "is:open")
		if code != exitDone || strings.Contains(out, secret) {
			t.Fatalf("exit code %d: %s%s", code, out, errs)
		}
		return out
	}
	if n := strings.Count(open(), "\n"); n != 3 {
		t.Errorf("%d findings: %s", n, open())
	}
	for filter, want := range map[string]int{"type:secret": 1, "type:misconfiguration": 2} {
		if _, out, _ := leeward(t, nil, "--data", data, "findings", "--json", filter); strings.Count(out, "\n") != want {
			t.Errorf("%s: %s", filter, out)
		}
	}
	writeFiles(t, dir, map[string]string{".env": "DB_PASSWORD=${PASSWORD}\n", "Dockerfile": "FROM registry.acme.internal/base:1\nRUN apt-get update\nUSER app\n"})
	if code, told := scan(); code != exitDone || open() != "" {
		t.Errorf("exit code %d: %s%s", code, told, open())
	}
}

func TestScanWithBrokenRules(t *testing.T) {
	t.Parallel()
	rules := t.TempDir()
	writeFiles(t, rules, map[string]string{"own.yaml": strings.Replace(ownRule, "high", "awful", 1)})
	for dir, want := range map[string]string{rules: `own.yaml: rule "acme-base": severity`, filepath.Join(rules, "none"): "cannot open the rules"} {
		if code, out, errs := leeward(t, nil, "scan", "--rules", dir, t.TempDir()); code == exitDone || !strings.Contains(errs, want) {
			t.Errorf("exit code %d: %s%s", code, out, errs)
		}
	}
}
