// Package osvform reads advisories in the form of the Open Source
// Vulnerabilities databases, which several publish theirs in, see
// https://ossf.github.io/osv-schema/.
package osvform

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Advisory is what is read of one. What stands under "related" and "upstream" is
// another weakness and no alias, see https://ossf.github.io/osv-schema/#aliases-field.
type Advisory struct {
	ID        string          `json:"id"`
	Modified  string          `json:"modified"`
	Published string          `json:"published"`
	Withdrawn string          `json:"withdrawn"`
	Aliases   []string        `json:"aliases"`
	Severity  json.RawMessage `json:"severity"`          // read by Vector alone
	Specific  json.RawMessage `json:"database_specific"` // of any shape
}

// Fact is what an advisory says, but for its vector.
func (a *Advisory) Fact() intel.Fact {
	f := intel.Fact{ID: a.ID, Threat: exposure.Threat{PublishedDay: a.published(), Withdrawn: !moment(a.Withdrawn).IsZero()}}
	for _, alias := range a.Aliases {
		if alias != a.ID && intel.ValidID(alias) && len(f.Aliases) < intel.MaxAliases && !slices.Contains(f.Aliases, alias) {
			f.Aliases = append(f.Aliases, alias)
		}
	}
	return f
}

// published is the day since when the weakness is known. GitHub's database
// took in old weaknesses years later, and tells when NVD had published them.
func (a *Advisory) published() int {
	day := intel.Day(moment(a.Published))
	var specific struct {
		NVD string `json:"nvd_published_at"`
	}
	if len(a.Specific) > 0 && decode.Unmarshal(a.Specific, &specific) == nil {
		if nvd := intel.Day(moment(specific.NVD)); nvd != 0 && (day == 0 || nvd < day) {
			day = nvd
		}
	}
	return day
}

// Vector is the newest of its CVSS vectors; empty when there is none.
func (a *Advisory) Vector() string {
	var all []struct {
		Score string `json:"score"`
	}
	if len(a.Severity) == 0 || decode.Unmarshal(a.Severity, &all) != nil {
		return ""
	}
	var vectors []string
	for _, s := range all {
		vectors = append(vectors, s.Score)
	}
	return intel.NewestVector(vectors...)
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

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
