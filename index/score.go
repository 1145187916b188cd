package index

import (
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
	loss     []float32                       // expected loss by risk
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
	return s
}

// risk scores one row. It is the explanation's sum, see prioritize.Explain.
func (s *scorer) risk(a *exposure.AdvisoryFactor, c *exposure.ContextFactor, state uint16) exposure.Risk {
	return s.curve.Risk(a.Log+c.Reach[a.Vector]+s.validity[state>>validityShift&validityBits], c.Loss[a.Impact])
}

// score fills the risk column of rows [from, to) of c into risk.
func (v *View) score(c *chunk, risk []exposure.Risk, from, to int) {
	s := v.scorer
	for j := from; j < to; j++ {
		risk[j] = s.risk(&v.advFactors[c.advisory[j]], &v.ctxFactors[v.assets[c.asset[j]].context], c.state[j])
	}
}

// rescore makes new risk columns for the whole view on all cores. Readers of
// older views keep theirs.
func (v *View) rescore() {
	fresh := make([]*chunk, len(v.chunks))
	parallel(len(v.chunks), func(k int) {
		c := *v.chunks[k]
		c.risk = make([]exposure.Risk, chunkRows)
		v.score(&c, c.risk, 0, min(chunkRows, v.n-k*chunkRows))
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
