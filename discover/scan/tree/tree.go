// Package tree opens directories for engines: read only, links do not lead out,
// and what the tree's own .leewardignore names is not there.
package tree

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// IgnoreFile names what of a tree is not looked at, a pattern a line, in the
// form of .gitignore. Only the one at the root counts.
const IgnoreFile = ".leewardignore"

// Tree is a directory as an [fs.FS].
type Tree struct {
	root    *os.Root
	files   fs.FS
	ignored patterns
}

// Open opens a directory. Its ignore file must be readable when it has one.
func Open(dir string) (*Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "cannot open the directory %s: %w", dir, reason(err))
	}
	t := &Tree{root: root, files: root.FS()}
	body, err := t.head(IgnoreFile, maxIgnore)
	if err == nil {
		t.ignored, err = parsePatterns(string(body))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		root.Close()
		return nil, exposure.Errorf(exposure.Invalid, "%s: %w", filepath.Join(dir, IgnoreFile), reason(err))
	}
	return t, nil
}

func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Close closes the directory.
func (t *Tree) Close() error { return t.root.Close() }

// Ignores reports whether a file is named by the ignore file, itself or by a
// directory it lies in.
func (t *Tree) Ignores(name string) bool { return t.ignores(name, false) }

func (t *Tree) ignores(name string, dir bool) bool {
	if len(t.ignored) == 0 || name == "." || name == "" {
		return false
	}
	for i := range len(name) {
		if name[i] == '/' && t.ignored.match(name[:i], true) {
			return true
		}
	}
	return t.ignored.match(name, dir)
}

// Open implements [fs.FS].
func (t *Tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, err := t.files.Open(name)
	if err != nil || len(t.ignored) == 0 {
		return f, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if t.ignores(name, info.IsDir()) {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if d, ok := f.(fs.ReadDirFile); ok && info.IsDir() {
		return &directory{d, t, name}, nil
	}
	return f, nil
}

// ReadDir implements [fs.ReadDirFS].
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if t.ignores(name, true) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	all, err := fs.ReadDir(t.files, name)
	return t.keep(name, all), err
}

// Stat implements [fs.StatFS].
func (t *Tree) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(t.files, name)
	if err == nil && t.ignores(name, info.IsDir()) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return info, err
}

func (t *Tree) keep(dir string, all []fs.DirEntry) []fs.DirEntry {
	if len(t.ignored) == 0 {
		return all
	}
	kept := all[:0]
	for _, e := range all {
		if !t.ignores(path.Join(dir, e.Name()), e.IsDir()) {
			kept = append(kept, e)
		}
	}
	return kept
}

// directory lists what is not ignored.
type directory struct {
	fs.ReadDirFile
	tree *Tree
	name string
}

func (d *directory) ReadDir(n int) ([]fs.DirEntry, error) {
	for {
		all, err := d.ReadDirFile.ReadDir(n)
		kept := d.tree.keep(d.name, all)
		// An empty list with no error would mean the end.
		if err != nil || n <= 0 || len(kept) > 0 || len(all) == 0 {
			return kept, err
		}
	}
}

// head reads a small file.
func (t *Tree) head(name string, limit int64) ([]byte, error) {
	f, err := t.files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("it is no file"))
	}
	body, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = errors.New("it is too large")
	}
	return body, err
}

const maxConfig = 256 << 10 // bytes of .git/config

// Remote returns the address that the repository was cloned from, as its
// configuration has it: of origin, else of the first remote. Empty: none. It may
// hold credentials.
func (t *Tree) Remote() string {
	body, err := t.head(".git/config", maxConfig)
	if err != nil {
		return ""
	}
	var first, section string
	for in := bufio.NewScanner(strings.NewReader(string(body))); in.Scan(); {
		line := strings.TrimSpace(in.Text())
		if strings.HasPrefix(line, "[") {
			section = ""
			if name, ok := strings.CutPrefix(line, "[remote "); ok {
				section, _, _ = strings.Cut(name, "]")
			}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section == "" || !strings.EqualFold(strings.TrimSpace(key), "url") {
			continue
		}
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch {
		// A path or a file of this machine names no repository to others.
		case strings.HasPrefix(value, "/"), strings.HasPrefix(value, "."), strings.HasPrefix(value, "file:"), !strings.ContainsAny(value, ":"):
		case section == `"origin"`:
			return value
		case first == "":
			first = value
		}
	}
	return first
}
