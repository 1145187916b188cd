package measure_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/measure"
)

func TestFlow(t *testing.T) {
	t.Parallel()
	const (
		open, triaged, claimed = exposure.StatusOpen, exposure.StatusTriaged, exposure.StatusFixClaimed
		verified, excepted     = exposure.StatusVerified, exposure.StatusExcepted
	)
	moves := []measure.Transition{
		{Day: 12, From: open, To: verified, Count: 3},
		{Day: 5, To: open, Count: 10, First: true}, // before the period
		{Day: 7, From: open, To: excepted, Count: 2},
		{Day: 10, To: open, Count: 4, First: true},
		{Day: 10, From: open, To: triaged, Count: 6},
		{Day: 11, From: triaged, To: claimed, Count: 5},
		{Day: 11, From: claimed, To: verified, Count: 5},
		{Day: 12, From: verified, To: open, Count: 1},
		{Day: 12, From: excepted, To: verified, Count: 1},
		{Day: 12, From: triaged, To: exposure.StatusNotAffected, Count: 1},
		{Day: 12, To: exposure.StatusSuppressed, Count: 9, First: true}, // born silenced
		{Day: 12, From: exposure.StatusSuppressed, To: open, Count: 2},
		{Day: 14, To: open, Count: 100, First: true}, // after the period
		{Day: 12, To: open, Count: 0, First: true},
		{Day: 12, To: open, Count: -7, First: true},
	}
	want := []measure.Day{
		{Day: 9, Open: 8},
		{Day: 10, Opened: 4, Open: 12},
		{Day: 11, Closed: 5, Verified: 5, Open: 7},
		{Day: 12, Reopened: 3, Closed: 4, Verified: 3, Open: 6},
		{Day: 13, Open: 6},
	}
	if diff := cmp.Diff(want, measure.Flow(slices.Values(moves), 9, 13)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFlowBounds(t *testing.T) {
	t.Parallel()
	none := slices.Values([]measure.Transition{{Day: 3, Count: 1, First: true}})
	if got := measure.Flow(none, 5, 4); got == nil || len(got) != 0 {
		t.Errorf("a period that ends before it begins: %v", got)
	}
	for _, first := range []int{math.MinInt, -1, 0} {
		got := measure.Flow(none, first, math.MaxUint16+10)
		if len(got) != math.MaxUint16 || got[len(got)-1].Day != math.MaxUint16+10 || got[len(got)-1].Open != 1 {
			t.Errorf("from %d: %d days", first, len(got))
		}
	}
}

// The books balance: on each day, for any split of the period and any order,
// and against a simulation of single findings.
func TestFlowConserves(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 3))
	for range 2000 {
		var moves []measure.Transition
		var open [60]int // at the end of each day
		for range 1 + r.IntN(30) {
			day, status, first := r.IntN(60), exposure.Status(r.IntN(7)), true
			from := exposure.StatusOpen
			for day < 60 {
				moves = append(moves, measure.Transition{Day: day, From: from, To: status, Count: 1, First: first})
				next := day + r.IntN(20)
				for d := day; d < min(next, 60); d++ {
					if status.Open() {
						open[d]++
					}
				}
				from, status, day, first = status, exposure.Status(r.IntN(7)), next, false
			}
		}
		r.Shuffle(len(moves), func(i, j int) { moves[i], moves[j] = moves[j], moves[i] })
		first := r.IntN(60)
		last := first + r.IntN(60-first)
		days := measure.Flow(slices.Values(moves), first, last)
		before := 0
		if first > 0 {
			before = open[first-1]
		}
		for _, d := range days {
			if d.Open != before+d.Opened+d.Reopened-d.Closed {
				t.Fatalf("day %d does not balance: %+v after %d", d.Day, d, before)
			}
			if d.Open != open[d.Day] {
				t.Fatalf("day %d has %d open, want %d: %v", d.Day, d.Open, open[d.Day], moves)
			}
			if d.Verified > d.Closed {
				t.Fatalf("day %d: more verified than closed: %+v", d.Day, d)
			}
			before = d.Open
		}
	}
}

func TestForecast(t *testing.T) {
	t.Parallel()
	// closing is a period of ten days that opens and closes so many a day, with so many open in the end.
	closing := func(opened, closed, open int) []measure.Day {
		var days []measure.Day
		for i := range 10 {
			days = append(days, measure.Day{Day: 100 + i, Opened: opened, Closed: closed, Open: open + (9-i)*(closed-opened)})
		}
		return days
	}
	late := append(closing(0, 9, 400), measure.Day{Day: 110, Opened: 3, Open: 403}, measure.Day{Day: 111, Reopened: 1, Open: 404})
	for name, test := range map[string]struct {
		days   []measure.Day
		window int
		clear  int
		ok     bool
		net    float64
	}{
		"it shrinks":                 {closing(1, 3, 20), 5, 119, true, -2},
		"rounded up":                 {closing(1, 3, 21), 5, 120, true, -2},
		"a shorter history":          {closing(1, 3, 20), 30, 119, true, -2},
		"no window":                  {closing(1, 3, 20), 0, 119, true, -2},
		"it grows":                   {closing(3, 1, 20), 5, 0, false, 2},
		"it stands":                  {closing(3, 3, 20), 5, 0, false, 0},
		"gone":                       {closing(1, 3, 0), 5, 109, true, -2},
		"gone and growing":           {closing(3, 1, 0), 5, 109, true, 2},
		"no days":                    {nil, 5, 0, false, 0},
		"only the window counts":     {late, 2, 0, false, 2},
		"regressions count":          {late, 1, 0, false, 1},
		"a century is never":         {closing(0, 1, 36526), 10, 0, false, -1},
		"almost a century":           {closing(0, 1, 36525), 10, 109 + 36525, true, -1},
		"a number beyond any estate": {closing(0, 1, math.MaxInt/2), 10, 0, false, -1},
	} {
		clear, ok, net := measure.Forecast(test.days, test.window)
		if clear != test.clear || ok != test.ok || net != test.net {
			t.Errorf("%s: %d, %v, %v, want %d, %v, %v", name, clear, ok, net, test.clear, test.ok, test.net)
		}
	}
}

// On the day of the forecast nothing is left, and the day before something is.
func TestForecastIsTheFirstDay(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 5))
	said := 0
	for range 20_000 {
		days := make([]measure.Day, 1+r.IntN(20))
		open := 500 + r.IntN(500)
		for i := range days {
			days[i] = measure.Day{Day: 50 + i, Opened: r.IntN(10), Reopened: r.IntN(3), Closed: r.IntN(18)}
			open += days[i].Opened + days[i].Reopened - days[i].Closed
			days[i].Open = open
		}
		clear, ok, net := measure.Forecast(days, 1+r.IntN(25))
		if !ok {
			if net < 0 && float64(open)/-net < 36_000 {
				t.Fatalf("never, with %d open at %v a day", open, net)
			}
			continue
		}
		said++
		today := days[len(days)-1].Day
		left := func(day int) float64 { return float64(open) + net*float64(day-today) }
		if left(clear) > 1e-6 || left(clear-1) < 1e-6 {
			t.Fatalf("day %d with %d open on day %d at %v a day", clear, open, today, net)
		}
	}
	if said == 0 {
		t.Error("no forecast was made")
	}
}

func BenchmarkFlow(b *testing.B) {
	r := rand.New(rand.NewPCG(6, 7))
	moves := make([]measure.Transition, 1_000_000)
	for i := range moves {
		moves[i] = measure.Transition{Day: 19_000 + r.IntN(1000), From: exposure.Status(r.IntN(7)), To: exposure.Status(r.IntN(7)), Count: 1 + r.IntN(50), First: r.IntN(3) == 0}
	}
	b.ResetTimer()
	for b.Loop() {
		measure.Flow(slices.Values(moves), 19_880, 20_000)
	}
}
