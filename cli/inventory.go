package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

// matching looks packages up in the advisories that are kept: by the
// application itself, or by its server.
type matching interface {
	Match(ctx context.Context, purls []string) (server.MatchResult, error)
}

// advisories are those of a house, in the words of the engine that finds
// packages.
type advisories struct{ of matching }

// Match implements inventory.Advisories.
func (a advisories) Match(ctx context.Context, purls []string) (all inventory.Matched, err error) {
	if len(purls) == 0 {
		return all, nil
	}
	found, err := a.of.Match(ctx, purls)
	if err != nil {
		return all, err
	}
	for i := range found.Concerns {
		c := &found.Concerns[i]
		all.Concerns = append(all.Concerns, inventory.Concern{
			Purl: c.Purl, ID: c.Advisory, Names: c.Names, Vector: c.Vector, Fixed: c.Fixed, Unknown: c.Unknown, Malicious: c.Malicious,
		})
	}
	for _, u := range found.Unmatched {
		all.Unmatched = append(all.Unmatched, inventory.Unmatched(u))
	}
	return all, nil
}

// houseMatching opens the house when there is something to look up, and not
// for longer: what is found may be stored there.
type houseMatching struct {
	run *run
	mu  sync.Mutex
}

// Match implements matching.
func (h *houseMatching) Match(ctx context.Context, purls []string) (server.MatchResult, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	house, done, err := h.run.house(ctx)
	if err != nil {
		return server.MatchResult{}, err
	}
	defer done()
	return house.Match(ctx, purls)
}

// inventoryEngine finds packages, and looks them up in the house.
func (r *run) inventoryEngine() *inventory.Engine {
	return inventory.New(advisories{&houseMatching{run: r}})
}

// isBill reports whether a file is named as bills of materials are.
func isBill(name string) bool {
	name = strings.ToLower(filepath.Base(name))
	for _, ending := range []string{".cdx.json", ".cdx.xml", ".spdx.json", ".spdx"} {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return name == "bom.json" || name == "bom.xml"
}

// bill opens a bill of materials as a directory that holds nothing else.
func (s *scanning) bill(t *scan.Target) error {
	dir, base := filepath.Split(t.Name)
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return exposure.Errorf(exposure.Invalid, "cannot open %s: %w", t.Name, errors.Unwrap(err))
	}
	s.closers = append(s.closers, root)
	t.Kind, t.Files = scan.Directory, alone{root.FS(), base}
	if t.Asset.IsZero() {
		t.Asset = exposure.AssetRef{Kind: exposure.AssetRepository, Name: base}
		t.Asset.Add(exposure.IDName, base)
	}
	return nil
}

// alone is one file of a directory.
type alone struct {
	files fs.FS
	name  string
}

// Open implements fs.FS.
func (a alone) Open(name string) (fs.File, error) {
	switch name {
	case a.name:
		return a.files.Open(name)
	case ".":
		list, err := a.ReadDir(name)
		if err != nil {
			return nil, err
		}
		f, err := a.files.Open(name)
		if err != nil {
			return nil, err
		}
		return &aloneDirectory{f, list}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

type aloneDirectory struct {
	fs.File
	left []fs.DirEntry
}

// ReadDir implements fs.ReadDirFile.
func (d *aloneDirectory) ReadDir(n int) ([]fs.DirEntry, error) {
	all := d.left
	if d.left = nil; n > 0 && len(all) == 0 {
		return nil, io.EOF
	}
	return all, nil
}

// ReadDir implements fs.ReadDirFS.
func (a alone) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	info, err := fs.Stat(a.files, a.name)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}
