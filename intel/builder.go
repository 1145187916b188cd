package intel

import (
	"cmp"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxLinks bounds the names that are looked at around one. An id that hundreds
// of advisories call their alias says nothing about any of them, and following
// it from each would take their number squared.
const maxLinks = 64

// builder collects the facts of several feeds and makes a snapshot of them. It
// is a taker.
type builder struct {
	model  string
	scored []scored
	names  names
	briefs []brief // by name
	facts  map[uint32]exposure.Threat
	links  []link
	words  vectors

	entries []entry
	edges   []edge
}

// link says that two names are said to be the same weakness.
type link struct{ a, b uint32 }

func newBuilder() *builder { return &builder{facts: map[uint32]exposure.Threat{}} }

// expect makes room for the scores that a copy of n facts may hold.
func (b *builder) expect(n int) { b.scored = slices.Grow(b.scored, min(max(n, 0), maxFacts)) }

func (b *builder) score(model string, cve, score, rank uint32) error {
	if b.model == "" {
		b.model = model
	}
	if b.model == model {
		b.scored = append(b.scored, scored{cve, score, rank})
		return nil
	}
	// Of a second model; there is one only when a feed was put together from
	// several.
	return b.fact(&Fact{ID: unpack(cve), Threat: exposure.Threat{EPSS: probability(score), Percentile: probability(rank), EPSSModel: model}})
}

func (b *builder) fact(f *Fact) error {
	n, err := b.name(f.ID)
	if err != nil {
		return err
	}
	for _, l := range f.Links {
		to, err := b.name(l.To)
		if err != nil {
			return err
		}
		b.edges = append(b.edges, edge{n, to, number(l.Relation)})
	}
	if f.Entry != nil {
		return b.entry(n, f)
	}
	b.merge(n, &f.Threat)
	if f.Threat.Withdrawn {
		b.briefs[n] |= withdrawnBit
	}
	for _, alias := range f.Aliases {
		if alias == f.ID {
			continue
		}
		a, err := b.name(alias)
		if err != nil {
			return err
		}
		b.links = append(b.links, link{n, a})
	}
	return nil
}

func (b *builder) name(id string) (uint32, error) {
	n, err := b.names.add(id)
	if err == nil && b.names.len() > len(b.briefs) {
		b.briefs = append(b.briefs, 0)
	}
	return n, err
}

// merge adds to what is known of a name, all but the withdrawal.
func (b *builder) merge(n uint32, t *exposure.Threat) {
	rest := b.briefs[n].add(t, &b.words)
	if rest == (exposure.Threat{}) {
		return
	}
	known := b.facts[n]
	Merge(&known, &rest)
	b.facts[n] = known
}

// snapshot ends the collection; b is not to be used any more.
func (b *builder) snapshot() *Snapshot {
	byCVE := func(x, y scored) int {
		return cmp.Or(cmp.Compare(x.cve, y.cve), cmp.Compare(x.score, y.score), cmp.Compare(x.rank, y.rank))
	}
	if !slices.IsSortedFunc(b.scored, byCVE) {
		slices.SortFunc(b.scored, byCVE)
	}
	kept := b.scored[:0]
	for i, sc := range b.scored {
		if i+1 < len(b.scored) && b.scored[i+1].cve == sc.cve {
			continue // listed twice: the higher counts
		}
		kept = append(kept, sc)
	}
	if cap(kept)-len(kept) > len(kept)/8 {
		kept = slices.Clone(kept)
	}
	s := &Snapshot{model: b.model, scored: kept, names: &b.names, facts: b.facts, covers: map[uint32][]uint32{}}
	near := neighbours(b.names.len(), b.links)
	s.alias = make([]uint32, b.names.len())
	for _, ghsa := range []bool{true, false} { // other names may lead to a GHSA id, and go on from there
		for n := range s.alias {
			if strings.HasPrefix(b.names.at(uint32(n)), "GHSA-") == ghsa {
				s.alias[n] = b.canonical(uint32(n), near, s)
			}
		}
	}
	// What is known under an alias counts for the canonical name too, but for
	// the date of what was withdrawn: an early date makes a weakness look old,
	// and so less urgent.
	for n, to := range s.alias {
		if to == uint32(n) {
			continue
		}
		t := b.facts[uint32(n)]
		known := b.briefs[n]
		known.to(&t, b.words.all)
		if known.withdrawn() {
			t.PublishedDay = 0
		}
		b.merge(to, &t)
	}
	s.briefs, s.vectors = slices.Clip(b.briefs), b.words.all
	s.landscape = b.landscape(s)
	return s
}

// graph holds for each name the names linked to it.
type graph struct {
	ends []uint32 // where the links of each name end in to
	to   []uint32
}

func neighbours(names int, links []link) graph {
	g := graph{ends: make([]uint32, names+1), to: make([]uint32, 2*len(links))}
	for _, l := range links {
		g.ends[l.a]++
		g.ends[l.b]++
	}
	total := uint32(0)
	for i, n := range g.ends {
		g.ends[i] = total // for now where they start; each link moves it on
		total += n
	}
	for _, l := range links {
		g.to[g.ends[l.a]], g.to[g.ends[l.b]] = l.b, l.a
		g.ends[l.a]++
		g.ends[l.b]++
	}
	return g
}

func (g *graph) of(n uint32) []uint32 {
	start := uint32(0)
	if n > 0 {
		start = g.ends[n-1]
	}
	return g.to[start:g.ends[n]]
}

// canonical is the one name of a weakness: its CVE id when there is exactly
// one, said directly or else by way of another name; a CVE id is its own. A
// name that covers several CVE ids stays itself, because merging them would
// lose findings, and the ids go to s.covers. Without a CVE id the only GHSA id
// is the name, or what s.alias says of that.
func (b *builder) canonical(n uint32, g graph, s *Snapshot) uint32 {
	if strings.HasPrefix(b.names.at(n), "CVE-") {
		return n
	}
	cves := b.around(n, g, "CVE-")
	switch {
	case len(cves) == 1:
		return cves[0]
	case len(cves) > 1:
		if len(cves) <= maxLinks {
			s.covers[n] = cves
		}
		return n
	case strings.HasPrefix(b.names.at(n), "GHSA-"):
		return n
	}
	if ids := b.around(n, g, "GHSA-"); len(ids) == 1 {
		return s.alias[ids[0]]
	}
	return n
}

// around returns the names of a kind that are linked to n, sorted: those
// linked directly, or if there are none, those linked by way of one name of
// another kind.
func (b *builder) around(n uint32, g graph, kind string) []uint32 {
	var found []uint32
	collect := func(from uint32) {
		for _, to := range g.of(from) {
			if to != n && strings.HasPrefix(b.names.at(to), kind) && !slices.Contains(found, to) {
				if found = append(found, to); len(found) > maxLinks {
					return
				}
			}
		}
	}
	collect(n)
	if len(found) == 0 && len(g.of(n)) <= maxLinks {
		for _, by := range g.of(n) {
			if len(g.of(by)) <= maxLinks && !strings.HasPrefix(b.names.at(by), "CVE-") {
				collect(by)
			}
		}
	}
	slices.SortFunc(found, func(x, y uint32) int { return strings.Compare(b.names.at(x), b.names.at(y)) })
	return found
}
