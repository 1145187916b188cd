package measure_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/measure"
)

func TestSLA(t *testing.T) {
	t.Parallel()
	const today = 1000
	rate := func(r float64) *float64 { return &r }
	for name, test := range map[string]struct {
		deadlines []measure.Deadline
		want      measure.Compliance
	}{
		"none":                       {nil, measure.Compliance{}},
		"fixed before its day":       {[]measure.Deadline{{Due: 900, Closed: 850}}, measure.Compliance{Met: 1, Rate: rate(1)}},
		"fixed on its day":           {[]measure.Deadline{{Due: 900, Closed: 900}}, measure.Compliance{Met: 1, Rate: rate(1)}},
		"fixed a day late":           {[]measure.Deadline{{Due: 900, Closed: 901}}, measure.Compliance{Missed: 1, Rate: rate(0)}},
		"open and due today":         {[]measure.Deadline{{Due: today}}, measure.Compliance{Running: 1}},
		"open and due yesterday":     {[]measure.Deadline{{Due: today - 1}}, measure.Compliance{Overdue: 1, Rate: rate(0)}},
		"fixed tomorrow, due before": {[]measure.Deadline{{Due: 900, Closed: today + 1}}, measure.Compliance{Overdue: 1, Rate: rate(0)}},
		"fixed tomorrow, due then":   {[]measure.Deadline{{Due: today + 5, Closed: today + 1}}, measure.Compliance{Running: 1}},
		"ahead of its day":           {[]measure.Deadline{{Due: today + 60, Closed: today - 3}}, measure.Compliance{Met: 1, Ahead: 1}},
		"due and fixed today":        {[]measure.Deadline{{Due: today, Closed: today}}, measure.Compliance{Met: 1, Ahead: 1}},
		"a fresh batch does not raise the rate": {
			[]measure.Deadline{{Due: 900, Closed: 899}, {Due: 900, Closed: 950}, {Due: 910}, {Due: 911, Closed: 911}, {Due: 1080, Closed: 999}, {Due: 1080, Closed: 998}, {Due: 1080}},
			measure.Compliance{Met: 4, Ahead: 2, Missed: 1, Overdue: 1, Running: 1, Rate: rate(.5)},
		},
	} {
		if diff := cmp.Diff(test.want, measure.SLA(slices.Values(test.deadlines), today)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Every deadline is counted once, and once every due day is over, the rate is
// that of all of them: looking early does not flatter.
func TestSLAProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 9))
	for range 10_000 {
		list := make([]measure.Deadline, r.IntN(40))
		kept := map[int]int{} // kept deadlines by due day
		for i := range list {
			list[i].Due = 100 + r.IntN(50)
			if r.IntN(3) > 0 {
				list[i].Closed = 90 + r.IntN(80)
			}
			if c := list[i].Closed; c != 0 && c <= list[i].Due {
				kept[list[i].Due]++
			}
		}
		today := 90 + r.IntN(80)
		c := measure.SLA(slices.Values(list), today)
		if c.Met+c.Missed+c.Running+c.Overdue != len(list) || c.Ahead > c.Met {
			t.Fatalf("%+v of %d deadlines", c, len(list))
		}
		over, good := 0, 0
		for _, d := range list {
			if d.Due < today {
				over++
			}
		}
		for due, n := range kept {
			if due < today {
				good += n
			}
		}
		switch {
		case over == 0 && c.Rate != nil:
			t.Fatalf("nothing fell due, but the rate is %v", *c.Rate)
		case over > 0 && (c.Rate == nil || *c.Rate != float64(good)/float64(over)):
			t.Fatalf("%+v, want the rate %d of %d", c, good, over)
		}
	}
}
