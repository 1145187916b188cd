package reporttest

import (
	"os"
	"path/filepath"
	"testing"
)

// Corpus returns the folder of real reports beside the repository, described
// by its manifest.json. The test is skipped where there is none: the reports
// belong to others and are not part of the project.
func Corpus(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("the test does not run within the repository")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(filepath.Dir(dir), "shared", "corpus")
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err != nil {
		t.Skip("no corpus of real reports here")
	}
	return dir
}
