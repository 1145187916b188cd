package mobilize

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Item is an open finding with what decides how and by whom it is fixed.
type Item struct {
	Finding  exposure.FindingID
	Asset    exposure.AssetID
	Advisory *exposure.Advisory // shared by its findings; nil: nothing is known
	Place    *exposure.Place    // shared too
	Status   exposure.Status
	Risk     exposure.Risk
	Loss     float64 // expected over the horizon, in currency
	DueDay   int     // days since 1970-01-01 UTC; 0: none
	DueRule  string  // what it comes from
	Owner    string  // empty: nobody's
}

// Group makes remediations of findings, most loss removed per effort first,
// then by key. Each finding is to be given once and is in exactly one
// remediation. The order of the findings does not matter to the result.
//
// What is kept while it works is some 50 bytes a finding, and what differs of
// advisories, places and owners.
func Group(items iter.Seq[Item]) []exposure.Remediation {
	g := &grouping{
		weaknesses: map[*exposure.Advisory]*weakness{}, places: map[*exposure.Place]int32{}, stated: map[exposure.Component]int32{},
		termed: map[string]int32{}, numbers: map[string]uint32{"": 0}, texts: []text{{}}, index: map[same]uint32{},
	}
	for it := range items {
		g.add(&it)
	}
	g.collect()
	g.relate()
	return g.finish()
}

// Find returns the remediation with a key.
func Find(all []exposure.Remediation, key string) (exposure.Remediation, bool) {
	i := slices.IndexFunc(all, func(r exposure.Remediation) bool { return r.Key == key })
	if i < 0 {
		return exposure.Remediation{}, false
	}
	return all[i], true
}

// grouping is the work of one Group. Texts are numbered, so that a finding
// costs a few look-ups of numbers and addresses.
type grouping struct {
	weaknesses map[*exposure.Advisory]*weakness
	places     map[*exposure.Place]int32    // numbers of their needs, -1: no component
	stated     map[exposure.Component]int32 // the same, for many places state the same
	needs      []need
	terms      []terms
	termed     map[string]int32
	numbers    map[string]uint32
	texts      []text // by number

	index   map[same]uint32
	groups  []group
	totals  []totals // of the groups
	members []member // as they come; sorted by group and asset after collect
}

// text is a text with a number. When it is a subject, it has a name.
type text struct {
	text string
	name string        // for people, the least of those that were given
	typ  exposure.Type // likewise
}

// same is what the findings of a remediation agree in; numbers of texts.
type same struct {
	kind                 kind
	subject, line, owner uint32
}

// totals of a group are apart from it because each finding adds to them.
type totals struct {
	loss sum
	due  int32
	risk exposure.Risk
	kev  bool
	rule string // what due comes from; of several the first by name

	triaged, claimed int32
}

// group is a remediation in the making.
type group struct {
	same
	members []member
	assets  int // how many
	plan        // of upgrades, see relate
}

// member is a finding of a group.
type member struct {
	group   uint32
	finding exposure.FindingID
	asset   exposure.AssetID
	need    int32 // -1: not of a component
}

// weakness is what an advisory decides.
type weakness struct {
	way
	typ  exposure.Type
	rule uint32
	kev  bool
}

// add puts a finding into its group.
func (g *grouping) add(it *Item) {
	w := g.weakness(it.Advisory)
	s := same{kind: w.otherwise, subject: w.rule, owner: g.number(it.Owner)}
	of := int32(-1)
	if it.Place != nil {
		if !w.byRule {
			of = g.need(it.Place)
		}
		switch at := &it.Place.Location; {
		case of >= 0:
			s.kind, s.subject = w.component, g.needs[of].subject
			if s.kind == upgrade {
				s.line = g.needs[of].line
			}
		case w.typ == exposure.TypeService && at.Port > 0:
			port := portOf(at)
			s.kind, s.subject = closing, g.subject(port, port, w.typ)
		case s.kind == configure && at.Resource != "":
			s.line = g.number(resourceType(at.Resource))
		}
	}
	i, ok := g.index[s]
	if !ok {
		i = uint32(len(g.groups))
		g.index[s] = i
		g.groups = append(g.groups, group{same: s})
		g.totals = append(g.totals, totals{due: math.MaxInt32})
	}
	t := &g.totals[i]
	t.risk, t.kev = max(t.risk, it.Risk), t.kev || w.kev
	t.loss.add(it.Loss)
	switch it.Status {
	case exposure.StatusTriaged:
		t.triaged++
	case exposure.StatusFixClaimed:
		t.claimed++
	}
	if it.DueDay > 0 {
		if day := int32(min(it.DueDay, math.MaxInt32-1)); day < t.due || day == t.due && it.DueRule < t.rule {
			t.due, t.rule = day, it.DueRule
		}
	}
	g.members = append(g.members, member{i, it.Finding, it.Asset, of})
}

func (g *grouping) weakness(a *exposure.Advisory) *weakness {
	w := g.weaknesses[a]
	if w == nil {
		known := a
		if known == nil {
			known = &exposure.Advisory{}
		}
		w = &weakness{way: wayOf(known), typ: known.Type, rule: g.subject(known.Key, called(known), known.Type), kev: known.Threat.KEV()}
		g.weaknesses[a] = w
	}
	return w
}

// need is the number of what the component of a place needs.
func (g *grouping) need(p *exposure.Place) int32 {
	i, ok := g.places[p]
	if ok {
		return i
	}
	i = -1
	if c := p.Component; c.Purl != "" || c.Name != "" {
		c.Path, c.License = "", ""
		if i, ok = g.stated[c]; !ok {
			i = int32(len(g.needs))
			g.needs = append(g.needs, g.needOf(&c))
			g.stated[c] = i
		}
	}
	g.places[p] = i
	return i
}

// number numbers a text.
func (g *grouping) number(s string) uint32 {
	n, ok := g.numbers[s]
	if !ok {
		n = uint32(len(g.texts))
		g.numbers[s] = n
		g.texts = append(g.texts, text{text: s})
	}
	return n
}

// subject numbers the subject of remediations.
func (g *grouping) subject(s, name string, typ exposure.Type) uint32 {
	n := g.number(s)
	t := &g.texts[n]
	if t.name == "" || name < t.name {
		t.name = name
	}
	t.typ = max(t.typ, typ)
	return n
}

// collect brings the members into the order of their groups, and within a
// group of their assets.
func (g *grouping) collect() {
	assets := exposure.AssetID(0)
	for _, m := range g.members {
		assets = max(assets, m.asset)
	}
	if int(assets) < 8*len(g.members)+1<<16 {
		g.members = distributed(g.members, int(assets)+1, func(m *member) int { return int(m.asset) })
	} else { // numbers are dense; these are not
		slices.SortStableFunc(g.members, func(a, b member) int { return cmp.Compare(a.asset, b.asset) })
	}
	g.members = distributed(g.members, len(g.groups), func(m *member) int { return int(m.group) })
	for from := 0; from < len(g.members); {
		r := &g.groups[g.members[from].group]
		to := from
		for to < len(g.members) && g.members[to].group == g.members[from].group {
			if to == from || g.members[to].asset != g.members[to-1].asset {
				r.assets++
			}
			to++
		}
		r.members = g.members[from:to:to]
		from = to
	}
}

// distributed returns the members in the order of a number below n, and in
// their present order where that is the same.
func distributed(members []member, n int, number func(*member) int) []member {
	next := make([]int, n+1)
	for i := range members {
		next[number(&members[i])+1]++
	}
	for i := range n {
		next[i+1] += next[i]
	}
	sorted := make([]member, len(members))
	for i := range members {
		at := &next[number(&members[i])]
		sorted[*at] = members[i]
		*at++
	}
	return sorted
}

// finish tells of the groups what people see, in the order that they are
// worth doing.
func (g *grouping) finish() []exposure.Remediation {
	type rank struct {
		worth float64 // loss removed for the effort
		key   string
		group int
	}
	order := make([]rank, len(g.groups))
	for i := range g.groups {
		r := &g.groups[i]
		key := keyOf(r.kind, g.texts[r.subject].text, g.texts[r.line].text, g.texts[r.owner].text)
		order[i] = rank{g.totals[i].loss.value() / r.effort(), key, i}
	}
	slices.SortFunc(order, func(a, b rank) int { return cmp.Or(cmp.Compare(b.worth, a.worth), strings.Compare(a.key, b.key)) })
	all := make([]exposure.Remediation, len(order))
	ids := make([]exposure.FindingID, 0, len(g.members))
	for i, at := range order {
		r, t := &g.groups[at.group], &g.totals[at.group]
		from := len(ids)
		for _, m := range r.members {
			ids = append(ids, m.finding)
		}
		all[i] = exposure.Remediation{
			Key: at.key, Type: r.kind.String(), Title: r.title(&g.texts[r.subject]), Component: g.texts[r.subject].text, Target: r.target, Also: r.also,
			Owner: g.texts[r.owner].text, Findings: len(r.members), Triaged: int(t.triaged), Claimed: int(t.claimed), Assets: r.assets,
			Risk: t.risk.Points(), Loss: t.loss.value(), Effort: r.effort(), KEV: t.kev, IDs: ids[from:len(ids):len(ids)],
		}
		if t.due < math.MaxInt32 {
			all[i].DueDay, all[i].DueRule = int(t.due), t.rule
		}
		slices.Sort(all[i].IDs)
	}
	return all
}

// sum adds losses exactly, in steps of 2⁻³², so that their order does not
// matter.
type sum struct{ whole, steps uint64 }

// Bounds of one loss and of a sum, in currency.
const (
	maxLoss = 1e15
	maxSum  = 1 << 62
)

func (s *sum) add(loss float64) {
	if !(loss > 0) {
		return
	}
	whole, part := math.Modf(min(loss, maxLoss))
	s.whole += uint64(whole)
	s.steps += uint64(part * (1 << 32))
	s.whole = min(s.whole+s.steps>>32, maxSum)
	s.steps &= 1<<32 - 1
}

func (s *sum) value() float64 { return float64(s.whole) + float64(s.steps)/(1<<32) }
