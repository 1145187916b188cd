package intel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// maxValidator bounds what a server may have us keep to ask it again.
const maxValidator = 1 << 10

// fetch reads one file, whose name is its location as it may be kept. A nil
// chunk means that it is the one of before.
func (v *visit) fetch(ctx context.Context, f Feed, location, name string, before Part) (part Part, chunk []byte, err error) {
	file, got, err := v.open(ctx, location, before)
	if err != nil {
		return part, nil, err
	}
	if len(got.ETag) > maxValidator || len(got.Modified) > maxValidator {
		got.Validator = safehttp.Validator{}
	}
	if file == nil {
		before.Fetched = v.k.Now()
		return before, nil, nil
	}
	defer file.close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(file, 0, file.size)); err != nil {
		return part, nil, exposure.Errorf(exposure.Unavailable, "cannot read %s: %w", name, err)
	}
	part = Part{Location: name, Mark: got, SHA256: hex.EncodeToString(sum.Sum(nil)), Fetched: v.k.Now()}
	if part.SHA256 == before.SHA256 {
		part.Edition, part.Length, part.Form, part.Ecosystems = before.Edition, before.Length, before.Form, before.Ecosystems
		return part, nil, nil
	}
	w, err := newWriter()
	if err != nil {
		return part, nil, err
	}
	if part.Edition, err = f.Read(ctx, file, w.add); err != nil {
		if !Stopped(err) && isPage(file) {
			err = Refused("a web page came instead of %s: a proxy, a sign-in or a page of errors answers there, so open the address in a browser and set one that gives the file", f.Source().Title)
		}
		return part, nil, within(name, err)
	}
	part.Version, part.Facts = tidy(part.Version, maxVersion), w.count
	part.Ecosystems = slices.Sorted(maps.Keys(w.ecosystems))
	if chunk, err = w.bytes(); err != nil {
		return part, nil, err
	}
	part.Length = len(chunk)
	return part, chunk, nil
}

// isPage reports whether a file is a page for browsers.
func isPage(f File) bool {
	var head [512]byte
	n, _ := f.ReadAt(head[:], 0)
	text := bytes.ToLower(bytes.TrimLeft(head[:n], "\ufeff \t\r\n"))
	return bytes.HasPrefix(text, []byte("<!doctype html")) || bytes.HasPrefix(text, []byte("<html"))
}

// within says where an error happened, keeping its kind.
func within(name string, err error) error {
	return exposure.Errorf(exposure.KindOf(err), "%w", fmt.Errorf("%s: %w", name, err))
}

// spool is a file to read: one of the disk, or what was fetched into a
// temporary one.
type spool struct {
	*os.File
	size      int64
	temporary bool
}

func (s *spool) Size() int64 { return s.size }

func (s *spool) close() {
	s.Close()
	if s.temporary {
		os.Remove(s.Name())
	}
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "leeward-feed-*")
	if err != nil {
		return nil, exposure.Errorf(exposure.Unavailable, "cannot write a temporary file: %w", err)
	}
	return &spool{f, 0, true}, nil
}

// empty makes the file ready for another try.
func (s *spool) empty() (io.Writer, error) {
	if _, err := s.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return s.File, s.Truncate(0)
}

// open fetches a URL or a collection, or opens a file. A nil file means that
// the server says it is still the one of before.
func (v *visit) open(ctx context.Context, location string, before Part) (s *spool, got Mark, err error) {
	if !remote(location) {
		s, err = openLocal(v.source, location)
		return s, got, err
	}
	if s, err = newSpool(); err != nil {
		return nil, got, err
	}
	unchanged := false
	if address, ok := collection(location); ok {
		got, unchanged, err = v.gather(ctx, location, address, before, s)
	} else {
		got, unchanged, err = v.download(ctx, location, before, s)
	}
	if err == nil && !unchanged {
		if s.size, err = s.Seek(0, io.SeekEnd); err == nil {
			return s, got, nil
		}
	}
	s.close()
	return nil, got, err
}

// download fetches a URL.
func (v *visit) download(ctx context.Context, location string, before Part, s *spool) (got Mark, unchanged bool, err error) {
	r, err := v.request(location, location)
	if err != nil {
		return got, false, err
	}
	r.Known = before.Validator
	a, err := v.ask(ctx, r, s.empty)
	return Mark{Validator: a.Validator}, a.Unchanged, err
}

// openLocal opens a file. It is looked at first, because opening a pipe would
// wait for a writer.
func openLocal(src Source, path string) (*spool, error) {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > src.MaxBytes) {
		return nil, exposure.Errorf(exposure.Invalid, "%s is not a file of at most %d MiB", path, src.MaxBytes>>20)
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, exposure.Errorf(exposure.NotFound, "cannot read %s: check the path and its permissions (%w)", path, err)
	}
	return &spool{f, info.Size(), false}, nil
}
