package discover

import (
	"slices"
	"time"
)

// Rhythm is how often a source usually runs.
type Rhythm struct {
	Newest time.Time
	Every  time.Duration // between one day on which it ran and the next; 0: too few runs to tell
}

// RhythmOf finds the rhythm of runs, in any order. A batch of many reports is
// one run, so what counts are the days (UTC) on which anything ran, and of the
// gaps between them the middle one: a holiday does not slow a daily scan down.
func RhythmOf(runs []time.Time) Rhythm {
	const day = 24 * time.Hour
	var r Rhythm
	days := make([]int64, 0, len(runs))
	for _, t := range runs {
		if t.After(r.Newest) {
			r.Newest = t
		}
		days = append(days, t.Unix()/int64(day.Seconds()))
	}
	slices.Sort(days)
	days = slices.Compact(days)
	if len(days) < 3 {
		return r
	}
	gaps := make([]int64, len(days)-1)
	for i := range gaps {
		gaps[i] = days[i+1] - days[i]
	}
	slices.Sort(gaps)
	r.Every = time.Duration(gaps[len(gaps)/2]) * day
	return r
}

// Quiet reports whether the source has not run for longer than usual: half an
// interval is grace, and a day at least.
func (r Rhythm) Quiet(now time.Time) bool {
	return r.Every > 0 && now.Sub(r.Newest) > r.Every+max(r.Every/2, 24*time.Hour)
}
