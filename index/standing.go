package index

import (
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// list fills in the findings that a movement names, and where they stand.
func (c *comparison) list(m *Movement, t *tally) {
	was, is := c.before.riskiest(c.was), c.after.riskiest(c.is)
	t.cutFarthest()
	var ids []exposure.FindingID
	for _, all := range [...][]entry{was, is, t.farthest} {
		for _, e := range all {
			ids = append(ids, e.id)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	rankWas, rankIs := c.before.placed(c.was, ids, t.risksWas), c.after.placed(c.is, ids, t.risksIs)
	mover := func(e entry) Mover {
		r, _ := c.after.Row(e.id)
		return Mover{
			ID: e.id, Asset: r.Asset, Advisory: r.Advisory,
			Before: c.before.standing(e.id, rankWas[e.id]), After: c.after.standing(e.id, rankIs[e.id]),
		}
	}
	for _, e := range is {
		m.Top = append(m.Top, mover(e))
	}
	for _, e := range was {
		if rank := rankIs[e.id]; rank == 0 || rank > leading {
			m.Dropped = append(m.Dropped, mover(e))
		}
	}
	for _, e := range t.farthest {
		m.Farthest = append(m.Farthest, mover(e))
	}
}

func (v *View) standing(id exposure.FindingID, rank int) Standing {
	r, _ := v.Row(id)
	s := Standing{Risk: r.Risk, Band: r.Band, Due: r.Due, Rule: r.DueRule, Owner: v.owners[v.assets[r.Asset].owner], Rank: rank}
	if rank == 0 {
		s.Band = Outside
	}
	return s
}

// riskiest are the first findings of a plan in the order of lists.
func (v *View) riskiest(p *plan) []entry {
	key, err := v.sortKey(Sort{})
	if err != nil {
		return nil
	}
	var bound bound
	tops := make([]top, len(v.chunks))
	parallel(len(v.chunks), func(k int) { tops[k] = v.topOf(p, k, key, entry{}, leading, &bound) })
	var all []entry
	for _, t := range tops {
		all = append(all, t.best...)
	}
	slices.SortFunc(all, entry.compare)
	return all[:min(len(all), leading)]
}

// placed are the ranks of findings among what a plan selects: how many are
// riskier, or as risky and have a smaller number, and one more. risks counts
// what is selected by its risk. What is not selected has no place.
func (v *View) placed(p *plan, ids []exposure.FindingID, risks []uint32) map[exposure.FindingID]int {
	slots, values := make([]uint8, 1<<16), []exposure.Risk{0} // of the risks that are asked for, from 1
	var slotted [leading*3 + 1]uint8
	for i, id := range ids {
		r, _ := v.Row(id)
		if slots[r.Risk] == 0 {
			slots[r.Risk] = uint8(len(values))
			values = append(values, r.Risk)
		}
		slotted[i] = slots[r.Risk]
	}
	// Of each chunk, how many of these risks it has.
	counts := make([][]uint32, len(v.chunks))
	ours := make([][]exposure.FindingID, len(v.chunks))
	for _, id := range ids {
		k := int(id-1) / chunkRows
		ours[k] = append(ours[k], id)
	}
	first := make([]uint32, len(ids)) // within the chunk, from 1; 0: not selected
	at := make(map[exposure.FindingID]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	parallel(len(v.chunks), func(k int) {
		n, want := make([]uint32, len(values)), ours[k]
		buf := rowBuffers.Get().(*[chunkRows]uint16)
		defer rowBuffers.Put(buf)
		c, base := v.chunks[k], exposure.FindingID(k*chunkRows+1)
		for _, j := range v.match(p, k, buf) {
			slot := slots[c.risk[j]]
			n[slot]++
			for len(want) > 0 && want[0] < base+exposure.FindingID(j) {
				want = want[1:]
			}
			if len(want) > 0 && want[0] == base+exposure.FindingID(j) {
				first[at[want[0]]] = n[slot]
			}
		}
		counts[k] = n
	})
	riskier := make([]int, len(values))
	for i, r := range values[1:] {
		for _, n := range risks[int(r)+1:] {
			riskier[i+1] += int(n)
		}
	}
	ranks := make(map[exposure.FindingID]int, len(ids))
	for i, id := range ids {
		if first[i] == 0 {
			continue
		}
		rank := riskier[slotted[i]] + int(first[i])
		for _, n := range counts[:int(id-1)/chunkRows] {
			rank += int(n[slotted[i]])
		}
		ranks[id] = rank
	}
	return ranks
}
