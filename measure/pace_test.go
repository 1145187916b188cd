package measure_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leeward-ctem/leeward/measure"
)

// flowing is a flow that begins with a stock of findings on its first day and
// changes by so many on one day of each week; its last day is today, when the
// next week begins.
func flowing(stock int, changes ...int) []measure.Day {
	days := []measure.Day{{Day: 1000, Opened: stock, Open: stock}}
	open := stock
	for _, c := range changes {
		for d := range 7 {
			day := measure.Day{Day: 1000 + len(days)}
			if d == 3 {
				day.Opened, day.Closed = max(c, 0), max(-c, 0)
				open += c
			}
			day.Open = open
			days = append(days, day)
		}
	}
	return append(days, measure.Day{Day: 1000 + len(days), Opened: 1, Open: open + 1})
}

func TestProject(t *testing.T) {
	t.Parallel()
	number := func(x float64) *float64 { return &x }
	day := func(d int) *int { return &d }
	// By hand: the mean of −3, −5, −4, −4 is −4, their standard deviation
	// √(2/3), and t of 3 degrees of freedom 3.1824: −4 ± 1.2992. With 20 open
	// that is 35 days, 26.4 at the fast end and 51.8 at the slow one.
	shrinks := flowing(35, -3, -5, -4, -4)
	today := shrinks[len(shrinks)-1].Day
	for name, test := range map[string]struct {
		days []measure.Day
		want measure.Pace
	}{
		"it shrinks":       {shrinks, measure.Pace{Weeks: 4, Open: 20, Net: number(-4), Low: number(-5.29923), High: number(-2.70077), Clear: day(today + 35), Earliest: day(today + 27), Latest: day(today + 52)}},
		"it grows":         {flowing(10, 3, 5, 4, 4), measure.Pace{Weeks: 4, Open: 27, Net: number(4), Low: number(2.70077), High: number(5.29923)}},
		"nobody can tell":  {flowing(100, -30, 20, -10, 10), measure.Pace{Weeks: 4, Open: 91, Net: number(-2.5), Low: number(-37.7831), High: number(32.7831), Clear: day(1029 + 255), Earliest: day(1029 + 17)}},
		"every week alike": {flowing(60, -10, -10, -10, -10), measure.Pace{Weeks: 4, Open: 21, Net: number(-10), Low: number(-10), High: number(-10), Clear: day(1029 + 15), Earliest: day(1029 + 15), Latest: day(1029 + 15)}},
		"a century":        {flowing(100_000, -1, -1, -1, -1), measure.Pace{Weeks: 4, Open: 99_997, Net: number(-1), Low: number(-1), High: number(-1)}},
		"the last eight":   {flowing(500, -100, -1, -1, -1, -1, -1, -1, -1, -1), measure.Pace{Weeks: 8, Open: 393, Net: number(-1), Low: number(-1), High: number(-1), Clear: day(1064 + 2751), Earliest: day(1064 + 2751), Latest: day(1064 + 2751)}},
		"three weeks":      {flowing(35, -3, -5, -4), measure.Pace{Weeks: 3, Needs: 1, Open: 24}},
		"only the stock":   {flowing(35), measure.Pace{Needs: 4, Open: 36}},
		"nothing ever":     {[]measure.Day{{Day: 1}, {Day: 2}, {Day: 3}}, measure.Pace{Needs: 4}},
		"no days":          {nil, measure.Pace{Needs: 4}},
	} {
		if diff := cmp.Diff(test.want, measure.Project(test.days), cmpopts.EquateApprox(0, 0.0001)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What was there before the first day is known, so its first day is a day of
// work like any other; and what is gone is gone today.
func TestProjectWithinAHistory(t *testing.T) {
	t.Parallel()
	days := flowing(16, -3, -5, -4, -4)[1:]
	days[len(days)-1].Open = 0
	p := measure.Project(days)
	if p.Needs != 0 || p.Clear == nil || *p.Clear != days[len(days)-1].Day {
		t.Errorf("%+v", p)
	}
	days = flowing(35, -3, -5, -4, -4)
	for i := range days {
		days[i].Open += 7
	}
	if p := measure.Project(days[:len(days)-7]); p.Needs != 1 {
		t.Errorf("%+v", p)
	}
}

// The quantiles are those of Student's t: its distribution with so many
// degrees of freedom, integrated, leaves 2.5 % above.
func TestStudent(t *testing.T) {
	t.Parallel()
	for weeks := 4; weeks <= 8; weeks++ {
		changes := make([]int, weeks)
		sum, squares := 0.0, 0.0
		for i := range changes {
			changes[i] = -10 - i*i
			sum += float64(changes[i])
		}
		mean := sum / float64(weeks)
		for _, c := range changes {
			squares += (float64(c) - mean) * (float64(c) - mean)
		}
		p := measure.Project(flowing(10_000, changes...))
		n := float64(weeks)
		quantile := (*p.High - mean) / math.Sqrt(squares/(n-1)/n)
		const step = 1e-4
		above, freedom := 0.0, n-1
		lg1, _ := math.Lgamma((freedom + 1) / 2)
		lg2, _ := math.Lgamma(freedom / 2)
		density := math.Exp(lg1-lg2) / math.Sqrt(freedom*math.Pi)
		for x := step / 2; x < quantile; x += step {
			above += density * math.Pow(1+x*x/freedom, -(freedom+1)/2) * step
		}
		if math.Abs(above-0.475) > 1e-5 {
			t.Errorf("%d weeks: %v of the distribution is within half the interval, want 0.475", weeks, above)
		}
	}
}
