package tree_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan/tree"
)

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t testing.TB, dir string) *tree.Tree {
	t.Helper()
	d, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func files(t testing.TB, d fs.FS) (all []string) {
	t.Helper()
	err := fs.WalkDir(d, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		".leewardignore": "# what is planted\n\ntestdata/\n/top\n*.pem\ndocs/**/old\n!keep.pem\nsub/exact.go\r\n",
		"a.go":           "", "top": "", "x/top": "", "x/testdata/a": "", "testdata/keep.pem": "", "a.pem": "", "keep.pem": "", "x/y/b.pem": "",
		"docs/old/a": "", "docs/a/b/old": "", "docs/new": "", "sub/exact.go": "", "x/sub/exact.go": "", "x/testdata.go": "",
	})
	d := open(t, dir)
	want := []string{".leewardignore", "a.go", "docs/new", "keep.pem", "x/sub/exact.go", "x/testdata.go", "x/top"}
	if diff := cmp.Diff(want, files(t, d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"a.pem", "x/testdata/a", "top"} {
		if _, err := fs.ReadFile(d, name); !os.IsNotExist(err) {
			t.Errorf("%s can be read: %v", name, err)
		}
		if _, err := fs.Stat(d, name); !os.IsNotExist(err) {
			t.Errorf("%s is seen: %v", name, err)
		}
		if !d.Ignores(name) {
			t.Errorf("%s is not ignored", name)
		}
	}
	if _, err := fs.ReadDir(d, "testdata"); !os.IsNotExist(err) {
		t.Errorf("testdata can be listed: %v", err)
	}
	// A directory that was opened lists no more than one that is named.
	f, err := d.Open("x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for {
		all, err := f.(fs.ReadDirFile).ReadDir(1)
		if err != nil {
			break
		}
		for _, e := range all {
			names = append(names, e.Name())
		}
	}
	if len(names) != 4 { // sub, testdata.go, top, y
		t.Errorf("listed: %q", names)
	}
}

func TestBadIgnoreFiles(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a bad pattern":     "ok\n[",
		"too many":          strings.Repeat("x\n", 1001),
		"too large":         strings.Repeat("#", 65<<10),
		"too many stars":    "**/a/**/b/**/c/**",
		"too many parts":    strings.Repeat("a/", 40) + "b",
		"an empty part":     "a//b",
		"nothing but a not": "!",
	} {
		dir := t.TempDir()
		write(t, dir, map[string]string{".leewardignore": text})
		if d, err := tree.Open(dir); err == nil {
			d.Close()
			t.Errorf("%s is taken", name)
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".leewardignore"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Open(dir); err == nil {
		t.Error("an ignore file that is a directory is taken")
	}
	if _, err := tree.Open(filepath.Join(dir, "absent")); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("absent: %v", err)
	}
}

// Links do not lead out, not even those of the files that are read here.
func TestLinks(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	write(t, outside, map[string]string{"secret": "s", "ignore": "*", "config": "[remote \"origin\"]\nurl = https://example.com/a.git\n"})
	write(t, dir, map[string]string{"in": "", ".git/HEAD": ""})
	for link, to := range map[string]string{"secret": "secret", ".git/config": "config"} {
		if err := os.Symlink(filepath.Join(outside, to), filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	if err := os.Symlink("in", filepath.Join(dir, "inner")); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	if body, err := fs.ReadFile(d, "secret"); err == nil {
		t.Errorf("a link led out: %q", body)
	}
	if _, err := fs.ReadFile(d, "inner"); err != nil {
		t.Error(err)
	}
	if r := d.Remote(); r != "" {
		t.Errorf("the remote is of a file outside: %s", r)
	}
	if err := os.Symlink(filepath.Join(outside, "ignore"), filepath.Join(dir, ".leewardignore")); err != nil {
		t.Fatal(err)
	}
	if d, err := tree.Open(dir); err == nil {
		d.Close()
		t.Error("an ignore file outside the tree is read")
	}
}

func TestRemote(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		"[remote \"origin\"]\n\turl = https://u:p@example.com/acme/shop.git\n":                                                "https://u:p@example.com/acme/shop.git",
		"[remote \"up\"]\n\turl = git@example.com:a/b\n[remote \"origin\"]\n\tfetch = x\n\tURL = ssh://git@example.com/c/d\n": "ssh://git@example.com/c/d",
		"[remote \"up\"]\n\turl = git@example.com:a/b\n":                                                                      "git@example.com:a/b",
		"[remote \"origin\"]\n\turl = /srv/git/a\n":                                                                           "",
		"[remote \"origin\"]\n\turl = file:///srv/git/a\n":                                                                    "",
		"[remote \"origin\"]\n\turl = ../a\n":                                                                                 "",
		"[branch \"x\"]\n\turl = https://example.com/no\n":                                                                    "",
		"[remote \"origin\"":      "",
		"url = https://x/y\n\x00": "",
		"[remote \"origin\"]\nurl = https://example.com/a\n" + strings.Repeat("#", 300<<10): "",
	} {
		dir := t.TempDir()
		write(t, dir, map[string]string{".git/config": config})
		if got := open(t, dir).Remote(); got != want {
			t.Errorf("%.80q: %q, want %q", config, got, want)
		}
	}
	if got := open(t, t.TempDir()).Remote(); got != "" {
		t.Error(got)
	}
}

func FuzzIgnored(f *testing.F) {
	f.Add("a/**/b\n!x\n", "a/c/b")
	f.Add("**", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		dir := t.TempDir()
		write(t, dir, map[string]string{".leewardignore": text})
		d, err := tree.Open(dir)
		if err != nil {
			return
		}
		defer d.Close()
		// What is ignored is ignored as a whole, unless a later line takes it back.
		if !strings.Contains(text, "!") && d.Ignores(name) && !d.Ignores(name+"/below") {
			t.Errorf("%q ignores %q but not what is below", text, name)
		}
	})
}
