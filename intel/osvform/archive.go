package osvform

import (
	"archive/zip"
	"context"
	"path"
	"time"

	"github.com/leeward-ctem/leeward/intel"
)

// Bounds of the advisories of an archive. Single ones have a few MB.
const (
	maxAdvisory = 32 << 20
	maxText     = 16 << 30 // of all, which are read one at a time
)

// GitHubFolder is where the reviewed advisories lie in an archive of the GitHub
// Advisory Database, and in no other.
const GitHubFolder = "/advisories/github-reviewed/"

// Archive reads the entries of an archive that hold an advisory each, those
// whose name ends in .json, and gives them to take, whose error it returns as
// it is. An advisory is valid until take returns. An archive does not say when
// it was made, so the date of the edition is that of the newest change to an
// advisory, or else of its newest entry.
func Archive(ctx context.Context, title string, entries []*zip.File, take func(*Advisory) error) (e intel.Edition, err error) {
	var changed, packed time.Time
	records, left := 0, int64(maxText)
	var room []byte
	for i, entry := range entries {
		if path.Ext(entry.Name) != ".json" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return e, err
		}
		records++
		if room, err = intel.Unpack(entry, room[:0], maxAdvisory); err != nil {
			return e, intel.Refused("entry %d of the archive is damaged: fetch it again", i+1)
		}
		if left -= int64(len(room)); left < 0 {
			return e, intel.Refused("the archive unpacks to more than %d GiB: no edition does", int64(maxText)>>30)
		}
		a, err := Parse(room)
		if err != nil {
			e.Skipped++
			continue
		}
		if a.Cut {
			e.Skipped++
		}
		if err := take(&a); err != nil {
			return e, err
		}
		changed = latest(changed, a.Modified)
		packed = latest(packed, sensible(entry.Modified))
	}
	if e.Date = changed; e.Date.IsZero() {
		e.Date = packed
	}
	switch {
	case records == 0:
		return e, intel.Refused("this is not %s: it holds no JSON document", title)
	case records > e.Skipped && e.Date.IsZero():
		return e, intel.Refused("%s must say when its advisories changed, and this does not", title)
	}
	e.Date = e.Date.UTC()
	return e, intel.Tolerable(title, e.Skipped, records)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
