package index

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// plan is a filter compiled against one view: sets of dictionary rows and
// masks and ranges over columns, tested in the order of their cost.
type plan struct {
	states     [1 << validityShift]uint8 // 1 for the statuses and severities that match
	verdicts   [16]bool
	risks      bitset // nil: all
	dayLow     uint16
	dayHigh    uint16
	advisories bitset // nil: all
	assets     bitset
	places     bitset
	sources    bitset
	ids        map[exposure.FindingID]bool // nil: all
	notIDs     map[exposure.FindingID]bool
	findings   bitset // by number; nil: all
	dueLow     int
	dueHigh    int
	dueNot     []dueRange
	either     []pair // free texts: the advisory or the asset matches
	empty      bool
}

type dueRange struct{ low, high int }

// pair is a free text: it may match the advisory or the asset.
type pair struct {
	not        bool
	advisories bitset
	assets     bitset
}

const statusSeverity = 1<<validityShift - 1 // the bits of status and severity

// compile makes the plan of a filter. today is the day that ages and due
// dates are counted from.
func (v *View) compile(f *exposure.Filter, today uint16) (*plan, error) {
	p := &plan{dayHigh: math.MaxUint16, dueLow: math.MinInt, dueHigh: math.MaxInt}
	for i := range p.verdicts {
		p.verdicts[i] = true
	}
	statuses, severities := uint16(1<<removed-1), uint16(0xFF)
	if !f.Status() {
		statuses = 1<<exposure.StatusOpen | 1<<exposure.StatusTriaged | 1<<exposure.StatusFixClaimed
		// What the programme excludes is out of scope: shown only when asked for.
		if slices.ContainsFunc(v.contexts, func(c *exposure.Context) bool { return c.Excluded }) {
			p.assets = and(p.assets, len(v.assets), func(i int) bool { return !v.contexts[v.assets[i].context].Excluded })
		}
	}
	for i := range f.Terms {
		t := &f.Terms[i]
		switch t.Field {
		case exposure.FieldStatus:
			statuses &= mask(t, 15)
		case exposure.FieldSeverity:
			severities &= mask(t, 8)
		case exposure.FieldVerdict:
			m := mask(t, 16)
			for i := range p.verdicts {
				p.verdicts[i] = p.verdicts[i] && m>>i&1 == 1
			}
		default:
			if err := v.compileTerm(p, t, today); err != nil {
				return nil, err
			}
		}
	}
	for s := range p.states {
		p.states[s] = uint8(statuses >> (s & 15) & (severities >> (s >> severityShift & 7)) & 1)
	}
	return p, nil
}

// mask returns the numbers a term accepts, of n.
func mask(t *exposure.Term, n int) uint16 {
	var m uint16
	for i := range n {
		if number(t, float64(i)) {
			m |= 1 << i
		}
	}
	return m
}

// number reports whether a term accepts a number, its sign included.
func number(t *exposure.Term, x float64) bool { return compare(t, x) != t.Not }

func compare(t *exposure.Term, x float64) bool {
	for _, n := range t.Numbers {
		var ok bool
		switch t.Op {
		case exposure.Is:
			ok = x == n
		case exposure.Less:
			ok = x < n
		case exposure.LessOrEqual:
			ok = x <= n
		case exposure.Greater:
			ok = x > n
		case exposure.GreaterOrEqual:
			ok = x >= n
		}
		if ok {
			return true
		}
	}
	return false
}

func (v *View) compileTerm(p *plan, t *exposure.Term, today uint16) error {
	advisory := func(keep func(a *exposure.Advisory) bool) {
		p.advisories = and(p.advisories, len(v.advisories), func(i int) bool { return keep(v.advisories[i]) != t.Not })
	}
	asset := func(keep func(a *exposure.Asset) bool) {
		p.assets = and(p.assets, len(v.assets), func(i int) bool { a := v.assets[i].Asset; return a != nil && keep(a) != t.Not })
	}
	switch t.Field {
	case exposure.FieldText:
		words := patterns(t.Values, true)
		p.text(v, pair{t.Not,
			and(nil, len(v.advisories), func(i int) bool { return words[0](v.advisoryTexts[i]) }),
			and(nil, len(v.assets), func(i int) bool { return words[0](v.assets[i].text) })})
	case exposure.FieldTitle:
		words := patterns(t.Values, true)
		advisory(func(a *exposure.Advisory) bool { return anyOf(words, a.Title) })
	case exposure.FieldAdvisory:
		words := patterns(t.Values, false)
		advisory(func(a *exposure.Advisory) bool {
			return anyOf(words, a.Key) || anyOf(words, a.CVEs...) || anyOf(words, a.Aliases...)
		})
	case exposure.FieldKEV:
		advisory(func(a *exposure.Advisory) bool { return compare(t, truth(a.Threat.KEV())) })
	case exposure.FieldKEVDay:
		// What is not listed was not listed on any day.
		advisory(func(a *exposure.Advisory) bool { return a.Threat.KEV() && compare(t, float64(a.Threat.KEVDay)) })
	case exposure.FieldEPSS:
		// No score is neither high nor low: it matches no comparison.
		advisory(func(a *exposure.Advisory) bool { return a.Threat.Scored() && compare(t, a.Threat.EPSS) })
	case exposure.FieldScored:
		advisory(func(a *exposure.Advisory) bool { return compare(t, truth(a.Threat.Scored())) })
	case exposure.FieldRansomware:
		advisory(func(a *exposure.Advisory) bool { return compare(t, truth(a.Threat.Ransomware)) })
	case exposure.FieldExploit:
		advisory(func(a *exposure.Advisory) bool {
			h := &a.Threat
			return compare(t, truth(h.KEV() || h.MetasploitDay+h.NucleiDay+h.ArchiveDay+h.PoCDay > 0))
		})
	case exposure.FieldTechnique:
		words := patterns(t.Values, false)
		advisory(func(a *exposure.Advisory) bool { return anyOf(words, strings.Fields(a.Threat.Techniques)...) })
	case exposure.FieldActor:
		words := patterns(t.Values, false)
		advisory(func(a *exposure.Advisory) bool { return anyOf(words, actorsOf(a)...) })
	case exposure.FieldType:
		advisory(func(a *exposure.Advisory) bool { return compare(t, float64(a.Type)) })
	case exposure.FieldCWE:
		advisory(func(a *exposure.Advisory) bool {
			for _, c := range a.CWEs {
				if compare(t, float64(c)) {
					return true
				}
			}
			return false
		})
	case exposure.FieldAsset:
		words := patterns(t.Values, false)
		p.assets = and(p.assets, len(v.assets), func(i int) bool {
			for text := range strings.SplitSeq(v.assets[i].text, "\n") {
				for _, w := range words {
					if w(text) {
						return !t.Not
					}
				}
			}
			return t.Not && v.assets[i].Asset != nil
		})
	case exposure.FieldKind:
		asset(func(a *exposure.Asset) bool { return compare(t, float64(a.Kind)) })
	case exposure.FieldOwner:
		words := patterns(t.Values, false)
		none := contains(t.Values, "none")
		asset(func(a *exposure.Asset) bool {
			return anyOf(words, a.Context.Owner) || none && a.Context.Owner == ""
		})
	case exposure.FieldTag:
		words := patterns(t.Values, false)
		asset(func(a *exposure.Asset) bool { return anyOf(words, a.Context.Tags...) })
	case exposure.FieldService:
		words := patterns(t.Values, false)
		asset(func(a *exposure.Asset) bool { return anyOf(words, a.Context.Services...) })
	case exposure.FieldScope:
		words := patterns(t.Values, false)
		asset(func(a *exposure.Asset) bool { return anyOf(words, a.Context.Scopes...) })
	case exposure.FieldTier:
		// No tier is neither high nor low: only tier:0 asks for it.
		asset(func(a *exposure.Asset) bool {
			return (a.Context.Tier > 0 || t.Op == exposure.Is) && compare(t, float64(a.Context.Tier))
		})
	case exposure.FieldReach:
		asset(func(a *exposure.Asset) bool { return compare(t, float64(a.Context.Reach)) })
	case exposure.FieldDemo:
		asset(func(a *exposure.Asset) bool { return compare(t, truth(a.Demo)) })
	case exposure.FieldComponent:
		words := patterns(t.Values, true)
		p.places = and(p.places, len(v.places), func(i int) bool {
			return (v.places[i].component != "" && anyOf(words, v.places[i].component)) != t.Not
		})
	case exposure.FieldPort:
		p.places = and(p.places, len(v.places), func(i int) bool {
			return (v.places[i].port != 0 && compare(t, float64(v.places[i].port))) != t.Not
		})
	case exposure.FieldTool, exposure.FieldClass:
		words := patterns(t.Values, false)
		p.sources = and(p.sources, len(v.sources), func(i int) bool {
			if t.Field == exposure.FieldTool {
				return anyOf(words, v.sources[i].Tool) != t.Not
			}
			return anyOf(words, v.sources[i].Class) != t.Not
		})
	default:
		if t.Field.Stored() {
			return p.keepSet(v.n, t)
		}
		return v.compileRange(p, t, today)
	}
	return nil
}

// compileRange takes up the terms over columns of numbers.
func (v *View) compileRange(p *plan, t *exposure.Term, today uint16) error {
	switch t.Field {
	case exposure.FieldRisk:
		p.keepRisks(func(r exposure.Risk) bool { return number(t, float64(r.Points())) })
	case exposure.FieldBand:
		keep := mask(t, 5)
		p.keepRisks(func(r exposure.Risk) bool { return keep>>v.scorer.bands.Of(r)&1 == 1 })
	case exposure.FieldAge:
		p.days(t, func(n float64) float64 { return float64(today) - n }, true)
	case exposure.FieldFirstSeen:
		p.days(t, func(n float64) float64 { return n }, false)
	case exposure.FieldDue:
		low, high := interval(t, math.MinInt32, math.MaxInt32)
		low, high = low+int(today), high+int(today)
		if t.Not {
			p.dueNot = append(p.dueNot, dueRange{low, high})
		} else {
			p.dueLow, p.dueHigh = max(p.dueLow, low), min(p.dueHigh, high)
		}
	case exposure.FieldID:
		set := map[exposure.FindingID]bool{}
		for id := 1; id <= v.n && t.Op != exposure.Is; id++ {
			if compare(t, float64(id)) {
				set[exposure.FindingID(id)] = true
			}
		}
		for _, n := range t.Numbers {
			if t.Op == exposure.Is && n >= 1 && n <= math.MaxUint32 {
				set[exposure.FindingID(n)] = true
			}
		}
		switch {
		case t.Not && p.notIDs == nil:
			p.notIDs = set
		case t.Not:
			maps.Copy(p.notIDs, set)
		case p.ids == nil:
			p.ids = set
		default: // all conditions hold
			maps.DeleteFunc(p.ids, func(id exposure.FindingID, _ bool) bool { return !set[id] })
		}
	default:
		return fmt.Errorf("the index does not know the field %d", t.Field)
	}
	return nil
}

// interval returns the whole numbers that a comparison accepts, the sign of
// the term aside. Several values of Is give their hull: see callers.
func interval(t *exposure.Term, low, high int) (int, int) {
	n := t.Numbers[0]
	switch t.Op {
	case exposure.Less:
		return low, int(math.Ceil(n)) - 1
	case exposure.LessOrEqual:
		return low, int(math.Floor(n))
	case exposure.Greater:
		return int(math.Floor(n)) + 1, high
	case exposure.GreaterOrEqual:
		return int(math.Ceil(n)), high
	}
	return int(n), int(n)
}

// keepRisks narrows to the risks that keep holds for. There are few of them,
// so any condition is a set.
func (p *plan) keepRisks(keep func(exposure.Risk) bool) {
	p.risks = and(p.risks, 1<<16, func(i int) bool { return keep(exposure.Risk(i)) })
}

// text takes up a free text. Mostly it speaks of weaknesses or of assets but
// not of both, and then it is a condition like any other.
func (p *plan) text(v *View, t pair) {
	advisories, assets := t.advisories.count(), t.assets.count()
	switch {
	case advisories >= len(v.advisories)-1: // every weakness
		p.empty = p.empty || t.not
	case assets == 0:
		p.advisories = and(p.advisories, len(v.advisories), func(i int) bool { return t.advisories.has(uint32(i)) != t.not })
	case advisories == 0:
		p.assets = and(p.assets, len(v.assets), func(i int) bool { return t.assets.has(uint32(i)) != t.not })
	default:
		p.either = append(p.either, t)
	}
}

// days narrows the range of the first-seen column. Ages run against dates.
func (p *plan) days(t *exposure.Term, day func(float64) float64, backwards bool) {
	u := *t
	u.Numbers = []float64{day(t.Numbers[0])}
	if backwards {
		u.Op = [...]exposure.Op{exposure.Is, exposure.Greater, exposure.GreaterOrEqual, exposure.Less, exposure.LessOrEqual}[t.Op]
	}
	if t.Not {
		u.Op = [...]exposure.Op{exposure.Is, exposure.GreaterOrEqual, exposure.Greater, exposure.LessOrEqual, exposure.Less}[u.Op]
	}
	low, high := interval(&u, 0, math.MaxUint16)
	if low > high || low > math.MaxUint16 || high < 0 {
		p.empty = true
		return
	}
	p.dayLow, p.dayHigh = max(p.dayLow, uint16(max(low, 0))), min(p.dayHigh, uint16(min(high, math.MaxUint16)))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if strings.EqualFold(l, s) {
			return true
		}
	}
	return false
}

// match returns the rows of chunk k that the plan accepts, in buf. Each test
// is a pass over the rows that are left, without branches that depend on the
// data: they would be mispredicted half the time.
func (v *View) match(p *plan, k int, buf *[chunkRows]uint16) []uint16 {
	if p.none(k) {
		return nil
	}
	c, n := v.chunks[k], min(chunkRows, v.n-k*chunkRows)
	m := 0
	for j, s := range c.state[:n] {
		buf[m&(chunkRows-1)] = uint16(j)
		m += int(p.states[s&statusSeverity])
	}
	rows := buf[:m]
	if p.findings != nil {
		rows = p.numbered(k, rows)
	}
	if p.risks != nil {
		m = 0
		for _, j := range rows {
			rows[m] = j
			m += p.risks.bit(uint32(c.risk[j]))
		}
		rows = rows[:m]
	}
	if p.dayLow > 0 || p.dayHigh < math.MaxUint16 {
		m = 0
		for _, j := range rows {
			rows[m] = j
			d := c.day[j]
			m += bit(d >= p.dayLow) & bit(d <= p.dayHigh)
		}
		rows = rows[:m]
	}
	if p.dueLow != math.MinInt || p.dueHigh != math.MaxInt {
		low, high := uint16(max(0, min(p.dueLow, exposure.NoDue))), uint16(max(0, min(p.dueHigh, exposure.NoDue-1)))
		m = 0
		for _, j := range rows {
			rows[m] = j
			d := c.due[j]
			m += bit(d >= low) & bit(d <= high)
		}
		rows = rows[:m]
	}
	if p.advisories != nil {
		rows = c.advisory.keep(p.advisories, rows)
	}
	if p.assets != nil {
		rows = c.asset.keep(p.assets, rows)
	}
	if p.places != nil {
		rows = c.location.keep(p.places, rows)
	}
	for _, e := range p.either {
		m = 0
		for _, j := range rows {
			rows[m] = j
			m += (e.advisories.bit(c.advisory.at(int(j))) | e.assets.bit(c.asset.at(int(j)))) ^ bit(e.not)
		}
		rows = rows[:m]
	}
	if p.simple() {
		return rows
	}
	return v.matchRest(p, k, rows)
}

// bit is 1 for true; the compiler makes it one instruction.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// simple reports whether match's own tests are all there is.
func (p *plan) simple() bool {
	return p.sources == nil && p.ids == nil && p.notIDs == nil && len(p.dueNot) == 0 && p.verdicts == allVerdicts
}

var allVerdicts = [16]bool{true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true}

// matchRest applies the tests that few filters use.
func (v *View) matchRest(p *plan, k int, rows []uint16) []uint16 {
	c := v.chunks[k]
	keep := rows[:0]
next:
	for _, row := range rows {
		j := int(row)
		if !p.verdicts[c.state[j]>>verdictShift&15] ||
			p.sources != nil && !p.sources.has(uint32(c.source[j])) {
			continue
		}
		id := exposure.FindingID(k*chunkRows + j + 1)
		if p.ids != nil && !p.ids[id] || p.notIDs[id] {
			continue
		}
		for _, r := range p.dueNot {
			if due := int(c.due[j]); due != exposure.NoDue && due >= r.low && due <= r.high {
				continue next
			}
		}
		keep = append(keep, row)
	}
	return keep
}
