package scope

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// reference says what a programme means for an asset in the plainest way:
// every rule is tried, names are names, nothing is looked up.
type reference struct {
	p        *Programme
	a        *exposure.Asset
	tags     []string
	services []string
	owner    string
	tier     int
	reach    exposure.Reach
	controls map[string]float64
}

func referenceContext(p *Programme, a *exposure.Asset) exposure.Context {
	r := &reference{p: p, a: a, controls: map[string]float64{}}
	for i := range p.Assets {
		if r.matches(&p.Assets[i].Match) {
			r.apply(&p.Assets[i])
		}
	}
	c := exposure.Context{Reach: r.reach, Tier: r.effectiveTier(), Owner: r.effectiveOwner(), Tags: r.tags, Services: r.services}
	for _, s := range p.Services {
		if slices.Contains(r.services, s.Name) {
			c.Loss = c.Loss.Add(referenceLoss(p, &s, r.tier))
			for _, d := range s.Data {
				if !slices.Contains(c.Data, d) {
					c.Data = append(c.Data, d)
				}
			}
			for _, reg := range s.Regulations {
				if !slices.Contains(c.Regulations, reg) {
					c.Regulations = append(c.Regulations, reg)
				}
			}
		}
	}
	through := 1.0
	for _, stops := range r.controls {
		through *= 1 - stops
	}
	c.Controls = 1 - through
	for i := range p.Exclusions {
		c.Excluded = c.Excluded || r.matches(&p.Exclusions[i].Match)
	}
	for _, s := range p.Scopes {
		if !c.Excluded && slices.ContainsFunc(s.In, func(x Selector) bool { return r.matches(&x) }) && !slices.ContainsFunc(s.Out, func(x Selector) bool { return r.matches(&x) }) {
			c.Scopes = append(c.Scopes, s.Name)
		}
	}
	return c
}

func referenceLoss(p *Programme, s *Service, stated int) exposure.Loss {
	l0 := 100_000.0
	if p.Risk != nil && p.Risk.Loss != 0 {
		l0 = p.Risk.Loss
	}
	amount, degree := &Impact{}, &Impact{}
	if s.Impact != nil {
		amount = s.Impact
	}
	if s.Criticality != nil {
		degree = s.Criticality
	}
	of := func(amount, degree float64) float64 {
		if amount == 0 && degree != 0 {
			return l0 * math.Pow(10, (degree-3)/2)
		}
		return amount
	}
	if s.Impact == nil && s.Criticality == nil {
		tier := map[int]float64{0: 3, 1: 1, 2: 2, 3: 3, 4: 4}[cmp.Or(stated, s.Tier)]
		third := l0 * math.Sqrt(math.Pow(10, 3-tier)) / 3
		return exposure.Loss{Confidentiality: third, Integrity: third, Availability: third}
	}
	return exposure.Loss{
		Confidentiality: of(amount.Confidentiality, degree.Confidentiality),
		Integrity:       of(amount.Integrity, degree.Integrity),
		Availability:    of(amount.Availability, degree.Availability),
	}
}

func (r *reference) apply(u *Rule) {
	for _, t := range u.Tags {
		if !slices.Contains(r.tags, t) {
			r.tags = append(r.tags, t)
		}
	}
	for _, s := range u.Services {
		if !slices.Contains(r.services, s) {
			r.services = append(r.services, s)
		}
	}
	for _, c := range u.Controls {
		r.controls[c.Name] = c.Effectiveness * c.Coverage
	}
	if u.Owner != "" {
		r.owner = u.Owner
	}
	if u.Tier != 0 {
		r.tier = u.Tier
	}
	if u.Reach != exposure.ReachUnknown {
		r.reach = u.Reach
	}
}

func (r *reference) effectiveTier() int {
	if r.tier != 0 {
		return r.tier
	}
	least := 0
	for _, s := range r.p.Services {
		if slices.Contains(r.services, s.Name) && s.Tier != 0 && (least == 0 || s.Tier < least) {
			least = s.Tier
		}
	}
	return least
}

func (r *reference) effectiveOwner() string {
	if r.owner != "" {
		return r.owner
	}
	owner, best := "", math.MaxInt
	for _, s := range r.p.Services {
		tier := s.Tier
		if tier == 0 {
			tier = 9
		}
		if slices.Contains(r.services, s.Name) && s.Owner != "" && tier < best {
			owner, best = s.Owner, tier
		}
	}
	return owner
}

func (r *reference) matches(s *Selector) bool {
	fits := func(patterns []string, texts ...string) bool {
		return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
			return slices.ContainsFunc(texts, func(t string) bool { return glob(strings.ToLower(p), strings.ToLower(t)) })
		})
	}
	var ids []string
	for _, id := range r.a.Identifiers {
		ids = append(ids, id.Value, id.String())
	}
	ofOwner := fits(s.Owner, r.effectiveOwner())
	if r.effectiveOwner() == "" {
		ofOwner = len(s.Owner) == 0 || slices.Contains(s.Owner, "none")
	}
	return fits(s.Name, r.a.Name) && fits(s.OS, r.a.OS) && fits(s.Identifier, ids...) && fits(s.Tag, r.tags...) && fits(s.Service, r.services...) && ofOwner &&
		(len(s.Kind) == 0 || slices.Contains(s.Kind, r.a.Kind)) &&
		(len(s.Reach) == 0 || slices.Contains(s.Reach, r.reach)) &&
		(len(s.Tier) == 0 || slices.Contains(s.Tier, r.effectiveTier())) &&
		(len(s.CIDR) == 0 || slices.ContainsFunc(s.CIDR, func(p netip.Prefix) bool {
			return slices.ContainsFunc(addresses(nil, r.a), p.Contains)
		})) &&
		(len(s.Any) == 0 || slices.ContainsFunc(s.Any, func(x Selector) bool { return r.matches(&x) })) &&
		!slices.ContainsFunc(s.Not, func(x Selector) bool { return r.matches(&x) })
}

// dice makes programmes and assets that have much to do with each other.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 77))} }

func (d dice) one(in int) bool { return d.IntN(in) == 0 }

func some[T any](d dice, most int, make func() T) []T {
	var all []T
	for range d.IntN(most) + 1 {
		all = append(all, make())
	}
	return all
}

func (d dice) name(kind string, of int) string { return fmt.Sprintf("%s-%d", kind, d.IntN(of)) }

func (d dice) pattern() string {
	return []string{d.name("web", 5), d.name("db", 5), "web-*", "*-1", "*", "?b-*", "W*-2", "*b-?", "d*"}[d.IntN(9)]
}

func (d dice) prefix() netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.1.0/24"), netip.MustParsePrefix("10.0.1.3/32"),
		netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("10.0.2.0/30"),
	}[d.IntN(5)]
}

func (d dice) identifier() string {
	return []string{"hostname:" + d.pattern(), d.pattern(), "ip:10.0.*", "hostname:" + d.name("web", 5), "10.0.1.?", "ip:10.0.1.2"}[d.IntN(6)]
}

func (d dice) selector(depth int) Selector {
	var s Selector
	for range d.IntN(3) + 1 {
		switch d.IntN(12) {
		case 0, 1:
			most := 3
			if d.one(4) {
				most = 12
			}
			s.Name = some(d, most, d.pattern)
		case 2:
			s.Kind = some(d, 2, func() exposure.AssetKind { return exposure.AssetKind(d.IntN(3)) })
		case 3:
			s.CIDR = some(d, 9, d.prefix)
		case 4:
			s.Identifier = some(d, 3, d.identifier)
		case 5:
			s.OS = some(d, 2, func() string { return []string{"linux*", "Windows", "*"}[d.IntN(3)] })
		case 6:
			s.Tag = some(d, 2, func() string { return []string{d.name("tag", 5), "tag-*", "*-2"}[d.IntN(3)] })
		case 7:
			s.Service = some(d, 2, func() string { return []string{d.name("service", 4), "Service-?"}[d.IntN(2)] })
		case 8:
			s.Owner = some(d, 2, func() string { return []string{d.name("team", 4), "none", "*-1"}[d.IntN(3)] })
		case 9:
			s.Reach = some(d, 2, func() exposure.Reach { return exposure.Reach(d.IntN(5)) })
		case 10:
			s.Tier = some(d, 2, func() int { return d.IntN(5) })
		case 11:
			if depth > 0 {
				if d.one(2) {
					s.Any = some(d, 3, func() Selector { return d.selector(depth - 1) })
				} else {
					s.Not = some(d, 2, func() Selector { return d.selector(depth - 1) })
				}
			}
		}
	}
	return s
}

func (d dice) service(i int) Service {
	s := Service{Name: fmt.Sprintf("service-%d", i), Tier: d.IntN(5)}
	if d.one(2) {
		s.Owner = d.name("team", 4)
	}
	if d.one(2) {
		s.Impact = &Impact{float64(d.IntN(3)) * 1000, float64(d.IntN(3)) * 500, 0}
	}
	if d.one(2) {
		s.Criticality = &Impact{float64(d.IntN(6)), 3, float64(d.IntN(6))}
	}
	return s
}

func (d dice) rule() Rule {
	u := Rule{Match: d.selector(2)}
	if d.one(2) {
		u.Tags = some(d, 2, func() string { return d.name("tag", 5) })
	}
	if d.one(2) {
		u.Services = some(d, 2, func() string { return d.name("service", 4) })
	}
	if d.one(3) {
		u.Owner = d.name("team", 4)
	}
	if d.one(4) {
		u.Tier = d.IntN(4) + 1
	}
	if d.one(3) {
		u.Reach = exposure.Reach(d.IntN(5))
	}
	if d.one(3) {
		u.Controls = append(u.Controls, Control{d.name("control", 3), d.Float64(), d.Float64()})
	}
	return u
}

func (d dice) programme() *Programme {
	p := &Programme{}
	for i := range 4 {
		p.Services = append(p.Services, d.service(i))
	}
	p.Assets = some(d, 14, d.rule)
	p.Exclusions = some(d, 3, func() Exclusion { return Exclusion{Match: d.selector(1)} })
	for i := range d.IntN(4) {
		s := Scope{Name: fmt.Sprintf("scope-%d", i), In: some(d, 3, func() Selector { return d.selector(1) })}
		if d.one(2) {
			s.Out = some(d, 2, func() Selector { return d.selector(1) })
		}
		p.Scopes = append(p.Scopes, s)
	}
	if d.one(2) {
		p.Risk = &Risk{Loss: 5000}
	}
	return ready(p)
}

// ready compiles a programme that was not parsed.
func ready(p *Programme) *Programme {
	p.rules = compile(p, lines{make([]int, len(p.Assets)), make([]int, len(p.Exclusions)), make([]int, len(p.Scopes)), nil})
	return p
}

func (d dice) asset() *exposure.Asset {
	a := &exposure.Asset{Name: []string{d.name("web", 5), d.name("db", 5), "Web-1", "10.0.1.3", ""}[d.IntN(5)], Kind: exposure.AssetKind(d.IntN(3)), OS: []string{"", "Linux 6.1", "windows"}[d.IntN(3)]}
	for range d.IntN(3) {
		switch d.IntN(3) {
		case 0:
			a.Identifiers = append(a.Identifiers, exposure.Identifier{Kind: exposure.IDHostname, Value: d.name("web", 5)})
		case 1:
			a.Identifiers = append(a.Identifiers, exposure.Identifier{Kind: exposure.IDIP, Value: fmt.Sprintf("10.0.%d.%d", d.IntN(3), d.IntN(4))})
		case 2:
			a.Identifiers = append(a.Identifiers, exposure.Identifier{Kind: exposure.IDIP, Value: fmt.Sprintf("2001:db8::%d", d.IntN(4))})
		}
	}
	return a
}
