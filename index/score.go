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
	shift uint8  // PStep is 1<<shift
	scale uint64 // 65535/(Max−Min) in units of 2^-40
	ok    bool
}

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
	f.ok = true
	return f
}

func (f *fastCurve) risk(hazard, loss exposure.Nats) exposure.Risk {
	x := uint32(hazard - f.PFirst)
	i := int(x >> f.shift)
	if !f.ok || hazard < f.PFirst || i+1 >= len(f.P) {
		return f.Curve.Risk(hazard, loss)
	}
	lo, hi := f.P[i], f.P[i+1]
	el := lo + exposure.Nats(int(hi-lo)*int(x&(1<<f.shift-1))>>f.shift) + loss
	d := max(0, int64(el-f.Min))
	return exposure.Risk(min(uint64(d)*f.scale>>40, math.MaxUint16))
}

// risk scores one row. It is the explanation's sum, see prioritize.Explain.
func (s *scorer) risk(a *exposure.AdvisoryFactor, c *exposure.ContextFactor, state uint16) exposure.Risk {
	return s.fast.risk(a.Log+c.Reach[a.Vector]+s.validity[state>>validityShift&validityBits], c.Loss[a.Impact])
}

// score fills the risk and due columns of rows [from, to) of c.
func (v *View) score(c *chunk, from, to int) {
	s := v.scorer
	for j := from; j < to; j++ {
		a := &v.advFactors[c.advisory[j]]
		ctx := &v.ctxFactors[v.assetContexts[c.asset[j]]]
		state := c.state[j]
		r := s.risk(a, ctx, state)
		c.risk[j], c.due[j] = r, exposure.NoDue
		if exposure.Status(state & 15).Open() {
			c.due[j], _ = s.due.Due(s.bands.Of(r), a.Policy, ctx.Policy, c.day[j], a.KEVDay)
		}
	}
}

// rescore makes new risk and due columns for the whole view on all cores.
// Readers of older views keep theirs.
func (v *View) rescore() {
	fresh := make([]*chunk, len(v.chunks))
	parallel(len(v.chunks), func(k int) {
		c := *v.chunks[k]
		c.risk, c.due = make([]exposure.Risk, chunkRows), make([]uint16, chunkRows)
		v.score(&c, 0, min(chunkRows, v.n-k*chunkRows))
		fresh[k] = &c
	})
	v.chunks = fresh
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
