package image

import (
	"bytes"
	"io"
	"io/fs"
)

// memory are blobs of a test.
type memory map[string][]byte

func (m memory) open(name string) (io.ReaderAt, int64, error) {
	b, ok := m[name]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return bytes.NewReader(b), int64(len(b)), nil
}

type nothing struct{}

func (nothing) Close() error { return nil }
