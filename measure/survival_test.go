package measure_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leeward-ctem/leeward/measure"
)

// weeks makes spans of times; a negative one is censored.
func weeks(times ...int) []measure.Span {
	var spans []measure.Span
	for _, t := range times {
		spans = append(spans, measure.Span{Days: int32(max(t, -t)), Fixed: t > 0})
	}
	return spans
}

// The remission of leukaemia in 42 patients, in weeks: E. J. Freireich et al.,
// The effect of 6-mercaptopurine on the duration of steroid-induced remissions
// in acute leukemia, Blood 21 (1963), as printed in every textbook since.
func mercaptopurine() []measure.Span {
	return weeks(6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35)
}

func placebo() []measure.Span {
	return weeks(1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
}

func TestKaplanMeierPublished(t *testing.T) {
	t.Parallel()
	got := measure.KaplanMeier(mercaptopurine())
	// Estimates as published; limits as other statistical programs print them
	// for the log-log scale.
	want := measure.Curve{Total: 21, Fixed: 9, Followed: 35, Points: []measure.Point{
		{Day: 6, Survival: .8571, Lower: .6197, Upper: .9516, Events: 3, AtRisk: 21},
		{Day: 7, Survival: .8067, Lower: .5631, Upper: .9228, Events: 1, AtRisk: 17},
		{Day: 10, Survival: .7529, Lower: .5032, Upper: .8894, Events: 1, AtRisk: 15},
		{Day: 13, Survival: .6902, Lower: .4316, Upper: .8491, Events: 1, AtRisk: 12},
		{Day: 16, Survival: .6275, Lower: .3675, Upper: .8049, Events: 1, AtRisk: 11},
		{Day: 22, Survival: .5378, Lower: .2678, Upper: .7468, Events: 1, AtRisk: 7},
		{Day: 23, Survival: .4482, Lower: .1881, Upper: .6801, Events: 1, AtRisk: 6},
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 0.00005)); diff != "" {
		t.Errorf("6-MP (-want +got):\n%s", diff)
	}
	if days, ok := got.HalfLife(); days != 23 || !ok {
		t.Errorf("median of 6-MP = %v, %v, want 23", days, ok)
	}
	control := measure.KaplanMeier(placebo())
	if days, ok := control.HalfLife(); days != 8 || !ok {
		t.Errorf("median of the control group = %v, %v, want 8", days, ok)
	}
	// Without censoring the restricted mean up to the end is the plain mean.
	mean, n, ok := measure.ClosedMean(placebo())
	if got := control.RestrictedMean(40); !ok || n != 21 || math.Abs(mean-182.0/21) > 1e-12 || math.Abs(got-mean) > 1e-9 {
		t.Errorf("control group: mean %v of %d, restricted mean %v, want %v", mean, n, got, 182.0/21)
	}
}

// Limits of the medians as statistical programs print them for the log-log
// scale: 13 and none with 6-MP, 4 and 11 without.
func TestHalfLifeIntervalPublished(t *testing.T) {
	t.Parallel()
	low, high := measure.KaplanMeier(mercaptopurine()).HalfLifeInterval()
	if low == nil || *low != 13 || high != nil {
		t.Errorf("6-MP: %v, %v, want 13 and none", low, high)
	}
	low, high = measure.KaplanMeier(placebo()).HalfLifeInterval()
	if low == nil || *low != 4 || high == nil || *high != 11 {
		t.Errorf("control group: %v, %v, want 4 and 11", *low, *high)
	}
	if low, high := (measure.Curve{}).HalfLifeInterval(); low != nil || high != nil {
		t.Errorf("of nothing: %v, %v", low, high)
	}
}

func TestLogRankPublished(t *testing.T) {
	t.Parallel()
	chi2, p := measure.LogRank(mercaptopurine(), placebo())
	if math.Abs(chi2-16.79) > 0.005 || math.Abs(p-4.17e-5) > 0.01e-5 {
		t.Errorf("chi² = %.4f, p = %.3g, want 16.79 and 0.0000417", chi2, p)
	}
	back, _ := measure.LogRank(placebo(), mercaptopurine())
	if math.Abs(back-chi2) > 1e-9 {
		t.Errorf("the test depends on the order of the groups: %v and %v", chi2, back)
	}
}

func TestLogRankNothingToCompare(t *testing.T) {
	t.Parallel()
	for name, groups := range map[string][2][]measure.Span{
		"no spans":        {nil, nil},
		"one group":       {placebo(), nil},
		"nothing fixed":   {weeks(-3, -4), weeks(-5)},
		"one of each":     {weeks(3), weeks(3)},
		"never together":  {weeks(-1, -2), weeks(5, 6)},
		"disjoint by age": {weeks(1), {{Entered: 5, Days: 9, Fixed: true}}},
	} {
		if chi2, p := measure.LogRank(groups[0], groups[1]); chi2 != 0 || p != 1 {
			t.Errorf("%s: chi² = %v, p = %v, want 0 and 1", name, chi2, p)
		}
	}
	if chi2, p := measure.LogRank(placebo(), placebo()); math.Abs(chi2) > 1e-9 || math.Abs(p-1) > 1e-4 {
		t.Errorf("a group and itself: chi² = %v, p = %v", chi2, p)
	}
}

// Worked by hand: late entries are not at risk before they enter.
func TestLeftTruncation(t *testing.T) {
	t.Parallel()
	spans := []measure.Span{
		{Days: 2, Fixed: true},
		{Days: 5, Fixed: true},
		{Days: 9},
		{Entered: 3, Days: 5, Fixed: true},
		{Entered: 4, Days: 8, Fixed: true},
		{Entered: 5, Days: 5, Fixed: true}, // entered and fixed on one day
		{Entered: 7, Days: 6, Fixed: true}, // never watched
	}
	got := measure.KaplanMeier(spans)
	want := []measure.Point{
		{Day: 2, Survival: 2. / 3, Events: 1, AtRisk: 3},
		{Day: 5, Survival: 2. / 3 * 2 / 5, Events: 3, AtRisk: 5},
		{Day: 8, Survival: 2. / 3 * 2 / 5 / 2, Events: 1, AtRisk: 2},
	}
	if diff := cmp.Diff(want, got.Points, cmpopts.IgnoreFields(measure.Point{}, "Lower", "Upper"), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Total != 6 || got.Fixed != 5 {
		t.Errorf("%d spans, %d fixed, want 6 and 5", got.Total, got.Fixed)
	}
	// Taken as if watched from the start, the old ones would slow the curve down.
	for i := range spans {
		spans[i].Entered = 0
	}
	if p, _ := measure.KaplanMeier(spans).At(2); p.Survival <= got.Points[0].Survival {
		t.Errorf("ignoring entry gives %v at day 2, not more than %v", p.Survival, got.Points[0].Survival)
	}
}

func TestSameDayFix(t *testing.T) {
	t.Parallel()
	spans := append(weeks(4, -10), measure.Span{Days: 0, Fixed: true}, measure.Span{Days: 0})
	c := measure.KaplanMeier(spans)
	if p, ok := c.At(0); !ok || math.Abs(p.Survival-.75) > 1e-12 || p.AtRisk != 4 {
		t.Errorf("at day 0: %+v, want ¾ of 4", p)
	}
	// ¾ for four days, then half of it.
	if got := c.RestrictedMean(10); math.Abs(got-(.75*4+.375*6)) > 1e-12 {
		t.Errorf("restricted mean = %v, want %v", got, .75*4+.375*6)
	}
	all := measure.KaplanMeier(make([]measure.Span, 0))
	if all.Total != 0 || all.Points == nil || len(all.Points) != 0 {
		t.Errorf("no spans: %+v", all)
	}
	now := []measure.Span{{Fixed: true}, {Fixed: true}}
	c = measure.KaplanMeier(now)
	if days, ok := c.HalfLife(); days != 0 || !ok || c.RestrictedMean(90) != 0 {
		t.Errorf("all fixed at once: half-life %v %v, restricted mean %v", days, ok, c.RestrictedMean(90))
	}
	// None of two open: the exact upper limit is 1−√0.025.
	if p := c.Points[0]; p.Lower != 0 || math.Abs(p.Upper-(1-math.Sqrt(.025))) > 1e-12 {
		t.Errorf("interval of zero: %v – %v", p.Lower, p.Upper)
	}
}

func TestNotMeasurable(t *testing.T) {
	t.Parallel()
	open := measure.KaplanMeier(weeks(-10, -20, 5))
	if days, ok := open.HalfLife(); ok {
		t.Errorf("half-life of mostly open findings: %v", days)
	}
	if p, ok := open.At(21); ok {
		t.Errorf("nothing was watched for 21 days, but the curve says %v", p.Survival)
	}
	if p, ok := open.At(20); !ok || math.Abs(p.Survival-2./3) > 1e-12 {
		t.Errorf("at day 20: %v, %v", p.Survival, ok)
	}
	if p, ok := open.At(4); !ok || p.Survival != 1 || p.Lower != 1 || p.Upper != 1 {
		t.Errorf("before the first step: %+v, %v", p, ok)
	}
	done := measure.KaplanMeier(weeks(5, 6))
	if p, ok := done.At(1000); !ok || p.Survival != 0 {
		t.Errorf("after everything is fixed: %+v, %v", p, ok)
	}
	if _, _, ok := measure.ClosedMean(weeks(-1, -2)); ok {
		t.Error("a mean of nothing")
	}
	if got := done.RestrictedMean(-3) + done.RestrictedMean(math.NaN()); got != 0 {
		t.Errorf("mean within no days = %v", got)
	}
}

// randomSpans is a sample with ties, censoring and, if late, late entries.
func randomSpans(r *rand.Rand, late bool) []measure.Span {
	spans := make([]measure.Span, 1+r.IntN(60))
	scale := 1 + r.IntN(200)
	for i := range spans {
		s := measure.Span{Days: int32(r.IntN(scale)), Fixed: r.IntN(3) > 0}
		if late && r.IntN(2) == 0 {
			s.Entered = int32(r.IntN(int(s.Days) + 1))
		}
		spans[i] = s
	}
	return spans
}

func TestCurveProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		spans := randomSpans(r, i%2 == 0)
		c := measure.KaplanMeier(spans)
		last, day := 1.0, -1
		for _, p := range c.Points {
			switch {
			case !(p.Survival <= last) || p.Survival < 0:
				t.Fatalf("the curve rises from %v to %v: %v", last, p.Survival, spans)
			case !(0 <= p.Lower && p.Lower <= p.Survival && p.Survival <= p.Upper && p.Upper <= 1):
				t.Fatalf("the interval %v – %v does not hold %v: %v", p.Lower, p.Upper, p.Survival, spans)
			case p.Day <= day || p.Events < 1 || p.AtRisk < p.Events || p.Day > c.Followed:
				t.Fatalf("a step %+v after day %d: %v", p, day, spans)
			}
			last, day = p.Survival, p.Day
		}
		if c.Total != len(spans) {
			t.Fatalf("%d of %d spans count", c.Total, len(spans))
		}
		half, ok := c.HalfLife()
		if p, _ := c.At(int(half)); ok && p.Survival > .5+1e-9 || !ok && last <= .5 {
			t.Fatalf("half-life %v, %v with %v open: %v", half, ok, p.Survival, spans)
		}
		r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		if diff := cmp.Diff(c, measure.KaplanMeier(spans)); diff != "" {
			t.Fatalf("the order of spans matters: %s", diff)
		}
	}
}

// The mean over closed ones never exceeds the restricted mean over the whole
// time: this is how it flatters.
func TestClosedMeanFlatters(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	below := 0
	for range 20_000 {
		spans := randomSpans(r, false)
		mean, _, ok := measure.ClosedMean(spans)
		if !ok {
			continue
		}
		c := measure.KaplanMeier(spans)
		full := c.RestrictedMean(float64(c.Followed))
		if mean > full+1e-9 {
			t.Fatalf("closed mean %v above the restricted mean %v: %v", mean, full, spans)
		}
		if mean < full-1e-9 {
			below++
		}
		if short := c.RestrictedMean(float64(c.Followed) / 2); short > full {
			t.Fatalf("the restricted mean falls with the horizon: %v, %v", short, full)
		}
	}
	if below == 0 {
		t.Error("it never differs, so this test shows nothing")
	}
}

// The estimates find the truth they were drawn from, and the closed mean does
// not: exponential repair with a mean of 100 days, watched for up to 120.
func TestEstimatesTruth(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var spans []measure.Span
	for range 200_000 {
		life, watched := int32(math.Ceil(r.ExpFloat64()*100)), int32(r.IntN(121))
		s := measure.Span{Days: min(life, watched), Fixed: life <= watched}
		if r.IntN(3) == 0 { // known to be older when it came under watch
			s.Entered = int32(r.IntN(30))
			s.Days += s.Entered
			// Without memory, the rest of its life is distributed like a whole one.
		}
		spans = append(spans, s)
	}
	c := measure.KaplanMeier(spans)
	if half, ok := c.HalfLife(); !ok || math.Abs(half-69.3) > 1.7 {
		t.Errorf("half-life = %v, want about 69.3", half)
	}
	want := 0.0
	for day := range 90 {
		want += math.Exp(-float64(day) / 100)
	}
	if got := c.RestrictedMean(90); math.Abs(got-want) > 0.5 {
		t.Errorf("restricted mean = %.2f, want about %.2f", got, want)
	}
	if mean, _, _ := measure.ClosedMean(spans); mean > 60 {
		t.Errorf("the closed mean %.1f does not flatter: the test is wrong", mean)
	}
}

// The 95 % interval holds the truth about that often, also for small samples.
func TestIntervalCoverage(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	const day, samples = 30, 4000
	truth := math.Pow(1-1./40, day+1)
	held := 0
	for range samples {
		var spans []measure.Span
		for range 40 {
			life := int32(math.Floor(math.Log(1-r.Float64()) / math.Log(1-1./40))) // geometric
			watched := int32(15 + r.IntN(60))
			spans = append(spans, measure.Span{Days: min(life, watched), Fixed: life <= watched})
		}
		if p, _ := measure.KaplanMeier(spans).At(day); p.Lower <= truth && truth <= p.Upper {
			held++
		}
	}
	if share := float64(held) / samples; share < .935 || share > .975 {
		t.Errorf("the interval holds the truth in %.1f %% of samples", 100*share)
	}
}

// Between groups that do not differ, p is evenly distributed.
func TestLogRankFalseAlarms(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	alarms := 0
	const samples = 3000
	for range samples {
		var groups [2][]measure.Span
		for i := range 80 {
			life, watched := int32(r.ExpFloat64()*50), int32(20+r.IntN(60))
			groups[i%2] = append(groups[i%2], measure.Span{Days: min(life, watched), Fixed: life <= watched})
		}
		if _, p := measure.LogRank(groups[0], groups[1]); p < .05 {
			alarms++
		}
	}
	if share := float64(alarms) / samples; share < .035 || share > .065 {
		t.Errorf("%.1f %% false alarms, want about 5 %%", 100*share)
	}
}

func TestLongSpansAreBounded(t *testing.T) {
	t.Parallel()
	c := measure.KaplanMeier([]measure.Span{{Days: math.MaxInt32, Fixed: true}, {Days: 5, Fixed: true}, {Entered: -4, Days: 7}, {Days: -1, Fixed: true}})
	if c.Total != 3 || c.Fixed != 1 || c.Followed != math.MaxUint16 || len(c.Points) != 1 {
		t.Errorf("%+v", c)
	}
	if got := c.RestrictedMean(math.Inf(1)); math.IsInf(got, 0) || got > math.MaxUint16 {
		t.Errorf("restricted mean = %v", got)
	}
}

func ExampleKaplanMeier() {
	spans := []measure.Span{
		{Days: 3, Fixed: true}, {Days: 10, Fixed: true}, {Days: 21, Fixed: true},
		{Days: 40}, {Days: 60}, // still open
	}
	curve := measure.KaplanMeier(spans)
	half, _ := curve.HalfLife()
	closed, _, _ := measure.ClosedMean(spans)
	fmt.Printf("half fixed after %.0f days; the mean of the closed ones says %.0f\n", half, closed)
	// Output: half fixed after 21 days; the mean of the closed ones says 11
}
