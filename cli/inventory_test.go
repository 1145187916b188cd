package cli

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"bom.json", "go.mod"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := alone{os.DirFS(dir), "bom.json"}
	if err := fstest.TestFS(files, "bom.json"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"go.mod", "../x"} {
		if f, err := files.Open(name); err == nil {
			f.Close()
			t.Errorf("%s is there", name)
		}
	}
}
