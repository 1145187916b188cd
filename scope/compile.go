package scope

import (
	"math"
	"net/netip"
	"slices"
	"sync"

	"github.com/leeward-ctem/leeward/exposure"
)

// compiled is a programme made ready to be asked. It never changes, so many
// may ask at once; what one question needs to remember is in a [state].
type compiled struct {
	tags     dictionary
	owners   dictionary // number 0 is nobody
	stranger int32      // of owners, whom a person named and the programme does not
	controls dictionary
	services []service
	tierLoss [5]exposure.Loss // by tier

	rules      finder
	actions    []action // of rules, by number
	exclusions finder
	scopes     finder
	scopeNames []string

	lines lines
	pool  sync.Pool // of *state
}

// lines are where the entries of the lists begin in the file, and the keys
// below risk stand, by their path.
type lines struct {
	rules, exclusions, scopes []int
	risk                      map[string]int
}

// service is what a business service means for the assets behind it.
type service struct {
	name  string
	tier  int
	owner int32
	loss  exposure.Loss
	// byTier says that nobody stated a loss, so that the tier stands for one:
	// the asset's own when a rule states one.
	byTier            bool
	data, regulations []string
}

// action is what a rule says.
type action struct {
	tags     []int32
	services []int32
	controls []control
	owner    int32
	tier     int
	reach    exposure.Reach
}

// control is a safeguard and the share of attempts it stops.
type control struct {
	number int32
	stops  float64
}

// dictionary numbers names. Names that differ in case only are one; the first
// spelling is kept.
type dictionary struct {
	numbers map[string]int32
	names   []string
	folded  []string
}

func (d *dictionary) number(name string) int32 {
	key := fold(name)
	if n, known := d.numbers[key]; known {
		return n
	}
	if d.numbers == nil {
		d.numbers = map[string]int32{}
	}
	n := int32(len(d.names))
	d.numbers[key] = n
	d.names, d.folded = append(d.names, name), append(d.folded, key)
	return n
}

// find returns the sorted numbers of the names that fit one of the patterns.
func (d *dictionary) find(patterns []string) []int32 {
	found := []int32{}
	for _, p := range patterns {
		p = fold(p)
		if !wild(p) {
			if n, known := d.numbers[p]; known {
				found = append(found, n)
			}
			continue
		}
		for n, name := range d.folded {
			if name != "" && glob(p, name) {
				found = append(found, int32(n))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// nobody is how a selector asks for assets without owner, as in the filter
// language.
const nobody = "none"

func compile(p *Programme, l lines) *compiled {
	c := &compiled{lines: l}
	for tier := range c.tierLoss {
		c.tierLoss[tier] = p.tierLoss(tier)
	}
	c.owners.number("")
	known := dictionary{}
	for i := range p.Services {
		s := &p.Services[i]
		known.number(s.Name)
		c.services = append(c.services, service{s.Name, s.Tier, c.owners.number(s.Owner), p.loss(s), s.Impact == nil && s.Criticality == nil, s.Data, s.Regulations})
	}
	for i := range p.Assets {
		c.actions = append(c.actions, c.action(&p.Assets[i], &known))
	}
	c.stranger = c.owners.number("\x00") // no name is so written
	prepare := func(s *Selector) selector { return c.selector(s, &known) }
	for i := range p.Assets {
		c.rules.add(prepare(&p.Assets[i].Match))
	}
	for i := range p.Exclusions {
		c.exclusions.add(prepare(&p.Exclusions[i].Match))
	}
	for i := range p.Scopes {
		c.scopes.add(prepare(&Selector{Any: p.Scopes[i].In, Not: p.Scopes[i].Out}))
		c.scopeNames = append(c.scopeNames, p.Scopes[i].Name)
	}
	c.pool.New = func() any { return newState(c) }
	return c
}

func (c *compiled) action(r *Rule, known *dictionary) action {
	a := action{owner: c.owners.number(r.Owner), tier: r.Tier, reach: r.Reach}
	for _, t := range r.Tags {
		a.tags = append(a.tags, c.tags.number(t))
	}
	for _, s := range r.Services {
		if n, ok := known.numbers[fold(s)]; ok {
			a.services = append(a.services, n)
		}
	}
	for _, s := range r.Controls {
		stops := min(max(s.Effectiveness*s.Coverage, 0), 1)
		a.controls = append(a.controls, control{c.controls.number(s.Name), stops})
	}
	return a
}

// tierLoss is the loss that a tier stands for, as in prioritize: a third of
// L0·10^((3−tier)/2) for each property. No tier is taken as 3.
func (p *Programme) tierLoss(tier int) exposure.Loss {
	if tier == 0 {
		tier = 3
	}
	third := p.lossUnit() * math.Pow(10, float64(3-tier)/2) / 3
	return exposure.Loss{Confidentiality: third, Integrity: third, Availability: third}
}

// lossUnit is L0.
func (p *Programme) lossUnit() float64 {
	if p.Risk != nil && p.Risk.Loss > 0 {
		return p.Risk.Loss
	}
	return defaultLoss
}

// loss is what is lost with a service: amounts where they are stated, else by
// degree. A degree of 1 is a tenth of L0, of 5 ten times L0; two degrees are a
// factor of ten. One that states neither is rated by its tier: it must not
// count for nothing beside one that states its own.
func (p *Programme) loss(s *Service) exposure.Loss {
	if s.Impact == nil && s.Criticality == nil {
		return p.tierLoss(s.Tier)
	}
	l0 := p.lossUnit()
	amount, degree := Impact{}, Impact{}
	if s.Impact != nil {
		amount = *s.Impact
	}
	if s.Criticality != nil {
		degree = *s.Criticality
	}
	of := func(amount, degree float64) float64 {
		if amount > 0 || degree <= 0 {
			return max(amount, 0)
		}
		return l0 * math.Pow(10, (degree-3)/2)
	}
	return exposure.Loss{
		Confidentiality: of(amount.Confidentiality, degree.Confidentiality),
		Integrity:       of(amount.Integrity, degree.Integrity),
		Availability:    of(amount.Availability, degree.Availability),
	}
}

// selector compiles s. Tags and owners must have their numbers already.
func (c *compiled) selector(s *Selector, known *dictionary) selector {
	x := selector{nets: s.CIDR}
	state := func(p part, stated int) {
		if stated > 0 {
			x.parts |= p
		}
	}
	state(partName, len(s.Name))
	state(partOS, len(s.OS))
	state(partIdentifier, len(s.Identifier))
	state(partCIDR, len(s.CIDR))
	state(partKind, len(s.Kind))
	state(partReach, len(s.Reach))
	state(partTier, len(s.Tier))
	state(partTag, len(s.Tag))
	state(partService, len(s.Service))
	state(partOwner, len(s.Owner))
	x.names, x.os = newWords(s.Name), newWords(s.OS)
	x.ids = newIdentifierWords(s.Identifier)
	x.table = newNetworks(s.CIDR)
	for _, k := range s.Kind {
		x.kinds |= 1 << k
	}
	for _, r := range s.Reach {
		x.reaches |= 1 << r
	}
	for _, t := range s.Tier {
		x.tiers |= 1 << t
	}
	x.tags, x.service, x.owners = c.tags.find(s.Tag), known.find(s.Service), c.owners.find(s.Owner)
	if slices.ContainsFunc(s.Owner, func(o string) bool { return fold(o) == nobody }) {
		x.owners = slices.Insert(x.owners, 0, 0)
	}
	for i := range s.Any {
		x.any = append(x.any, c.selector(&s.Any[i], known))
	}
	for i := range s.Not {
		x.not = append(x.not, c.selector(&s.Not[i], known))
	}
	return x
}

func newIdentifierWords(patterns []string) []identifierWords {
	byKind := map[exposure.IdentifierKind][]string{}
	for _, p := range patterns {
		if kind, rest, ok := splitIdentifier(p); ok {
			byKind[kind] = append(byKind[kind], rest)
		}
	}
	var all []identifierWords
	for _, kind := range append(identifierKinds(), "") {
		if byKind[kind] != nil {
			all = append(all, identifierWords{kind, newWords(byKind[kind])})
		}
	}
	return all
}

// newNetworks indexes prefixes when there are many.
func newNetworks(all []netip.Prefix) *networks {
	if len(all) <= few {
		return nil
	}
	n := &networks{}
	for _, p := range all {
		n.add(p, 0)
	}
	return n
}
