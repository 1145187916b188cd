package measure

import (
	"iter"
	"math"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxDays bounds ages and the length of periods, in days: the range of the
// days that the house stores, 179 years. A span beyond it was watched up to
// there and no further.
const maxDays = math.MaxUint16

// History is the life of one finding as it stands: when it was first seen and,
// unless it is open, what ended it.
type History struct {
	First int // day it was first seen
	Ended int // day it took the status End; 0: it is open
	End   exposure.Status
	// Entered is the day from which on it could have been seen to end, when
	// that is later than First: an asset that came under watch with findings
	// known to be older. 0: watched from First on.
	Entered int
}

// Span is the part of a finding's life that was watched, in days of its age.
type Span struct {
	// Entered is the age at which watching began (left truncation). A span
	// says nothing about younger ages: had the finding been fixed before, it
	// would not be here.
	Entered int32
	// Days is the age at which the finding was fixed or watching ended. A
	// finding fixed on the day it was first seen has 0 days.
	Days int32
	// Fixed is true when the span ended with a verified fix, the event whose
	// time is measured. Otherwise it is censored: all that is known is that
	// the finding lived longer.
	Fixed bool
}

// Spans returns what is known of each history on a day.
//
// Only a verified fix is an event. An exception, a "not affected", a
// suppression and a removal take a finding out of sight without making it go
// away: counted as events they would shorten the time to repair by decision
// instead of by work, and left out they would drop the slowest from the
// sample. So they are censored on their day. For the same reason a claimed fix
// goes on until a scan confirms it, and a fix that came back is open since the
// finding was first seen.
//
// Histories that begin after today, or that ended before they came under
// watch, have no span.
func Spans(histories iter.Seq[History], today int) []Span {
	var spans []Span
	for h := range histories {
		end, fixed := today, false
		if h.Ended != 0 && h.Ended <= today {
			// A scan may end what a later report dates back; never before it began.
			end, fixed = max(h.Ended, h.First), h.End == exposure.StatusVerified
		}
		entered := h.First
		if h.Entered != 0 {
			entered = max(h.Entered, h.First)
		}
		if h.First > today || entered > end {
			continue
		}
		joined, _ := age(h.First, entered)
		days, within := age(h.First, end)
		spans = append(spans, Span{Entered: joined, Days: days, Fixed: fixed && within})
	}
	return spans
}

// age is the number of days from one day to a later one. Beyond maxDays it is
// maxDays, and within is false.
func age(from, to int) (days int32, within bool) {
	if d := to - from; d >= 0 && d <= maxDays { // negative: it overflowed
		return int32(d), true
	}
	return maxDays, false
}

// ClosedMean is the mean age in days at which the fixed ones were fixed, and
// how many there are; ok is false when there are none. It leaves out
// everything that is still open and so is too short, the more so the slower
// the repair. It is here to stand beside [Curve.RestrictedMean] for
// comparison, labelled, because it is the number that others report as MTTR.
func ClosedMean(spans []Span) (mean float64, n int, ok bool) {
	var sum int64
	for i := range spans {
		if s := &spans[i]; s.Fixed {
			sum += int64(s.Days)
			n++
		}
	}
	if n == 0 {
		return 0, 0, false
	}
	return float64(sum) / float64(n), n, true
}
