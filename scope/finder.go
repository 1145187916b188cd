package scope

import (
	"math"
	"math/bits"

	"github.com/leeward-ctem/leeward/exposure"
)

// finder holds the selectors of a list and finds those that may match an
// asset without trying all of them: each is filed under the values that one of
// its parts demands, or else under every kind of asset that it allows.
type finder struct {
	all    []selector
	names  table
	oses   table
	ids    map[exposure.IdentifierKind]*table
	nets   networks
	given  [givens]map[int32][]int32 // by what rules give: number of the value, selectors
	always [kinds + 1][]uint64       // a bit for each selector; the last for kinds that do not exist yet
}

// What rules give an asset.
const (
	givenTag = iota
	givenService
	givenOwner
	givenReach
	givenTier
	givens
)

// kinds is the number of kinds of asset.
const kinds = int(exposure.AssetDataStore) + 1

// What a part costs as the place to look a selector up: the fewer assets
// share the value, the better.
const (
	costExact = iota
	costTag
	costAffix
	costOwner
	costShort // an affix of one or two bytes, a large network, an operating system
	costReach // reach and tier have few values
	costAll   // no value to look up
)

func (f *finder) add(s selector) {
	number := int32(len(f.all))
	f.all = append(f.all, s)
	if s.cost() < costAll {
		f.file(&s, number)
		return
	}
	for kind := range f.always {
		if s.parts&partKind == 0 || s.kinds&(1<<kind) != 0 {
			f.always[kind] = setBit(f.always[kind], number)
		}
	}
}

// best chooses the part to file a selector under; 0 is its any list.
func (s *selector) best() (p part, cost int) {
	cost = costAll
	try := func(q part, c int) {
		if (q == 0 || s.parts&q != 0) && c < cost {
			p, cost = q, c
		}
	}
	ids := 0
	for i := range s.ids {
		ids = max(ids, s.ids[i].words.cost())
	}
	nets := 0
	for _, n := range s.nets {
		if n.Bits() < 16 {
			nets = costShort
		}
	}
	try(partName, s.names.cost())
	try(partIdentifier, ids)
	try(partCIDR, nets)
	try(partTag, costTag)
	try(partService, costTag)
	try(partOwner, costOwner)
	try(partOS, max(s.os.cost(), costShort))
	try(partReach, costReach)
	try(partTier, costReach)
	if len(s.any) > 0 {
		worst := 0
		for i := range s.any {
			worst = max(worst, s.any[i].cost())
		}
		try(0, worst)
	}
	return p, cost
}

func (s *selector) cost() int {
	_, cost := s.best()
	return cost
}

// cost is that of the worst pattern, because one is enough to match.
func (w *words) cost() int {
	cost := costExact
	for _, p := range w.patterns {
		if !wild(p) {
			continue
		}
		prefix, suffix := literals(p)
		switch affix, within := max(len(prefix), len(suffix)), len(inner(p)); {
		case affix == 0 && within < gram:
			return costAll
		case affix == 1, affix == 2:
			cost = costShort
		default:
			cost = max(cost, costAffix)
		}
	}
	return cost
}

func (f *finder) file(s *selector, number int32) {
	p, _ := s.best()
	switch p {
	case partName:
		for _, pattern := range s.names.patterns {
			f.names.add(pattern, number)
		}
	case partIdentifier:
		for i := range s.ids {
			f.fileIdentifiers(&s.ids[i], number)
		}
	case partCIDR:
		for _, n := range s.nets {
			f.nets.add(n, number)
		}
	case partOS:
		for _, pattern := range s.os.patterns {
			f.oses.add(pattern, number)
		}
	case partTag:
		f.fileGiven(givenTag, s.tags, number)
	case partService:
		f.fileGiven(givenService, s.service, number)
	case partOwner:
		f.fileGiven(givenOwner, s.owners, number)
	case partReach:
		f.fileGiven(givenReach, members(s.reaches), number)
	case partTier:
		f.fileGiven(givenTier, members(s.tiers), number)
	default:
		for i := range s.any {
			f.file(&s.any[i], number)
		}
	}
}

func (f *finder) fileIdentifiers(w *identifierWords, number int32) {
	if f.ids == nil {
		f.ids = map[exposure.IdentifierKind]*table{}
	}
	t := f.ids[w.kind]
	if t == nil {
		t = &table{}
		f.ids[w.kind] = t
	}
	for _, pattern := range w.words.patterns {
		t.add(pattern, number)
	}
}

func (f *finder) fileGiven(what int, values []int32, number int32) {
	if f.given[what] == nil {
		f.given[what] = map[int32][]int32{}
	}
	for _, v := range values {
		f.given[what][v] = append(f.given[what][v], number)
	}
}

// members are the numbers of the bits that are set.
func members(set uint32) []int32 {
	var all []int32
	for ; set != 0; set &= set - 1 {
		all = append(all, int32(bits.TrailingZeros32(set)))
	}
	return all
}

// candidates are the numbers of selectors to try, in order.
type candidates struct {
	words []uint64
	word  int // where the next is looked for
}

func setBit(words []uint64, n int32) []uint64 {
	for len(words) <= int(n)>>6 {
		words = append(words, 0)
	}
	words[n>>6] |= 1 << (n & 63)
	return words
}

func (c *candidates) set(n int32) { c.words[n>>6] |= 1 << (n & 63) }

// next takes the lowest number out.
func (c *candidates) next() (n int32, more bool) {
	for ; c.word < len(c.words); c.word++ {
		if w := c.words[c.word]; w != 0 {
			c.words[c.word] = w & (w - 1)
			return int32(c.word<<6 + bits.TrailingZeros64(w)), true
		}
	}
	return math.MaxInt32, false
}

// start puts what may match by what the asset is into c. Selectors filed under
// what rules give come when the asset gets it.
func (f *finder) start(c *candidates, x *subject) {
	c.words, c.word = c.words[:(len(f.all)+63)>>6], 0
	always := f.always[min(int(x.asset.Kind), kinds)]
	clear(c.words[copy(c.words, always):])
	set := func(n int32) bool { c.set(n); return true }
	f.names.each(x.name, set)
	f.oses.each(x.os, set)
	if len(f.ids) > 0 {
		general := f.ids[""]
		for i, value := range x.values {
			if general != nil {
				general.each(value, set)
			}
			if t := f.ids[x.asset.Identifiers[i].Kind]; t != nil {
				t.each(value, set)
			}
		}
	}
	for _, a := range x.addrs {
		f.nets.each(a, set)
	}
}

// follow adds the selectors after the given one that demand a value which the
// asset just got.
func (f *finder) follow(c *candidates, what int, value, after int32) {
	for _, n := range f.given[what][value] {
		if n > after {
			c.set(n)
		}
	}
}
