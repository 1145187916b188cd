package measure

import (
	"iter"

	"github.com/leeward-ctem/leeward/exposure"
)

// Transition is findings that changed their status on one day.
type Transition struct {
	Day      int
	From, To exposure.Status
	Count    int  // how many; none when it is not positive
	First    bool // they are new, and From means nothing
}

// Day is what came in and what went out on one day.
type Day struct {
	Day      int `json:"day"`      // since 1970-01-01 UTC
	Opened   int `json:"opened"`   // new findings
	Reopened int `json:"reopened"` // open again: fixes that came back, exceptions that ended, statements withdrawn
	Closed   int `json:"closed"`   // not open any more, for whatever reason
	Verified int `json:"verified"` // of the closed ones, those that a scan proved fixed; the rest was decided away
	Open     int `json:"open"`     // open at the end of the day
}

// change is by how much the day changed the backlog.
func (d *Day) change() int { return d.Opened + d.Reopened - d.Closed }

// Flow counts the transitions of each day from first to last, in any order.
// Open counts everything up to the end of its day, so transitions before first
// must be among them; those after last are ignored. On each day
//
//	open = open the day before + opened + reopened − closed
//
// holds exactly. A period longer than 65,535 days is cut at its beginning; one
// that ends before it begins has no days.
func Flow(transitions iter.Seq[Transition], first, last int) []Day {
	if last < first {
		return []Day{}
	}
	if n := last - first; n < 0 || n >= maxDays { // negative: it overflowed
		first = last - maxDays + 1
	}
	days := make([]Day, last-first+1)
	before := 0
	for t := range transitions {
		if t.Count <= 0 || t.Day > last {
			continue
		}
		var early Day
		d := &early
		if t.Day >= first {
			d = &days[t.Day-first]
		}
		d.take(&t)
		before += early.change()
	}
	for i := range days {
		days[i].Day = first + i
		before += days[i].change()
		days[i].Open = before
	}
	return days
}

// take adds a transition. Between two open states, and between two that are
// not, nothing flows.
func (d *Day) take(t *Transition) {
	was, is := !t.First && t.From.Open(), t.To.Open()
	switch {
	case is && t.First:
		d.Opened += t.Count
	case is && !was:
		d.Reopened += t.Count
	case was && !is:
		d.Closed += t.Count
		if t.To == exposure.StatusVerified {
			d.Verified += t.Count
		}
	}
}
