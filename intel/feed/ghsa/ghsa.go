// Package ghsa reads the GitHub Advisory Database: the advisories that GitHub
// reviewed, with their other names and CVSS vectors,
// https://github.com/github/advisory-database.
package ghsa

import (
	"bytes"
	"context"
	"time"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/osvform"
)

// Feed reads the zip archive of the repository, with one advisory in the form of
// OSV a file. Only those under advisories/github-reviewed are taken; the others
// are copies of NVD that nobody looked at. Of an advisory it takes its id,
// aliases, day of publication, withdrawal, classes and newest CVSS vector.
type Feed struct{}

const title = "the GitHub Advisory Database"

// maxDirectory bounds the directory of the archive, which has two entries of
// some 140 bytes each for every advisory, of which there were 300,000 in 2025.
const maxDirectory = 192 << 20

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:        "ghsa",
		Title:       "GitHub Advisory Database",
		URLs:        []string{"https://github.com/github/advisory-database/archive/refs/heads/main.zip"},
		Licence:     "CC-BY-4.0",
		Attribution: "Advisories of the GitHub Advisory Database (CC BY 4.0), https://github.com/advisories",
		Every:       24 * time.Hour,
		Stale:       14 * 24 * time.Hour,
		Falls:       7 * 24 * time.Hour, // the advisory that was changed last may be taken out
		MaxBytes:    2 << 30,
		OnRequest:   true,
	}
}

// Read implements intel.Feed.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	// Nine of ten entries are not wanted, and would fill the memory.
	z, err := intel.Selection(f, maxDirectory, reviewed)
	if err != nil {
		return intel.Edition{}, err
	}
	if len(z.File) == 0 {
		return intel.Edition{}, intel.Refused("this is not %s: it holds no folder %s", title, osvform.GitHubFolder[1:])
	}
	e, err := osvform.Archive(ctx, title, z.File, func(a *osvform.Advisory) error {
		fact := a.Fact
		fact.Affected = nil // osv has the packages, of all databases
		return add(fact)
	})
	if intel.ValidID(z.Comment) {
		e.Version = z.Comment // GitHub puts the commit there
	}
	return e, err
}

// reviewed reports whether an entry has this name of an advisory that GitHub
// reviewed, or of a folder of them.
func reviewed(name []byte) bool {
	return bytes.Contains(name, []byte(osvform.GitHubFolder)) || bytes.HasPrefix(name, []byte(osvform.GitHubFolder[1:]))
}
