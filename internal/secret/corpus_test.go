package secret_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/internal/secret"
)

// corpus returns the directory of real reports beside the repository; the test
// is skipped where it is absent.
func corpus(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "corpus", "reports"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no corpus of real reports here")
	}
	return dir
}

// texts calls f with each string of a decoded JSON value, and the key it has.
func texts(v any, key string, f func(key, text string)) {
	switch v := v.(type) {
	case string:
		f(key, v)
	case []any:
		for _, x := range v {
			texts(x, key, f)
		}
	case map[string]any:
		for k, x := range v {
			texts(x, strings.ToLower(k), f)
		}
	}
}

// identity are keys whose values are names, numbers and identifiers.
func identity() map[string]bool {
	keys := map[string]bool{}
	for k := range strings.FieldsSeq("id ids cve cves cwe cwes title name version package packagename pkgname installedversion fixedversion purl bom-ref digest digests repodigests checksum hash sha1 sha256 md5 severity status type check_id ruleid rule_id rule ruleindex uri artifactlocation filename file path target arn resource_id resourceid published updated references links urls url reference vulnerabilityid cvss vectorstring attackvector score license licenses language cpe cpes aliases fingerprint") {
		keys[k] = true
	}
	return keys
}

// On real reports, what identifies things stays as it is, and few texts change.
func TestCorpus(t *testing.T) {
	t.Parallel()
	ids := identity()
	seen := map[string]bool{}
	changed := 0
	check := func(file, key, s string) {
		if seen[s] {
			return
		}
		seen[s] = true
		if err := checkText(s, 0); err != nil {
			t.Errorf("%s: %s: %.500s", file, key, err)
		}
		got := secret.Text(s, 0)
		if !strings.Contains(got, "[redacted:") {
			return
		}
		changed++
		if ids[key] {
			t.Errorf("%s: %s changed: %.300q to %.300q", file, key, s, got)
		}
	}
	dir := corpus(t)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, _ := filepath.Rel(dir, path)
		dec := json.NewDecoder(bytes.NewReader(data))
		for n := 0; ; n++ {
			var v any
			if dec.Decode(&v) != nil {
				if n == 0 {
					check(file, "", string(data))
				}
				return nil
			}
			texts(v, "", func(key, s string) { check(file, key, s) })
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d texts hold secrets", changed, len(seen))
	if len(seen) > 1000 && (changed == 0 || changed > len(seen)/200) {
		t.Errorf("%d of %d texts changed: that is too many or none", changed, len(seen))
	}
}
