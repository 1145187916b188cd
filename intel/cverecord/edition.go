package cverecord

import (
	"archive/zip"
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/intel"
)

// Bounds of an edition. The archive of the CVE programme, which has all
// records, had 300,000 in 2025 and unpacks to 2 GB; single records have a few
// MB.
const (
	MaxDirectory = 64 << 20
	MaxRecord    = 32 << 20
	MaxText      = 16 << 30 // of all records, which are read one at a time
)

// ListFolder is where the records lie in the archives of the CVE programme, and
// in no other.
const ListFolder = "/cves/"

// stopped is an error that is not the file's fault.
type stopped struct{ error }

// Stopped reports whether err is not the file's fault but of the caller's
// making; End gives it back as it was.
func Stopped(err error) bool {
	var s stopped
	return errors.As(err, &s)
}

// NewEdition begins to read one, whose title is for messages.
func NewEdition(title string, add func(intel.Fact) error) *Edition {
	return &Edition{title: title, add: add}
}

// Edition is what was read so far.
type Edition struct {
	title   string
	add     func(intel.Fact) error
	version string
	newest  time.Time
	records int
	skipped int
}

// Take adds the fact of one record, or counts it as skipped when ok is false.
func (e *Edition) Take(ctx context.Context, s *Said, ok bool) error {
	if err := ctx.Err(); err != nil {
		return stopped{err}
	}
	e.records++
	if !ok || !intel.ValidCVE(s.ID) {
		e.skipped++
		return nil
	}
	if s.Changed.After(e.newest) {
		e.newest = s.Changed
	}
	if err := e.add(s.Fact()); err != nil {
		return stopped{err}
	}
	return nil
}

// End checks that all of it was there. err is what ended the reading.
func (e *Edition) End(err error) (intel.Edition, error) {
	out := intel.Edition{Version: e.version, Date: e.newest.UTC(), Skipped: e.skipped}
	var stop stopped
	switch {
	case errors.As(err, &stop):
		return out, stop.error
	case err != nil:
		return out, err
	case e.records == 0:
		return out, intel.Refused("this is not %s: it holds no CVE record", e.title)
	case e.records > e.skipped && e.newest.IsZero():
		return out, intel.Refused("the records of %s must say when they changed, and these do not", e.title)
	}
	return out, intel.Tolerable(e.title, e.skipped, e.records)
}

// Archive reads a zip archive with one record a CVE, such as
// vulnrichment-develop/2024/24xxx/CVE-2024-24001.json. What has another name is
// something else. check may refuse the name of a record.
func (e *Edition) Archive(ctx context.Context, z *zip.Reader, check func(name string) error) (intel.Edition, error) {
	if intel.ValidID(z.Comment) {
		e.version = z.Comment // GitHub puts the commit there
	}
	left := int64(MaxText)
	var room []byte
	for i, entry := range z.File {
		id, ok := strings.CutSuffix(path.Base(entry.Name), ".json")
		if !ok || !intel.ValidCVE(id) {
			continue
		}
		err := check(entry.Name)
		if err != nil {
			return e.End(err)
		}
		if room, err = intel.Unpack(entry, room[:0], MaxRecord); err != nil {
			return e.End(intel.Refused("entry %d of the archive is damaged: fetch it again", i+1))
		}
		if left -= int64(len(room)); left < 0 {
			return e.End(intel.Refused("the archive unpacks to more than %d GiB: no edition does", int64(MaxText)>>30))
		}
		s, ok := Understand(room)
		if err := e.Take(ctx, &s, ok); err != nil {
			return e.End(err)
		}
	}
	return e.End(nil)
}
