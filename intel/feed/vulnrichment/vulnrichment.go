// Package vulnrichment reads CISA's Vulnrichment: CVE records with what CISA
// adds to them as an authorized data publisher, above all the decision points
// of SSVC, https://github.com/cisagov/vulnrichment.
package vulnrichment

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/cverecord"
)

// Feed reads CVE records in one of three forms:
//
//   - a zip archive with one record a CVE, as GitHub packs the repository
//   - one record a line, in full or the summary of one
//   - a table with a row a CVE
//
// The lines and the table may be compressed by gzip. Of a record it takes the
// day of publication, the rejection, the newest CVSS vector, and of SSVC
// exploitation, automation and technical impact.
type Feed struct{}

const title = "Vulnrichment"

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
		z, err := intel.Archive(f, cverecord.MaxDirectory)
		if err != nil {
			return intel.Edition{}, err
		}
		return cverecord.NewEdition(title, add).Archive(ctx, z, check)
	}
	text, err := intel.Text(f, cverecord.MaxText)
	if err != nil {
		return intel.Edition{}, err
	}
	ends := &tail{r: text}
	in := bufio.NewReaderSize(ends, 64<<10)
	head, _ := in.Peek(16)
	e := cverecord.NewEdition(title, add)
	if bytes.HasPrefix(bytes.TrimLeft(head, "\ufeff \t\r\n"), []byte("{")) {
		err = lines(ctx, e, in)
	} else {
		err = table(ctx, e, in)
	}
	if err == nil && ends.last != '\n' {
		err = intel.Refused("the file of %s ends in the middle of a line: fetch it again", title)
	}
	return e.End(err)
}

// check refuses the archive of the CVE programme: it has other records, and a
// feed of its own.
func check(name string) error {
	if strings.Contains("/"+name, cverecord.ListFolder) {
		return intel.Refused("this is not %s but the list of the CVE programme: read it as the feed cve", title)
	}
	return nil
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

// lines reads one record a line.
func lines(ctx context.Context, e *cverecord.Edition, in io.Reader) error {
	err := decode.Lines(in, cverecord.MaxRecord, func(line []byte, _ int, _ int64, err error) error {
		s, ok := cverecord.Said{}, false
		if err == nil {
			s, ok = cverecord.Understand(line)
		}
		return e.Take(ctx, &s, ok)
	})
	return readable(err)
}

// readable is the error of a file that cannot be read to its end; other errors
// are as they are.
func readable(err error) error {
	if err == nil || cverecord.Stopped(err) {
		return err
	}
	return intel.Refused("the file of %s ends early, is damaged or too long: fetch it again", title)
}
