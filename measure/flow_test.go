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
