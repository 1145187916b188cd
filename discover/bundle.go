package discover

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Bundled is implemented by readers of reports that are several documents of
// one archive: a main one, and sides that tell more of what it lists.
type Bundled interface {
	Reader
	// Bundle names the entries of an archive that are such a report.
	Bundle() Bundle
	// Join returns how one such report is read: each side, in the order of the
	// bundle, and after them the main document, which knows what they said. side
	// also states what Read would state of the document alone. How much is kept
	// of sides is for the reader to bound. A side that is missing, or that breaks
	// off, is no fault of the main document.
	Join() (side, main Reading)
}

// Reading is what Read of a [Reader] is.
type Reading func(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error]

// Bundle names entries of an archive by patterns of [path.Match] in lower case.
// They stand in one folder, whichever. A name is not enough: the main document
// and its sides are only joined when the format recognises each of them.
type Bundle struct {
	// Main is the document that lists the findings.
	Main string
	// Sides are the documents beside it, in the order in which they are read.
	Sides []string
	// Rest are entries that say nothing of findings, so that nobody recognises
	// them, and folders, with a / at the end, of what is no report of this scan.
	Rest []string
}

// beside is what an archive holds beside a main document.
type beside struct {
	reader Bundled
	sides  iter.Seq2[Part, error]
}

// read returns how the main document is read: its sides first. All that sides
// hold is also written to sum, for it is part of what the report is.
func (b *beside) read(sum io.Writer) Reading {
	side, main := b.reader.Join()
	return func(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
		return func(yield func(exposure.Observation, error) bool) {
			if !b.readSides(ctx, side, sum, yield) {
				return
			}
			for o, err := range main(ctx, r) {
				if !yield(o, err) {
					return
				}
			}
		}
	}
}

// readSides returns false when the loop ended, or the report has to.
func (b *beside) readSides(ctx context.Context, side Reading, sum io.Writer, yield func(exposure.Observation, error) bool) bool {
	for p, err := range b.sides {
		if err == nil {
			in := io.TeeReader(p.Reader, sum)
			for o, fault := range guarded(ctx, side, in) {
				if fault != nil {
					err = asRecord(p.Name, fault)
				} else if err = nil; o.Kind == exposure.ObservedRun {
					continue // the run is that of the main document
				}
				if !yield(o, err) || err != nil && !isRecord(err) {
					return false
				}
			}
			if err == nil {
				_, err = io.Copy(io.Discard, in)
			}
			io.WriteString(sum, "\x00")
		}
		if err != nil && !isRecord(err) {
			if err = asRecord(p.Name, err); !yield(exposure.Observation{}, err) || !isRecord(err) {
				return false
			}
		}
	}
	return true
}

func isRecord(err error) bool {
	var rec *exposure.RecordError
	return errors.As(err, &rec)
}

// asRecord makes what is wrong with a side the loss of a record, which it is to
// the main document. What the disk says stays what it is.
func asRecord(name string, err error) error {
	var rec *exposure.RecordError
	if errors.As(err, &rec) {
		return &exposure.RecordError{Record: rec.Record, Offset: rec.Offset, Err: fmt.Errorf("%s: %w", name, rec.Err)}
	}
	if !refused(err) {
		return err
	}
	if !strings.HasPrefix(err.Error(), name) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return &exposure.RecordError{Record: 1, Offset: -1, Err: fmt.Errorf("%w; what it says further is not taken up", err)}
}

// refused reports whether an error is the fault of what was handed in.
func refused(err error) bool {
	kind := exposure.KindOf(err)
	return kind == exposure.Invalid || kind == exposure.Unsupported
}

// plan is what becomes of the entries of an archive that belong together.
type plan struct {
	beside map[*zip.File]*beside // of main documents
	within map[*zip.File]bool    // what is no part of its own
}

// plan finds the bundles in an archive. Only entries with a name that fits are
// looked at.
func (u *unpacking) plan() plan {
	p := plan{beside: map[*zip.File]*beside{}, within: map[*zip.File]bool{}}
	for _, r := range u.readers {
		if b, ok := r.(Bundled); ok && (u.format == "" || u.format == r.Name()) {
			u.bundles(b, &p)
		}
	}
	return p
}

// folder is what stands around the main documents of a folder.
type folder struct {
	mains []*zip.File
	sides [][]*zip.File // by the patterns of the bundle
}

// bundles adds the bundles of one reader.
func (u *unpacking) bundles(b Bundled, p *plan) {
	what := b.Bundle()
	folders := map[string]*folder{}
	main := map[*zip.File]bool{}
	for _, f := range u.files {
		if dir, base := place(f.Name); fits(what.Main, base) && u.readBy(b, f) {
			if folders[dir] == nil {
				folders[dir] = &folder{sides: make([][]*zip.File, len(what.Sides))}
			}
			folders[dir].mains, main[f] = append(folders[dir].mains, f), true
		}
	}
	if len(folders) == 0 {
		return
	}
	for _, f := range u.files {
		dir, base := place(f.Name)
		at := folders[dir]
		side := slices.IndexFunc(what.Sides, func(s string) bool { return fits(s, base) })
		switch {
		case main[f]:
		case at != nil && side >= 0:
			at.sides[side] = append(at.sides[side], f)
		case slices.ContainsFunc(what.Rest, func(s string) bool { return below(folders, s, dir) || at != nil && fits(s, base) && u.unknown(f) }):
			p.within[f] = true
		}
	}
	for _, at := range folders {
		u.settle(b, at, p)
	}
}

// settle decides which sides a main document has. Where there are several of a
// kind it is not guessed: each is then read by itself, and the main one says so.
func (u *unpacking) settle(b Bundled, at *folder, p *plan) {
	var sides, doubts []*zip.File
	for _, fit := range at.sides {
		switch {
		case len(fit) == 0:
		case len(at.mains) > 1:
			doubts = at.mains[:1]
		case len(fit) > 1:
			doubts = append(doubts, fit[0])
		case u.readBy(b, fit[0]):
			sides, p.within[fit[0]] = append(sides, fit[0]), true
		}
	}
	if len(sides)+len(doubts) == 0 {
		return
	}
	for _, main := range at.mains {
		p.beside[main] = &beside{b, func(yield func(Part, error) bool) {
			for _, f := range doubts {
				name := u.name + "/" + f.Name
				if !yield(Part{Name: name}, exposure.Errorf(exposure.Invalid, "%s stands beside others of its kind, so which of them make one report is not certain: pack each report by itself", name)) {
					return
				}
			}
			for _, f := range sides {
				if !u.alone(f, yield) {
					return
				}
			}
		}}
	}
}

// readBy reports whether an entry is one document of a format.
func (u *unpacking) readBy(b Bundled, f *zip.File) bool {
	head := u.head(f)
	if head == nil || !b.Sniff(decode.NewHead(head)) {
		return false
	}
	r := recognise(u.readers, u.format, head)
	return r != nil && r.Name() == b.Name()
}

// unknown reports whether an entry is no document that anybody reads.
func (u *unpacking) unknown(f *zip.File) bool {
	head := u.head(f)
	return head == nil || recognise(u.readers, "", head) == nil
}

// head returns the start of an entry that is one document; nil if it is none.
func (u *unpacking) head(f *zip.File) (head []byte) {
	u.alone(f, func(p Part, err error) bool {
		if err == nil {
			head = p.Head
		}
		return false
	})
	return head
}

// alone yields the one document that an entry is, or what is wrong with it.
func (u *unpacking) alone(f *zip.File, yield func(Part, error) bool) bool {
	return u.entry(f, opener{limits: u.limits, yield: yield, single: true})
}

// place splits the name of an entry, in lower case: the folder ends in a /.
func place(name string) (dir, base string) {
	name = strings.ToLower(strings.ReplaceAll(name, `\`, "/"))
	dir, base = path.Split(name)
	return dir, withoutSuffix(base)
}

func fits(pattern, base string) bool {
	ok, err := path.Match(pattern, base)
	return ok && err == nil
}

// below reports whether dir lies in the folder named rest beside a main document.
func below(folders map[string]*folder, rest, dir string) bool {
	if !strings.HasSuffix(rest, "/") {
		return false
	}
	at := strings.Index("/"+dir, "/"+rest)
	return at >= 0 && folders[dir[:at]] != nil
}
