// Package epss reads the scores of the Exploit Prediction Scoring System of
// FIRST: for each CVE the probability that somebody, somewhere, tries to use
// it within 30 days, https://www.first.org/epss.
package epss

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// Feed reads the scores of one day as CSV, plain or compressed by gzip: a
// comment with the model's version and the day, a header, and a line a CVE.
//
//	#model_version:v2025.03.14,score_date:2025-03-30T00:00:00+0000
//	cve,epss,percentile
//	CVE-1999-0001,0.02035,0.73034
//
// The version stays with each score, because the scores of different models
// cannot be compared.
type Feed struct{}

const (
	title   = "the scores of EPSS"
	header  = "cve,epss,percentile"
	maxText = 128 << 20 // 9 MB in 2025
	maxLine = 4 << 10   // 30 bytes in 2025
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:        "epss",
		Title:       "FIRST EPSS",
		URLs:        []string{"https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"},
		Licence:     "free to use with attribution (FIRST EPSS usage agreement)",
		Attribution: "EPSS scores by FIRST, https://www.first.org/epss",
		Every:       24 * time.Hour,
		Stale:       3 * 24 * time.Hour,
		MaxBytes:    64 << 20,
	}
}

// Read implements intel.Feed.
func (Feed) Read(ctx context.Context, f intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(f, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	ends := &tail{r: text}
	s := scores{add: add}
	err = decode.Lines(ends, maxLine, func(line []byte, number int, _ int64, err error) error {
		return s.line(ctx, bytes.TrimSpace(line), number, err)
	})
	var stop stopped
	var known *exposure.Error
	switch {
	case errors.As(err, &stop):
		return intel.Edition{}, stop.error
	case errors.As(err, &known):
		return intel.Edition{}, known
	case err != nil:
		return intel.Edition{}, intel.Refused("the file of %s ends early or is damaged: fetch it again", title)
	case s.edition.Version == "" || !s.headed:
		return intel.Edition{}, intel.Refused("this is not %s: it lacks its first two lines", title)
	case ends.last != '\n':
		return intel.Edition{}, intel.Refused("the file of %s ends in the middle of a line: fetch it again", title)
	}
	return s.edition, intel.Tolerable(title, s.edition.Skipped, s.records)
}

// stopped is an error that is not the file's fault.
type stopped struct{ error }

// tail remembers the last byte that was read.
type tail struct {
	r    io.Reader
	last byte
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 {
		t.last = p[n-1]
	}
	return n, err
}

// scores is what was read so far.
type scores struct {
	add     func(intel.Fact) error
	edition intel.Edition
	headed  bool
	records int
}

// line reads one line, which is longer than allowed if err is not nil.
func (s *scores) line(ctx context.Context, line []byte, number int, err error) error {
	switch {
	case number == 1:
		return s.comment(string(line))
	case !s.headed:
		if s.headed = string(line) == header || bytes.HasPrefix(line, []byte(header+",")); !s.headed {
			return intel.Refused("this is not %s: its second line is not %q", title, header)
		}
		return nil
	}
	if s.records++; s.records%1024 == 0 || s.records == 1 {
		if err := ctx.Err(); err != nil {
			return stopped{err}
		}
	}
	fact, ok := s.score(line)
	if err != nil || !ok {
		s.edition.Skipped++
		return nil
	}
	if err := s.add(fact); err != nil {
		return stopped{err}
	}
	return nil
}

// comment reads the first line.
func (s *scores) comment(line string) error {
	line, ok := strings.CutPrefix(line, "#")
	if !ok {
		return intel.Refused("this is not %s: its first line does not state the model's version", title)
	}
	var date string
	for member := range strings.SplitSeq(line, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(member), ":")
		switch name {
		case "model_version":
			s.edition.Version = value
		case "score_date":
			date = value
		}
	}
	if !intel.ValidID(s.edition.Version) {
		return intel.Refused("this is not %s: its first line does not state the model's version", title)
	}
	// Both spellings of the zone have been published.
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", time.DateOnly} {
		if t, err := time.Parse(form, date); err == nil {
			s.edition.Date = t.UTC()
			return nil
		}
	}
	return intel.Refused("the file of %s does not say of what day it is: score_date is %q", title, date)
}

// score reads a line such as CVE-1999-0001,0.02035,0.73034. More columns may
// follow.
func (s *scores) score(line []byte) (f intel.Fact, ok bool) {
	id, rest, _ := bytes.Cut(line, []byte(","))
	score, rest, _ := bytes.Cut(rest, []byte(","))
	rank, _, _ := bytes.Cut(rest, []byte(","))
	f.ID = string(id)
	f.Threat.EPSSModel = s.edition.Version
	var known, ranked bool
	f.Threat.EPSS, known = probability(score)
	f.Threat.Percentile, ranked = probability(rank)
	return f, known && ranked && intel.ValidCVE(f.ID)
}

func probability(b []byte) (float64, bool) {
	p, err := strconv.ParseFloat(string(b), 64)
	return p, err == nil && p >= 0 && p <= 1
}
