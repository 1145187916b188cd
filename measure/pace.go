package measure

import (
	"math"
	"slices"
)

// Pace is how fast the backlog changed in the last whole weeks, and when it is
// gone if it goes on like that.
//
// It is an extrapolation and no promise: it knows nothing of the next scan of
// a new network or of the next large advisory.
type Pace struct {
	Weeks int `json:"weeks"` // whole weeks that it is made of
	// Needs are the whole weeks that are missing until it can be measured. While
	// there are any, everything below is nil.
	Needs int `json:"needs"`
	Open  int `json:"open"` // at the end of the last day
	// Net is the mean change of the backlog a week, negative when it shrinks;
	// Low and High are the limits of its 95 % interval.
	Net  *float64 `json:"net"`
	Low  *float64 `json:"net_low"`
	High *float64 `json:"net_high"`
	// Clear is the day on which the backlog is gone at Net, Earliest and Latest
	// at Low and at High; nil: never.
	Clear    *int `json:"clear"`
	Earliest *int `json:"clear_earliest"`
	Latest   *int `json:"clear_latest"`
}

// The weeks that a [Pace] is made of. Fewer than four say nothing of how much
// weeks differ, and what was long ago says little of now.
const (
	leastWeeks = 4
	mostWeeks  = 8
)

// student975 are the 97.5 % quantiles of Student's t for one week less than so
// many.
var student975 = [mostWeeks + 1]float64{4: 3.182446305, 5: 2.776445105, 6: 2.570581836, 7: 2.446911851, 8: 2.364624252}

// horizon is how far ahead a pace says a day, in days. A backlog that takes
// longer than a century is one that is never gone.
const horizon = 36525

// Project measures the pace from the days of a [Flow], of which the last is
// not over and left out. So is the day of the very first findings: what one
// scan finds at once gathered over years, and is no week's work. Whole weeks
// are taken because scans and patches have their weekday.
func Project(days []Day) Pace {
	var p Pace
	if len(days) == 0 {
		p.Needs = leastWeeks
		return p
	}
	today := &days[len(days)-1]
	p.Open = today.Open
	over := days[:len(days)-1]
	if days[0].Open == days[0].change() { // nothing is known from before
		began := slices.IndexFunc(over, func(d Day) bool { return d.Opened > 0 })
		over = over[min(began+1, len(over)):]
		if began < 0 {
			over = nil
		}
	}
	p.Weeks = min(len(over)/7, mostWeeks)
	if p.Weeks < leastWeeks {
		p.Needs = leastWeeks - p.Weeks
		return p
	}
	sum, squares, n := 0, 0.0, float64(p.Weeks)
	over = over[len(over)-7*p.Weeks:]
	changes := make([]float64, 0, mostWeeks)
	for week := range slices.Chunk(over, 7) {
		change := 0
		for i := range week {
			change += week[i].change()
		}
		sum += change
		changes = append(changes, float64(change))
	}
	net := float64(sum) / n
	for _, c := range changes {
		squares += (c - net) * (c - net)
	}
	width := student975[p.Weeks] * math.Sqrt(squares/(n-1)/n)
	low, high := net-width, net+width
	p.Net, p.Low, p.High = &net, &low, &high
	p.Clear, p.Earliest, p.Latest = today.gone(net), today.gone(low), today.gone(high)
	return p
}

// gone is the first day at whose end nothing is open, with a change a week.
func (d *Day) gone(net float64) *int {
	day := d.Day
	switch wait := math.Ceil(float64(d.Open)*7/-net - rounding); {
	case d.Open <= 0:
	case net >= 0 || wait > horizon:
		return nil
	default:
		day += int(wait)
	}
	return &day
}
