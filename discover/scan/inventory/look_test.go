package inventory_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
)

const lock = `{"lockfileVersion":3,"packages":{"node_modules/demo":{"version":"1.9.0"}}}`

func npm() kept {
	k := kept{}
	k.advise("npm", "demo", "TEST-1", "2.0.0")
	return k
}

func covered(all []exposure.Observation) bool {
	return scantest.Covered(all, "inventory", "", exposure.Location{})
}

// What cannot be read, or looked up, is told; the rest goes on, and nothing is
// covered.
func TestFaults(t *testing.T) {
	t.Parallel()
	unreadable := func(name string) fs.FS {
		files := texts("package-lock.json", lock)
		files[name] = &fstest.MapFile{Data: []byte("x"), Mode: 0o644}
		return closed{files, name}
	}
	for name, c := range map[string]struct {
		files fs.FS
		want  string
	}{
		"a broken file":         {texts("package-lock.json", lock, "b/package-lock.json", "{"), "b/package-lock.json could not be read as package-lock.json"},
		"an unreadable file":    {unreadable("go.mod"), "go.mod could not be read: open go.mod: permission denied"},
		"an unreadable folder":  {unreadable("d/go.mod"), "permission denied"},
		"a large file":          {texts("package-lock.json", lock, "requirements.txt", strings.Repeat("a==1\n", 300_000)), "requirements.txt has 1500000 bytes"},
		"no version":            {texts("package-lock.json", lock, "requirements.txt", "demo\nother\n"), "2 packages were not looked up because no version is stated, such as demo in requirements.txt: pin versions"},
		"no kept advisories":    {texts("package-lock.json", lock, "Cargo.lock", "[[package]]\nname=\"a\"\nversion=\"1\"\n"), "1 packages were not looked up: no advisories of crates.io are kept: run `leeward feeds update osv`"},
		"no release":            {texts("package-lock.json", lock, "var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n\n", "etc/os-release", "ID=debian\n"), "does not say of which release of Debian"},
		"a long name":           {texts("package-lock.json", lock, "Cargo.lock", "[[package]]\nname=\""+strings.Repeat("a", 500)+"\"\nversion=\"1\"\n"), "names a package by more than 400 bytes"},
		"deep":                  {texts("package-lock.json", lock, strings.Repeat("d/", 101)+"go.mod", "module x\n"), "more than 100 directories deep"},
		"an incomplete image":   {lossy{texts("package-lock.json", lock)}, "an entry was left out"},
		"a hostile requirement": {texts("package-lock.json", lock, "requirements.txt", "-r ../../../etc/passwd\na==1\n"), "no advisories of PyPI"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, errs := scantest.Run(t, inventory.New(npm()), scan.Job{Target: scan.Target{Kind: scan.Directory, Files: c.files}})
			if diff := cmp.Diff([]string{"TEST-1"}, scantest.Rules(all)); diff != "" {
				t.Errorf("the rest was lost (-want +got):\n%s", diff)
			}
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), c.want) {
				t.Errorf("%v, want %q", errs, c.want)
			}
			if covered(all) {
				t.Error("it is covered")
			}
		})
	}
}

// closed is a tree of which one file, and its directory, may not be read.
type closed struct {
	fstest.MapFS
	name string
}

func (c closed) denied(op, name string) error {
	dir := filepath.Dir(c.name)
	if name == c.name || name == dir && dir != "." {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
	}
	return nil
}

func (c closed) Open(name string) (fs.File, error) {
	if err := c.denied("open", name); err != nil {
		return nil, err
	}
	return c.MapFS.Open(name)
}

func (c closed) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := c.denied("readdir", name); err != nil {
		return nil, err
	}
	return c.MapFS.ReadDir(name)
}

type lossy struct{ fstest.MapFS }

func (lossy) Lost() []string { return []string{"an entry was left out"} }

func TestManyFaults(t *testing.T) {
	t.Parallel()
	files := texts("package-lock.json", lock)
	for i := range 300 {
		files[strings.Repeat("a", i+1)+"/package.json"] = &fstest.MapFile{Data: []byte("{")}
	}
	all, errs := scantest.Run(t, inventory.New(npm()), directory(files))
	if len(errs) != 101 || covered(all) || !strings.Contains(errs[100].Error(), "200 more things") {
		t.Errorf("%d: %v", len(errs), errs[len(errs)-1])
	}
}

// What is not asked for is not read.
func TestSkipped(t *testing.T) {
	t.Parallel()
	installed := `{"name":"demo","version":"1.9.0"}`
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  []string
	}{
		"git":                         {texts(".git/package-lock.json", lock), []string{}},
		"modules of a lock file":      {texts("yarn.lock", "# yarn lockfile v1\n", "node_modules/demo/package.json", installed), []string{}},
		"modules without a lock file": {texts("node_modules/demo/package.json", installed), []string{"TEST-1"}},
		"a link":                      {fstest.MapFS{"package-lock.json": {Data: []byte("elsewhere"), Mode: fs.ModeSymlink | 0o777}}, []string{}},
		"nothing":                     {fstest.MapFS{}, []string{}},
	} {
		all, errs := scantest.Run(t, inventory.New(npm()), directory(c.files))
		if diff := cmp.Diff(c.want, scantest.Rules(all)); diff != "" || len(errs) > 0 || !covered(all) {
			t.Errorf("%s: %v, covered: %v (-want +got):\n%s", name, errs, covered(all), diff)
		}
	}
}

// Links of a real directory do not lead out of it.
func TestLinks(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(outside, "package-lock.json"), []byte(lock), 0o600),
		os.Symlink(outside, filepath.Join(dir, "d")), os.Symlink(filepath.Join(outside, "package-lock.json"), filepath.Join(dir, "package-lock.json"))); err != nil {
		t.Fatal(err)
	}
	all, errs := scantest.Run(t, inventory.New(npm()), scan.Job{Target: scan.Target{Kind: scan.Directory, Files: os.DirFS(dir)}})
	if len(scantest.Rules(all)) > 0 || len(errs) > 0 {
		t.Errorf("%v, %v", all, errs)
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all, errs := scantest.RunContext(t, ctx, inventory.New(npm()), directory(texts("package-lock.json", lock)))
	if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) || covered(all) {
		t.Errorf("cancelled: %v, %v", all, errs)
	}
	_, errs = scantest.Run(t, inventory.New(broken{}), directory(texts("package-lock.json", lock)))
	if len(errs) != 1 || !errors.Is(errs[0], errBroken) {
		t.Errorf("broken advisories: %v", errs)
	}
	all, errs = scantest.Run(t, inventory.New(nil), directory(texts("package-lock.json", lock)))
	if len(errs) > 0 || covered(all) || len(all) != 1 {
		t.Errorf("no advisories: %v, %v", all, errs)
	}
	_, errs = scantest.Run(t, inventory.New(nil), scan.Job{})
	if len(errs) != 1 || exposure.KindOf(errs[0]) != exposure.Invalid {
		t.Errorf("no files: %v", errs)
	}
	// Who asked may stop at any time.
	job := directory(texts("package-lock.json", lock, "b/package-lock.json", lock, "c/package-lock.json", "{"))
	job.Progress = func(int, int) {}
	for stop := range 5 {
		n := 0
		for range inventory.New(npm()).Scan(t.Context(), &job) {
			if n++; n > stop {
				break
			}
		}
		if n != stop+1 {
			t.Errorf("stopped at %d of %d", n, stop)
		}
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Match(context.Context, []string) (inventory.Matched, error) {
	return inventory.Matched{}, errBroken
}

// answers are fixed concerns.
type answers []inventory.Concern

func (a answers) Match(context.Context, []string) (inventory.Matched, error) {
	return inventory.Matched{Concerns: a}, nil
}

func TestWeakness(t *testing.T) {
	t.Parallel()
	const purl = "pkg:npm/demo@1.9.0"
	all, errs := scantest.Run(t, inventory.New(answers{
		{Purl: purl, ID: "CVE-2026-1", Names: []string{"GHSA-x"}, Fixed: []string{"1.9.5", "2.0.0"}, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
		{Purl: purl, ID: "CVE-2026-2", Unknown: true, Title: strings.Repeat("é", 150)},
		{Purl: purl, ID: "MAL-2026-1", Malicious: true},
		{Purl: "pkg:npm/never-asked@1", ID: "CVE-2026-3"},
	}), directory(texts("package-lock.json", lock)))
	if len(errs) > 0 {
		t.Error(errs)
	}
	scantest.Golden(t, "weakness.golden", all)
}

func TestReach(t *testing.T) {
	t.Parallel()
	k := kept{}
	k.advise("Go", "example.com/mod", "TEST-1", "1.2.0")
	base := []string{"go.mod", "module example.com/own\nrequire (\n\texample.com/mod v1.1.0\n\texample.com/mod/inner v1.0.0\n)\n"}
	const none = "No package of the tree imports it; other modules that are built in may."
	for name, c := range map[string]struct {
		files    []string
		evidence string
		sure     int
	}{
		"no source":       {nil, "", 80},
		"by a program":    {[]string{"cmd/x/main.go", "package main\nimport \"example.com/mod/a\"\n"}, "Go programs that import it, by packages of the tree: cmd/x.", 80},
		"by a package":    {[]string{"cmd/x/main.go", "package main\nimport \"example.com/own/a\"\n", "a/a.go", "package a\nimport \"example.com/own/b\"\n", "b/b.go", "package b\nimport _ \"example.com/mod\"\n"}, "Go programs that import it, by packages of the tree: cmd/x.", 80},
		"by a library":    {[]string{"a/a.go", "package a\nimport \"example.com/mod\"\n"}, "Go packages that import it: a.", 80},
		"by nobody":       {[]string{"a/a.go", "package a\nimport \"fmt\"\n"}, none, 40},
		"by a test alone": {[]string{"a/a.go", "package a\n", "a/a_test.go", "package a\nimport \"example.com/mod\"\n"}, none, 40},
		"another module":  {[]string{"a/a.go", "package a\nimport (\n\"example.com/mod/inner/x\"\n\"example.com/modern\"\n)\n"}, none, 40},
		"a nested module": {[]string{"a/a.go", "package a\n", "n/go.mod", "module n\n", "n/n.go", "package n\nimport \"example.com/mod\"\n"}, none, 40},
		"broken source":   {[]string{"a/a.go", "package a\nimport \"fmt\"\n", "b/b.go", "no source"}, "", 80},
		"a cycle":         {[]string{"a/a.go", "package a\nimport (\n\"example.com/own/b\"\n\"example.com/mod\"\n)\n", "b/b.go", "package b\nimport \"example.com/own/a\"\n"}, "Go packages that import it: a.", 80},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, errs := scantest.Run(t, inventory.New(k), directory(texts(append(c.files, base...)...)))
			if len(errs) > 0 {
				t.Error(errs)
			}
			for _, o := range all {
				if o.Kind != exposure.ObservedWeakness {
					continue
				}
				evidence := ""
				for _, e := range o.Evidence {
					evidence += e.Text
				}
				if evidence != c.evidence || o.Confidence != c.sure || o.State != exposure.StatePresent {
					t.Errorf("%q, %d, %q", evidence, o.Confidence, o.State)
				}
				return
			}
			t.Errorf("it is not found: %+v", all)
		})
	}
}

func FuzzWalk(f *testing.F) {
	f.Add("package-lock.json", []byte(lock))
	f.Add("var/lib/rpm/rpmdb.sqlite", rpmDatabase(f, rpmHeader("demo", "1", "1", 0, 5000)))
	f.Add("x.jar", jar(f, "1"))
	f.Add("bom.spdx", []byte("SPDXVersion: SPDX-2.3\nPackageName: a\nExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n"))
	f.Add("pom.xml", []byte("<project><dependencies><dependency><groupId>a</groupId><artifactId>b</artifactId><version>${c}</version></dependency></dependencies></project>"))
	e := inventory.New(npm())
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		if !fs.ValidPath(name) || name == "." || len(name) > 200 {
			return
		}
		scantest.Run(t, e, directory(fstest.MapFS{name: {Data: text, Mode: 0o755}}))
	})
}
