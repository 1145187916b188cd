// Package metasploit reads for which weaknesses Metasploit has a module, that
// is an exploit which works and needs no skill, https://www.metasploit.com.
package metasploit

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/firstseen"
)

// Feed reads the metadata of the modules as the framework carries them, plain
// or compressed by gzip:
//
//	{
//	  "exploit_multi/http/log4shell_header_injection": {
//	    "name": "Log4Shell HTTP Header Injection",
//	    "fullname": "exploit/multi/http/log4shell_header_injection",
//	    "rank": 600,
//	    "disclosure_date": "2021-12-09",
//	    "type": "exploit",
//	    "references": ["CVE-2021-44228", "EDB-…", "URL-…"],
//	    "mod_time": "2023-01-01 10:00:00 +0000",
//
// It reads the same as a table, too, with the columns module, type,
// disclosure_date and cves, and lists as of [firstseen.List].
//
// Only modules that exploit or probe count (exploit, auxiliary), not what is
// used once somebody is in.
//
// The metadata do not say since when there is a module. disclosure_date is when
// the weakness became known, often long before the module and at times before
// its CVE; mod_time is the newest change, and one that touches all modules
// moves all of them. Either would be shown as what it is not, so the day is
// [intel.UnknownDay]: there is one by now. The risk model asks for no more. A
// list of first sightings has days.
type Feed struct {
	Now func() time.Time // dates after it are not believed
}

const (
	title   = "the module metadata of Metasploit"
	maxText = 256 << 20 // 11 MB in 2026
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:     "metasploit",
		Title:    "Metasploit modules",
		URLs:     []string{"https://raw.githubusercontent.com/rapid7/metasploit-framework/master/db/modules_metadata_base.json"},
		Licence:  "BSD-3-Clause",
		Every:    24 * time.Hour,
		Stale:    30 * 24 * time.Hour, // of the newest change to a module
		Falls:    7 * 24 * time.Hour,  // which may be taken back
		MaxBytes: 128 << 20,
	}
}

// Read implements intel.Feed. The metadata state no day of their own; it is
// that of the newest change to a module. A table has only the days on which
// weaknesses were disclosed, and counts as of the newest of them.
func (f Feed) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(file, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	head, in := decode.Peek(text)
	m := modules{add: add, days: firstseen.Until(f.Now())}
	if firstseen.Begins(head.Bytes()) == '{' {
		return m.metadata(ctx, in)
	}
	t, err := firstseen.Open(in, title)
	if err != nil {
		return intel.Edition{}, err
	}
	if t.Has("cve", "first_seen") {
		return t.List(ctx, f.Now(), func(t *exposure.Threat) *int { return &t.MetasploitDay }, add)
	}
	return m.table(ctx, t)
}

// modules is what was read so far.
type modules struct {
	add              func(intel.Fact) error
	days             firstseen.Days
	newest           time.Time
	records, skipped int
}

// module is what is read of one module.
type module struct {
	FullName   string   `json:"fullname"`
	Type       string   `json:"type"`
	References []string `json:"references"`
	ModTime    string   `json:"mod_time"`
}

// stopped is an error that is not the file's fault.
type stopped struct{ error }

// metadata reads the JSON form.
func (m *modules) metadata(ctx context.Context, in io.Reader) (intel.Edition, error) {
	j := decode.NewJSON(in)
	err := j.Object(func(string) error { return m.module(ctx, j) })
	if err == nil {
		err = j.End()
	}
	e := intel.Edition{Date: m.newest, Skipped: m.skipped}
	var s stopped
	switch {
	case errors.As(err, &s):
		return e, s.error
	case err != nil:
		return e, intel.Refused("this is not %s, or not all of it: it cannot be read on at byte %d; fetch it again", title, j.Offset())
	case m.records == 0:
		return e, intel.Refused("this is not %s: it holds no module", title)
	case m.records > m.skipped && e.Date.IsZero():
		return e, intel.Refused("%s must say when the modules changed, and this does not", title)
	}
	return e, intel.Tolerable(title, m.skipped, m.records)
}

// module reads one member of the outermost object.
func (m *modules) module(ctx context.Context, j *decode.JSON) error {
	if err := ctx.Err(); err != nil {
		return stopped{err}
	}
	var one module
	var broken *exposure.RecordError
	err := j.Value(&one)
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	m.records++
	if err != nil || one.FullName == "" {
		m.skipped++
		return nil
	}
	if t, err := time.Parse("2006-01-02 15:04:05 -0700", one.ModTime); err == nil && m.days.Of(t) != 0 && t.After(m.newest) {
		m.newest = t.UTC()
	}
	if !counts(one.Type) {
		return nil
	}
	for _, reference := range one.References {
		if err := m.fact(reference); err != nil {
			return stopped{err}
		}
	}
	return nil
}

// table reads the form of rows.
func (m *modules) table(ctx context.Context, t *firstseen.Table) (e intel.Edition, err error) {
	newest, facts := 0, false
	e.Skipped, err = t.Rows(ctx, []string{"module", "type", "disclosure_date", "cves"}, func(cells []string) (bool, error) {
		if cells[0] == "" {
			return false, nil
		}
		newest = max(newest, m.days.Day(cells[2]))
		if !counts(cells[1]) {
			return true, nil
		}
		for _, id := range firstseen.CVEs(cells[3]) {
			facts = true
			if err := m.fact(id); err != nil {
				return true, err
			}
		}
		return true, nil
	})
	if err == nil && facts && newest == 0 {
		return e, intel.Refused("a table of the modules of Metasploit must say when weaknesses were disclosed, and this does not")
	}
	e.Date = firstseen.Date(newest)
	return e, err
}

// fact adds what a reference says, if it names a CVE.
func (m *modules) fact(reference string) error {
	if !intel.ValidCVE(reference) {
		return nil
	}
	return m.add(intel.Fact{ID: reference, Threat: exposure.Threat{MetasploitDay: intel.UnknownDay}})
}

// counts reports whether a module of a type attacks a weakness. Without a type
// it counts.
func counts(kind string) bool { return kind == "" || kind == "exploit" || kind == "auxiliary" }
