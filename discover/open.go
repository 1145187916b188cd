package discover

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"iter"
	"path"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// headSize is how much of a part a format sees to recognise itself.
const headSize = 64 << 10

// Part is one document inside what a user handed in: the file itself, or an
// entry of an archive.
type Part struct {
	// Name is the name for people: the file's name without the suffix of its
	// compression, or archive/entry. It is never used as a path.
	Name string
	// Head is the start of the document, at most 64 KiB, decompressed and in UTF-8.
	Head []byte
	// Reader reads the whole document, Head included. It is valid until the
	// loop goes on to the next part. A damaged or oversized document shows as
	// an error of Read that names the part and the limit.
	Reader io.Reader

	beside *beside // what tells more of it, in the same archive
}

// Limits bounds what opening a report may cost. A zero field means its default.
type Limits struct {
	// PartBytes is the most a single part may decompress to. Default 64 GiB.
	PartBytes int64
	// Ratio is how many bytes a compressed byte may become, counted once
	// RatioFrom bytes were decompressed. Default 1000.
	Ratio int64
	// RatioFrom is what may be decompressed at any ratio. Default 64 MiB.
	RatioFrom int64
	// Entries is the most entries of one zip archive. Default 10,000.
	Entries int
	// Window is the most memory a zstd stream may ask for. Default 128 MiB.
	Window int64
	// Nesting is how many layers of compression are undone: 2 opens a
	// .json.gz inside a .zip. Default 2.
	Nesting int
	// Spool is the most that is written to a temporary file, which happens for
	// a zip archive that arrives as a stream. Default 8 GiB.
	Spool int64
}

func (l Limits) orDefault() Limits {
	set := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.PartBytes, 64<<30)
	set(&l.Ratio, 1000)
	set(&l.RatioFrom, 64<<20)
	set(&l.Window, 128<<20)
	set(&l.Spool, 8<<30)
	if l.Entries <= 0 {
		l.Entries = 10_000
	}
	if l.Nesting <= 0 {
		l.Nesting = 2
	}
	return l
}

// Open yields the documents in r: r itself, or what the gzip, zstd or zip data
// in it holds. The kind is found by content, never by name. Nothing is
// extracted to names from an archive, directories and the resource forks of
// macOS are passed over, and UTF-16 text becomes UTF-8.
//
// An error concerns the part whose name it comes with, the parts after it are
// yielded all the same. [exposure.Invalid]: empty, damaged, or over a limit.
// [exposure.Unsupported]: binary data, an encrypted entry, nested too deep.
//
// When r is also an [io.ReaderAt] and [io.Seeker], such as a file, a zip
// archive is read in place.
func Open(name string, r io.Reader, limits Limits) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		o := opener{limits: limits.orDefault(), yield: yield}
		o.open(name, r, 0)
	}
}

// opener walks the layers of one report.
type opener struct {
	limits  Limits
	yield   func(Part, error) bool
	readers []Reader
	format  string // of the reader that reads all there is; "": whichever recognises it
	single  bool   // archives are no documents
}

// open yields the parts in r, which lies under depth layers of compression. It
// returns false when the loop ended.
func (o *opener) open(name string, r io.Reader, depth int) bool {
	archive := inPlace(r) // before the first read moves the offset
	br := bufio.NewReaderSize(r, headSize)
	head, err := br.Peek(headSize)
	if len(head) == 0 {
		if err == io.EOF {
			err = exposure.Errorf(exposure.Invalid, "%s is empty", name)
		}
		return o.yield(Part{Name: name}, err)
	}
	kind := detect(head)
	if kind != plain && depth == o.limits.Nesting {
		return o.yield(Part{Name: name}, exposure.Errorf(exposure.Unsupported, "%s is compressed more than %d times over: unpack it once and import the result", name, o.limits.Nesting))
	}
	switch kind {
	case gzipped, zstandard:
		dec, err := o.decompress(kind, name, br)
		if err != nil {
			return o.yield(Part{Name: name}, err)
		}
		defer dec.Close()
		return o.open(withoutSuffix(name), dec, depth+1)
	case zipped:
		if o.single {
			return o.yield(Part{Name: name}, exposure.Errorf(exposure.Unsupported, "%s is an archive in place of a document", name))
		}
		return o.zip(name, br, archive, depth)
	}
	return o.plain(name, br, head)
}

func (o *opener) plain(name string, br *bufio.Reader, head []byte) bool {
	if utf16, ok := decodeUTF16(head, br); ok {
		br = bufio.NewReaderSize(utf16, headSize)
		// An error shows again when the part is read.
		head, _ = br.Peek(headSize)
	}
	if what := binary(head); what != "" {
		return o.yield(Part{Name: name}, exposure.Errorf(exposure.Unsupported, "%s is %s, not a report: hand in the report as text, or packed with gzip, zstd or zip", name, what))
	}
	limited := &meter{name: name, r: br, limits: o.limits}
	return o.yield(Part{Name: name, Head: bytes.Clone(head), Reader: limited}, nil)
}

// Read reads the part by a reader, with bounded memory as [Guarded] does, and
// before it what tells more of it.
func (p *Part) Read(ctx context.Context, reader Reader) iter.Seq2[exposure.Observation, error] {
	return guarded(ctx, p.reading(reader, io.Discard), p.Reader)
}

// reading is how a reader reads the part. What it reads beside it is also
// written to sum.
func (p *Part) reading(reader Reader, sum io.Writer) Reading {
	switch {
	case p.Empty():
		return nothingFrom(reader)
	case p.beside != nil && p.beside.reader.Name() == reader.Name():
		return p.beside.read(sum)
	}
	return reader.Read
}

// Empty reports whether the part is [] or {}, as many tools write it when they
// found nothing.
func (p *Part) Empty() bool {
	h := decode.NewHead(p.Head)
	return len(p.Head) < headSize && (h.Is("[]") || h.Is("{}"))
}

// nothingFrom reads an empty part as a run of a reader's tool that found
// nothing, whether or not its reports look like that.
func nothingFrom(reader Reader) Reading {
	return func(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
		return func(yield func(exposure.Observation, error) bool) {
			said := false
			for o, err := range reader.Read(ctx, r) {
				switch {
				case err != nil && (isRecord(err) || refused(err)):
				case err != nil:
					yield(o, err)
					return
				case o.Kind == exposure.ObservedRun:
					if said = true; !yield(o, nil) {
						return
					}
				}
			}
			if !said {
				yield(exposure.Observation{Kind: exposure.ObservedRun, Run: &exposure.Run{Tool: reader.Name()}}, nil)
			}
		}
	}
}

// format is what the first bytes of a file say it is.
type format int

const (
	plain format = iota
	gzipped
	zstandard
	zipped
)

func detect(head []byte) format {
	has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case has("\x1f\x8b"):
		return gzipped
	case has("\x28\xb5\x2f\xfd"):
		return zstandard
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && has(string(head[:1])+"\x2a\x4d\x18"):
		return zstandard // a skippable frame comes first
	case has("PK\x03\x04"), has("PK\x05\x06"), has("PK\x07\x08"):
		return zipped
	}
	return plain
}

// binary names the kind of binary data that head is, or returns "" for text.
func binary(head []byte) string {
	for _, known := range []struct{ magic, name string }{
		{"%PDF-", "a PDF document"},
		{"\x89PNG", "an image"},
		{"\xff\xd8\xff", "an image"},
		{"SQLite format 3\x00", "an SQLite database"},
		{"BZh", "a bzip2 file"},
		{"\xfd7zXZ\x00", "an xz file"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"},
		{"Rar!\x1a\x07", "a RAR archive"},
		{"\x7fELF", "a program"},
	} {
		if bytes.HasPrefix(head, []byte(known.magic)) {
			return known.name
		}
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return "a tar archive"
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return "binary data"
	}
	return ""
}

func withoutSuffix(name string) string {
	switch ext := path.Ext(name); strings.ToLower(ext) {
	case ".gz", ".gzip", ".zst", ".zstd":
		return strings.TrimSuffix(name, ext)
	}
	return name
}
