package web

import (
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web/chart"
)

// happening is an entry of a timeline: what happened to a finding, or to its score.
type happening struct {
	At     time.Time
	Event  exposure.Event
	Change *exposure.ScoreChange // nil: it is an event
}

// story puts what happened and what moved the score in one order, newest first.
// A score is that of the end of its day, so it follows what happened on it.
func story(events []exposure.Event, changes []exposure.ScoreChange) []happening {
	all := make([]happening, 0, len(events)+len(changes))
	for _, e := range events {
		all = append(all, happening{At: millis(e.At), Event: e})
	}
	for i := range slices.Backward(changes) {
		c := &changes[i]
		all = append(all, happening{At: dayNumber(c.Day).Add(24*time.Hour - time.Second), Change: c})
	}
	slices.SortStableFunc(all, func(x, y happening) int { return y.At.Compare(x.At) })
	return all
}

// scoreChart draws a score day by day.
func scoreChart(h exposure.History) chart.Trend {
	t := chart.Trend{Title: "Risk day by day", Line: chart.Series{Name: "Risk"}, Zero: true}
	if len(h.Points) == 0 {
		return t
	}
	at := 0
	for day := h.Points[0].Day; day <= h.Points[len(h.Points)-1].Day; day++ {
		for at+1 < len(h.Points) && h.Points[at+1].Day <= day {
			at++
		}
		t.Labels = append(t.Labels, dayNumber(day).Format("2 Jan 2006"))
		t.Line.Values = append(t.Line.Values, float64(h.Points[at].Points))
	}
	return t
}

// scoreRange is the least and the largest of the scores.
func scoreRange(h exposure.History) (low, high int) {
	for i, p := range h.Points {
		if i == 0 {
			low, high = p.Points, p.Points
		}
		low, high = min(low, p.Points), max(high, p.Points)
	}
	return low, high
}

// moved reports whether a score was ever another.
func moved(h exposure.History) bool {
	low, high := scoreRange(h)
	return low != high
}

// scoreLine says in a few words how far a score came.
func scoreLine(h exposure.History) string {
	since := " since " + day(dayNumber(h.Points[0].Day))
	low, high := scoreRange(h)
	if low == high {
		return "The risk has not moved" + since + "."
	}
	return "Risk between " + number(low) + " and " + number(high) + since + ", by what was known and in force on each day. What moved it is below."
}
