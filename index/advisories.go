package index

import (
	"runtime"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// AdvisoryGroup is the findings of one advisory.
type AdvisoryGroup struct {
	ID exposure.AdvisoryID
	Group
	FirstSeen uint16 // day of its first finding on the assets of the filter, whatever became of that one
}

// ByAdvisory counts the matches of a filter for each advisory that has any, in
// order of their numbers.
func (v *View) ByAdvisory(f exposure.Filter, today uint16) ([]AdvisoryGroup, error) {
	p, err := v.compile(&f, today)
	if err != nil {
		return nil, err
	}
	on, err := v.assetsOf(f)
	if err != nil {
		return nil, err
	}
	workers := min(runtime.GOMAXPROCS(0), max(1, len(v.chunks)))
	parts := make([][]AdvisoryGroup, workers)
	days := make([][]uint16, workers) // apart, because they are looked at for every finding
	parallel(workers, func(w int) {
		cells, first, buf := make([]AdvisoryGroup, len(v.advisories)), make([]uint16, len(v.advisories)), new([chunkRows]uint16)
		for i := range first {
			first[i] = exposure.NoDue
		}
		for k := w; k < len(v.chunks); k += workers {
			c := v.chunks[k]
			for j := range min(chunkRows, v.n-k*chunkRows) {
				if a := c.advisory.at(j); c.day[j] < first[a] && c.state[j]&15 != removed && (on == nil || on.has(c.asset.at(j))) {
					first[a] = c.day[j]
				}
			}
			for _, row := range v.match(p, k, buf) {
				j := int(row)
				g := &cells[c.advisory.at(j)]
				g.Count++
				g.Loss += float64(v.scorer.loss[c.risk[j]])
				g.Worst = max(g.Worst, c.risk[j])
				g.Overdue += bit(c.due[j] < today)
			}
		}
		parts[w], days[w] = cells, first
	})
	var out []AdvisoryGroup
	for i := range v.advisories {
		g := &parts[0][i]
		g.FirstSeen = days[0][i]
		for w, part := range parts[1:] {
			h := &part[i]
			g.Count, g.Loss, g.Worst, g.Overdue, g.FirstSeen = g.Count+h.Count, g.Loss+h.Loss, max(g.Worst, h.Worst), g.Overdue+h.Overdue, min(g.FirstSeen, days[w+1][i])
		}
		if g.Count == 0 {
			continue
		}
		g.ID = exposure.AdvisoryID(i)
		if v.advFactors[i].KEVDay != 0 {
			g.KEV = g.Count
		}
		out = append(out, *g)
	}
	return out, nil
}

// Spread is how far a weakness has spread: the findings that a filter and
// "cve:name" select together, and the assets they are on.
type Spread struct{ Findings, Assets int }

// Spreads returns the spread of each name within a filter. A rule that covers
// several weaknesses counts for each of them, as it does in the list of
// findings.
func (v *View) Spreads(f exposure.Filter, names []string, today uint16) ([]Spread, error) {
	p, err := v.compile(&f, today)
	if err != nil {
		return nil, err
	}
	at := make(map[string][]int, len(names))
	for i, n := range names {
		n = strings.ToLower(n)
		at[n] = append(at[n], i)
	}
	of := make([][]int, len(v.advisories)) // the names that an advisory has
	named := newBitset(len(v.advisories))
	for i, a := range v.advisories {
		note := func(name string) {
			for _, n := range at[strings.ToLower(name)] {
				if !slices.Contains(of[i], n) {
					of[i] = append(of[i], n)
				}
			}
		}
		note(a.Key)
		for _, c := range a.CVEs {
			note(c)
		}
		for _, c := range a.Aliases {
			note(c)
		}
		if of[i] != nil {
			named.set(i)
		}
	}
	p.advisories = and(p.advisories, len(v.advisories), func(i int) bool { return named.has(uint32(i)) })
	out := make([]Spread, len(names))
	assets := make([]bitset, len(names))
	for i := range assets {
		assets[i] = newBitset(len(v.assets))
	}
	buf := new([chunkRows]uint16)
	for k, c := range v.chunks {
		for _, j := range v.match(p, k, buf) {
			for _, n := range of[c.advisory.at(int(j))] {
				out[n].Findings++
				assets[n].set(int(c.asset.at(int(j))))
			}
		}
	}
	for i := range out {
		out[i].Assets = assets[i].count()
	}
	return out, nil
}

// AdvisoryMatches reports whether the lower-case text stands in the advisory's
// title or one of its names.
func (v *View) AdvisoryMatches(id exposure.AdvisoryID, text string) bool {
	return strings.Contains(v.advisoryTexts[id], text)
}

// AdvisoryNamed returns the advisory that is known by a name: by its own, or
// else by one of its aliases; 0 when none is.
func (v *View) AdvisoryNamed(name string) exposure.AdvisoryID {
	also := exposure.AdvisoryID(0)
	for i, a := range v.advisories {
		if i > 0 && strings.EqualFold(a.Key, name) {
			return exposure.AdvisoryID(i)
		}
		for _, n := range a.Aliases {
			if also == 0 && strings.EqualFold(n, name) {
				also = exposure.AdvisoryID(i)
			}
		}
	}
	return also
}
