package history

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

var (
	errWork    = errors.New("the repository costs more than a scan may: a limit stopped it")
	errMissing = errors.New("the object is not there")
	errLarge   = errors.New("the object is too large")
	errBinary  = errors.New("the object is large and no text")
	errBroken  = errors.New("the object is broken")
)

// store is a directory of objects.
type store struct {
	fsys  fs.FS
	packs []*pack
	last  int // the pack in which something was found last
}

// openStores opens the objects of a repository and, within the tree, those of
// its alternates.
func (r *Repository) openStores(fsys fs.FS, dir string) {
	queue, seen := []string{path.Join(dir, "objects")}, map[string]bool{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if seen[at] {
			continue
		}
		if seen[at] = true; len(r.stores) == maxStores {
			r.problem("there are more than %d directories of objects: %s was not read", maxStores, at)
			return
		}
		sub, err := fs.Sub(fsys, at)
		if err != nil {
			r.problem("%s: %w", at, err)
			continue
		}
		s := &store{fsys: sub}
		r.openPacks(s, at)
		r.stores = append(r.stores, s)
		for line := range strings.Lines(string(r.readFile(sub, "info/alternates"))) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			target := path.Join(at, line)
			if path.IsAbs(line) || !fs.ValidPath(target) {
				r.problem("objects that lie in %q, outside of what is scanned, were not read: scan a full clone (git repack -a -d, then remove info/alternates)", line)
				continue
			}
			queue = append(queue, target)
		}
	}
}

func (r *Repository) openPacks(s *store, at string) {
	entries, err := fs.ReadDir(s.fsys, "pack")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.problem("%s/pack: %w", at, err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".idx")
		if !ok || !e.Type().IsRegular() {
			continue
		}
		p, err := openPack(s.fsys, path.Join("pack", name), r.limits.Index)
		if err != nil {
			r.problem("%s/pack/%s: %w", at, name, err)
			continue
		}
		s.packs = append(s.packs, p)
	}
}

// Close closes the packfiles.
func (r *Repository) Close() error {
	var all []error
	for _, s := range r.stores {
		for _, p := range s.packs {
			all = append(all, p.file.Close())
		}
	}
	return errors.Join(all...)
}

// find tells in which pack, and where there, an object is.
func (s *store) find(id ID) (pack int, offset int64, ok bool) {
	for i := range s.packs {
		n := (s.last + i) % len(s.packs)
		if offset, ok := s.packs[n].find(id); ok {
			s.last = n
			return n, offset, true
		}
	}
	return 0, 0, false
}

// read returns an object, which must not be changed or kept.
func (r *Repository) read(id ID, limit int64) (kind, []byte, error) {
	return r.readAt(id, limit, 0)
}

func (r *Repository) readAt(id ID, limit int64, deltas int) (kind, []byte, error) {
	for _, s := range r.stores {
		if n, offset, ok := s.find(id); ok {
			return r.readPacked(s.packs[n], offset, limit, deltas)
		}
		name := id.String()
		f, err := s.fsys.Open(name[:2] + "/" + name[2:])
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return 0, nil, err
		}
		k, body, err := r.readLoose(f, limit)
		_ = f.Close()
		return k, body, err
	}
	return 0, nil, errMissing
}

// readLoose reads an object that has a file of its own: its kind, a space, its
// length, a zero byte, and itself, compressed together.
func (r *Repository) readLoose(f fs.File, limit int64) (kind, []byte, error) {
	z, err := r.inflater(f)
	if err != nil {
		return 0, nil, err
	}
	var head []byte
	for b := [1]byte{}; ; head = append(head, b[0]) {
		if _, err := io.ReadFull(z, b[:]); err != nil || len(head) > 40 {
			return 0, nil, errBroken
		}
		if b[0] == 0 {
			break
		}
	}
	word, length, _ := strings.Cut(string(head), " ")
	k, ok := parseKind(word)
	size, err := strconv.ParseInt(length, 10, 64)
	if !ok || err != nil || size < 0 {
		return 0, nil, errBroken
	}
	body, err := r.inflated(z, size, limit)
	return k, body, err
}

// inflater unpacks what follows in a file.
func (r *Repository) inflater(from io.Reader) (io.Reader, error) {
	r.buffered.Reset(from)
	if r.zlib == nil {
		z, err := newInflater(&r.buffered)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errBroken, err)
		}
		r.zlib = z
		return z, nil
	}
	if err := r.zlib.Reset(&r.buffered, nil); err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	return r.zlib, nil
}

// inflated reads an object of a stated size. It believes the size only as far as
// bytes come.
func (r *Repository) inflated(z io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		head := make([]byte, sniffed)
		n, err := io.ReadFull(z, head)
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			if Binary(head[:n]) {
				return nil, errBinary
			}
		}
		return nil, fmt.Errorf("%w: %d bytes of at most %d", errLarge, size, limit)
	}
	if r.work += size + perObject; r.work > r.limits.Work {
		return nil, errWork
	}
	const step = 256 << 10
	body := make([]byte, min(size, step))
	for at := int64(0); ; {
		n, err := io.ReadFull(z, body[at:])
		if err != nil {
			return nil, fmt.Errorf("%w: it ends after %d of %d bytes: %w", errBroken, at+int64(n), size, err)
		}
		if at = int64(len(body)); at == size {
			break
		}
		body = append(body, make([]byte, min(size-at, at))...)
	}
	var more [1]byte
	if n, err := z.Read(more[:]); n > 0 || err != io.EOF { // the end also holds the checksum
		return nil, fmt.Errorf("%w: it does not end after %d bytes, or its checksum is wrong", errBroken, size)
	}
	return body, nil
}

const (
	sniffed   = 8_000 // bytes that tell whether a file is text, as Git does
	perObject = 64    // bytes that an object costs at least
)

// Binary reports whether a file that begins so is no text.
func Binary(head []byte) bool {
	return bytes.IndexByte(head[:min(len(head), sniffed)], 0) >= 0
}
