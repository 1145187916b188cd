package index

import (
	"runtime"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// AssetAt returns asset id, nil where the number is not in use. more is false
// after the last number.
func (v *View) AssetAt(id exposure.AssetID) (a *exposure.Asset, more bool) {
	if int(id) >= len(v.assets) {
		return nil, false
	}
	return v.assets[id].Asset, true
}

// AssetMatches reports whether the lower-case text stands in the asset's name
// or an identifier.
func (v *View) AssetMatches(id exposure.AssetID, text string) bool {
	return strings.Contains(v.assets[id].text, text)
}

// ByAsset counts the matches of a filter for each asset that has any.
func (v *View) ByAsset(f exposure.Filter, today uint16) map[exposure.AssetID]*Group {
	p, err := v.compile(&f, today)
	if err != nil {
		return nil
	}
	workers := min(runtime.GOMAXPROCS(0), max(1, len(v.chunks)))
	parts := make([][]Group, workers)
	parallel(workers, func(w int) {
		cells, buf := make([]Group, len(v.assets)), new([chunkRows]uint16)
		for k := w; k < len(v.chunks); k += workers {
			c := v.chunks[k]
			for _, j := range v.match(p, k, buf) {
				g := &cells[c.asset.at(int(j))]
				g.Count++
				g.Loss += float64(v.scorer.loss[c.risk[j]])
				g.Worst = max(g.Worst, c.risk[j])
				g.KEV += bit(v.advFactors[c.advisory.at(int(j))].KEVDay != 0)
				g.Overdue += bit(c.due[j] < today)
			}
		}
		parts[w] = cells
	})
	out := map[exposure.AssetID]*Group{}
	for i := range v.assets {
		g := &parts[0][i]
		for _, part := range parts[1:] {
			g.add(&part[i])
		}
		if g.Count > 0 {
			out[exposure.AssetID(i)] = g
		}
	}
	return out
}

// Owner returns the name of an owner as it is known, where only the case
// differs; else the name itself.
func (v *View) Owner(name string) string {
	for _, known := range v.owners {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return name
}

// Owners returns the names of the owners of assets, in no particular order.
func (v *View) Owners() []string {
	used := make([]bool, len(v.owners))
	for i := range v.assets {
		used[v.assets[i].owner] = v.assets[i].Asset != nil || used[v.assets[i].owner]
	}
	all := []string{}
	for i, name := range v.owners {
		if used[i] && name != "" {
			all = append(all, name)
		}
	}
	return all
}

// AssetFilter returns a test of assets by a filter whose terms all speak of
// assets: name, kind, team, tag, service, scope, tier, reach and demo. Unlike a
// list of findings it leaves out no asset that the programme excludes.
func (v *View) AssetFilter(f exposure.Filter) (matches func(exposure.AssetID) bool, err error) {
	for i := range f.Terms {
		if !ofAssets(&f.Terms[i]) {
			return nil, exposure.Errorf(exposure.Invalid, "assets cannot be filtered by %s: use asset, kind, team, tag, service, scope, tier, reach or demo", &f.Terms[i])
		}
	}
	on, err := v.assetsOf(f)
	if err != nil {
		return nil, err
	}
	return func(id exposure.AssetID) bool {
		return int(id) < len(v.assets) && v.assets[id].Asset != nil && (on == nil || on.has(uint32(id)))
	}, nil
}

// ofAssets reports whether a term speaks of assets alone.
func ofAssets(t *exposure.Term) bool {
	switch t.Field {
	case exposure.FieldAsset, exposure.FieldKind, exposure.FieldOwner, exposure.FieldTag, exposure.FieldService, exposure.FieldScope, exposure.FieldTier, exposure.FieldReach, exposure.FieldDemo:
		return true
	}
	return false
}

// assetsOf are the assets that those terms of a filter accept which speak of
// assets; nil: all.
func (v *View) assetsOf(f exposure.Filter) (bitset, error) {
	p := &plan{}
	for i := range f.Terms {
		if !ofAssets(&f.Terms[i]) {
			continue
		}
		if err := v.compileTerm(p, &f.Terms[i], 0); err != nil {
			return nil, err
		}
	}
	return p.assets, nil
}
