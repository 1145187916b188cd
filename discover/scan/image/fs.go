package image

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Open implements fs.FS.
func (f *Files) Open(name string) (fs.File, error) {
	n, err := f.at("open", name, true)
	if err != nil {
		return nil, err
	}
	i := info{path.Base(name), n}
	if n.mode.IsDir() {
		return &openDirectory{info: i, left: n.list()}, nil
	}
	return &openFile{SectionReader: io.NewSectionReader(n.content, 0, n.size), info: i}, nil
}

// Stat implements fs.StatFS.
func (f *Files) Stat(name string) (fs.FileInfo, error) { return f.stat("stat", name, true) }

// Lstat implements fs.ReadLinkFS.
func (f *Files) Lstat(name string) (fs.FileInfo, error) { return f.stat("lstat", name, false) }

func (f *Files) stat(op, name string, follow bool) (fs.FileInfo, error) {
	n, err := f.at(op, name, follow)
	if err != nil {
		return nil, err
	}
	return info{path.Base(name), n}, nil
}

// ReadLink implements fs.ReadLinkFS.
func (f *Files) ReadLink(name string) (string, error) {
	n, err := f.at("readlink", name, false)
	if err == nil && n.mode&fs.ModeSymlink == 0 {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	return n.target, nil
}

// ReadDir implements fs.ReadDirFS.
func (f *Files) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.at("readdir", name, true)
	if err == nil && !n.mode.IsDir() {
		err = &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	if err != nil {
		return nil, err
	}
	return n.list(), nil
}

// at finds a name of an fs.FS.
func (f *Files) at(op, name string, follow bool) (*node, error) {
	bad := func(err error) (*node, error) { return nil, &fs.PathError{Op: op, Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return bad(fs.ErrInvalid)
	}
	parts := strings.Split(name, "/")
	if name == "." {
		return f.root, nil
	}
	last := parts[len(parts)-1]
	parent, err := f.find(parts[:len(parts)-1])
	if err != nil {
		return bad(err)
	}
	n := parent.children[last]
	if n == nil {
		return bad(fs.ErrNotExist)
	}
	if follow && n.mode&fs.ModeSymlink != 0 {
		if n, err = f.find(parts); err != nil {
			return bad(err)
		}
	}
	return n, nil
}

func (n *node) list() []fs.DirEntry {
	all := make([]fs.DirEntry, 0, len(n.children))
	for name, c := range n.children {
		all = append(all, fs.FileInfoToDirEntry(info{name, c}))
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all
}

type info struct {
	name string
	node *node
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.node.size }
func (i info) Mode() fs.FileMode  { return i.node.mode }
func (i info) ModTime() time.Time { return i.node.changed }
func (i info) IsDir() bool        { return i.node.mode.IsDir() }
func (i info) Sys() any           { return nil }

type openFile struct {
	*io.SectionReader
	info info
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type openDirectory struct {
	info info
	left []fs.DirEntry
}

func (d *openDirectory) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDirectory) Close() error               { return nil }

func (d *openDirectory) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a directory")}
}

// ReadDir implements fs.ReadDirFile.
func (d *openDirectory) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.left)
	} else if len(d.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.left))
	all := d.left[:n]
	d.left = d.left[n:]
	return all, nil
}
