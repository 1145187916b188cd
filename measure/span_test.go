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

func TestSpans(t *testing.T) {
	t.Parallel()
	const today = 20_000
	for name, test := range map[string]struct {
		history measure.History
		want    []measure.Span
	}{
		"open":                       {measure.History{First: today - 30}, []measure.Span{{Days: 30}}},
		"opened today":               {measure.History{First: today}, []measure.Span{{Days: 0}}},
		"fixed":                      {measure.History{First: today - 30, Ended: today - 20, End: exposure.StatusVerified}, []measure.Span{{Days: 10, Fixed: true}}},
		"fixed on its first day":     {measure.History{First: today - 5, Ended: today - 5, End: exposure.StatusVerified}, []measure.Span{{Fixed: true}}},
		"excepted":                   {measure.History{First: today - 30, Ended: today - 20, End: exposure.StatusExcepted}, []measure.Span{{Days: 10}}},
		"not affected":               {measure.History{First: today - 30, Ended: today - 21, End: exposure.StatusNotAffected}, []measure.Span{{Days: 9}}},
		"suppressed":                 {measure.History{First: today - 30, Ended: today - 22, End: exposure.StatusSuppressed}, []measure.Span{{Days: 8}}},
		"a claim is no fix":          {measure.History{First: today - 30, Ended: today - 10, End: exposure.StatusFixClaimed}, []measure.Span{{Days: 20}}},
		"not yet fixed on that day":  {measure.History{First: today - 30, Ended: today + 1, End: exposure.StatusVerified}, []measure.Span{{Days: 30}}},
		"not yet there on that day":  {measure.History{First: today + 1}, nil},
		"dated back before it began": {measure.History{First: today - 3, Ended: today - 9, End: exposure.StatusVerified}, []measure.Span{{Fixed: true}}},
		"came under watch late":      {measure.History{First: today - 300, Entered: today - 10}, []measure.Span{{Entered: 290, Days: 300}}},
		"late and fixed":             {measure.History{First: today - 300, Entered: today - 10, Ended: today - 10, End: exposure.StatusVerified}, []measure.Span{{Entered: 290, Days: 290, Fixed: true}}},
		"watched before it was seen": {measure.History{First: today - 30, Entered: today - 90}, []measure.Span{{Days: 30}}},
		"ended before the watch":     {measure.History{First: today - 300, Entered: today - 10, Ended: today - 11, End: exposure.StatusVerified}, nil},
		"comes under watch later":    {measure.History{First: today - 300, Entered: today + 1}, nil},
		"longer than any":            {measure.History{First: today - 70_000, Ended: today, End: exposure.StatusVerified}, []measure.Span{{Days: math.MaxUint16}}},
		"a day that overflows":       {measure.History{First: math.MinInt, Ended: today, End: exposure.StatusVerified}, []measure.Span{{Days: math.MaxUint16}}},
	} {
		got := measure.Spans(slices.Values([]measure.History{test.history}), today)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What is known of a past day does not change when the future becomes known.
func TestSpansOfAPastDay(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 3))
	for range 5000 {
		today := 20_000
		var then, now []measure.History
		for range 20 {
			h := measure.History{First: today - 100 + r.IntN(140)}
			if r.IntN(2) == 0 {
				h.Ended, h.End = h.First+r.IntN(60), exposure.Status(r.IntN(7))
			}
			now = append(now, h)
			if h.Ended > today {
				h.Ended, h.End = 0, exposure.StatusOpen
			}
			if h.First <= today {
				then = append(then, h)
			}
		}
		if diff := cmp.Diff(measure.Spans(slices.Values(then), today), measure.Spans(slices.Values(now), today)); diff != "" {
			t.Fatalf("%v: %s", now, diff)
		}
	}
}
