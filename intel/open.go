package intel

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
)

// Text reads a file that is published plain or compressed by gzip. More than
// limit bytes of text, a stream that ends early and a wrong checksum are
// errors of the reader, so a feed that reads to the end has read all of it.
func Text(f File, limit int64) (io.Reader, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, f.Size()), 64<<10)
	head, _ := r.Peek(2)
	if len(head) < 2 || head[0] != 0x1f || head[1] != 0x8b {
		return &bounded{r, limit, limit}, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, Refused("the file begins like a gzip archive and is none: fetch it again")
	}
	return &bounded{z, limit, limit}, nil
}

// bounded fails when more is read than its limit.
type bounded struct {
	r           io.Reader
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 { // one more tells a longer text from one of just the limit
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, Refused("the file holds more than %d MiB of text: no edition does", b.limit>>20)
	}
	return n, err
}

// errDirectory is the cause of a zip archive with too many entries.
var errDirectory = errors.New("the directory is too long")

// Archive opens a zip archive whose directory is at most limit bytes long.
// Each entry of it costs several times its length in memory, so without a
// limit an archive that holds nothing would fill it.
func Archive(f File, limit int64) (*zip.Reader, error) {
	metered := &meter{File: f}
	metered.left.Store(limit + 128<<10) // the end of the archive, where the directory is looked for
	z, err := zip.NewReader(metered, f.Size())
	if errors.Is(err, errDirectory) {
		return nil, Refused("the archive has too many entries: its directory is longer than %d MiB", limit>>20)
	}
	if err != nil {
		return nil, Refused("this is no zip archive, or not all of it: fetch it again")
	}
	metered.open.Store(true)
	return z, nil
}

// meter limits what is read of a file while it is being opened.
type meter struct {
	File
	left atomic.Int64
	open atomic.Bool
}

func (m *meter) ReadAt(p []byte, off int64) (int, error) {
	if !m.open.Load() && m.left.Add(-int64(len(p))) < 0 {
		return 0, errDirectory
	}
	return m.File.ReadAt(p, off)
}

// Unpack returns the text of an entry of an archive, in room if that suffices;
// an empty one if it is longer than limit, so that the entry is skipped.
func Unpack(entry *zip.File, room []byte, limit int) ([]byte, error) {
	r, err := entry.Open()
	if err != nil {
		return room, err
	}
	defer r.Close()
	for len(room) <= limit {
		if len(room) == cap(room) {
			room = slices.Grow(room, max(len(room), 16<<10))
		}
		n, err := r.Read(room[len(room):cap(room)])
		room = room[:len(room)+n]
		if err == io.EOF {
			return room, nil
		}
		if err != nil {
			return room, err
		}
	}
	return room[:0], nil
}

// Nested opens an archive that is an entry of another, f. done lets go of it.
// The entry is bounded by limit; unless it is stored as it is, it is unpacked
// into a temporary file.
func Nested(ctx context.Context, f File, entry *zip.File, limit int64) (inner File, done func(), err error) {
	if offset, err := entry.DataOffset(); err == nil && entry.Method == zip.Store && entry.CompressedSize64 <= uint64(limit) {
		return io.NewSectionReader(f, offset, int64(entry.CompressedSize64)), func() {}, nil
	}
	damaged := Refused("%s in the archive is damaged or longer than %d MiB: fetch it again", entry.Name, limit>>20)
	r, err := entry.Open()
	if err != nil {
		return nil, nil, damaged
	}
	defer r.Close()
	s, err := newSpool()
	if err != nil {
		return nil, nil, err
	}
	s.size, err = io.Copy(s, &stoppable{ctx, io.LimitReader(r, limit+1)})
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case err != nil, s.size > limit:
		err = damaged
	default:
		return s, s.close, nil
	}
	s.close()
	return nil, nil, err
}

// stoppable is a reader that ends with its context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
