package discover

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// directoryBytes is the most that is read of a zip archive to list it; ten
// thousand entries take about 1 MiB.
const directoryBytes = 16 << 20

// zip yields the parts of a zip archive. archive is r for random access, or nil.
func (o *opener) zip(name string, r io.Reader, archive *io.SectionReader, depth int) bool {
	if archive == nil {
		spooled, done, err := o.spool(name, r)
		if err != nil {
			return o.yield(Part{Name: name}, err)
		}
		defer done()
		archive = spooled
	}
	files, err := o.directory(name, archive)
	if err != nil {
		return o.yield(Part{Name: name}, err)
	}
	u := &unpacking{opener: o, name: name, size: archive.Size(), depth: depth}
	for _, f := range files {
		if !passedOver(f) {
			u.files = append(u.files, f)
		}
	}
	if len(u.files) == 0 {
		return o.yield(Part{Name: name}, exposure.Errorf(exposure.Invalid, "%s is an archive without files", name))
	}
	p := u.plan()
	for _, f := range u.files {
		if p.within[f] {
			continue
		}
		each := *o
		if with := p.beside[f]; with != nil {
			each.yield = func(part Part, err error) bool {
				part.beside = with
				return o.yield(part, err)
			}
		}
		if !u.entry(f, each) {
			return false
		}
	}
	return true
}

// unpacking is a zip archive whose entries are opened.
type unpacking struct {
	*opener
	name  string
	files []*zip.File
	size  int64 // of the archive
	total int64 // bytes that came out of it so far
	depth int
}

// entry opens one entry, whose parts go to o.
func (u *unpacking) entry(f *zip.File, o opener) bool {
	name := u.name + "/" + f.Name
	const encrypted = 1 // bit 0 of the general purpose flags, APPNOTE 4.4.4
	if f.Flags&encrypted != 0 {
		return o.yield(Part{Name: name}, exposure.Errorf(exposure.Unsupported, "%s is encrypted: unpack the archive and import its files", name))
	}
	// The ratio is that of the whole archive, so that entries which share
	// their compressed bytes do not escape it.
	m := &meter{name: name, limits: o.limits, total: &u.total, compressed: func() int64 { return u.size }}
	rc, err := f.Open()
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return o.yield(Part{Name: name}, exposure.Errorf(exposure.Unsupported, "%s is packed by zip method %d, which is not supported: pack it with deflate", name, f.Method))
	case err != nil:
		return o.yield(Part{Name: name}, m.damaged(err))
	}
	defer rc.Close()
	m.r = rc
	return o.open(name, m, u.depth+1)
}

// directory lists an archive. Memory is bounded by what may be read for it,
// because the number of entries that an archive states is not to be trusted.
func (o *opener) directory(name string, archive *io.SectionReader) ([]*zip.File, error) {
	ra := &rationed{r: archive, left: directoryBytes}
	zr, err := zip.NewReader(ra, archive.Size())
	over := exposure.Errorf(exposure.Invalid, "%s has more than %d entries: import the reports one by one", name, o.limits.Entries)
	switch {
	case ra.left < 0:
		return nil, over
	case errors.Is(err, zip.ErrInsecurePath): // names are only names here
	case errors.Is(err, zip.ErrFormat), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, exposure.Errorf(exposure.Invalid, "%s is a cut off or damaged zip archive: export or copy it again", name)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(zr.File) > o.limits.Entries {
		return nil, over
	}
	ra.unlimited = true
	return zr.File, nil
}

// rationed limits how much is read until unlimited is set.
type rationed struct {
	r         io.ReaderAt
	left      int64
	unlimited bool
}

func (r *rationed) ReadAt(p []byte, off int64) (int, error) {
	if !r.unlimited {
		if r.left -= int64(len(p)); r.left < 0 {
			return 0, io.ErrUnexpectedEOF
		}
	}
	return r.r.ReadAt(p, off)
}

// spool copies an archive that comes as a stream to a temporary file. done
// removes it.
func (o *opener) spool(name string, r io.Reader) (archive *io.SectionReader, done func(), err error) {
	tmp, err := os.CreateTemp("", "leeward-*.zip")
	if err != nil {
		return nil, nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	done = func() {
		tmp.Close()
		os.Remove(tmp.Name())
	}
	n, err := io.Copy(tmp, io.LimitReader(r, o.limits.Spool+1))
	if err == nil && n > o.limits.Spool {
		err = exposure.Errorf(exposure.Invalid, "%s is an archive of more than %s: unpack it and import its files", name, size(o.limits.Spool))
	}
	if err != nil {
		done()
		if exposure.KindOf(err) == exposure.Internal {
			err = fmt.Errorf("unpack %s: %w", name, err)
		}
		return nil, nil, err
	}
	return io.NewSectionReader(tmp, 0, n), done, nil
}

// inPlace returns random access to the rest of r, or nil when r is a stream.
func inPlace(r io.Reader) *io.SectionReader {
	ra, ok := r.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return nil
	}
	at, err := ra.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil // a pipe
	}
	end, err := ra.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	if _, err := ra.Seek(at, io.SeekStart); err != nil || end <= at {
		return nil
	}
	return io.NewSectionReader(ra, at, end-at)
}

// passedOver reports whether an entry is no document: a directory, or what
// macOS adds to archives.
func passedOver(f *zip.File) bool {
	name := strings.ReplaceAll(f.Name, `\`, "/")
	base := name[strings.LastIndexByte(name, '/')+1:]
	return base == "" || f.Mode().IsDir() || strings.HasPrefix(name, "__MACOSX/") || strings.HasPrefix(base, "._") || base == ".DS_Store"
}
