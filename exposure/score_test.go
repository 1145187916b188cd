package exposure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNats(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]Nats{1: 0, math.E: NatsOne, math.E * math.E: 2 * NatsOne, 1 / math.E: -NatsOne} {
		if got := NatsOf(x); got != want {
			t.Errorf("ln %g is %d steps, want %d", x, got, want)
		}
	}
	for _, x := range []float64{0, -1, math.NaN(), math.Inf(-1), 1e-31, 5e-324} {
		if got := NatsOf(x); got != -70*NatsOne {
			t.Errorf("ln %g is %d steps, want the lowest", x, got)
		}
	}
	if NatsOf(math.Inf(1)) != NatsOf(1e30) || NatsOf(1e31) != NatsOf(1e30) {
		t.Error("there is no greatest logarithm")
	}
	r := rand.New(rand.NewPCG(1, 2))
	last, at := Nats(math.MinInt32), 0.0
	xs := make([]float64, 5000)
	for i := range xs {
		xs[i] = math.Exp(r.Float64()*138 - 69)
	}
	slices.Sort(xs)
	for _, x := range append([]float64{0}, xs...) {
		n := NatsOf(x)
		if n < last {
			t.Fatalf("ln %g < ln %g", x, at)
		}
		last, at = n, x
		if x == 0 {
			continue
		}
		// Half a step is a factor of e^(1/8192).
		if back := n.Value(); math.Abs(math.Log(back/x)) > 0.5/float64(NatsOne)+1e-9 {
			t.Fatalf("%g is %d steps, which is %g", x, n, back)
		}
		if NatsOf(n.Value()) != n {
			t.Fatalf("%d steps read back are %d", n, NatsOf(n.Value()))
		}
	}
}

func TestRiskPoints(t *testing.T) {
	t.Parallel()
	for p := range 1001 {
		r := RiskAt(p)
		if r.Points() != p {
			t.Errorf("%d points are risk %d, which shows as %d", p, r, r.Points())
		}
		if p > 0 && (r-1).Points() >= p {
			t.Errorf("risk %d shows as %d points too: %d is not the least", r-1, p, r)
		}
	}
	for points, want := range map[int]Risk{-1: 0, math.MinInt: 0, 1001: math.MaxUint16, math.MaxInt: math.MaxUint16} {
		if got := RiskAt(points); got != want {
			t.Errorf("%d points are risk %d, want %d", points, got, want)
		}
	}
	last := 0
	for r := range math.MaxUint16 + 1 {
		p := Risk(r).Points()
		if p < last || p > 1000 {
			t.Fatalf("risk %d shows as %d points after %d", r, p, last)
		}
		last = p
	}
	if last != 1000 {
		t.Errorf("the highest risk shows as %d points", last)
	}
}

// curve is one of 30 days, like the model's.
func curve() *Curve {
	c := &Curve{PFirst: -20 * NatsOne, PStep: NatsOne / 16, Min: NatsOf(1), Max: NatsOf(1e7)}
	for i := range 16*25 + 1 {
		hazard := (c.PFirst + Nats(i)*c.PStep).Value()
		c.P = append(c.P, NatsOf(-math.Expm1(-30*hazard)))
	}
	return c
}

func TestCurve(t *testing.T) {
	t.Parallel()
	c := curve()
	end := c.PFirst + Nats(len(c.P)-1)*c.PStep
	last := Nats(math.MinInt32)
	for h := c.PFirst - 3*NatsOne; h <= end+3*NatsOne; h += 7 {
		p := c.Probability(h)
		if p < last || p > 0 {
			t.Fatalf("ln p of hazard %d is %d, after %d", h, p, last)
		}
		last = p
	}
	for i, p := range c.P {
		if got := c.Probability(c.PFirst + Nats(i)*c.PStep); got != p {
			t.Errorf("point %d of the curve is %d, want %d", i, got, p)
		}
	}
	if far := c.PFirst - 5*NatsOne; c.Probability(far) != c.P[0]-5*NatsOne {
		t.Errorf("far below one, a hazard of e^-5 less is %d, want %d", c.Probability(far), c.P[0]-5*NatsOne)
	}
	if got := c.Probability(NatsOf(1.0 / 30)).Value(); math.Abs(got-(1-1/math.E)) > 0.002 {
		t.Errorf("one expected success in the horizon has probability %g, want %g", got, 1-1/math.E)
	}
}

func TestCurveRisk(t *testing.T) {
	t.Parallel()
	c := curve()
	r := rand.New(rand.NewPCG(3, 4))
	steps := func(n Nats) Nats { return Nats(r.IntN(int(n))) }
	for range 20000 {
		hazard, loss := -30*NatsOne+steps(40*NatsOne), -5*NatsOne+steps(30*NatsOne)
		risk := c.Risk(hazard, loss)
		if more := c.Risk(hazard+steps(NatsOne), loss); more < risk {
			t.Fatalf("more hazard than %d at loss %d lowers the risk from %d to %d", hazard, loss, risk, more)
		}
		if more := c.Risk(hazard, loss+steps(NatsOne)); more < risk {
			t.Fatalf("more loss than %d at hazard %d lowers the risk from %d to %d", loss, hazard, risk, more)
		}
	}
	const sure = 5 * NatsOne
	if got := c.Risk(sure, c.Min-1); got != 0 {
		t.Errorf("below the scale the risk is %d", got)
	}
	if got := c.Risk(sure, c.Max); got != math.MaxUint16 {
		t.Errorf("at the end of the scale the risk is %d", got)
	}
	if got := c.Risk(sure, (c.Min+c.Max)/2).Points(); got != 500 {
		t.Errorf("half way the risk shows as %d points", got)
	}
	for _, loss := range []float64{2, 100, 12345, 5e6} {
		if got := c.ExpectedLoss(c.Risk(sure, NatsOf(loss))); math.Abs(math.Log(got/loss)) > 0.001 {
			t.Errorf("a sure loss of %g reads back as %g", loss, got)
		}
	}
	if lowest, highest := c.ExpectedLoss(0), c.ExpectedLoss(math.MaxUint16); math.Abs(lowest-1) > 1e-3 || math.Abs(highest/1e7-1) > 1e-3 {
		t.Errorf("the scale goes from %g to %g, want 1 to 1e7", lowest, highest)
	}
}

func TestBands(t *testing.T) {
	t.Parallel()
	b := Bands{100, 200, 300, 400}
	for r, want := range map[Risk]Band{0: BandNone, 99: BandNone, 100: BandLow, 199: BandLow, 200: BandMedium, 300: BandHigh, 399: BandHigh, 400: BandCritical, math.MaxUint16: BandCritical} {
		if got := b.Of(r); got != want {
			t.Errorf("risk %d is %v, want %v", r, got, want)
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	none := DueCell{Days: NoDue, KEVDays: NoDue}
	table := DueTable{Contexts: 2, Policies: 3, Cells: make([]DueCell, 5*3*2)}
	for i := range table.Cells {
		table.Cells[i] = none
	}
	cell := func(b Band, advisory, context int, c DueCell) { table.Cells[(int(b)*3+advisory)*2+context] = c }
	cell(BandHigh, 0, 0, DueCell{Days: 30, KEVDays: NoDue, Rule: 1})
	cell(BandHigh, 1, 0, DueCell{Days: 30, KEVDays: 14, Rule: 1, KEVRule: 2})
	cell(BandHigh, 2, 1, DueCell{Days: NoDue, KEVDays: 3, KEVRule: 2})
	cell(BandLow, 0, 0, DueCell{Days: NoDue - 1, KEVDays: NoDue, Rule: 4})
	cell(BandLow, 1, 0, DueCell{Days: NoDue, KEVDays: 60000, KEVRule: 5})
	cell(BandLow, 2, 0, DueCell{Days: 7, KEVDays: 7, Rule: 6, KEVRule: 7})
	tests := []struct {
		name              string
		band              Band
		advisory, context uint16
		first, kev        uint16
		day               uint16
		rule              uint16
	}{
		{"no rule", BandNone, 0, 0, 20000, 0, NoDue, 0},
		{"the other context", BandHigh, 0, 1, 20000, 0, NoDue, 0},
		{"from first sight", BandHigh, 0, 0, 20000, 20010, 20030, 1},
		{"from the listing", BandHigh, 1, 0, 20000, 20010, 20024, 2},
		{"the listing is later", BandHigh, 1, 0, 20000, 20020, 20030, 1},
		{"listed long before it was seen", BandHigh, 1, 0, 20000, 10000, 20014, 2},
		{"the listing alone", BandHigh, 2, 1, 20000, 20001, 20004, 2},
		{"both on one day", BandLow, 2, 0, 20000, 0, 20007, 6},
		{"after the end of the calendar", BandLow, 0, 0, 20000, 0, NoDue - 1, 4},
		{"a listing after the end of the calendar", BandLow, 1, 0, 20000, 20001, NoDue - 1, 5},
	}
	for _, test := range tests {
		day, rule := table.Due(test.band, test.advisory, test.context, test.first, test.kev)
		if day != test.day || rule != test.rule {
			t.Errorf("%s: day %d by rule %d, want day %d by rule %d", test.name, day, rule, test.day, test.rule)
		}
	}
}

func TestExplanationSum(t *testing.T) {
	t.Parallel()
	e := Explanation{Factors: []Factor{{Log: 5}, {Log: -70 * NatsOne}, {Log: 3}}}
	if got := e.Sum(); got != 8-70*NatsOne {
		t.Errorf("sum %d", got)
	}
}
