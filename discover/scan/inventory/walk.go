package inventory

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// limits bound what is read of one target.
type limits struct {
	entries  int   // files and directories
	depth    int   // of directories
	bytes    int64 // of the files that are read
	packages int
}

var defaultLimits = limits{entries: 5_000_000, depth: 100, bytes: 64 << 30, packages: 1_000_000}

var errTooMuch = errors.New("too much")

// tree is a file system with the methods that extractors ask for.
type tree struct{ fs.FS }

func (t tree) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(t.FS, name) }
func (t tree) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(t.FS, name) }

// short lets no file be opened that is larger than the extractor may read:
// manifests name others.
type short struct {
	tree
	max int64
}

func (s short) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.Size() > s.max {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: errTooMuch}
	}
	return f, nil
}

type place struct {
	dir   string
	depth int
}

// walk reads every directory once, in the order of names. Links are not
// followed: what they lead to is read where it lies.
func (l *look) walk(ctx context.Context) {
	entries, read := 0, int64(0)
	for todo := []place{{".", 0}}; len(todo) > 0 && !l.stopped && ctx.Err() == nil; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		list, err := l.files.ReadDir(at.dir)
		if err != nil {
			l.lost("the directory %s could not be read: %w", at.dir, err)
		}
		var inner []place
		for _, d := range list {
			name := path.Join(at.dir, d.Name())
			entries++
			switch {
			case l.stopped || ctx.Err() != nil:
				return
			case entries > l.engine.limits.entries:
				l.lost("there are more than %d files: look at parts of it", l.engine.limits.entries)
				return
			case d.IsDir():
				if skipped(d.Name(), list) {
					continue
				}
				if at.depth >= l.engine.limits.depth {
					l.lost("%s lies more than %d directories deep and was not read", name, l.engine.limits.depth)
					continue
				}
				inner = append(inner, place{name, at.depth + 1})
			case d.Type().IsRegular():
				if read += l.file(ctx, name, d); read > l.engine.limits.bytes || len(l.packages) > l.engine.limits.packages {
					l.lost("there are more than %d packages, or %d bytes to read: look at parts of it", l.engine.limits.packages, l.engine.limits.bytes)
					return
				}
			}
			if entries%1024 == 0 {
				l.job.Progress(entries, entries+len(todo)+len(inner))
			}
		}
		slices.Reverse(inner)
		todo = append(todo, inner...)
	}
	l.job.Progress(entries, entries)
}

// skipped reports whether a directory holds nothing that is not known from
// elsewhere: git's own files, and installed modules that a lock file beside
// them lists.
func skipped(name string, beside []fs.DirEntry) bool {
	switch name {
	case ".git":
		return true
	case "node_modules":
		return slices.ContainsFunc(beside, func(d fs.DirEntry) bool {
			switch d.Name() {
			case "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock":
				return d.Type().IsRegular()
			}
			return false
		})
	}
	return false
}

// file lets each reader that is for a file read it, and returns how many bytes
// that may have taken.
func (l *look) file(ctx context.Context, name string, d fs.DirEntry) (read int64) {
	at := &entry{name: name, entry: d}
	var f io.ReaderAt
	for i := range l.engine.readers {
		r := &l.engine.readers[i]
		if !r.wants(at) {
			continue
		}
		info, err := at.Stat()
		if err != nil {
			break // as is told below
		}
		if info.Size() > r.max {
			l.lost("%s has %d bytes: files of its kind are read up to %d", name, info.Size(), r.max)
			continue
		}
		if f == nil {
			opened, err := l.files.Open(name)
			if err != nil {
				l.lost("%s could not be read: %w", name, err)
				return read
			}
			defer opened.Close()
			if f, err = readerAt(opened, r.max); err != nil {
				l.lost("%s could not be read: %w", name, err)
				return read
			}
		}
		read += info.Size()
		all, err := r.read(ctx, short{l.files, r.max}, name, info, f)
		if err != nil && ctx.Err() == nil {
			l.lost("%s could not be read as %s: %w", name, r.name, err)
		}
		l.take(name, r, all)
	}
	if at.err != nil {
		l.lost("%s could not be read: %w", name, at.err)
	}
	switch {
	case path.Base(name) == "go.mod":
		l.sources = append(l.sources, path.Dir(name))
	case !goSource(name):
	case len(l.goFiles) == maxSources:
		l.unread = true
	default:
		l.goFiles = append(l.goFiles, name)
	}
	return read
}

// entry is a file that is asked about once: most are known by their names not
// to matter, and to ask takes longer than all else.
type entry struct {
	name  string
	entry fs.DirEntry
	info  fs.FileInfo
	err   error
}

func (e *entry) Path() string { return e.name }

func (e *entry) Stat() (fs.FileInfo, error) {
	if e.info == nil && e.err == nil {
		e.info, e.err = e.entry.Info()
	}
	return e.info, e.err
}

// readerAt is how an opened file is read at any place.
func readerAt(f fs.File, most int64) (io.ReaderAt, error) {
	if r, ok := f.(io.ReaderAt); ok {
		return r, nil
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	return strings.NewReader(string(text)), err
}
