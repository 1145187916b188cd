package image

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// blobs are the files that an image is made of.
type blobs interface {
	open(name string) (io.ReaderAt, int64, error)
}

// folder is a directory; links do not lead out of it.
type folder struct{ root *os.Root }

func (d folder) open(name string) (io.ReaderAt, int64, error) {
	info, err := d.root.Stat(name) // before it is opened: a pipe would be waited for
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// packed is a tar: where its files lie.
type packed struct {
	r     io.ReaderAt
	files map[string]extent
	links map[string]string
}

type extent struct{ from, size int64 }

// maxFiles bounds the files of an archive, which has a few for each layer.
const maxFiles = 100_000

// archive reads where the files of an archive lie.
func (i *Image) archive(ctx context.Context, f *os.File, size int64, lim limits) (blobs, error) {
	in := &checked{ctx: ctx, r: io.NewSectionReader(f, 0, size)}
	r, length, err := i.decompressed.plain(in, f, size)
	if err != nil {
		return nil, err
	}
	p := packed{r, map[string]extent{}, map[string]string{}}
	at := io.NewSectionReader(r, 0, length)
	for t := tar.NewReader(at); ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := t.Next()
		if err == io.EOF {
			return p, nil
		}
		if err != nil {
			return nil, fmt.Errorf("no tar archive, or one that was cut off: %w", err)
		}
		name := path.Clean(h.Name)
		if len(p.files)+len(p.links) >= maxFiles {
			return nil, exposure.Errorf(exposure.Invalid, "the archive holds more than %d files, so it is not a saved image", maxFiles)
		}
		switch h.Typeflag {
		case tar.TypeReg:
			from, err := at.Seek(0, io.SeekCurrent)
			if err != nil {
				return nil, err
			}
			if from+h.Size > length {
				return nil, io.ErrUnexpectedEOF
			}
			if !sparse(h) {
				p.files[name] = extent{from, h.Size}
			}
		case tar.TypeSymlink: // older ones name equal layers so
			p.links[name] = path.Join(path.Dir(name), h.Linkname)
		case tar.TypeLink:
			p.links[name] = path.Clean(h.Linkname)
		}
	}
}

// sparse reports whether a file's content does not lie in one piece.
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func (p packed) open(name string) (io.ReaderAt, int64, error) {
	name = path.Clean(name)
	for range 4 {
		e, ok := p.files[name]
		if ok {
			return io.NewSectionReader(p.r, e.from, e.size), e.size, nil
		}
		name = p.links[name]
	}
	return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
