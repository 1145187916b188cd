package discover

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/exposure"
)

// decompress undoes one layer of gzip or zstd.
func (o *opener) decompress(kind format, name string, r io.Reader) (io.ReadCloser, error) {
	src := &source{r: r}
	m := &meter{name: name, limits: o.limits, src: src, compressed: func() int64 { return src.n }}
	switch kind {
	case gzipped:
		gz, err := gzip.NewReader(src)
		if err != nil {
			return nil, m.damaged(err)
		}
		m.r = gz
		return closing{m, gz.Close}, nil
	default:
		window := uint64(o.limits.Window)
		dec, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(max(window, zstd.MinWindowSize)), zstd.WithDecoderMaxMemory(window))
		if err != nil {
			return nil, m.damaged(err)
		}
		m.r = dec
		return closing{m, func() error { dec.Close(); return nil }}, nil
	}
}

type closing struct {
	io.Reader
	close func() error
}

func (c closing) Close() error { return c.close() }

// source counts what a decompressor reads and remembers why reading failed, to
// tell a broken disk from broken data.
type source struct {
	r   io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// meter enforces the limits on what comes out of a layer and puts the errors
// of a decompressor in our words.
type meter struct {
	name   string
	r      io.Reader
	limits Limits
	n      int64

	// Of a compressed layer only:
	src        *source      // what the decompressor reads; nil when unknown
	compressed func() int64 // how many compressed bytes n came from
	total      *int64       // bytes that came out of the archive so far, all entries
	err        error
}

func (m *meter) Read(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.r.Read(p)
	m.n += int64(n)
	out := m.n
	if m.total != nil {
		*m.total += int64(n)
		out = *m.total
	}
	switch {
	case m.n > m.limits.PartBytes:
		m.err = exposure.Errorf(exposure.Invalid, "%s is larger than %s decompressed: split the report", m.name, size(m.limits.PartBytes))
	case m.compressed != nil && out > m.limits.RatioFrom && out/m.limits.Ratio > m.compressed():
		m.err = exposure.Errorf(exposure.Invalid, "%s grows to more than %d times its size when decompressed, which no report does: it looks like a decompression bomb", m.name, m.limits.Ratio)
	case err != nil && err != io.EOF:
		m.err = m.damaged(err)
	default:
		return n, err
	}
	return n, m.err
}

func (m *meter) damaged(err error) error {
	var known *exposure.Error
	switch {
	case errors.As(err, &known):
		return known
	case m.compressed == nil:
		return fmt.Errorf("read %s: %w", m.name, err)
	case m.src != nil && m.src.err != nil:
		return fmt.Errorf("read %s: %w", m.name, m.src.err)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return exposure.Errorf(exposure.Invalid, "%s needs more than %s of memory to decompress: compress it without --long or --ultra", m.name, size(m.limits.Window))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return exposure.Errorf(exposure.Invalid, "%s is cut off: export or copy it again", m.name)
	}
	return exposure.Errorf(exposure.Invalid, "%s is damaged (%w): export or copy it again", m.name, err)
}

// size writes a number of bytes for people.
func size(n int64) string {
	for _, u := range []struct {
		name string
		of   int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.of && n%u.of == 0 {
			return fmt.Sprintf("%d %s", n/u.of, u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
