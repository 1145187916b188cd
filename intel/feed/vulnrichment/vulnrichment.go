// Package vulnrichment reads CISA's Vulnrichment: CVE records with what CISA
// adds to them as an authorized data publisher, above all the decision points
// of SSVC, https://github.com/cisagov/vulnrichment.
package vulnrichment

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/intel"
)

// Feed reads CVE records in one of three forms:
//
//   - a zip archive with one record a CVE, as GitHub packs the repository, or
//     that of the CVE programme, https://github.com/CVEProject/cvelistV5
//   - one record a line, in full or the summary of one
//   - a table with a row a CVE
//
// The lines and the table may be compressed by gzip. Of a record it takes the
// day of publication, the rejection, the newest CVSS vector, and of SSVC
// exploitation, automation and technical impact.
type Feed struct{}

const title = "Vulnrichment"

// Bounds of an edition. The archive of the CVE programme, which has all
// records, had 300,000 in 2025 and unpacks to 2 GB; single records have a few
// MB.
const (
	maxDirectory = 64 << 20
	maxRecord    = 32 << 20
	maxText      = 16 << 30 // of all records, which are read one at a time
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:     "vulnrichment",
		Title:    "CISA Vulnrichment",
		URLs:     []string{"https://github.com/cisagov/vulnrichment/archive/refs/heads/develop.zip"},
		Licence:  "CC0-1.0",
		Every:    24 * time.Hour,
		Stale:    14 * 24 * time.Hour,
		Falls:    7 * 24 * time.Hour, // the record that was changed last may be taken out
		MaxBytes: 2 << 30,
	}
}

// Read implements intel.Feed. No form says when it was made, so the date is
// that of the newest change to a record.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	var magic [4]byte
	if n, _ := f.ReadAt(magic[:], 0); n == len(magic) && string(magic[:2]) == "PK" {
		return archive(ctx, f, add)
	}
	text, err := intel.Text(f, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	ends := &tail{r: text}
	in := bufio.NewReaderSize(ends, 64<<10)
	head, _ := in.Peek(16)
	e := edition{add: add}
	if bytes.HasPrefix(bytes.TrimLeft(head, "\ufeff \t\r\n"), []byte("{")) {
		err = e.lines(ctx, in)
	} else {
		err = e.table(ctx, in)
	}
	if err == nil && ends.last != '\n' {
		err = intel.Refused("the file of %s ends in the middle of a line: fetch it again", title)
	}
	return e.end(err)
}

// tail remembers the last byte that was read.
type tail struct {
	r    io.Reader
	last byte
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 {
		t.last = p[n-1]
	}
	return n, err
}

// stopped is an error that is not the file's fault.
type stopped struct{ error }

// edition is what was read so far.
type edition struct {
	add     func(intel.Fact) error
	version string
	newest  time.Time
	records int
	skipped int
}

// take adds the fact of one record, or counts it as skipped when ok is false.
func (e *edition) take(ctx context.Context, s *said, ok bool) error {
	if err := ctx.Err(); err != nil {
		return stopped{err}
	}
	e.records++
	if !ok || !intel.ValidCVE(s.id) {
		e.skipped++
		return nil
	}
	if s.changed.After(e.newest) {
		e.newest = s.changed
	}
	if err := e.add(s.fact()); err != nil {
		return stopped{err}
	}
	return nil
}

// end checks that all of it was there. err is what ended the reading.
func (e *edition) end(err error) (intel.Edition, error) {
	out := intel.Edition{Version: e.version, Date: e.newest.UTC(), Skipped: e.skipped}
	var stop stopped
	switch {
	case errors.As(err, &stop):
		return out, stop.error
	case err != nil:
		return out, err
	case e.records == 0:
		return out, intel.Refused("this is not %s: it holds no CVE record", title)
	case e.records > e.skipped && e.newest.IsZero():
		return out, intel.Refused("the records of %s must say when they changed, and these do not", title)
	}
	return out, intel.Tolerable(title, e.skipped, e.records)
}

// archive reads a zip archive with one record a CVE, such as
// vulnrichment-develop/2024/24xxx/CVE-2024-24001.json. What has another name
// is something else.
func archive(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	z, err := intel.Archive(f, maxDirectory)
	if err != nil {
		return intel.Edition{}, err
	}
	e := edition{add: add}
	if intel.ValidID(z.Comment) {
		e.version = z.Comment // GitHub puts the commit there
	}
	left := int64(maxText)
	var room []byte
	for i, entry := range z.File {
		id, ok := strings.CutSuffix(path.Base(entry.Name), ".json")
		if !ok || !intel.ValidCVE(id) {
			continue
		}
		if room, err = intel.Unpack(entry, room[:0], maxRecord); err != nil {
			return e.end(intel.Refused("entry %d of the archive is damaged: fetch it again", i+1))
		}
		if left -= int64(len(room)); left < 0 {
			return e.end(intel.Refused("the archive unpacks to more than %d GiB: no edition does", int64(maxText)>>30))
		}
		s, ok := understand(room)
		if err := e.take(ctx, &s, ok); err != nil {
			return e.end(err)
		}
	}
	return e.end(nil)
}

// lines reads one record a line.
func (e *edition) lines(ctx context.Context, in io.Reader) error {
	err := decode.Lines(in, maxRecord, func(line []byte, _ int, _ int64, err error) error {
		s, ok := said{}, false
		if err == nil {
			s, ok = understand(line)
		}
		return e.take(ctx, &s, ok)
	})
	return readable(err)
}

// readable is the error of a file that cannot be read to its end; other errors
// are as they are.
func readable(err error) error {
	var stop stopped
	if err == nil || errors.As(err, &stop) {
		return err
	}
	return intel.Refused("the file of %s ends early, is damaged or too long: fetch it again", title)
}
