package intel

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel/match"
)

// matchers are those that were asked for of late. That of npm takes some
// twenty MB, so they are forgotten when nobody asks any more.
type matchers struct {
	mu   sync.Mutex // held while one is made
	made map[string]*match.Matcher
	at   int64 // the changes of kept copies that made knows of
	idle *time.Timer
}

const (
	maxIdle     = 10 * time.Minute
	maxMatchers = 64
)

// Matcher returns what the kept copies say of the packages of an ecosystem, as
// OSV spells it: Go, npm, Debian:12. One without records means that no copy
// speaks of it, and then nothing is known of its packages. It is made on demand,
// kept until a copy changes, and forgotten when it was not asked for in ten
// minutes.
func (k *Keeper) Matcher(ctx context.Context, ecosystem string) (*match.Matcher, error) {
	s := &k.matchers
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := k.changes.Load(); at != s.at || len(s.made) >= maxMatchers {
		s.made, s.at = nil, at
	}
	m := s.made[ecosystem]
	for tries := 0; m == nil; tries++ {
		made, err := k.matcher(ctx, ecosystem)
		if errors.Is(err, errDamaged) && tries == 0 {
			continue // a copy that changed meanwhile does not fit its state
		}
		if err != nil {
			return nil, err
		}
		m = made
	}
	if s.made == nil {
		s.made = map[string]*match.Matcher{}
	}
	s.made[ecosystem] = m
	if s.idle == nil {
		s.idle = time.AfterFunc(maxIdle, s.forget)
	} else {
		s.idle.Reset(maxIdle)
	}
	return m, nil
}

func (s *matchers) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = nil
}

// matcher reads the parts that speak of an ecosystem.
func (k *Keeper) matcher(ctx context.Context, ecosystem string) (*match.Matcher, error) {
	known, err := k.states(ctx)
	if err != nil {
		return nil, err
	}
	base, _, _ := strings.Cut(ecosystem, ":")
	speaks := func(p Part) bool { return slices.Contains(p.Ecosystems, base) }
	g := gathering{builder: match.NewBuilder(ecosystem)}
	for _, f := range k.Registered { // in the order of the registry, so always alike
		state := known[f.Source().Name]
		if !slices.ContainsFunc(state.Parts, speaks) {
			continue
		}
		chunks, err := k.bodies(ctx, &state)
		for i := 0; err == nil && i < len(chunks); i++ {
			if speaks(state.Parts[i]) {
				err = cmp.Or(ctx.Err(), decode(chunks[i], &g))
			}
		}
		if errors.Is(err, errDamaged) {
			return nil, exposure.Errorf(exposure.Unavailable, "the kept copy of the feed %s cannot be read: run `leeward feeds update %s` (%w)", state.Name, state.Name, err)
		}
		if err != nil {
			return nil, err
		}
	}
	return g.builder.Matcher(), nil
}

// gathering is a taker that makes a matcher. What was withdrawn is no
// weakness.
type gathering struct{ builder *match.Builder }

func (g *gathering) wants(ecosystem []byte) bool { return g.builder.Wants(ecosystem) }

func (g *gathering) score(string, uint32, uint32, uint32) error { return nil }

func (g *gathering) fact(f *Fact) error {
	for i := 0; i < len(f.Affected) && !f.Threat.Withdrawn; i++ {
		if err := g.builder.Add(f.ID, f.Aliases, &f.Affected[i]); err != nil {
			return err
		}
	}
	return nil
}

// Concern is a weakness that a version of a package has.
type Concern struct {
	Purl string `json:"purl"`
	match.Package
	ID      string   `json:"id"`                // the canonical name
	Names   []string `json:"names,omitempty"`   // all other ones
	Fixed   []string `json:"fixed,omitempty"`   // the next versions without it
	Unknown bool     `json:"unknown,omitempty"` // whether this version has it cannot be told
}

// Malicious reports whether the package itself is what is wrong, see
// https://github.com/ossf/malicious-packages
func (c *Concern) Malicious() bool {
	return strings.HasPrefix(c.ID, "MAL-") || slices.ContainsFunc(c.Names, func(name string) bool { return strings.HasPrefix(name, "MAL-") })
}

// Unmatched is a package that could not be looked up.
type Unmatched struct {
	Purl   string `json:"purl"`
	Reason string `json:"reason"`
}

// Matched is what the advisories say of packages.
type Matched struct {
	Concerns  []Concern   `json:"concerns"`  // in the order of the packages
	Unmatched []Unmatched `json:"unmatched"` // of these nothing is known: they may be affected
}

// Match looks packages up by their package URLs, each once. A package that
// cannot be looked up is said to be so, and never taken for one without
// weaknesses.
func (k *Keeper) Match(ctx context.Context, purls []string) (all Matched, err error) {
	names, err := k.Snapshot(ctx)
	if err != nil {
		return all, err
	}
	seen := map[string]bool{}
	byEcosystem := map[string]*match.Matcher{} // the cache is smaller than what a list may name
	for _, purl := range purls {
		if seen[purl] {
			continue
		}
		seen[purl] = true
		p, err := match.FromPurl(purl)
		if err != nil {
			all.Unmatched = append(all.Unmatched, Unmatched{purl, err.Error()})
			continue
		}
		m := byEcosystem[p.Ecosystem]
		if m == nil {
			if m, err = k.Matcher(ctx, p.Ecosystem); err != nil {
				return all, err
			}
			byEcosystem[p.Ecosystem] = m
		}
		switch {
		case m.Records() == 0:
			all.Unmatched = append(all.Unmatched, Unmatched{purl, "no kept feed has advisories of " + p.Ecosystem + ": see `leeward feeds update`"})
		default:
			all.Concerns = append(all.Concerns, concerns(names, purl, p, m.Match(p.Name, p.Version))...)
		}
	}
	return all, nil
}

// concerns puts the hits of one package together that mean the same weakness.
func concerns(s *Snapshot, purl string, p match.Package, hits []match.Hit) (all []Concern) {
	for _, h := range hits {
		id := s.Canonical(h.ID)
		i := slices.IndexFunc(all, func(c Concern) bool { return c.ID == id })
		if i < 0 {
			i, all = len(all), append(all, Concern{Purl: purl, Package: p, ID: id, Unknown: true})
		}
		c := &all[i]
		c.Unknown = c.Unknown && h.Unknown
		for _, name := range append([]string{h.ID}, h.Aliases...) {
			if name != id && !slices.Contains(c.Names, name) {
				c.Names = append(c.Names, name)
			}
		}
		for _, v := range h.Fixed {
			if !slices.Contains(c.Fixed, v) {
				c.Fixed = append(c.Fixed, v)
			}
		}
	}
	for i := range all {
		match.Sort(p.Ecosystem, all[i].Fixed)
	}
	return all
}
