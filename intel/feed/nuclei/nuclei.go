// Package nuclei reads for which weaknesses there is a Nuclei template: anybody
// can look for them over the whole internet,
// https://github.com/projectdiscovery/nuclei-templates.
package nuclei

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/firstseen"
)

// Feed reads the index cves.json of the templates, plain or compressed by gzip:
// one JSON object a line.
//
//	{"ID":"CVE-2000-0114","Info":{"Name":"…","Severity":"medium",…},"file_path":"http/cves/2000/CVE-2000-0114.yaml"}
//
// It also reads lists as of [firstseen.List]. The index does not say since when
// there is a template, so the day is [intel.UnknownDay]; a list has days.
type Feed struct {
	Now func() time.Time // dates after it are not believed
}

const (
	title   = "the index of Nuclei templates"
	maxText = 128 << 20 // 2 MB in 2025
	maxLine = 1 << 20   // one description has a few KB
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:     "nuclei",
		Title:    "Nuclei templates",
		URLs:     []string{"https://raw.githubusercontent.com/projectdiscovery/nuclei-templates/main/cves.json"},
		Licence:  "MIT",
		Every:    24 * time.Hour,
		Stale:    450 * 24 * time.Hour, // the index is dated by the year only, see Read
		MaxBytes: 64 << 20,
	}
}

// Read implements intel.Feed. The index does not say of what day it is. It
// cannot be older than the year of the newest CVE in it, so it counts as of the
// first day of that year: an index of another year is told from a newer one,
// and nothing is claimed that the file does not show.
func (f Feed) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(file, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	head, in := decode.Peek(text)
	if firstseen.Begins(head.Bytes()) == '{' {
		i := index{add: add, now: f.Now()}
		return i.read(ctx, in)
	}
	t, err := firstseen.Open(in, title)
	if err != nil {
		return intel.Edition{}, err
	}
	return t.List(ctx, f.Now(), func(t *exposure.Threat) *int { return &t.NucleiDay }, add)
}

// index is what was read so far.
type index struct {
	add              func(intel.Fact) error
	now              time.Time
	year             int // of the newest CVE
	records, skipped int
}

// template is what is read of one line.
type template struct {
	ID       string `json:"ID"`
	FilePath string `json:"file_path"`
}

// stopped is an error that is not the file's fault.
type stopped struct{ error }

func (i *index) read(ctx context.Context, in io.Reader) (e intel.Edition, err error) {
	ends := &firstseen.Tail{R: in}
	err = decode.Lines(ends, maxLine, func(line []byte, _ int, _ int64, err error) error {
		return i.line(ctx, bytes.TrimSpace(line), err)
	})
	e.Skipped = i.skipped
	var stop stopped
	var known *exposure.Error
	switch {
	case errors.As(err, &stop):
		return e, stop.error
	case errors.As(err, &known):
		return e, known
	case err != nil:
		return e, intel.Refused("the file of %s ends early or is damaged: fetch it again", title)
	case ends.Cut():
		return e, intel.Refused("the file of %s ends in the middle of a line: fetch it again", title)
	}
	if i.year > 0 {
		e.Date = time.Date(i.year, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return e, intel.Tolerable(title, i.skipped, i.records)
}

// line reads one line, which is longer than allowed if err is not nil.
func (i *index) line(ctx context.Context, line []byte, err error) error {
	if len(line) == 0 && err == nil {
		return nil
	}
	if i.records++; i.records%256 == 1 {
		if err := ctx.Err(); err != nil {
			return stopped{err}
		}
	}
	var t template
	if err != nil || decode.Unmarshal(line, &t) != nil || !intel.ValidCVE(t.ID) || t.FilePath == "" {
		i.skipped++
		return nil
	}
	year, err := strconv.Atoi(t.ID[4:8])
	if err != nil || year < 1999 || year > i.now.Year() {
		i.skipped++ // no such CVE
		return nil
	}
	i.year = max(i.year, year)
	if err := i.add(intel.Fact{ID: t.ID, Threat: exposure.Threat{NucleiDay: intel.UnknownDay}}); err != nil {
		return stopped{err}
	}
	return nil
}
