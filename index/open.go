package index

import (
	"runtime"

	"github.com/leeward-ctem/leeward/exposure"
)

// Open is what is open of several weaknesses together.
type Open struct {
	Findings int
	Assets   int
	Loss     float64 // expected, over the horizon
	Worst    exposure.Risk
}

// OpenOf counts the matches of a filter by n sets of advisories, of which an
// advisory may be in several: of returns the numbers of those that it is in. It
// takes a bit for each asset and set.
func (v *View) OpenOf(f exposure.Filter, today uint16, n int, of func(*exposure.Advisory) []int) ([]Open, error) {
	p, err := v.compile(&f, today)
	if err != nil {
		return nil, err
	}
	in := make([][]int, len(v.advisories))
	for i, a := range v.advisories {
		if i > 0 {
			in[i] = of(a)
		}
	}
	p.advisories = and(p.advisories, len(v.advisories), func(i int) bool { return len(in[i]) > 0 })
	type part struct {
		open   []Open
		assets []bitset
	}
	workers := min(runtime.GOMAXPROCS(0), max(1, len(v.chunks)))
	parts := make([]part, workers)
	parallel(workers, func(w int) {
		mine := part{make([]Open, n), make([]bitset, n)}
		buf := new([chunkRows]uint16)
		for k := w; k < len(v.chunks); k += workers {
			c := v.chunks[k]
			for _, row := range v.match(p, k, buf) {
				j := int(row)
				for _, s := range in[c.advisory.at(j)] {
					if mine.assets[s] == nil {
						mine.assets[s] = newBitset(len(v.assets))
					}
					o := &mine.open[s]
					o.Findings++
					o.Loss += float64(v.scorer.loss[c.risk[j]])
					o.Worst = max(o.Worst, c.risk[j])
					mine.assets[s].set(int(c.asset.at(j)))
				}
			}
		}
		parts[w] = mine
	})
	out := parts[0]
	for _, other := range parts[1:] {
		for s := range n {
			o, x := &out.open[s], &other.open[s]
			o.Findings, o.Loss, o.Worst = o.Findings+x.Findings, o.Loss+x.Loss, max(o.Worst, x.Worst)
			if out.assets[s] == nil {
				out.assets[s] = other.assets[s]
				continue
			}
			for i, word := range other.assets[s] {
				out.assets[s][i] |= word
			}
		}
	}
	for s, assets := range out.assets {
		out.open[s].Assets = assets.count()
	}
	return out.open, nil
}
