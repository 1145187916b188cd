package intel

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Landscape is what the feeds together say of those who attack: entries and
// how they and the weaknesses are related. Entries of several feeds that mean
// the same are one. It is immutable and safe for concurrent use; the zero
// Landscape and nil are empty.
type Landscape struct {
	names   *names
	alias   []uint32          // of weaknesses, as in [Snapshot]
	entries []entry           // by kind and id
	at      map[uint32]uint32 // where the entry of a name stands in entries
	ahead   []edge            // by from, relation and to
	back    []edge            // the same by to, relation and from, of those that begin at an entry
}

// entry is one thing with the number of its name.
type entry struct {
	n       uint32
	aliases []uint32
	Entry
}

// edge is a relation between two names.
type edge struct {
	from, to uint32
	relation uint8
}

// relations in the order of their numbers.
var relations = [...]Relation{Uses, Exploits, AttributedTo, Mitigates, Counters, PartOf, Serves, EnabledBy, Enables, LeadsTo, OfClass}

func number(r Relation) uint8 { return uint8(slices.Index(relations[:], r)) }

func (b *builder) entry(n uint32, f *Fact) error {
	e := entry{n: n, Entry: *f.Entry}
	for _, alias := range f.Aliases {
		a, err := b.name(alias)
		if err != nil {
			return err
		}
		e.aliases = append(e.aliases, a)
	}
	b.entries = append(b.entries, e)
	return nil
}

// landscape puts entries that mean the same together and turns the edges to
// what is left, and to the canonical names of weaknesses.
func (b *builder) landscape(s *Snapshot) *Landscape {
	l := &Landscape{names: &b.names, alias: s.alias, at: map[uint32]uint32{}}
	same := b.same()
	groups := map[uint32][]*entry{}
	for i := range b.entries {
		root := same.root(b.entries[i].n)
		groups[root] = append(groups[root], &b.entries[i])
	}
	for _, group := range groups {
		l.entries = append(l.entries, b.united(group))
	}
	slices.SortFunc(l.entries, func(x, y entry) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(b.names.at(x.n), b.names.at(y.n)))
	})
	canonical := map[uint32]uint32{} // by root
	for i := range l.entries {
		e := &l.entries[i]
		l.at[e.n] = uint32(i)
		canonical[same.root(e.n)] = e.n
		for _, a := range e.aliases {
			l.at[a] = uint32(i)
		}
	}
	to := func(n uint32) uint32 {
		if c, ok := canonical[same.root(n)]; ok {
			return c
		}
		return s.alias[n]
	}
	for _, e := range b.edges {
		if e := (edge{to(e.from), to(e.to), e.relation}); e.from != e.to {
			l.ahead = append(l.ahead, e)
		}
	}
	slices.SortFunc(l.ahead, edge.compare)
	l.ahead = slices.Clip(slices.Compact(l.ahead))
	for _, e := range l.ahead {
		if _, ok := l.at[e.from]; ok {
			l.back = append(l.back, edge{e.to, e.from, e.relation})
		}
	}
	slices.SortFunc(l.back, edge.compare)
	return l
}

func (e edge) compare(o edge) int {
	return cmp.Or(cmp.Compare(e.from, o.from), cmp.Compare(e.relation, o.relation), cmp.Compare(e.to, o.to))
}

// same finds the entries that mean the same: those that share an id or an
// alias and are of one kind, and two actors, or two of software, of which one
// has the other's name and no third has it.
func (b *builder) same() forest {
	f := forest{}
	kinds := map[uint32]Kind{} // of ids and aliases
	for i := range b.entries {
		e := &b.entries[i]
		for _, n := range append([]uint32{e.n}, e.aliases...) {
			switch kind, taken := kinds[n]; {
			case !taken:
				kinds[n] = e.Kind
				f.unite(e.n, n)
			case kind == e.Kind:
				f.unite(e.n, n)
			}
		}
	}
	named := map[string][]uint32{} // the roots of a kind and name
	for i := range b.entries {
		e := &b.entries[i]
		if e.Kind != KindActor && e.Kind != KindSoftware {
			continue
		}
		for _, name := range append([]string{e.Name}, e.Names...) {
			key := string(e.Kind) + " " + bare(name)
			if root := f.root(e.n); len(bare(name)) >= minName && !slices.Contains(named[key], root) {
				named[key] = append(named[key], root)
			}
		}
	}
	for i := range b.entries { // in the order of the feeds, so always alike
		e := &b.entries[i]
		if e.Kind != KindActor && e.Kind != KindSoftware {
			continue
		}
		// The name by which a feed lists something is that of the whole; other
		// names overlap, and through them everybody would be everybody.
		if roots := named[string(e.Kind)+" "+bare(e.Name)]; len(roots) == 2 {
			f.unite(roots[0], roots[1])
		}
	}
	return f
}

// minName is the least length of a name that can tell two things apart.
const minName = 3

// bare is a name without case, spaces and marks: "APT 29" and "apt-29".
func bare(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// forest holds disjoint sets of numbers.
type forest map[uint32]uint32

func (f forest) root(n uint32) uint32 {
	for {
		up, ok := f[n]
		if !ok || up == n {
			return n
		}
		if over, ok := f[up]; ok {
			f[n] = over
		}
		n = up
	}
}

// unite makes two sets one. Its root is the smaller number: what came first.
func (f forest) unite(x, y uint32) {
	x, y = f.root(x), f.root(y)
	if x != y {
		f[max(x, y)] = min(x, y)
	}
}

// united is one entry of what several feeds say. The first that came names
// it; of the rest everything is added, and the others' names.
func (b *builder) united(group []*entry) entry {
	e := *group[0]
	var names []string
	for _, o := range group {
		names = append(append(names, o.Name), o.Names...)
		e.aliases = append(append(e.aliases[:len(e.aliases):len(e.aliases)], o.n), o.aliases...)
		e.Origin, e.Countries, e.Sectors = joined(e.Origin, o.Origin), joined(e.Countries, o.Countries), joined(e.Sectors, o.Sectors)
		e.Summary, e.URL = cmp.Or(e.Summary, o.Summary), cmp.Or(e.URL, o.URL)
		e.Inferred = e.Inferred && o.Inferred
		e.Ransomware = e.Ransomware || o.Ransomware
		e.FirstDay, e.LastDay = earlier(e.FirstDay, o.FirstDay), max(e.LastDay, o.LastDay)
	}
	e.Names = nil
	seen := map[string]bool{bare(e.Name): true}
	for _, name := range names {
		if key := bare(name); !seen[key] {
			seen[key] = true
			e.Names = append(e.Names, name)
		}
	}
	slices.Sort(e.aliases)
	e.aliases = slices.Compact(e.aliases)
	return e
}

func joined(a, b []string) []string {
	all := append(a[:len(a):len(a)], b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// Landscape is what is known of those who attack.
func (s *Snapshot) Landscape() *Landscape {
	if s.landscape == nil {
		return &Landscape{}
	}
	return s.landscape
}

// Named is an entry with the id that stands for it.
type Named struct {
	ID string `json:"id"`
	Entry
}

// Find returns the entry of an id or alias. Its lists are not to be changed.
func (l *Landscape) Find(id string) (Named, bool) {
	n, ok := l.number(id)
	if !ok {
		return Named{}, false
	}
	i, ok := l.at[n]
	if !ok {
		return Named{}, false
	}
	return l.named(&l.entries[i]), true
}

func (l *Landscape) named(e *entry) Named { return Named{l.names.at(e.n), e.Entry} }

// number is that of the canonical name of an id.
func (l *Landscape) number(id string) (uint32, bool) {
	if l == nil {
		return 0, false
	}
	n, ok := l.names.find(id)
	if !ok {
		return 0, false
	}
	if i, ok := l.at[n]; ok {
		return l.entries[i].n, true
	}
	return l.alias[n], true
}

// All are the entries of a kind, by id.
func (l *Landscape) All(k Kind) iter.Seq[Named] {
	return func(yield func(Named) bool) {
		if l == nil {
			return
		}
		first, _ := slices.BinarySearchFunc(l.entries, k, func(e entry, k Kind) int { return cmp.Compare(e.Kind, k) })
		for i := first; i < len(l.entries) && l.entries[i].Kind == k; i++ {
			if !yield(l.named(&l.entries[i])) {
				return
			}
		}
	}
}

// Linked are the ids that something is related to, in the order in which the
// feeds were read.
func (l *Landscape) Linked(id string, r Relation) []string { return l.follow(id, r, false) }

// Linking are the ids of the entries that are related to something: those who
// use a technique, what counters it.
func (l *Landscape) Linking(id string, r Relation) []string { return l.follow(id, r, true) }

func (l *Landscape) follow(id string, r Relation, back bool) []string {
	n, ok := l.number(id)
	if !ok {
		return nil
	}
	edges := l.ahead
	if back {
		edges = l.back
	}
	want := edge{from: n, relation: number(r)}
	i, _ := slices.BinarySearchFunc(edges, want, edge.compare)
	var ids []string
	for ; i < len(edges) && edges[i].from == n && edges[i].relation == want.relation; i++ {
		ids = append(ids, l.names.at(edges[i].to))
	}
	return ids
}

// Size is how many entries there are.
func (l *Landscape) Size() int {
	if l == nil {
		return 0
	}
	return len(l.entries)
}

// Targets reports whether an entry is said to aim at an organisation, and by
// which words of its profile. An organisation that says only one of sector and
// country is told by that; of one that says both, both must fit, and an entry
// that names only one of them is told by that one.
func (e *Entry) Targets(p exposure.Profile) (sectors, countries []string, ok bool) {
	sectors, countries = common(p.Sectors, e.Sectors), common(p.Countries, e.Countries)
	sector := len(sectors) > 0 || len(p.Sectors) == 0 || len(e.Sectors) == 0
	country := len(countries) > 0 || len(p.Countries) == 0 || len(e.Countries) == 0
	return sectors, countries, sector && country && len(sectors)+len(countries) > 0
}

func common(a, b []string) []string {
	var both []string
	for _, x := range a {
		if slices.Contains(b, x) {
			both = append(both, x)
		}
	}
	return both
}
