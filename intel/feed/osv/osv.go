// Package osv reads the advisories of the Open Source Vulnerabilities
// databases: which names of weaknesses mean the same one, since when the world
// knows of it, and which versions of which packages have it, https://osv.dev.
package osv

import (
	"archive/zip"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/osvform"
)

// Feed reads an archive as OSV publishes one for each ecosystem: a zip file
// with one JSON document an advisory, see
// https://google.github.io/osv.dev/data/#data-dumps. Of an advisory what is
// taken, see package osvform.
type Feed struct{}

const title = "an archive of OSV advisories"

// maxDirectory bounds the directory of an archive. That of npm, the largest, had
// 227,000 advisories in 2026 and is 210 MB long.
const maxDirectory = 64 << 20

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

// Read implements intel.Feed.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	z, err := intel.Archive(f, maxDirectory)
	if err != nil {
		return intel.Edition{}, err
	}
	// The GitHub Advisory Database has also what nobody reviewed, and a feed of
	// its own.
	if slices.ContainsFunc(z.File, func(e *zip.File) bool { return strings.Contains("/"+e.Name, osvform.GitHubFolder) }) {
		return intel.Edition{}, intel.Refused("this is not %s but the GitHub Advisory Database: read it as the feed ghsa", title)
	}
	return osvform.Archive(ctx, title, z.File, func(a *osvform.Advisory) error { return add(a.Fact) })
}
