// Package misp reads events of MISP, in which organisations tell each other
// what happened to them, https://www.misp-project.org.
package misp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/firstseen"
)

// Feed reads one event, as MISP downloads it and publishes it in a feed, or
// many, as its search answers, plain or compressed by gzip:
//
//	{"Event":{"uuid":"5acc88e9-…","info":"…","date":"2018-04-09","threat_level_id":"3","timestamp":"1551342138","Orgc":{"name":"CIRCL"},
//	 "Attribute":[{"type":"vulnerability","value":"CVE-2017-0144","Sighting":[…]}],"Tag":[{"name":"misp-galaxy:threat-actor=\"APT1\""}]}}
//	{"response":[{"Event":{…}},{"Event":{…}}]}
//
// An event is a campaign: the CVEs it names were exploited, its tags say by
// whom, with what and against whom. Whoever sees Leeward sees what is read
// here, so events marked TLP:RED, which are for their recipients alone, are left
// out, and counted in the notice; of the others the mark stands in the summary.
type Feed struct {
	Now func() time.Time // dates after it are not believed
}

const title = "an event of MISP"

// Bounds of a file. Attachments stand in an event as text, and are passed over.
const (
	maxText   = 512 << 20
	maxEvents = 100_000
	maxNamed  = 100_000 // of groups and software that only a tag names
)

// Source implements intel.Feed.
func (Feed) Source() intel.Source {
	return intel.Source{
		Name:     "misp",
		Title:    "MISP events",
		Licence:  "that of each event; its TLP mark counts",
		Every:    24 * time.Hour,
		Stale:    90 * 24 * time.Hour,
		Falls:    90 * 24 * time.Hour, // the newest event may be withdrawn
		MaxBytes: 256 << 20,
		Private:  true,
	}
}

// Read implements intel.Feed. The date of an edition is that of the newest
// change to an event in it.
func (f Feed) Read(ctx context.Context, file intel.File, add func(intel.Fact) error) (intel.Edition, error) {
	text, err := intel.Text(file, maxText)
	if err != nil {
		return intel.Edition{}, err
	}
	j := decode.NewJSON(text)
	d := document{ctx: ctx, j: j, days: firstseen.Until(f.Now()), add: add, named: map[string]bool{}}
	if err = d.read(); err == nil {
		err = j.End()
	}
	var s stopped
	switch {
	case errors.As(err, &s):
		return intel.Edition{}, s.error
	case errors.Is(err, errMany):
		return intel.Edition{}, intel.Refused("the file holds more than %d events: export fewer at a time", maxEvents)
	case err != nil:
		return intel.Edition{}, intel.Refused("this is not %s, or not all of it: it cannot be read on at byte %d; fetch it again", title, j.Offset())
	}
	return d.edition()
}

// stopped is an error that is not the file's fault.
type stopped struct{ error }

var errMany = errors.New("too many events")

// document is what was read so far.
type document struct {
	ctx    context.Context
	j      *decode.JSON
	days   firstseen.Days
	add    func(intel.Fact) error
	named  map[string]bool // ids of what tags name, that were added
	events int
	bad    int
	red    int
	newest time.Time
}

// read reads a file of any of the forms.
func (d *document) read() error {
	switch d.j.Kind() {
	case '[':
		return d.j.Array(d.wrapped)
	case '{':
		return d.wrapped()
	}
	return errors.New("neither an object nor a list")
}

// wrapped reads an event, plain or as the member Event or response of an
// object.
func (d *document) wrapped() error {
	if d.j.Kind() != '{' {
		d.events, d.bad = d.events+1, d.bad+1
		return d.j.Skip()
	}
	var plain event
	err := d.j.Object(func(name string) error {
		switch name {
		case "Event":
			return d.event()
		case "response":
			if d.j.Kind() == '{' {
				return d.wrapped()
			}
			return d.j.Array(d.wrapped)
		}
		return plain.member(d, name)
	})
	if err != nil || plain.uuid == "" && plain.info == "" && !plain.listed {
		return err
	}
	return d.take(&plain)
}

func (d *document) event() error {
	var e event
	if d.j.Kind() != '{' {
		e.broken = true
	}
	if err := d.j.Object(func(name string) error { return e.member(d, name) }); err != nil {
		return err
	}
	return d.take(&e)
}

// take adds what an event says.
func (d *document) take(e *event) error {
	if err := d.ctx.Err(); err != nil {
		return stopped{err}
	}
	if d.events++; d.events > maxEvents {
		return errMany
	}
	facts, ok := e.facts(d)
	switch {
	case !ok:
		d.bad++
		return nil
	case e.tlp == "red":
		d.red++
	}
	for _, t := range []time.Time{e.changed, e.published} {
		if d.days.Of(t) != 0 && t.After(d.newest) {
			d.newest = t
		}
	}
	for _, f := range facts {
		if f.Entry != nil && f.Entry.Kind != intel.KindCampaign {
			if d.named[f.ID] || len(d.named) == maxNamed {
				continue
			}
			d.named[f.ID] = true
		}
		if err := d.add(f); err != nil {
			return stopped{err}
		}
	}
	return nil
}

// edition checks that there were events.
func (d *document) edition() (intel.Edition, error) {
	e := intel.Edition{Date: d.newest.UTC(), Skipped: d.bad}
	if d.events == 0 {
		return e, intel.Refused("this is not %s: it holds none", title)
	}
	if err := intel.Tolerable(title, d.bad, d.events); err != nil {
		return e, err
	}
	if d.newest.IsZero() {
		return e, intel.Refused("%s must say when it was changed, and no event here does", title)
	}
	if d.red > 0 {
		e.Notice = fmt.Sprintf("%d of %d events are TLP:RED, for their recipients alone, and were left out", d.red, d.events)
	}
	return e, nil
}

// value decodes a value; one of another kind makes broken true.
func value(d *document, v any, broken *bool) error {
	err := d.j.Value(v)
	var record *exposure.RecordError
	if errors.As(err, &record) {
		*broken = true
		return nil
	}
	return err
}
