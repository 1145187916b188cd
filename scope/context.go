package scope

import (
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// Context says what the programme means for an asset. It may be called by
// many at once. Of the asset it reads kind, name, operating system,
// identifiers and the owner that a person assigned.
//
// Rules are applied in the order of the file, then exclusions, then scopes. The
// tier is the last one that a rule states, else that of the most critical
// service. The owner is the last one that a rule states, else that of the most
// critical service that has one; of equals the first in the file. An assigned owner goes
// over all of them, also where selectors ask for the owner. The loss is
// the sum over all services. Tags, services and scopes come in the order in
// which the file first names them. An excluded asset is in no scope.
func (p *Programme) Context(a *exposure.Asset) exposure.Context {
	if a == nil {
		return exposure.Context{}
	}
	if p == nil || p.rules == nil {
		return exposure.Context{Owner: a.Assigned}
	}
	c := p.rules
	x := c.pool.Get().(*state)
	defer c.release(x)
	c.run(x, a, false)
	return c.context(x)
}

// state is what is known of one asset while the rules are applied.
type state struct {
	subject
	candidates
	tags, services, stops set
	owners                set // that the asset had at some time
	assigned              int32
	reaches, tiers        uint32
	effect                []float64 // by number of control
	reach                 exposure.Reach
	stated                struct { // by rules
		tier  int
		owner int32
	}
	inherited struct { // from services
		tier      int
		owner     int32
		ownerRank int32 // of the service that gave the owner; the least counts
	}
	compiled *compiled
	// What matched, see run.
	matched  []int32 // rules
	excluded []int32 // exclusions
	scopes   []int32
}

func newState(c *compiled) *state {
	longest := max(len(c.rules.all), len(c.exclusions.all), len(c.scopes.all))
	return &state{
		candidates: candidates{words: make([]uint64, 0, (longest+63)>>6)},
		tags:       newSet(len(c.tags.names)), services: newSet(len(c.services)), stops: newSet(len(c.controls.names)), owners: newSet(len(c.owners.names)),
		effect:   make([]float64, len(c.controls.names)),
		compiled: c,
	}
}

func (c *compiled) release(x *state) {
	x.subject.asset, x.subject.name, x.subject.os = nil, "", ""
	clear(x.subject.values)
	c.pool.Put(x)
}

func (x *state) reset(a *exposure.Asset) {
	x.look(a)
	x.tags.reset()
	x.services.reset()
	x.stops.reset()
	x.owners.reset()
	x.reaches, x.tiers = 0, 0
	x.reach = exposure.ReachUnknown
	x.assigned = x.compiled.assigned(a)
	x.stated.tier, x.stated.owner = 0, 0
	x.inherited.tier, x.inherited.owner, x.inherited.ownerRank = 0, 0, 0
	x.matched, x.excluded, x.scopes = x.matched[:0], x.excluded[:0], x.scopes[:0]
}

// tier is that of the asset by the rules so far.
func (x *state) tier() int {
	if x.stated.tier > 0 {
		return x.stated.tier
	}
	return x.inherited.tier
}

// assigned is the number of the owner that a person gave an asset, 0 for none.
func (c *compiled) assigned(a *exposure.Asset) int32 {
	if a.Assigned == "" {
		return 0
	}
	if n, known := c.owners.numbers[fold(a.Assigned)]; known {
		return n
	}
	return c.stranger
}

// owner is that of the asset by the rules so far.
func (x *state) owner() int32 {
	if x.assigned > 0 {
		return x.assigned
	}
	if x.stated.owner > 0 {
		return x.stated.owner
	}
	return x.inherited.owner
}

// run applies the programme. It ends at the first exclusion that matches; with
// all it finds every one, and the scopes that would hold the asset.
func (c *compiled) run(x *state, a *exposure.Asset, all bool) {
	x.reset(a)
	c.rules.start(&x.candidates, &x.subject)
	c.turn(x, -1)
	for n, more := x.next(); more; n, more = x.next() {
		if c.rules.all[n].match(x) {
			x.matched = append(x.matched, n)
			c.apply(x, n)
		}
	}
	c.begin(&c.exclusions, x)
	for n, more := x.next(); more; n, more = x.next() {
		if c.exclusions.all[n].match(x) {
			if x.excluded = append(x.excluded, n); !all {
				return
			}
		}
	}
	c.begin(&c.scopes, x)
	for n, more := x.next(); more; n, more = x.next() {
		if c.scopes.all[n].match(x) {
			x.scopes = append(x.scopes, n)
		}
	}
}

// begin collects the candidates of a list that is asked after all rules.
func (c *compiled) begin(f *finder, x *state) {
	f.start(&x.candidates, &x.subject)
	for _, t := range x.tags.members {
		f.follow(&x.candidates, givenTag, t, -1)
	}
	for _, s := range x.services.members {
		f.follow(&x.candidates, givenService, s, -1)
	}
	f.follow(&x.candidates, givenOwner, x.owner(), -1)
	f.follow(&x.candidates, givenReach, int32(x.reach), -1)
	f.follow(&x.candidates, givenTier, int32(x.tier()), -1)
}

// turn looks for rules after the given one that demand the owner, reach or
// tier that the asset has now. Rules that were found once stay candidates, so
// each value is followed the first time only, however often it comes back.
func (c *compiled) turn(x *state, rule int32) {
	if owner := x.owner(); x.owners.add(owner) {
		c.rules.follow(&x.candidates, givenOwner, owner, rule)
	}
	if bit := uint32(1) << x.reach; x.reaches&bit == 0 {
		x.reaches |= bit
		c.rules.follow(&x.candidates, givenReach, int32(x.reach), rule)
	}
	if bit := uint32(1) << x.tier(); x.tiers&bit == 0 {
		x.tiers |= bit
		c.rules.follow(&x.candidates, givenTier, int32(x.tier()), rule)
	}
}

// apply takes up what a rule says, and which later rules may match by it.
func (c *compiled) apply(x *state, rule int32) {
	a := &c.actions[rule]
	for _, t := range a.tags {
		if x.tags.add(t) {
			c.rules.follow(&x.candidates, givenTag, t, rule)
		}
	}
	for _, s := range a.services {
		if x.services.add(s) {
			x.inherit(&c.services[s], s)
			c.rules.follow(&x.candidates, givenService, s, rule)
		}
	}
	for _, s := range a.controls {
		x.stops.add(s.number)
		x.effect[s.number] = s.stops
	}
	if a.owner > 0 {
		x.stated.owner = a.owner
	}
	if a.tier > 0 {
		x.stated.tier = a.tier
	}
	if a.reach != exposure.ReachUnknown {
		x.reach = a.reach
	}
	c.turn(x, rule)
}

// inherit takes tier and owner of a service when it is the most critical so
// far. A service without tier is less critical than any with one.
func (x *state) inherit(s *service, number int32) {
	if s.tier > 0 && (x.inherited.tier == 0 || s.tier < x.inherited.tier) {
		x.inherited.tier = s.tier
	}
	if s.owner == 0 {
		return
	}
	rank := number + 1
	if s.tier == 0 {
		rank += noTier << tierShift
	} else {
		rank += int32(s.tier) << tierShift
	}
	if x.inherited.owner == 0 || rank < x.inherited.ownerRank {
		x.inherited.owner, x.inherited.ownerRank = s.owner, rank
	}
}

// A rank is the tier, then the place in the file.
const (
	tierShift = 24 // more than maxItems services
	noTier    = 5
)

// context is what came out, in slices of its own.
func (c *compiled) context(x *state) exposure.Context {
	out := exposure.Context{
		Reach: x.reach, Tier: x.tier(), Owner: c.owners.names[x.owner()],
		Excluded: len(x.excluded) > 0, Controls: x.controls(),
	}
	slices.Sort(x.tags.members)
	slices.Sort(x.services.members)
	out.Tags = pick(x.tags.members, func(n int32) string { return c.tags.names[n] })
	out.Services = pick(x.services.members, func(n int32) string { return c.services[n].name })
	for _, n := range x.services.members {
		loss := c.services[n].loss
		if c.services[n].byTier && x.stated.tier > 0 {
			loss = c.tierLoss[x.stated.tier]
		}
		out.Loss = out.Loss.Add(loss)
		out.Data, out.Regulations = union(out.Data, c.services[n].data), union(out.Regulations, c.services[n].regulations)
	}
	if x.assigned == c.stranger && x.assigned > 0 {
		out.Owner = x.asset.Assigned
	}
	out.Scopes = pick(x.scopes, func(n int32) string { return c.scopeNames[n] })
	return out
}

// union appends what is not there yet. Contexts are shared, so the lists of a
// service are never appended to.
func union(to, more []string) []string {
	for _, m := range more {
		if !slices.Contains(to, m) {
			to = append(to[:len(to):len(to)], m)
		}
	}
	return to
}

// controls is 1 − ∏(1 − effectiveness·coverage), added up so that a single
// control is exactly itself.
func (x *state) controls() float64 {
	stopped := 0.0
	slices.Sort(x.stops.members)
	for _, n := range x.stops.members {
		stopped += x.effect[n] - stopped*x.effect[n]
	}
	return min(max(stopped, 0), 1)
}

func pick(numbers []int32, name func(int32) string) []string {
	if len(numbers) == 0 {
		return nil
	}
	names := make([]string, len(numbers))
	for i, n := range numbers {
		names[i] = name(n)
	}
	return names
}

// set is a set of small numbers that is emptied at no cost.
type set struct {
	members []int32
	round   []uint32 // by number, in which it was added
	now     uint32
}

func newSet(size int) set { return set{round: make([]uint32, size)} }

func (s *set) reset() {
	s.members = s.members[:0]
	if s.now++; s.now == 0 {
		clear(s.round)
		s.now = 1
	}
}

func (s *set) has(n int32) bool { return s.round[n] == s.now }

func (s *set) add(n int32) bool {
	if s.has(n) {
		return false
	}
	s.round[n] = s.now
	s.members = append(s.members, n)
	return true
}

// hasAny reports whether one of the sorted numbers is in the set.
func (s *set) hasAny(sorted []int32) bool {
	if len(sorted) > len(s.members) {
		return slices.ContainsFunc(s.members, func(n int32) bool { return contains(sorted, n) })
	}
	return slices.ContainsFunc(sorted, s.has)
}
