// Package kev reads CISA's catalogue of known exploited vulnerabilities, the
// list of what is used in attacks for sure,
// https://www.cisa.gov/known-exploited-vulnerabilities-catalog.
package kev

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Feed reads the catalogue in its JSON form, plain or compressed by gzip. An
// edition is the whole catalogue, so an entry that was taken out and a field
// that changed, such as the use by ransomware, follow from the next edition.
type Feed struct{}

const title = "the catalogue of known exploited vulnerabilities"

// maxText bounds the catalogue as text; that of 2025 has 1.3 MB.
const maxText = 64 << 20

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:     "kev",
		Title:    "CISA Known Exploited Vulnerabilities",
		URLs:     []string{"https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"},
		Licence:  "CC0-1.0",
		Every:    24 * time.Hour, // on working days, often several times
		Stale:    14 * 24 * time.Hour,
		MaxBytes: 32 << 20,
	}
}

// entry is what is read of one entry, see
// https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities_schema.json
type entry struct {
	CVEID      string `json:"cveID"`
	DateAdded  string `json:"dateAdded"`
	DueDate    string `json:"dueDate"`
	Ransomware string `json:"knownRansomwareCampaignUse"` // Known, Unknown
}

// Read implements intel.Feed.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(f, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	j := decode.NewJSON(text)
	if j.Kind() != '{' {
		return intel.Edition{}, intel.Refused("this is not %s: it does not begin as a JSON object", title)
	}
	c := catalogue{add: add}
	err = j.Object(func(name string) error { return c.member(ctx, j, name) })
	if err == nil {
		err = j.End()
	}
	var s stopped
	switch {
	case errors.As(err, &s):
		return intel.Edition{}, s.error
	case err != nil:
		return intel.Edition{}, intel.Refused("this is not %s, or not all of it: it cannot be read on at byte %d; fetch it again", title, j.Offset())
	}
	return c.edition()
}

// stopped is an error that is not the file's fault.
type stopped struct{ error }

// catalogue is what was read so far.
type catalogue struct {
	add               func(intel.Fact) error
	version, released string
	count             *int
	listed            bool // the list of entries was there
	records, skipped  int
}

// member reads a member of the outermost object.
func (c *catalogue) member(ctx context.Context, j *decode.JSON, name string) error {
	switch name {
	case "catalogVersion":
		return j.Value(&c.version)
	case "dateReleased":
		return j.Value(&c.released)
	case "count":
		return j.Value(&c.count)
	case "vulnerabilities":
		if j.Kind() != '[' || c.listed {
			return errors.New("not one list")
		}
		c.listed = true
		return j.Array(func() error { return c.entry(ctx, j) })
	}
	return j.Skip()
}

// entry reads one entry and adds its fact.
func (c *catalogue) entry(ctx context.Context, j *decode.JSON) error {
	if err := ctx.Err(); err != nil {
		return stopped{err}
	}
	var e entry
	var broken *exposure.RecordError
	err := j.Value(&e)
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	c.records++
	added := day(e.DateAdded)
	if err != nil || !intel.ValidCVE(e.CVEID) || added == 0 {
		c.skipped++
		return nil
	}
	fact := intel.Fact{ID: e.CVEID, Threat: exposure.Threat{
		KEVDay: added, ObservedDay: added, KEVDueDay: day(e.DueDate),
		Ransomware: strings.EqualFold(e.Ransomware, "Known"),
	}}
	if err := c.add(fact); err != nil {
		return stopped{err}
	}
	return nil
}

// edition checks that all of the catalogue was there.
func (c *catalogue) edition() (intel.Edition, error) {
	e := intel.Edition{Version: c.version, Skipped: c.skipped}
	if c.version == "" || c.released == "" || c.count == nil || !c.listed {
		return e, intel.Refused("this is not %s: it lacks catalogVersion, dateReleased, count or vulnerabilities", title)
	}
	if *c.count != c.records {
		return e, intel.Refused("%s should hold %d entries and holds %d: fetch it again", title, *c.count, c.records)
	}
	var err error
	if e.Date, err = time.Parse(time.RFC3339, c.released); err != nil {
		return e, intel.Refused("%s does not say when it was released: %q is no date", title, c.released)
	}
	e.Date = e.Date.UTC()
	return e, intel.Tolerable(title, c.skipped, c.records)
}

// day is the day of a date such as 2025-09-25, 0 if it is none.
func day(s string) int {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0
	}
	return intel.Day(t)
}
