// Package cve reads the list of the CVE programme: of every CVE since when it is
// public, whether it was rejected, its CVSS vector, and what CISA adds to it,
// https://github.com/CVEProject/cvelistV5.
package cve

import (
	"archive/zip"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/cverecord"
)

// Feed reads a zip archive with one CVE record a file, as GitHub packs the
// repository, or as the programme releases it at midnight: an archive with the
// archive cves.zip in it. Of a record it takes what the feed vulnrichment
// takes, which has fewer of them.
type Feed struct{}

const title = "the list of the CVE programme"

// nested is the name of the archive within one of a release.
const nested = "cves.zip"

// maxNested bounds it; it had some 500 MB in 2025.
const maxNested = 2 << 30

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:        "cve",
		Title:       "CVE List",
		URLs:        []string{"https://github.com/CVEProject/cvelistV5/archive/refs/heads/main.zip"},
		Licence:     "CVE Terms of Use, https://www.cve.org/Legal/TermsOfUse",
		Attribution: "CVE records, copyright The MITRE Corporation, by the CVE Terms of Use, https://www.cve.org/Legal/TermsOfUse",
		Every:       24 * time.Hour,
		Stale:       14 * 24 * time.Hour,
		Falls:       7 * 24 * time.Hour, // the record that was changed last may be taken out
		MaxBytes:    2 << 30,
		OnRequest:   true,
	}
}

// Read implements intel.Feed.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	z, err := intel.Archive(f, cverecord.MaxDirectory)
	if err != nil {
		return intel.Edition{}, err
	}
	i := slices.IndexFunc(z.File, func(e *zip.File) bool { return e.Name == nested })
	if i < 0 {
		return cverecord.NewEdition(title, add).Archive(ctx, z, check)
	}
	inner, done, err := intel.Nested(ctx, f, z.File[i], maxNested)
	if err != nil {
		return intel.Edition{}, err
	}
	defer done()
	if z, err = intel.Archive(inner, cverecord.MaxDirectory); err != nil {
		return intel.Edition{}, err
	}
	return cverecord.NewEdition(title, add).Archive(ctx, z, check)
}

// check refuses other archives of CVE records: they have fewer.
func check(name string) error {
	if !strings.Contains("/"+name, cverecord.ListFolder) {
		return intel.Refused("this is not %s: its records are not in a folder %s", title, strings.Trim(cverecord.ListFolder, "/"))
	}
	return nil
}
