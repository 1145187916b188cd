package discover_test

import (
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/discover"
)

func TestRhythm(t *testing.T) {
	t.Parallel()
	day := func(days ...float64) (runs []time.Time) {
		for _, d := range days {
			runs = append(runs, time.Unix(int64(d*86400), 0))
		}
		return runs
	}
	for _, c := range []struct {
		name  string
		runs  []time.Time
		every int     // days
		quiet float64 // the first day on which it is quiet; 0: never
	}{
		{"never ran", nil, 0, 0},
		{"two days are no rhythm", day(100, 101), 0, 0},
		{"daily", day(100.1, 101.1, 102.1, 103.1), 1, 105.2},
		{"daily in batches of many reports", day(103.1, 103.2, 103.3, 102.1, 102.2, 101.1, 101.2), 1, 105.4},
		{"daily but for a holiday", day(100, 101, 102, 120, 121, 122), 1, 124.1},
		{"weekly", day(100, 107, 114, 121), 7, 131.6},
	} {
		r := discover.RhythmOf(c.runs)
		if got := int(r.Every.Hours() / 24); got != c.every {
			t.Errorf("%s: every %d days, want %d", c.name, got, c.every)
		}
		for d := 100.0; d < 200; d += 0.1 {
			now := day(d)[0]
			if want := c.quiet > 0 && d >= c.quiet; r.Quiet(now) != want && (d < c.quiet-0.15 || d > c.quiet+0.15) && now.After(r.Newest) {
				t.Errorf("%s: on day %.1f quiet is %v", c.name, d, !want)
				break
			}
		}
	}
}
