package measure

import "math"

// Curve is a survival curve: the share of findings that is still open at each
// age. It is a staircase that starts at one and steps down at its points.
type Curve struct {
	Total    int     `json:"total"`    // spans it is made of
	Fixed    int     `json:"fixed"`    // of them, those that ended with a verified fix
	Followed int     `json:"followed"` // highest age in days that anything was watched to
	Points   []Point `json:"points"`   // by rising day, one for each age at which something was fixed
}

// Point is one step of a [Curve].
type Point struct {
	Day      int     `json:"day"`      // age in days
	Survival float64 `json:"survival"` // share still open after that day
	Lower    float64 `json:"lower"`    // of the 95 % interval of Survival
	Upper    float64 `json:"upper"`
	Events   int     `json:"events"`  // fixed at that age
	AtRisk   int     `json:"at_risk"` // open and watched at that age, before the fixes
}

// normal975 is the 97.5 % quantile of the standard normal distribution.
const normal975 = 1.959963984540054

// counts are spans counted by age.
type counts struct {
	total  int
	fixed  []int // by age of the fix
	joined []int // by age at which watching began
	left   []int // by age at which it ended, in whichever way
}

// count takes one pass over the spans; everything after it depends on the
// number of different ages only.
func count(spans []Span) counts {
	last := int32(0)
	for i := range spans {
		last = max(last, spans[i].Days)
	}
	n := int(min(last, maxDays)) + 1
	all := make([]int, 3*n)
	c := counts{fixed: all[:n], joined: all[n : 2*n], left: all[2*n:]}
	for i := range spans {
		s := &spans[i]
		if s.Entered > s.Days || s.Days < 0 {
			continue // watched for no time at all
		}
		c.total++
		days := min(s.Days, maxDays)
		c.joined[min(max(s.Entered, 0), days)]++
		c.left[days]++
		if s.Fixed && s.Days <= maxDays {
			c.fixed[days]++
		}
	}
	return c
}

// steps calls f with each age at which something was fixed. Those who join at
// an age are at risk at that age, and those who leave still are: a day begins
// with joining and ends with fixes, which come before censoring.
func (c *counts) steps(f func(day, events, atRisk int)) {
	atRisk := 0
	for day := range c.fixed {
		atRisk += c.joined[day]
		if c.fixed[day] > 0 {
			f(day, c.fixed[day], atRisk)
		}
		atRisk -= c.left[day]
	}
}

// KaplanMeier estimates the survival curve (E. L. Kaplan and P. Meier,
// Nonparametric estimation from incomplete observations, 1958). Spans that
// were entered late count from the age at which they were entered.
//
// The interval is Greenwood's on the scale of ln(−ln S), which keeps it between
// 0 and 1 and close to its nominal 95 % in the tail (J. D. Kalbfleisch and
// R. L. Prentice, The Statistical Analysis of Failure Time Data, 1980). Where
// the curve reaches zero that formula has no value; the lower limit is then 0
// and the upper one that of the point before, times the exact limit for none
// of n: 1−0.025^(1/n).
//
// It assumes that censoring says nothing about how soon a finding would have
// been fixed. With late entries and very few at risk at young ages the curve
// can fall to zero early and stays there: AtRisk tells.
func KaplanMeier(spans []Span) Curve {
	counted := count(spans)
	c := Curve{Total: counted.total, Points: []Point{}}
	if c.Total > 0 {
		c.Followed = len(counted.fixed) - 1
	}
	survival, variance, upper := 1.0, 0.0, 1.0
	counted.steps(func(day, events, atRisk int) {
		c.Fixed += events
		if survival == 0 {
			return // entries after the curve's end cannot raise it again
		}
		n, d := float64(atRisk), float64(events)
		p := Point{Day: day, Events: events, AtRisk: atRisk}
		if events == atRisk {
			survival = 0
			p.Upper = upper * (1 - math.Pow(0.025, 1/n))
		} else {
			survival *= (n - d) / n
			variance += d / (n * (n - d))
			p.Survival = survival
			p.Lower, p.Upper = interval(survival, variance)
		}
		upper = p.Upper
		c.Points = append(c.Points, p)
	})
	return c
}

// interval is the 95 % interval of a survival strictly between 0 and 1, with
// Greenwood's sum.
func interval(survival, variance float64) (lower, upper float64) {
	log := math.Log(survival)
	width := math.Exp(normal975 * math.Sqrt(variance) / -log)
	// Where the sum of rounding errors matters, the estimate is the limit.
	return min(math.Exp(log*width), survival), max(math.Exp(log/width), survival)
}

// rounding is more than the product of many quotients can be off.
const rounding = 1e-9

// HalfLife is the age in days by which half of the findings are fixed: the
// first at which no more than half are open. ok is false when the curve does
// not come down that far, because most are still open.
func (c Curve) HalfLife() (days float64, ok bool) {
	for i := range c.Points {
		if c.Points[i].Survival <= 0.5+rounding {
			return float64(c.Points[i].Day), true
		}
	}
	return 0, false
}

// HalfLifeInterval are the limits of the 95 % interval of the half-life
// (R. Brookmeyer and J. Crowley, A confidence interval for the median survival
// time, 1982): the ages at which the limits of the curve come down to a half.
// nil where one does not: the half-life may then be any longer.
func (c Curve) HalfLifeInterval() (low, high *float64) {
	for i := range c.Points {
		p, day := &c.Points[i], float64(c.Points[i].Day)
		if low == nil && p.Lower <= 0.5+rounding {
			low = &day
		}
		if p.Upper <= 0.5+rounding {
			return low, &day
		}
	}
	return low, nil
}

// At returns the step in force at an age: which share is still open after that
// many days. ok is false when nothing was watched that long and some are
// still open, so that nobody can know. Before the first step the share is one
// and the interval has no width.
func (c Curve) At(day int) (p Point, ok bool) {
	p = Point{Survival: 1, Lower: 1, Upper: 1}
	for i := range c.Points {
		if c.Points[i].Day > day {
			break
		}
		p = c.Points[i]
	}
	return p, c.Total > 0 && (day <= c.Followed || p.Survival == 0)
}

// RestrictedMean is the mean number of days that a finding stays open within
// its first so many days: the area under the curve. It needs no assumption
// about what comes later, and unlike the half-life it always exists. What was
// fixed on its first day counts as 0 days.
//
// Beyond the age that anything was watched to ([Curve.Followed]) the curve is
// taken to stay where it is, as if nothing more were fixed: the result is then
// the worst case and says more about how short the history is than about the
// repair. Of no spans at all, [Curve.Total] being 0, it means nothing.
func (c Curve) RestrictedMean(days float64) float64 {
	if !(days > 0) {
		return 0
	}
	days = min(days, maxDays)
	area, survival, from := 0.0, 1.0, 0.0
	for i := range c.Points {
		at := float64(c.Points[i].Day)
		if at >= days {
			break
		}
		area += survival * (at - from)
		survival, from = c.Points[i].Survival, at
	}
	return area + survival*(days-from)
}
