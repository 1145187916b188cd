package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/config"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
)

func look(t testing.TB, kind scan.Kind, files fs.FS) ([]exposure.Observation, []error) {
	t.Helper()
	return scantest.Run(t, config.Shipped{}, scan.Job{Target: scan.Target{Kind: kind, Name: "x", Files: files}})
}

// tree makes the files of an archive that lie in a directory.
func tree(a *txtar.Archive, dir string, mode fs.FileMode) fstest.MapFS {
	files := fstest.MapFS{}
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, dir+"/"); ok {
			files[name] = &fstest.MapFile{Data: f.Data, Mode: mode}
		}
	}
	return files
}

// shippedIDs are the ids of the rules in the folder of rules.
func shippedIDs(t testing.TB) (ids []string) {
	t.Helper()
	files, err := filepath.Glob("rules/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rules []struct{ ID string }
		if err := yaml.Unmarshal(body, &rules); err != nil {
			t.Fatal(file, err)
		}
		for _, r := range rules {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Each rule finds what is planted for it, and nothing in the clean twin. There is
// none without both.
func TestRules(t *testing.T) {
	t.Parallel()
	ids := shippedIDs(t)
	if len(ids) < 80 {
		t.Errorf("there are %d rules", len(ids))
	}
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) != len(ids) {
		t.Errorf("%d rules and %d archives: %v", len(ids), len(archives), err)
	}
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(filepath.Join("testdata", id+".txtar"))
			if err != nil {
				t.Fatalf("the rule has no planted and clean twin: %v", err)
			}
			planted, clean := modes(t, a)
			for dir, mode := range map[string]fs.FileMode{"planted": planted, "clean": clean} {
				files := tree(a, dir, mode)
				if len(files) == 0 {
					t.Fatalf("nothing is %s", dir)
				}
				all, errs := look(t, scan.Directory, files)
				if len(errs) > 0 {
					t.Errorf("%s: %v", dir, errs)
				}
				if found := slices.Contains(scantest.Rules(all), "config/"+id); found != (dir == "planted") {
					t.Errorf("%s: found %v", dir, scantest.Rules(all))
				}
				if !scantest.Covered(all, "config", "config/"+id, exposure.Location{}) {
					t.Errorf("%s: not covered", dir)
				}
			}
		})
	}
}

// modes are the permissions of both twins, where an archive gives them.
func modes(t testing.TB, a *txtar.Archive) (planted, clean fs.FileMode) {
	t.Helper()
	f := strings.Fields(string(a.Comment))
	if len(f) == 0 {
		return 0o640, 0o640
	}
	if len(f) != 3 || f[0] != "modes" {
		t.Fatalf("the archive begins with %q", a.Comment)
	}
	p, err1 := strconv.ParseUint(f[1], 8, 9)
	c, err2 := strconv.ParseUint(f[2], 8, 9)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return fs.FileMode(p), fs.FileMode(c)
}
