package index

import (
	"math"
	"math/bits"
	"runtime"
	"sync"

	"github.com/leeward-ctem/leeward/exposure"
)

// scorer is a model unrolled into tables.
type scorer struct {
	model    exposure.Model
	curve    *exposure.Curve
	bands    *exposure.Bands
	due      *exposure.DueTable
	validity [validityBits + 1]exposure.Nats // by detection and verdict
	fast     fastCurve
	loss     []float32 // expected loss by risk
}

func newScorer(m exposure.Model) *scorer {
	s := &scorer{model: m, curve: m.Curve(), bands: m.Bands(), due: m.Due(), loss: make([]float32, 1<<16)}
	for i := range s.validity {
		s.validity[i] = m.Validation(exposure.Detection(i&detectionBits), exposure.VerdictKind(i>>3))
	}
	for i := range s.loss {
		s.loss[i] = float32(s.curve.ExpectedLoss(exposure.Risk(i)))
	}
	s.loss[0] = 0
	s.fast = newFastCurve(s.curve)
	return s
}

// fastCurve is a [exposure.Curve] without divisions: they would be half the
// cost of a rescore. It gives the same risk for every input, which is checked
// when it is made.
type fastCurve struct {
	*exposure.Curve
	steps []step
	last  uint32 // steps that may be used; 0: none
	shift uint8  // PStep is 1<<shift
	rest  uint32 // 1<<shift − 1
	min   int32
	scale uint64 // 65535/(Max−Min) in units of 2^-40
}

// step is a segment of the probability curve.
type step struct{ lo, rise int32 }

func newFastCurve(c *exposure.Curve) fastCurve {
	f := fastCurve{Curve: c}
	span := uint64(c.Max - c.Min)
	if c.PStep <= 0 || c.PStep&(c.PStep-1) != 0 || span == 0 || span > 1<<24 {
		return f
	}
	f.shift = uint8(bits.TrailingZeros32(uint32(c.PStep)))
	f.scale = (math.MaxUint16<<40 + span - 1) / span
	for d := range span {
		if d*f.scale>>40 != d*math.MaxUint16/span {
			return f
		}
	}
	for i := range len(c.P) - 1 {
		rise := int64(c.P[i+1] - c.P[i])
		if rise < 0 || rise<<f.shift > math.MaxInt32 {
			return f
		}
		f.steps = append(f.steps, step{int32(c.P[i]), int32(rise)})
	}
	f.rest, f.min, f.last = 1<<f.shift-1, int32(c.Min), uint32(len(f.steps))
	return f
}

func (f *fastCurve) risk(hazard, loss exposure.Nats) exposure.Risk {
	x := uint32(hazard - f.PFirst) // below PFirst it wraps to a large number
	i := x >> f.shift
	if i >= f.last {
		return f.Curve.Risk(hazard, loss)
	}
	p := f.steps[i]
	el := p.lo + int32(p.rise)*int32(x&f.rest)>>f.shift + int32(loss)
	return exposure.Risk(min(uint64(max(0, el-f.min))*f.scale>>40, math.MaxUint16))
}

// score fills the risk and due columns of rows [from, to) of c.
func (v *View) score(c *chunk, from, to int) {
	switch {
	case c.asset.wide != nil && c.advisory.wide != nil:
		scoreRows(v, c, from, to, c.asset.wide, c.advisory.wide)
	case c.asset.wide != nil:
		scoreRows(v, c, from, to, c.asset.wide, c.advisory.narrow)
	case c.advisory.wide != nil:
		scoreRows(v, c, from, to, c.asset.narrow, c.advisory.wide)
	default:
		scoreRows(v, c, from, to, c.asset.narrow, c.advisory.narrow)
	}
}

func scoreRows[A, B dictionary](v *View, c *chunk, from, to int, assets []A, advisories []B) {
	s := v.scorer
	n := to - from
	assets, advisories = assets[from:to][:n], advisories[from:to][:n]
	states, days := c.state[from:to][:n], c.day[from:to][:n]
	risks, dues := c.risk[from:to][:n], c.due[from:to][:n]
	for j := range n {
		a := &v.advFactors[advisories[j]]
		ctx := &v.ctxFactors[v.assetContexts[assets[j]]]
		state := states[j]
		r := s.fast.risk(a.Log+ctx.Reach[a.Vector%exposure.Vectors]+s.validity[state>>validityShift&validityBits], ctx.Loss[a.Impact])
		risks[j] = r
		dues[j] = s.dueDay(r, a, ctx, days[j]) | noDue[state&15]
	}
}

// noDue masks the due day of what is not open: a day OR NoDue is NoDue.
var noDue = func() (m [16]uint16) {
	for s := range m {
		if !exposure.Status(s).Open() {
			m[s] = exposure.NoDue
		}
	}
	return m
}()

// dueDay is DueTable.Due without the rule.
func (s *scorer) dueDay(r exposure.Risk, a *exposure.AdvisoryFactor, ctx *exposure.ContextFactor, day uint16) uint16 {
	b := s.bands
	band := bit(r >= b[0]) + bit(r >= b[1]) + bit(r >= b[2]) + bit(r >= b[3])
	cell := &s.due.Cells[(band*s.due.Policies+int(a.Policy))*s.due.Contexts+int(ctx.Policy)]
	// Days are small and NoDue is the largest number, so one clamp serves both.
	first := min(uint32(day)+uint32(cell.Days), exposure.NoDue)
	kev := min(uint32(max(day, a.KEVDay))+uint32(cell.KEVDays), exposure.NoDue)
	return uint16(min(first, kev))
}

// rescore makes new risk and due columns for the whole view on all cores.
// Readers of older views keep theirs.
func (v *View) rescore() {
	fresh := make([]*chunk, len(v.chunks))
	parallel(len(v.chunks), func(k int) { fresh[k] = v.rescored(k) })
	v.chunks = fresh
}

// rescored is chunk k with new risk and due columns.
func (v *View) rescored(k int) *chunk {
	c := *v.chunks[k]
	c.risk, c.due = make([]exposure.Risk, chunkRows), make([]uint16, chunkRows)
	v.score(&c, 0, min(chunkRows, v.n-k*chunkRows))
	return &c
}

// parallel runs f for 0 … n−1 on all cores and waits.
func parallel(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}
