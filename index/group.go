package index

import (
	"cmp"
	"runtime"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// Group is the findings that share a value.
type Group struct {
	Keys    []string // one a dimension
	Count   int
	Loss    float64 // expected loss over the horizon
	Worst   exposure.Risk
	KEV     int
	Overdue int
}

// add takes in what another part of the index has.
func (g *Group) add(h *Group) {
	g.Count, g.Loss, g.Worst, g.KEV, g.Overdue = g.Count+h.Count, g.Loss+h.Loss, max(g.Worst, h.Worst), g.KEV+h.KEV, g.Overdue+h.Overdue
}

// Dimensions are what findings can be grouped by.
func Dimensions() []string {
	return []string{"severity", "band", "status", "team", "asset", "advisory", "tool", "kind", "tier", "reach", "type", "kev"}
}

// Group counts the matches of a filter by one or two dimensions, most loss
// first.
func (v *View) Group(f exposure.Filter, today uint16, by ...string) ([]Group, error) {
	p, err := v.compile(&f, today)
	if err != nil {
		return nil, err
	}
	dims := make([]dimension, len(by))
	for i, name := range by {
		if dims[i], err = v.dimension(name); err != nil {
			return nil, err
		}
	}
	if len(dims) == 0 || len(dims) > 2 {
		return nil, exposure.Errorf(exposure.Invalid, "group by one or two of %v", Dimensions())
	}
	wide := 1
	if len(dims) == 2 {
		wide = dims[1].size
	}
	workers := min(runtime.GOMAXPROCS(0), max(1, len(v.chunks)))
	parts := make([][]Group, workers)
	parallel(workers, func(w int) {
		cells, buf := make([]Group, dims[0].size*wide), new([chunkRows]uint16)
		for k := w; k < len(v.chunks); k += workers {
			c := v.chunks[k]
			for _, row := range v.match(p, k, buf) {
				j := int(row)
				cell := dims[0].of(c, j)
				if wide > 1 {
					cell = cell*wide + dims[1].of(c, j)
				}
				g := &cells[cell]
				g.Count++
				g.Loss += float64(v.scorer.loss[c.risk[j]])
				g.Worst = max(g.Worst, c.risk[j])
				g.KEV += bit(v.advFactors[c.advisory.at(j)].KEVDay != 0)
				g.Overdue += bit(c.due[j] < today)
			}
		}
		parts[w] = cells
	})
	cells := parts[0]
	for _, part := range parts[1:] {
		for i := range part {
			cells[i].add(&part[i])
		}
	}
	var out []Group
	for i, g := range cells {
		if g.Count == 0 {
			continue
		}
		g.Keys = []string{dims[0].name(i / wide)}
		if len(dims) == 2 {
			g.Keys = append(g.Keys, dims[1].name(i%wide))
		}
		out = append(out, g)
	}
	slices.SortFunc(out, mostLoss)
	return out, nil
}

// Facets counts the matches of a filter by each of several dimensions, most
// loss first, in one walk over them. The groups have a count and a loss.
func (v *View) Facets(f exposure.Filter, today uint16, by ...string) ([][]Group, error) {
	p, err := v.compile(&f, today)
	if err != nil {
		return nil, err
	}
	dims := make([]dimension, len(by))
	for i, name := range by {
		if dims[i], err = v.dimension(name); err != nil {
			return nil, err
		}
	}
	workers := min(runtime.GOMAXPROCS(0), max(1, len(v.chunks)))
	type cell struct {
		count int
		loss  float64
	}
	parts := make([][][]cell, workers)
	parallel(workers, func(w int) {
		cells, buf, loss := make([][]cell, len(dims)), new([chunkRows]uint16), make([]float64, chunkRows)
		byAsset, byAdvisory := make([]cell, len(v.assets)), make([]cell, len(v.advisories))
		for d := range dims {
			cells[d] = make([]cell, dims[d].size)
		}
		for k := w; k < len(v.chunks); k += workers {
			c := v.chunks[k]
			rows := v.match(p, k, buf)
			for i, row := range rows {
				loss[i] = float64(v.scorer.loss[c.risk[row]])
				a, adv := &byAsset[c.asset.at(int(row))], &byAdvisory[c.advisory.at(int(row))]
				a.count++
				a.loss += loss[i]
				adv.count++
				adv.loss += loss[i]
			}
			for d := range dims {
				if dims[d].ofAsset != nil || dims[d].ofAdvisory != nil {
					continue
				}
				of, cells := dims[d].of, cells[d]
				for i, row := range rows {
					g := &cells[of(c, int(row))]
					g.count++
					g.loss += loss[i]
				}
			}
		}
		for d := range dims {
			of, from := dims[d].ofAsset, byAsset
			if of == nil {
				of, from = dims[d].ofAdvisory, byAdvisory
			}
			if of == nil {
				continue
			}
			for id := range from {
				if from[id].count > 0 {
					g := &cells[d][of(id)]
					g.count += from[id].count
					g.loss += from[id].loss
				}
			}
		}
		parts[w] = cells
	})
	out := make([][]Group, len(dims))
	for d := range dims {
		for i := range dims[d].size {
			g := Group{}
			for _, part := range parts {
				g.Count, g.Loss = g.Count+part[d][i].count, g.Loss+part[d][i].loss
			}
			if g.Count > 0 {
				g.Keys = []string{dims[d].name(i)}
				out[d] = append(out[d], g)
			}
		}
		slices.SortFunc(out[d], mostLoss)
	}
	return out, nil
}

func mostLoss(a, b Group) int {
	return cmp.Or(cmp.Compare(b.Loss, a.Loss), cmp.Compare(b.Count, a.Count), slices.Compare(a.Keys, b.Keys))
}

// dimension numbers the values of a property.
type dimension struct {
	size int
	of   func(c *chunk, j int) int
	name func(i int) string
	// What is a property of the asset or of the advisory, by the number of it;
	// nil: it is not. There are fewer of them than findings.
	ofAsset, ofAdvisory func(id int) int
}

func (v *View) dimension(name string) (dimension, error) {
	byAsset := func(size int, of func(a asset) int, name func(int) string) dimension {
		return dimension{size: size, of: func(c *chunk, j int) int { return of(v.assets[c.asset.at(j)]) }, name: name, ofAsset: func(id int) int { return of(v.assets[id]) }}
	}
	byAdvisory := func(size int, of func(id int) int, name func(int) string) dimension {
		return dimension{size: size, of: func(c *chunk, j int) int { return of(int(c.advisory.at(j))) }, name: name, ofAdvisory: of}
	}
	switch name {
	case "severity":
		return dimension{size: 8, of: func(c *chunk, j int) int { return int(c.state[j] >> severityShift & 7) }, name: func(i int) string { return exposure.Severity(i).String() }}, nil
	case "band":
		return dimension{size: 5, of: func(c *chunk, j int) int { return int(v.scorer.bands.Of(c.risk[j])) }, name: func(i int) string { return exposure.Band(i).String() }}, nil
	case "status":
		return dimension{size: 16, of: func(c *chunk, j int) int { return int(c.state[j] & 15) }, name: func(i int) string { return exposure.Status(i).String() }}, nil
	case "team":
		return byAsset(len(v.owners), func(a asset) int { return int(a.owner) }, func(i int) string { return v.owners[i] }), nil
	case "asset":
		return dimension{size: len(v.assets), of: func(c *chunk, j int) int { return int(c.asset.at(j)) }, name: func(i int) string { return v.assets[i].Name }}, nil
	case "advisory":
		return dimension{size: len(v.advisories), of: func(c *chunk, j int) int { return int(c.advisory.at(j)) }, name: func(i int) string { return v.advisories[i].Key }}, nil
	case "tool":
		tools := []string{}
		number := make([]int, len(v.sources))
		for i, s := range v.sources {
			at := slices.Index(tools, s.Tool)
			if at < 0 {
				at, tools = len(tools), append(tools, s.Tool)
			}
			number[i] = at
		}
		return dimension{size: len(tools), of: func(c *chunk, j int) int { return number[c.source[j]] }, name: func(i int) string { return tools[i] }}, nil
	case "kind":
		return byAsset(16, func(a asset) int { return int(a.Kind) }, func(i int) string { return exposure.AssetKind(i).String() }), nil
	case "tier":
		return byAsset(16, func(a asset) int { return min(max(a.Context.Tier, 0), 15) }, func(i int) string { return string(rune('0' + i)) }), nil
	case "reach":
		return byAsset(8, func(a asset) int { return int(a.Context.Reach) }, func(i int) string { return exposure.Reach(i).String() }), nil
	case "type":
		return byAdvisory(16, func(id int) int { return int(v.advisories[id].Type) }, func(i int) string { return exposure.Type(i).String() }), nil
	case "kev":
		return byAdvisory(2, func(id int) int { return bit(v.advFactors[id].KEVDay != 0) }, func(i int) string { return [2]string{"false", "true"}[i] }), nil
	}
	return dimension{}, exposure.Errorf(exposure.Invalid, "findings cannot be grouped by %q: use one of %v", name, Dimensions())
}
