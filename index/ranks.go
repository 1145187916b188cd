package index

import (
	"cmp"
	"slices"
	"strings"
)

// ranks are the places of dictionary rows in alphabetical order, so that rows
// sort by a name without comparing texts.
type ranks struct {
	asset, owner, advisory []uint32
}

// order returns the ranks of a view, making them when first asked for. Two
// readers may make them at once; both get the same.
func (v *View) order() *ranks {
	if r := v.ranks.Load(); r != nil && len(r.asset) == len(v.assets) && len(r.advisory) == len(v.advisories) {
		return r
	}
	r := &ranks{
		asset: rank(len(v.assets), func(i int) string {
			if v.assets[i].Asset == nil {
				return ""
			}
			return v.assets[i].Name
		}),
		owner:    rank(len(v.owners), func(i int) string { return v.owners[i] }),
		advisory: rank(len(v.advisories), func(i int) string { return v.advisories[i].Title }),
	}
	v.ranks.Store(r)
	return r
}

func rank(n int, name func(i int) string) []uint32 {
	type entry struct {
		name string
		row  uint32
	}
	all := make([]entry, n)
	for i := range all {
		all[i] = entry{strings.ToLower(name(i)), uint32(i)}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.row, b.row)) })
	out := make([]uint32, n)
	place := uint32(0)
	for i, e := range all {
		if i > 0 && e.name != all[i-1].name {
			place++
		}
		out[e.row] = place
	}
	return out
}
