package index

import (
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Technology is something that is in use here: an operating system, as the
// scanners call it, or a kind of package by its package URL.
type Technology struct {
	Package bool
	Name    string
	Count   int // assets with the operating system, or open findings in packages
}

// Technologies are what assets with matches of a filter run and what packages
// the matches are in: of each the most frequent, at most limit.
func (v *View) Technologies(f exposure.Filter, today uint16, limit int) ([]Technology, error) {
	p, err := v.compile(&f, today)
	if err != nil {
		return nil, err
	}
	places, on, buf := make([]int, len(v.places)), newBitset(len(v.assets)), new([chunkRows]uint16)
	for k, c := range v.chunks {
		for _, j := range v.match(p, k, buf) {
			places[c.location.at(int(j))]++
			on.set(int(c.asset.at(int(j))))
		}
	}
	systems, packages := map[string]int{}, map[string]int{}
	for i := range v.assets {
		if a := v.assets[i].Asset; a != nil && a.OS != "" && on.has(uint32(i)) {
			systems[a.OS]++
		}
	}
	for i, n := range places {
		rest, purl := strings.CutPrefix(v.places[i].component, "pkg:")
		if kind, _, named := strings.Cut(rest, "/"); purl && named && n > 0 {
			packages[kind] += n
		}
	}
	return append(technologies(false, systems, limit), technologies(true, packages, limit)...), nil
}

func technologies(packages bool, counts map[string]int, limit int) []Technology {
	best := frequent{limit: limit}
	for name, n := range counts {
		best.add(name, n)
	}
	var all []Technology
	for _, x := range best.values {
		all = append(all, Technology{packages, x.Text, x.Count})
	}
	return all
}
