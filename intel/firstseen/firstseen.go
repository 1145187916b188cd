// Package firstseen reads what the feeds of exploits have in common: tables,
// lists of the days on which something about a CVE was first seen, and dates
// that may be believed.
package firstseen

import (
	"context"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// maxText bounds a list as text; one of all CVEs would have 8 MB.
const maxText = 256 << 20

// List reads a table with the columns cve and first_seen, plain or compressed
// by gzip, in which others may stand too:
//
//	cve,first_seen
//	CVE-2024-3400,2024-04-16
//
// Such lists come out of the history of a repository: the first day of which
// there is one means "by then". to is what of a threat the day is. The date of
// an edition is the newest day in it. Nothing in a list says of what it is, so
// one of another kind cannot be told from it.
func List(ctx context.Context, f intel.File, title string, now time.Time, to func(*exposure.Threat) *int, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(f, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	t, err := Open(text, title)
	if err != nil {
		return intel.Edition{}, err
	}
	return t.List(ctx, now, to, add)
}

// List is [List] of a table that is open.
func (t *Table) List(ctx context.Context, now time.Time, to func(*exposure.Threat) *int, add func(intel.Fact) error) (e intel.Edition, err error) {
	days, newest := Until(now), 0
	e.Skipped, err = t.Rows(ctx, []string{"cve", "first_seen"}, func(cells []string) (bool, error) {
		fact := intel.Fact{ID: strings.TrimSpace(cells[0])}
		day := days.Day(cells[1])
		if day == 0 || !intel.ValidCVE(fact.ID) {
			return false, nil
		}
		newest = max(newest, day)
		*to(&fact.Threat) = day
		return true, add(fact)
	})
	e.Date = Date(newest)
	return e, err
}

// Days are the days that may be believed.
type Days struct{ last int }

// first is 1999-01-01: the CVE programme began in that year, and what has an
// older date has a wrong one, or no CVE then.
const first = 10592

// Until returns the days from 1999 to now. Facts of days to come are slips, and
// an edition that is dated by one would keep all later ones out.
func Until(now time.Time) Days { return Days{intel.Day(now)} }

// Of is the day of a moment, 0 if it is not believed.
func (d Days) Of(t time.Time) int {
	if day := intel.Day(t); day >= first && day <= d.last {
		return day
	}
	return 0
}

// Day is the day that text states in one of the forms, by default 2006-01-02
// with or without a time behind it; 0 if it states none, or one that is not believed.
func (d Days) Day(text string, forms ...string) int {
	text = strings.TrimSpace(text)
	if len(forms) == 0 {
		forms = []string{time.DateOnly, time.RFC3339}
	}
	for _, form := range forms {
		if t, err := time.Parse(form, text); err == nil {
			return d.Of(t)
		}
	}
	return 0
}

// Date is the moment at which a day begins, zero for none.
func Date(day int) time.Time {
	if day == 0 {
		return time.Time{}
	}
	return time.Unix(int64(day)*86400, 0).UTC()
}

// CVEs are the CVE ids in a cell that holds several, parted by spaces, commas,
// semicolons or bars, among other names.
func CVEs(cell string) (ids []string) {
	for id := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' || r == '|' }) {
		if intel.ValidCVE(id) {
			ids = append(ids, id)
		}
	}
	return ids
}
