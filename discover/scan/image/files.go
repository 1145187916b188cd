package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

func digestOfText(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Files is the flattened root file system of an image. It is safe for
// concurrent use once it is made. Links are resolved within it.
type Files struct {
	root    *node
	lim     limits
	entries int
	level   int // of the layer that is read
	lost    []string
	more    int
}

type node struct {
	mode     fs.FileMode
	level    int // of the layer that stated it last
	changed  time.Time
	children map[string]*node // of a directory
	target   string           // of a symbolic link
	content  io.ReaderAt
	size     int64
}

func newFiles(lim limits) *Files {
	return &Files{root: directory(0), lim: lim}
}

func directory(level int) *node {
	return &node{mode: fs.ModeDir | 0o755, level: level, children: map[string]*node{}}
}

const maxLost = 20

// Lost says which entries of the layers are not in the file system, and why:
// names that lead out of it, links to nothing.
func (f *Files) Lost() []string {
	if f.more > 0 {
		return append(f.lost[:len(f.lost):len(f.lost)], fmt.Sprintf("%d more entries", f.more))
	}
	return f.lost
}

func (f *Files) lose(name string, why error) {
	if len(f.lost) == maxLost {
		f.more++
		return
	}
	f.lost = append(f.lost, fmt.Sprintf("the entry %q was left out: %v", name[:min(len(name), 200)], why))
}

var (
	errOutside = errors.New("its name leads out of the image")
	errName    = errors.New("its name is none")
	errDeep    = errors.New("it lies too deep")
	errLoop    = errors.New("its path goes through links that lead nowhere")
	errTarget  = errors.New("it is a link to what is not there")
)

// Markers of what a layer takes away, see
// https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// add lays a layer over what is there.
func (f *Files) add(ctx context.Context, content io.ReaderAt, length int64, s *spool) error {
	f.level++
	at := io.NewSectionReader(content, 0, length)
	for t := tar.NewReader(at); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if f.entries++; f.entries > f.lim.entries {
			return exposure.Errorf(exposure.Invalid, "the image has more than %d files", f.lim.entries)
		}
		n, err := f.nodeOf(h, t, at, content, length, s)
		if err != nil {
			return err
		}
		if err := f.put(h, n); err != nil {
			f.lose(h.Name, err)
		}
	}
}

// nodeOf is what an entry states; nil for what holds nothing that could be
// read, such as devices.
func (f *Files) nodeOf(h *tar.Header, t *tar.Reader, at *io.SectionReader, content io.ReaderAt, length int64, s *spool) (*node, error) {
	n := &node{mode: h.FileInfo().Mode(), level: f.level, changed: h.ModTime}
	switch h.Typeflag {
	case tar.TypeDir:
		n.children = map[string]*node{}
	case tar.TypeSymlink:
		n.target = h.Linkname
	case tar.TypeReg, tar.TypeGNUSparse:
		n.size = h.Size
		if sparse(h) {
			// It has as many bytes as it claims, however few lie there.
			c, _, err := s.put(t, func() int64 { return s.lim.free + s.lim.ratio*length })
			if h.Size == 0 && errors.Is(err, io.ErrUnexpectedEOF) {
				c, err = strings.NewReader(""), nil
			}
			n.content = c
			return n, err
		}
		from, err := at.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if from+h.Size > length {
			return nil, io.ErrUnexpectedEOF
		}
		n.content = io.NewSectionReader(content, from, h.Size)
	case tar.TypeLink:
	default:
		return nil, nil
	}
	return n, nil
}

// put sets an entry in its place.
func (f *Files) put(h *tar.Header, n *node) error {
	parts, err := split(h.Name)
	if err != nil || len(parts) == 0 {
		return err
	}
	if len(parts) > f.lim.depth {
		return errDeep
	}
	last := parts[len(parts)-1]
	parent, err := f.parent(parts[:len(parts)-1])
	if err != nil {
		return err
	}
	if last == opaque {
		f.clear(parent)
		return nil
	}
	if hidden, ok := strings.CutPrefix(last, whiteout); ok {
		if old := parent.children[hidden]; old != nil && !f.clear(old) && old.level < f.level {
			delete(parent.children, hidden)
		}
		return nil
	}
	if h.Typeflag == tar.TypeLink {
		if n, err = f.linked(h.Linkname); err != nil {
			return err
		}
	}
	switch old := parent.children[last]; {
	case n == nil:
		delete(parent.children, last)
	case old != nil && old.mode.IsDir() && n.mode.IsDir():
		old.mode, old.level, old.changed = n.mode, n.level, n.changed
	default:
		parent.children[last] = n
	}
	return nil
}

// clear takes away what lower layers put into a directory, and reports whether
// anything is left.
func (f *Files) clear(n *node) bool {
	for name, c := range n.children {
		if !f.clear(c) && c.level < f.level {
			delete(n.children, name)
		}
	}
	return len(n.children) > 0
}

// linked is the file that a hard link is another name of.
func (f *Files) linked(name string) (*node, error) {
	parts, err := split(name)
	if err != nil || len(parts) == 0 {
		return nil, errTarget
	}
	parent, err := f.find(parts[:len(parts)-1])
	if err != nil || parent.children == nil {
		return nil, errTarget
	}
	n := parent.children[parts[len(parts)-1]]
	if n == nil || n.mode.IsDir() {
		return nil, errTarget
	}
	same := *n
	same.level = f.level
	return &same, nil
}

// maxPath and maxName are those of Linux.
const (
	maxPath = 4096
	maxName = 255
)

// split takes a name of an entry apart.
func split(name string) ([]string, error) {
	if len(name) > maxPath || strings.ContainsAny(name, "\x00") {
		return nil, errName
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == ".":
		case part == "..":
			return nil, errOutside
		case len(part) > maxName:
			return nil, errName
		default:
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// parent finds a directory and makes it when it is not there. What stands in
// its way is replaced, as the layer above says so.
func (f *Files) parent(parts []string) (*node, error) {
	at, trail := f.root, []string{}
	for _, part := range parts {
		next := at.children[part]
		switch {
		case next != nil && next.mode&fs.ModeSymlink != 0:
			to, where, err := f.follow(append(trail, part))
			if err != nil {
				return nil, errLoop
			}
			next, trail = to, where
		default:
			trail = append(trail, part)
		}
		if len(trail) > f.lim.depth {
			return nil, errDeep
		}
		if next == nil || !next.mode.IsDir() {
			if at.children[part] != nil && at.children[part].mode&fs.ModeSymlink != 0 {
				return nil, errLoop
			}
			next = directory(f.level)
			at.children[part] = next
			f.entries++
		}
		at = next
	}
	return at, nil
}

func (f *Files) find(parts []string) (*node, error) {
	n, _, err := f.follow(parts)
	return n, err
}

// maxHops is how many links a path may go through, as on Linux.
const maxHops = 40

// follow resolves a path and all links in it, and says where it ended. ".."
// at the root stays there.
func (f *Files) follow(parts []string) (*node, []string, error) {
	hops := 0
	todo := append([]string{}, parts...)
	nodes, trail := []*node{f.root}, []string{}
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		at := nodes[len(nodes)-1]
		switch {
		case part == "" || part == ".":
			continue
		case part == "..":
			if len(trail) > 0 {
				nodes, trail = nodes[:len(nodes)-1], trail[:len(trail)-1]
			}
			continue
		}
		next := at.children[part]
		if next == nil {
			return nil, nil, fs.ErrNotExist
		}
		if next.mode&fs.ModeSymlink == 0 {
			nodes, trail = append(nodes, next), append(trail, part)
			continue
		}
		if hops++; hops > maxHops || len(next.target) > maxPath {
			return nil, nil, errLoop
		}
		if path.IsAbs(next.target) {
			nodes, trail = nodes[:1], trail[:0]
		}
		todo = append(strings.Split(next.target, "/"), todo...)
		if len(todo) > maxPath {
			return nil, nil, errLoop
		}
	}
	return nodes[len(nodes)-1], trail, nil
}
