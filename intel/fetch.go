package intel

import (
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
func (k *Keeper) fetch(ctx context.Context, f Feed, location, name string, before Part) (part Part, chunk []byte, err error) {
	file, got, err := k.open(ctx, f.Source(), location, before)
	if err != nil {
		return part, nil, err
	}
	if len(got.ETag) > maxValidator || len(got.Modified) > maxValidator {
		got = safehttp.Validator{}
	}
	if file == nil {
		before.Fetched = k.Now()
		return before, nil, nil
	}
	defer file.close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(file, 0, file.size)); err != nil {
		return part, nil, exposure.Errorf(exposure.Unavailable, "cannot read %s: %w", name, err)
	}
	part = Part{Location: name, Validator: got, SHA256: hex.EncodeToString(sum.Sum(nil)), Fetched: k.Now()}
	if part.SHA256 == before.SHA256 {
		part.Edition, part.Length, part.Form, part.Ecosystems = before.Edition, before.Length, before.Form, before.Ecosystems
		return part, nil, nil
	}
	w, err := newWriter()
	if err != nil {
		return part, nil, err
	}
	if part.Edition, err = f.Read(ctx, file, w.add); err != nil {
		return part, nil, within(name, err)
	}
	part.Facts, part.Ecosystems = w.count, slices.Sorted(maps.Keys(w.ecosystems))
	if chunk, err = w.bytes(); err != nil {
		return part, nil, err
	}
	part.Length = len(chunk)
	return part, chunk, nil
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

// open fetches a URL or opens a file. A nil file means that the server says it
// is still the one of before.
func (k *Keeper) open(ctx context.Context, src Source, location string, before Part) (s *spool, got safehttp.Validator, err error) {
	if !remote(location) {
		s, err = openLocal(src, location)
		return s, got, err
	}
	f, err := os.CreateTemp("", "leeward-feed-*")
	if err != nil {
		return nil, got, exposure.Errorf(exposure.Unavailable, "cannot write a temporary file: %w", err)
	}
	s = &spool{f, 0, true}
	got, unchanged, err := k.Fetcher.Fetch(ctx, location, before.Validator, src.MaxBytes, f)
	if err == nil && !unchanged {
		if s.size, err = f.Seek(0, io.SeekEnd); err == nil {
			return s, got, nil
		}
	}
	s.close()
	return nil, got, err
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
