// Package osv reads the advisories of the Open Source Vulnerabilities
// databases: which names of weaknesses mean the same one, since when the world
// knows of it, and which versions of which packages have it, https://osv.dev.
package osv

import (
	"context"
	"path"
	"time"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/advisory"
)

// Feed reads an archive as OSV publishes one for each ecosystem: a zip file
// with one JSON document an advisory, see
// https://google.github.io/osv.dev/data/#data-dumps. What is taken of one, see
// package advisory.
type Feed struct{}

const title = "an archive of OSV advisories"

// Bounds of an archive. That of npm, the largest, had 227,000 advisories in
// 2026 and is 210 MB long; single advisories have a few MB.
const (
	maxDirectory = 64 << 20
	maxAdvisory  = 32 << 20
	maxText      = 16 << 30 // of all advisories, which are read one at a time
)

const bucket = "https://osv-vulnerabilities.storage.googleapis.com/"

// ecosystems are those whose packages scanners find most, as the bucket spells
// them.
var ecosystems = [...]string{"Go", "Maven", "NuGet", "Packagist", "PyPI", "RubyGems", "crates.io", "npm"}

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	s := intel.Source{
		Name:        "osv",
		Title:       "OSV advisories",
		Licence:     "CC-BY-4.0 AND CC0-1.0 AND Apache-2.0",
		Attribution: "Advisories of the GitHub Advisory Database, the Go Vulnerability Database and the PyPA Advisory Database (CC BY 4.0), RustSec (CC0) and OpenSSF Malicious Packages (Apache 2.0), by way of https://osv.dev",
		Every:       24 * time.Hour,
		Stale:       30 * 24 * time.Hour, // small ecosystems have weeks without a change
		Falls:       7 * 24 * time.Hour,  // the newest advisory may leave an ecosystem
		MaxBytes:    2 << 30,
		Form:        1, // packages and their versions are kept
	}
	for _, e := range ecosystems {
		s.URLs = append(s.URLs, bucket+e+"/all.zip")
	}
	return s
}

// Read implements intel.Feed. The archive does not say when it was made, so
// its date is that of the newest change to an advisory, or else of its newest
// entry.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (e intel.Edition, err error) {
	z, err := intel.Archive(f, maxDirectory)
	if err != nil {
		return e, err
	}
	var changed, packed time.Time
	records, left := 0, int64(maxText)
	var room []byte
	for i, entry := range z.File {
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
			return e, intel.Refused("the archive unpacks to more than %d GiB: no archive of OSV does", int64(maxText)>>30)
		}
		a, err := advisory.Parse(room)
		if err != nil {
			e.Skipped++
			continue
		}
		if a.Cut {
			e.Skipped++
		}
		if err := add(a.Fact); err != nil {
			return e, err
		}
		changed = latest(changed, a.Modified)
		packed = latest(packed, advisory.Sensible(entry.Modified))
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
