package policy

import (
	"encoding/binary"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds of the policies that are in force together. The measured time and
// memory at them are in docs/decisions/0008-policy-tables.md.
const (
	maxPolicies = 32
	maxWeakness = 14      // different conditions about weaknesses: all their combinations are sorted into classes
	maxAsset    = 12      // different conditions about assets
	maxPairs    = 1 << 15 // classes of weaknesses × classes of assets: the table has five cells of eight bytes for each, so that it fits the cache of a core
)

// bandCount is the number of bands, from none to critical.
const bandCount = int(exposure.BandCritical) + 1

// Set are policies in force together: of all that set a date, the earliest
// counts; of equals the first.
type Set struct {
	policies []*Policy
	weakness sorter
	asset    sorter
	due      exposure.DueTable
}

// sorter sorts what conditions ask into classes that no policy tells apart.
type sorter struct {
	parts  []part   // of all policies, each once
	class  []uint16 // by the truth of the parts
	failed uint16   // the class of what could not be evaluated
}

// NewSet puts policies in force. Those that set no dates are left out of the
// table.
func NewSet(all []*Policy) (*Set, error) {
	s := &Set{}
	for _, p := range all {
		if p.Dated() {
			s.policies = append(s.policies, p)
		}
	}
	if len(s.policies) > maxPolicies {
		return nil, exposure.Errorf(exposure.Invalid, "risk: %d policies with due dates are in force, and at most %d are allowed", len(s.policies), maxPolicies)
	}
	layouts := make([]*layout, len(s.policies))
	for i, p := range s.policies {
		layouts[i] = lay(p)
	}
	if err := s.classes(layouts); err != nil {
		return nil, err
	}
	return s, nil
}

// layout is a policy over all combinations of its own parts: the number of the
// rule that holds, by weakness, asset and band. The last combination of each side
// stands for what could not be evaluated.
type layout struct {
	weak, asset     []int // parts of the policy, by bit
	rules           []int16
	weakID, assetID []uint16 // combinations that come to the same have the same number
}

func lay(p *Policy) *layout {
	l := &layout{}
	for i := range p.parts {
		switch p.parts[i].side {
		case weakness:
			l.weak = append(l.weak, i)
		case asset:
			l.asset = append(l.asset, i)
		}
	}
	truth := make([]bool, len(p.parts))
	holds := func(i int) bool { return truth[i] }
	for w := range l.weaks() {
		for a := range l.assets() {
			for b := range bandCount {
				for bit, n := range l.weak {
					truth[n] = w>>bit&1 == 1
				}
				for bit, n := range l.asset {
					truth[n] = a>>bit&1 == 1
				}
				for i := range p.parts {
					if p.parts[i].side == band {
						truth[i] = p.parts[i].bands>>b&1 == 1
					}
				}
				l.rules = append(l.rules, int16(p.find(holds, w == 1<<len(l.weak), a == 1<<len(l.asset))))
			}
		}
	}
	l.weakID, l.assetID = make([]uint16, l.weaks()), make([]uint16, l.assets())
	number(l.weakID, func(w int) (key []byte) {
		for a := range l.assets() {
			key = l.key(key, w, a)
		}
		return key
	})
	number(l.assetID, func(a int) (key []byte) {
		for w := range l.weaks() {
			key = l.key(key, w, a)
		}
		return key
	})
	return l
}

func (l *layout) weaks() int  { return 1<<len(l.weak) + 1 }
func (l *layout) assets() int { return 1<<len(l.asset) + 1 }

// at are the rules of a combination, by band.
func (l *layout) at(w, a int) []int16 {
	i := (w*l.assets() + a) * bandCount
	return l.rules[i : i+bandCount]
}

func (l *layout) key(key []byte, w, a int) []byte {
	for _, r := range l.at(w, a) {
		key = binary.LittleEndian.AppendUint16(key, uint16(r))
	}
	return key
}

// number gives equal keys equal numbers.
func number(ids []uint16, key func(int) []byte) (first []int) {
	seen := map[string]uint16{}
	for i := range ids {
		k := string(key(i))
		id, known := seen[k]
		if !known {
			id = uint16(len(seen))
			seen[k] = id
			first = append(first, i)
		}
		ids[i] = id
	}
	return first
}

// choice is, for each policy, its own combination that a class stands for.
type choice []int

// classes sorts all combinations of all parts and fills the table.
func (s *Set) classes(layouts []*layout) error {
	weak, err := s.weakness.sort(s.policies, layouts, "weaknesses", maxWeakness,
		func(l *layout) ([]int, []uint16) { return l.weak, l.weakID })
	if err != nil {
		return err
	}
	assets, err := s.asset.sort(s.policies, layouts, "assets", maxAsset,
		func(l *layout) ([]int, []uint16) { return l.asset, l.assetID })
	if err != nil {
		return err
	}
	if len(weak)*len(assets) > maxPairs {
		return exposure.Errorf(exposure.Invalid, "risk: the policies in force tell %d kinds of weaknesses and %d kinds of assets apart, and their product may be %d at most: use fewer conditions, or fewer policies", len(weak), len(assets), maxPairs)
	}
	s.fill(layouts, weak, assets)
	return nil
}

// sort collects the parts of one side and numbers the classes of their
// combinations.
func (s *sorter) sort(policies []*Policy, layouts []*layout, what string, most int, of func(*layout) ([]int, []uint16)) ([]choice, error) {
	places := make([][]int, len(layouts)) // by policy and bit: the bit of all
	for i, l := range layouts {
		own, _ := of(l)
		for _, n := range own {
			k := policies[i].parts[n]
			at := slices.IndexFunc(s.parts, func(x part) bool { return x.text == k.text })
			if at < 0 {
				at = len(s.parts)
				s.parts = append(s.parts, k)
			}
			places[i] = append(places[i], at)
		}
	}
	if len(s.parts) > most {
		return nil, exposure.Errorf(exposure.Invalid, "risk: the policies in force have %d different conditions about %s, and at most %d are allowed together: use the same words for the same things, lists as in severity in [\"high\", \"critical\"], or fewer policies", len(s.parts), what, most)
	}
	own := func(policy, all int) int { // combination of a policy within that of all
		n := 0
		if all == 1<<len(s.parts) { // could not be evaluated
			parts, _ := of(layouts[policy])
			return 1 << len(parts)
		}
		for bit, at := range places[policy] {
			n |= all >> at & 1 << bit
		}
		return n
	}
	s.class = make([]uint16, 1<<len(s.parts)+1)
	var choices []choice
	for _, first := range number(s.class, func(all int) (key []byte) {
		for i, l := range layouts {
			_, ids := of(l)
			key = binary.LittleEndian.AppendUint16(key, ids[own(i, all)])
		}
		return key
	}) {
		c := make(choice, len(layouts))
		for i := range layouts {
			c[i] = own(i, first)
		}
		choices = append(choices, c)
	}
	s.failed = s.class[1<<len(s.parts)]
	s.class = s.class[:1<<len(s.parts)]
	return choices, nil
}

// fill lays out which rule binds for each band and pair of classes.
func (s *Set) fill(layouts []*layout, weak, assets []choice) {
	t := exposure.DueTable{Rules: []string{""}, Contexts: len(assets), Policies: len(weak)}
	numbers := make([][]uint16, len(s.policies))
	for i, p := range s.policies {
		for _, r := range p.rules {
			numbers[i] = append(numbers[i], uint16(len(t.Rules)))
			t.Rules = append(t.Rules, RuleName(p.doc.Name, r.name))
		}
	}
	t.Cells = make([]exposure.DueCell, 0, bandCount*len(weak)*len(assets))
	for b := range bandCount {
		for _, w := range weak {
			for _, a := range assets {
				cell := exposure.DueCell{Days: exposure.NoDue, KEVDays: exposure.NoDue}
				for i, p := range s.policies {
					n := layouts[i].at(w[i], a[i])[b]
					if n < 0 || p.rules[n].days == never {
						continue
					}
					days, rule := uint16(p.rules[n].days), numbers[i][n]
					switch {
					case p.rules[n].listed && days < cell.KEVDays:
						cell.KEVDays, cell.KEVRule = days, rule
					case !p.rules[n].listed && days < cell.Days:
						cell.Days, cell.Rule = days, rule
					}
				}
				t.Cells = append(t.Cells, cell)
			}
		}
	}
	s.due = t
}

// RuleName is how a binding rule is named wherever a due date is shown.
func RuleName(policy, rule string) string { return policy + ": " + rule }

// Due is the table.
func (s *Set) Due() *exposure.DueTable { return &s.due }

// Weakness is the class of a weakness.
func (s *Set) Weakness(w *Weakness) uint16 { return s.weakness.of(w, nil) }

// Asset is the class of an asset.
func (s *Set) Asset(a *Asset) uint16 { return s.asset.of(nil, a) }

func (s *sorter) of(w *Weakness, a *Asset) uint16 {
	n := 0
	for i := range s.parts {
		holds, ok := s.parts[i].ask(w, a)
		if !ok {
			return s.failed
		}
		if holds {
			n |= 1 << i
		}
	}
	return s.class[n]
}

// fails reports whether a part cannot be evaluated.
func (s *sorter) fails(w *Weakness, a *Asset) bool {
	return slices.ContainsFunc(s.parts, func(k part) bool { _, ok := k.ask(w, a); return !ok })
}

// Ask evaluates a policy for one finding as the table does: what fails in one
// policy counts as failed in all, because they share classes.
func (s *Set) Ask(p *Policy, w *Weakness, a *Asset, b exposure.Band) Answer {
	return p.ask(w, a, b, s.weakness.fails(w, a), s.asset.fails(w, a))
}

// Classes are how many kinds of weaknesses and assets are told apart.
func (s *Set) Classes() (weaknesses, assets int) { return s.due.Policies, s.due.Contexts }
