// Package osvform reads advisories in the form of the Open Source
// Vulnerabilities databases, see https://ossf.github.io/osv-schema/. Several
// feeds publish them: OSV itself, and GitHub's database.
package osvform

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Advisory is what is read of one.
type Advisory struct {
	Fact     intel.Fact
	Modified time.Time // zero when it does not say
	Cut      bool      // it is about more packages than are kept
}

// document is an advisory as published.
type document struct {
	ID        string          `json:"id"`
	Modified  string          `json:"modified"`
	Published string          `json:"published"`
	Withdrawn string          `json:"withdrawn"`
	Aliases   []string        `json:"aliases"`
	Severity  json.RawMessage `json:"severity"` // of any shape, as all that an advisory can do without
	Affected  json.RawMessage `json:"affected"`
	Specific  json.RawMessage `json:"database_specific"`
}

var errNoAdvisory = errors.New("not an advisory")

// Parse reads an advisory. What stands under "related" and "upstream" is
// another weakness and no alias, see
// https://ossf.github.io/osv-schema/#aliases-field.
func Parse(raw []byte) (a Advisory, err error) {
	var d document
	if decode.Unmarshal(raw, &d) != nil || !intel.ValidID(d.ID) {
		return a, errNoAdvisory
	}
	f := &a.Fact
	f.ID = d.ID
	for _, alias := range d.Aliases {
		if alias != d.ID && intel.ValidID(alias) && len(f.Aliases) < intel.MaxAliases && !slices.Contains(f.Aliases, alias) {
			f.Aliases = append(f.Aliases, alias)
		}
	}
	s := specifics(d.Specific)
	packages := packagesOf(d.Affected)
	f.Threat = exposure.Threat{PublishedDay: published(d.Published, s.NVD), Withdrawn: !moment(d.Withdrawn).IsZero(), Vector: vector(d.Severity, packages)}
	for _, class := range s.Classes {
		if link := (intel.Link{Relation: intel.OfClass, To: class}); validClass(class) && len(f.Links) < maxClasses && !slices.Contains(f.Links, link) {
			f.Links = append(f.Links, link)
		}
	}
	f.Affected, a.Cut = affected(packages)
	a.Modified = moment(d.Modified)
	return a, nil
}

// maxClasses is how many classes one weakness may be of.
const maxClasses = 32

// specific is what some databases add.
type specific struct {
	NVD     string   `json:"nvd_published_at"`
	Classes []string `json:"cwe_ids"`
}

func specifics(raw json.RawMessage) (s specific) {
	if len(raw) > 0 && decode.Unmarshal(raw, &s) != nil {
		return specific{}
	}
	return s
}

// validClass reports whether an id is that of a CWE, see https://cwe.mitre.org.
func validClass(id string) bool {
	number, ok := strings.CutPrefix(id, "CWE-")
	return ok && len(number) > 0 && len(number) <= 5 && strings.Trim(number, "0123456789") == ""
}

// published is the day since when the weakness is known. GitHub's database
// took in old weaknesses years later, and tells when NVD had published them.
func published(stated, nvd string) int {
	day := intel.Day(moment(stated))
	if first := intel.Day(moment(nvd)); first != 0 && (day == 0 || first < day) {
		day = first
	}
	return day
}

// severity is one rating, see https://ossf.github.io/osv-schema/#severity-field
type severity struct {
	Score string `json:"score"`
}

// vector is the one of the newest version of CVSS, of the advisory or else of
// its packages.
func vector(raw json.RawMessage, packages []packaged) string {
	best := intel.NewestVector(vectors(raw)...)
	for i := 0; best == "" && i < len(packages); i++ {
		best = intel.NewestVector(vectors(packages[i].Severity)...)
	}
	return best
}

func vectors(raw json.RawMessage) (stated []string) {
	var all []severity
	if len(raw) == 0 || decode.Unmarshal(raw, &all) != nil {
		return nil
	}
	for _, s := range all {
		stated = append(stated, s.Score)
	}
	return stated
}

// moment is a time as OSV writes it, zero if it is none. Databases write the
// first moment of the calendar, or of their program's, for "never".
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return sensible(t)
}

// sensible is t unless it lies before there were any advisories, or so far
// ahead that it cannot be meant.
func sensible(t time.Time) time.Time {
	if t.Year() < 1990 || t.Year() > 2400 {
		return time.Time{}
	}
	return t
}
