package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/bill"
	"github.com/leeward-ctem/leeward/discover/scan/image"
	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/discover/scan/tree"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/store"
)

// files opens what a target is made of.
func (s *scanning) files(ctx context.Context, t *scan.Target) error {
	named := !t.Asset.IsZero()
	switch t.Kind {
	case scan.Image:
		i, err := image.Open(ctx, t.Name)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, i)
		t.Files = i.Files
		if !named {
			t.Asset = i.Asset(filepath.Base(t.Name))
		}
	case scan.Bill:
		files, err := openBill(t.Name)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, files)
		t.Files = files
		if !named {
			t.Asset = pathAsset(t.Name, s.plan.Self)
		}
	default:
		d, err := tree.Open(t.Name)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, d)
		t.Files = d
		if t.Dir, err = filepath.Abs(t.Name); err != nil {
			return err
		}
		if !named {
			t.Asset = directoryAsset(d, t.Name, s.plan.Self)
		}
	}
	return nil
}

// isLayout reports whether a directory is an image in the layout of OCI.
func isLayout(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "oci-layout"))
	return err == nil && info.Mode().IsRegular()
}

// billEnding is how the name of a bill of materials ends that a file is by its
// beginning; empty when it is none.
func billEnding(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, 64<<10)
	n, _ := io.ReadFull(f, head)
	head = bytes.TrimPrefix(head[:n], []byte("\ufeff"))
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("SPDXVersion:")):
		return ".spdx"
	case bytes.HasPrefix(text, []byte("<")) && bytes.Contains(text, []byte("cyclonedx.org/schema/bom")):
		return ".cdx.xml"
	case !bytes.HasPrefix(text, []byte("{")):
		return ""
	case bytes.Contains(text, []byte(`"bomFormat"`)):
		return ".cdx.json"
	case bytes.Contains(text, []byte(`"spdxVersion"`)):
		return ".spdx.json"
	}
	return ""
}

// oneFile is a tree of one file, under a name by which engines know what it is.
type oneFile struct {
	root       *os.Root
	name, real string
}

func openBill(path string) (*oneFile, error) {
	ending := billEnding(path)
	if ending == "" {
		return nil, exposure.Errorf(exposure.Invalid, "%s is no bill of materials: give CycloneDX in JSON or XML, or SPDX 2 in JSON or tags", path)
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "cannot open %s: %w", path, err)
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "cannot open %s: %w", path, errors.Unwrap(err))
	}
	name := filepath.Base(path)
	f := &oneFile{root: root, name: name, real: name}
	if !strings.HasSuffix(strings.ToLower(name), ending) {
		f.name += ending
	}
	return f, nil
}

func (f *oneFile) Close() error { return f.root.Close() }

// Open implements [fs.FS].
func (f *oneFile) Open(name string) (fs.File, error) {
	switch name {
	case f.name:
		return f.root.Open(f.real)
	case ".":
		return f.root.Open(".")
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Stat implements [fs.StatFS].
func (f *oneFile) Stat(name string) (fs.FileInfo, error) {
	if name == f.name {
		info, err := f.root.Stat(f.real)
		return renamed{info, f.name}, err
	}
	return fs.Stat(f.root.FS(), name)
}

// ReadDir implements [fs.ReadDirFS].
func (f *oneFile) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	info, err := f.Stat(f.name)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}

type renamed struct {
	fs.FileInfo
	name string
}

func (r renamed) Name() string { return r.name }

// engines are all that look. Those of packages ask the server that runs, or the
// data directory when there is one: a scan makes none.
func (s *scanning) engines(ctx context.Context) ([]scan.Engine, error) {
	means := builtin.Means{Tools: toolsOf(s.Env)}
	var err error
	if means.Settings, err = s.settings(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(s.plan.Targets, func(t scan.Target) bool { return t.Host == "" }) {
		if means.Advisories, err = s.advisories(ctx); err != nil {
			return nil, err
		}
	}
	return builtin.Engines(means), nil
}

// advisories are those of the server that runs, or of the data directory; nil
// when there are none, which is said when there were packages to compare.
func (s *scanning) advisories(ctx context.Context) (inventory.Advisories, error) {
	if c := s.running(ctx); c != nil {
		return served{c}, nil
	}
	if !s.kept() {
		s.unknown = true
		return nil, nil
	}
	db, err := s.database(ctx)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, db)
	return advisories{&intel.Keeper{Registered: builtin.Feeds(), Store: db, Now: s.Now, Env: s.Env}}, nil
}

// served are the advisories of the server that runs here.
type served struct{ *client }

// Match implements inventory.Advisories.
func (a served) Match(ctx context.Context, purls []string) (all inventory.Matched, err error) {
	found, err := a.client.Match(ctx, purls)
	for i := range found.Concerns {
		c := &found.Concerns[i]
		all.Concerns = append(all.Concerns, inventory.Concern{Purl: c.Purl, ID: c.Advisory, Names: c.Names, Fixed: c.Fixed, Unknown: c.Unknown, Malicious: c.Malicious, Vector: c.Vector})
	}
	for _, u := range found.Unmatched {
		all.Unmatched = append(all.Unmatched, inventory.Unmatched(u))
	}
	return all, err
}

// kept reports whether there is a database already: a scan makes none.
func (s *scanning) kept() bool {
	if s.Database != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(s.dir(), store.FileName))
	return err == nil
}

// writeBill prints a bill of materials of what was found.
func (s *scanning) writeBill() error {
	t := &s.plan.Targets[0]
	subject := bill.Subject{Name: t.Asset.Display(), Asset: t.Asset, Version: version, Time: s.Now()}
	if s.SBOM == "spdx" {
		return bill.WriteSPDX(s.Out, &subject, s.found.parts)
	}
	return bill.WriteCycloneDX(s.Out, &subject, s.found.parts)
}
