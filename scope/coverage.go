package scope

import (
	"iter"

	"github.com/leeward-ctem/leeward/exposure"
)

// Coverage says how much of the estate the programme speaks of. The counts are
// of assets, excluded ones included.
type Coverage struct {
	Total int `json:"total"`
	// InScope are in at least one scope; all that are not excluded when the
	// programme has no scopes.
	InScope     int `json:"in_scope"`
	Excluded    int `json:"excluded"`
	Matched     int `json:"matched"` // by at least one rule
	WithOwner   int `json:"with_owner"`
	WithService int `json:"with_service"`
	WithReach   int `json:"with_reach"`
	// Unspoken are matched by no rule and no exclusion. Scopes do not count:
	// they select, and say nothing of an asset.
	Unspoken int      `json:"unspoken"`
	Examples []string `json:"examples"` // names of unspoken assets, at most 20
	// Idle are the rules, exclusions and scopes that match no asset, at most
	// 100 of IdleCount.
	Idle      []IdleEntry `json:"idle"`
	IdleCount int         `json:"idle_count"`
}

// IdleEntry is an entry of the programme that matches nothing: misspelt, or
// about assets that are gone or not seen yet.
type IdleEntry struct {
	List  string `json:"list"`  // assets, exclusions or scopes: the key of the list in the file
	Index int    `json:"index"` // place in the list, from 0
	Line  int    `json:"line"`  // of the file, from 1
	Text  string `json:"text"`  // what it looks for, shortened
}

// maxIdle bounds the entries listed as idle.
const maxIdle = 100

// Coverage looks at every asset.
func (p *Programme) Coverage(assets iter.Seq[*exposure.Asset]) Coverage {
	v := Coverage{Examples: []string{}, Idle: []IdleEntry{}}
	c := compile(&Programme{}, lines{})
	if p != nil && p.rules != nil {
		c = p.rules
	}
	x := newState(c)
	rules, exclusions, scopes := make([]bool, len(c.rules.all)), make([]bool, len(c.exclusions.all)), make([]bool, len(c.scopes.all))
	for a := range assets {
		c.run(x, a, true)
		mark(rules, x.matched)
		mark(exclusions, x.excluded)
		mark(scopes, x.scopes)
		v.count(a, x)
	}
	// As long as no asset is known, nothing is wrong with a rule.
	if p != nil && p.rules != nil && v.Total > 0 {
		v.idle("assets", rules, c.lines.rules, func(i int) string { return p.Assets[i].Match.String() })
		v.idle("exclusions", exclusions, c.lines.exclusions, func(i int) string { return p.Exclusions[i].Match.String() })
		v.idle("scopes", scopes, c.lines.scopes, func(i int) string { return p.Scopes[i].Name })
	}
	return v
}

// Speaks reports whether a rule or an exclusion of the programme matches the
// asset. Scopes do not count, as in [Coverage].
func (p *Programme) Speaks(a *exposure.Asset) bool {
	if p == nil || p.rules == nil || a == nil {
		return false
	}
	c := p.rules
	x := c.pool.Get().(*state)
	defer c.release(x)
	c.run(x, a, false)
	return len(x.matched) > 0 || len(x.excluded) > 0
}

// Loss is what the organisation loses with the service, in currency: amounts
// where they are stated, else by degree or by tier.
func (p *Programme) Loss(s *Service) exposure.Loss { return p.loss(s) }

func mark(seen []bool, numbers []int32) {
	for _, n := range numbers {
		seen[n] = true
	}
}

func (v *Coverage) count(a *exposure.Asset, x *state) {
	one := func(counter *int, counts bool) {
		if counts {
			*counter++
		}
	}
	excluded := len(x.excluded) > 0
	v.Total++
	one(&v.Excluded, excluded)
	one(&v.InScope, !excluded && (len(x.scopes) > 0 || len(x.compiled.scopes.all) == 0))
	one(&v.Matched, len(x.matched) > 0)
	one(&v.WithOwner, x.owner() > 0)
	one(&v.WithService, len(x.services.members) > 0)
	one(&v.WithReach, x.reach != exposure.ReachUnknown)
	if len(x.matched) == 0 && !excluded {
		if v.Unspoken++; len(v.Examples) < maxExamples {
			v.Examples = append(v.Examples, a.Name)
		}
	}
}

func (v *Coverage) idle(list string, seen []bool, at []int, text func(int) string) {
	for i, used := range seen {
		if used {
			continue
		}
		if v.IdleCount++; len(v.Idle) < maxIdle {
			v.Idle = append(v.Idle, IdleEntry{List: list, Index: i, Line: at[i], Text: cut(text(i))})
		}
	}
}
