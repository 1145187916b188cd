package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
)

// spool is a temporary file that holds what was compressed.
type spool struct {
	lim  limits
	file *os.File
	end  int64
	open []io.Closer
}

func newSpool(lim limits) *spool { return &spool{lim: lim} }

// keep closes c when the image is closed.
func (s *spool) keep(c io.Closer) { s.open = append(s.open, c) }

// Close gives the disk back.
func (s *spool) Close() error {
	var err error
	for _, c := range s.open {
		err = errors.Join(err, c.Close())
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
		os.Remove(s.file.Name()) // where it could not be while it was open
	}
	return err
}

// Write implements io.Writer, at the end.
func (s *spool) Write(b []byte) (int, error) {
	if s.file == nil {
		f, err := os.CreateTemp("", "leeward-image-*")
		if err != nil {
			return 0, fmt.Errorf("no temporary file could be made: %w", err)
		}
		// A file without a name goes with the process, however that ends.
		os.Remove(f.Name())
		s.file = f
	}
	n, err := s.file.WriteAt(b, s.end)
	s.end += int64(n)
	return n, err
}

// put copies r to the end, and returns where it lies.
func (s *spool) put(r io.Reader, allowed func() int64) (io.ReaderAt, int64, error) {
	from := s.end
	buffer := make([]byte, 256<<10)
	for {
		n, err := r.Read(buffer)
		if s.end+int64(n) > s.lim.bytes {
			return nil, 0, exposure.Errorf(exposure.Invalid, "the image is larger than %d bytes when it is unpacked", s.lim.bytes)
		}
		if s.end+int64(n)-from > allowed() {
			return nil, 0, exposure.Errorf(exposure.Invalid, "the image grows more than %d-fold when it is unpacked, as nothing real does", s.lim.ratio)
		}
		if _, err := s.Write(buffer[:n]); err != nil {
			return nil, 0, err
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, 0, err
		}
	}
	if s.end == from {
		return nil, 0, io.ErrUnexpectedEOF
	}
	return io.NewSectionReader(s.file, from, s.end-from), s.end - from, nil
}

// plain is a tar that may be compressed: as it lies when it is not, and else in
// the spool. It reads packed to its end.
func (s *spool) plain(packed *checked, blob io.ReaderAt, size int64) (io.ReaderAt, int64, error) {
	unpacked, err := decompress(packed, blob)
	if err != nil {
		return nil, 0, err
	}
	if unpacked == nil {
		if packed.sum != nil {
			_, err = io.Copy(io.Discard, packed)
		}
		return blob, size, err
	}
	defer unpacked.Close()
	content, length, err := s.put(unpacked, func() int64 { return s.lim.free + s.lim.ratio*packed.read })
	if err == nil {
		_, err = io.Copy(io.Discard, packed) // what lies behind counts for the digest
	}
	return content, length, err
}

// maxWindow bounds the memory of one frame of zstd; larger ones need flags that
// nobody who reads images sets.
const maxWindow = 128 << 20

// decompress opens what is compressed; nil when it is not.
func decompress(r io.Reader, blob io.ReaderAt) (io.ReadCloser, error) {
	var magic [4]byte
	n, err := blob.ReadAt(magic[:], 0)
	switch m := string(magic[:n]); {
	case err != nil && err != io.EOF:
		return nil, err
	case len(m) >= 2 && m[:2] == "\x1f\x8b":
		return gzip.NewReader(r)
	case m == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return nil, nil
}

// checked reads until the context ends, counts, and sums up.
type checked struct {
	ctx  context.Context
	r    io.Reader
	read int64
	sum  *sum
}

func (c *checked) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	c.read += int64(n)
	if c.sum != nil {
		c.sum.Write(b[:n])
	}
	return n, err
}

func (c *checked) verify(name string) error {
	if c.sum == nil || hex.EncodeToString(c.sum.Sum(nil)) == c.sum.want {
		return nil
	}
	return exposure.Errorf(exposure.Invalid, "%s is damaged: it does not have the digest that it is named by", name)
}

// sum is a digest that is to come out.
type sum struct {
	hash.Hash
	want string
}

// newSum is nil for no digest.
func newSum(digest string) *sum {
	if digest == "" {
		return nil
	}
	return &sum{sha256.New(), digest[len("sha256:"):]}
}

func wrapped(name string, err error) error {
	var known *exposure.Error
	if errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}
