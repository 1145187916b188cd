package index

import (
	"cmp"
	"context"
	"runtime"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// Outside is the band of what a filter does not select: in one of two views a
// finding may be out of scope, or of another team.
const Outside = exposure.BandCritical + 1

// leading is how many findings the lists of a movement name.
const leading = 50

// Movement is how the open findings of one view stand in another of the same
// findings. What only one of the views selects enters or leaves; all else that
// is counted is about those that both select.
type Movement struct {
	Before, After Totals
	// Moved are those of which anything people see differs: whether they are
	// selected, points, band, due day or owner.
	Moved                              int
	Entered, Left                      int
	Up, Down                           int                           // more points, fewer points
	Earlier, Later, Appeared, Vanished int                           // due days
	NewlyOverdue, Relieved             int                           // overdue after and not before, before and not after
	Bands                              [Outside + 1][Outside + 1]int // before, after
	Owners                             []OwnerMovement               // those with a finding that moved or went, most of them first
	Handed                             []Handover                    // most findings first
	Rules                              []RuleMovement                // by name, "": without a due day
	Top                                []Mover                       // the riskiest after
	Dropped                            []Mover                       // of the riskiest before, those that are not any more
	Farthest                           []Mover                       // the greatest changes of points
}

// Totals are sums over what one view selects.
type Totals struct {
	Open, Overdue int
	Loss          float64 // expected over the horizon
}

// OwnerMovement is what becomes of an owner's findings. What changes for a
// finding counts for who owns it after; what leaves, for who owned it.
type OwnerMovement struct {
	Owner         string // "": nobody
	Moved         int
	Before, After Totals
	Up, Down      int
	Earlier       int // due earlier than before, or due at all
	Later         int // due later, or not any more
	NewlyOverdue  int
	Came, Went    int // from other owners, to other owners
}

// Handover is findings whose asset goes from one owner to another; "": nobody.
type Handover struct {
	From, To string
	Findings int
}

// RuleMovement is how many findings a rule of policy sets the due day of.
type RuleMovement struct {
	Rule          string
	Before, After int
}

// Standing is where a finding stands in a view.
type Standing struct {
	Risk  exposure.Risk
	Band  exposure.Band // Outside: not selected
	Due   uint16        // day, exposure.NoDue without
	Rule  string
	Owner string
	Rank  int // from 1, the riskiest first; 0: not selected
}

// Mover is a finding in both views.
type Mover struct {
	ID            exposure.FindingID
	Asset         exposure.AssetID
	Advisory      exposure.AdvisoryID
	Before, After Standing
}

// Change is the change of points. What enters or leaves has none.
func (m *Mover) Change() int {
	if m.Before.Rank == 0 || m.After.Rank == 0 {
		return 0
	}
	return m.After.Risk.Points() - m.Before.Risk.Points()
}

// Compare says how the open findings that a filter selects in either of two
// views stand in both. The views must be of the same findings, as v and what
// Under makes of it. Due days before today are overdue. It runs on all cores and
// ends early with ctx.
func Compare(ctx context.Context, before, after *View, f exposure.Filter, today uint16) (Movement, error) {
	if before.n != after.n || before.seq != after.seq {
		return Movement{}, exposure.Errorf(exposure.Internal, "views of different findings cannot be compared: events %d and %d", before.seq, after.seq)
	}
	c := comparison{before: before, after: after, today: today}
	var err error
	if c.was, err = before.compileOpen(&f, today); err != nil {
		return Movement{}, err
	}
	if c.is, err = after.compileOpen(&f, today); err != nil {
		return Movement{}, err
	}
	c.nameOwners()
	c.nameRules()
	workers := min(runtime.GOMAXPROCS(0), max(1, len(before.chunks)))
	tallies := make([]*tally, workers)
	parallel(workers, func(w int) {
		t := newTally(&c)
		for k := w; k < len(before.chunks) && ctx.Err() == nil; k += workers {
			t.chunk(k)
		}
		tallies[w] = t
	})
	if err := ctx.Err(); err != nil {
		return Movement{}, err
	}
	for _, t := range tallies[1:] {
		tallies[0].add(t)
	}
	m := tallies[0].movement()
	c.list(&m, tallies[0])
	return m, ctx.Err()
}

// compileOpen is the plan of a filter for open findings.
func (v *View) compileOpen(f *exposure.Filter, today uint16) (*plan, error) {
	p, err := v.compile(f, today)
	if err != nil {
		return nil, err
	}
	for s := range p.states {
		if !exposure.Status(s & 15).Open() {
			p.states[s] = 0
		}
	}
	return p, nil
}

// comparison is two views and what their numbers have in common.
type comparison struct {
	before, after *View
	was, is       *plan
	today         uint16
	owners        []string
	ownerWas      []uint32 // row of owners by asset
	ownerIs       []uint32
	rules         []string
	ruleWas       []int // row of rules by number of the rule
	ruleIs        []int
}

// nameOwners numbers the owners of both views.
func (c *comparison) nameOwners() {
	numbers := map[string]uint32{}
	of := func(v *View) []uint32 {
		rows := make([]uint32, len(v.owners))
		for i, name := range v.owners {
			n, ok := numbers[name]
			if !ok {
				n = uint32(len(c.owners))
				numbers[name], c.owners = n, append(c.owners, name)
			}
			rows[i] = n
		}
		by := make([]uint32, len(v.assets))
		for i := range v.assets {
			by[i] = rows[v.assets[i].owner]
		}
		return by
	}
	c.ownerWas, c.ownerIs = of(c.before), of(c.after)
}

// nameRules numbers the rules of both models.
func (c *comparison) nameRules() {
	of := func(v *View) []int {
		rows := make([]int, len(v.scorer.due.Rules))
		for i, name := range v.scorer.due.Rules {
			n := slices.Index(c.rules, name)
			if n < 0 {
				n, c.rules = len(c.rules), append(c.rules, name)
			}
			rows[i] = n
		}
		return rows
	}
	c.rules = []string{""}
	c.ruleWas, c.ruleIs = of(c.before), of(c.after)
}

// rule is the number of the rule that sets the due day of row j of c.
func (v *View) rule(c *chunk, j int) int {
	if c.due[j] == exposure.NoDue {
		return 0
	}
	_, rule := v.due(c, j)
	return int(rule)
}

// tally is what one worker counts.
type tally struct {
	*comparison
	m             Movement
	owners        []OwnerMovement // by row of owners
	handed        []uint32        // by asset: findings that both select
	rulesWas      []int
	rulesIs       []int
	risksWas      []uint32 // by risk
	risksIs       []uint32
	farthest      []entry // by the change of points, the greatest first
	bar           entry   // what comes after it is not among the first
	wasBuf, isBuf [chunkRows]uint16
}

func newTally(c *comparison) *tally {
	return &tally{
		comparison: c, owners: make([]OwnerMovement, len(c.owners)), handed: make([]uint32, len(c.ownerWas)),
		rulesWas: make([]int, len(c.rules)), rulesIs: make([]int, len(c.rules)),
		risksWas: make([]uint32, 1<<16), risksIs: make([]uint32, 1<<16),
	}
}

// chunk counts the rows of chunk k that either view selects.
func (t *tally) chunk(k int) {
	was, is := t.before.match(t.was, k, &t.wasBuf), t.after.match(t.is, k, &t.isBuf)
	x, y := t.before.chunks[k], t.after.chunks[k]
	for len(was) > 0 || len(is) > 0 {
		switch {
		case len(is) == 0 || len(was) > 0 && was[0] < is[0]:
			t.left(x, int(was[0]))
			was = was[1:]
		case len(was) == 0 || is[0] < was[0]:
			t.entered(y, int(is[0]))
			is = is[1:]
		default:
			t.both(x, y, int(is[0]), exposure.FindingID(k*chunkRows+int(is[0])+1))
			was, is = was[1:], is[1:]
		}
	}
}

func (t *tally) wasIn(c *chunk, j int) *OwnerMovement {
	o := &t.owners[t.ownerWas[c.asset.at(j)]]
	o.Before.Open++
	o.Before.Overdue += bit(c.due[j] < t.today)
	o.Before.Loss += float64(t.before.scorer.loss[c.risk[j]])
	t.rulesWas[t.ruleWas[t.before.rule(c, j)]]++
	t.risksWas[c.risk[j]]++
	return o
}

func (t *tally) isIn(c *chunk, j int) *OwnerMovement {
	o := &t.owners[t.ownerIs[c.asset.at(j)]]
	o.After.Open++
	o.After.Overdue += bit(c.due[j] < t.today)
	o.After.Loss += float64(t.after.scorer.loss[c.risk[j]])
	t.rulesIs[t.ruleIs[t.after.rule(c, j)]]++
	t.risksIs[c.risk[j]]++
	return o
}

func (t *tally) left(c *chunk, j int) {
	t.wasIn(c, j).Moved++
	t.m.Left++
	t.m.Bands[t.before.scorer.bands.Of(c.risk[j])][Outside]++
}

func (t *tally) entered(c *chunk, j int) {
	t.isIn(c, j).Moved++
	t.m.Entered++
	t.m.Bands[Outside][t.after.scorer.bands.Of(c.risk[j])]++
}

func (t *tally) both(x, y *chunk, j int, id exposure.FindingID) {
	old, now := t.wasIn(x, j), t.isIn(y, j)
	from, to := t.before.scorer.bands.Of(x.risk[j]), t.after.scorer.bands.Of(y.risk[j])
	t.m.Bands[from][to]++
	moved := from != to
	if old != now {
		moved = true
		old.Went++
		now.Came++
		t.handed[x.asset.at(j)]++
	}
	if was, is := x.risk[j].Points(), y.risk[j].Points(); was != is {
		moved = true
		up := bit(is > was)
		t.m.Up, t.m.Down = t.m.Up+up, t.m.Down+1-up
		now.Up, now.Down = now.Up+up, now.Down+1-up
		t.far(entry{uint32(1000 - max(is-was, was-is)), id})
	}
	if was, is := x.due[j], y.due[j]; was != is {
		moved = true
		t.redue(was, is, now)
	}
	now.Moved += bit(moved)
}

// redue counts a due day that changed. No due day is the latest of all.
func (t *tally) redue(was, is uint16, o *OwnerMovement) {
	switch {
	case was == exposure.NoDue:
		t.m.Appeared++
	case is == exposure.NoDue:
		t.m.Vanished++
	case is < was:
		t.m.Earlier++
	default:
		t.m.Later++
	}
	o.Earlier += bit(is < was)
	o.Later += bit(is > was)
	late := bit(is < t.today && was >= t.today)
	o.NewlyOverdue += late
	t.m.NewlyOverdue += late
	t.m.Relieved += bit(was < t.today && is >= t.today)
}

// far keeps the entry when it may be among the first.
func (t *tally) far(e entry) {
	if t.bar != (entry{}) && e.compare(t.bar) > 0 {
		return
	}
	if t.farthest = append(t.farthest, e); len(t.farthest) == 8*leading {
		t.cutFarthest()
	}
}

// cutFarthest leaves the first entries.
func (t *tally) cutFarthest() {
	slices.SortFunc(t.farthest, entry.compare)
	if len(t.farthest) >= leading {
		t.farthest = t.farthest[:leading]
		t.bar = t.farthest[leading-1]
	}
}

// add takes in what another worker counted.
func (t *tally) add(o *tally) {
	m, n := &t.m, &o.m
	for _, x := range [...]struct{ to, from *int }{
		{&m.Entered, &n.Entered}, {&m.Left, &n.Left}, {&m.Up, &n.Up}, {&m.Down, &n.Down}, {&m.Earlier, &n.Earlier}, {&m.Later, &n.Later},
		{&m.Appeared, &n.Appeared}, {&m.Vanished, &n.Vanished}, {&m.NewlyOverdue, &n.NewlyOverdue}, {&m.Relieved, &n.Relieved},
	} {
		*x.to += *x.from
	}
	for from := range m.Bands {
		for to := range m.Bands[from] {
			m.Bands[from][to] += n.Bands[from][to]
		}
	}
	for i := range t.owners {
		t.owners[i].add(&o.owners[i])
	}
	sum(t.handed, o.handed)
	sum(t.rulesWas, o.rulesWas)
	sum(t.rulesIs, o.rulesIs)
	sum(t.risksWas, o.risksWas)
	sum(t.risksIs, o.risksIs)
	t.farthest = append(t.farthest, o.farthest...)
}

func sum[N int | uint32](to, from []N) {
	for i, n := range from {
		to[i] += n
	}
}

func (o *OwnerMovement) add(p *OwnerMovement) {
	o.Before.add(p.Before)
	o.After.add(p.After)
	o.Moved, o.Up, o.Down, o.Earlier, o.Later = o.Moved+p.Moved, o.Up+p.Up, o.Down+p.Down, o.Earlier+p.Earlier, o.Later+p.Later
	o.NewlyOverdue, o.Came, o.Went = o.NewlyOverdue+p.NewlyOverdue, o.Came+p.Came, o.Went+p.Went
}

func (t *Totals) add(o Totals) {
	t.Open, t.Overdue, t.Loss = t.Open+o.Open, t.Overdue+o.Overdue, t.Loss+o.Loss
}

// movement is the counts.
func (t *tally) movement() Movement {
	m := t.m
	for i := range t.owners {
		o := &t.owners[i]
		o.Owner = t.comparison.owners[i]
		m.Before.Open, m.Before.Overdue = m.Before.Open+o.Before.Open, m.Before.Overdue+o.Before.Overdue
		m.After.Open, m.After.Overdue = m.After.Open+o.After.Open, m.After.Overdue+o.After.Overdue
		if m.Moved += o.Moved; o.Moved+o.Went > 0 {
			m.Owners = append(m.Owners, *o)
		}
	}
	// Summed by risk, a loss does not depend on how many workers there were.
	m.Before.Loss, m.After.Loss = t.before.lossOf(t.risksWas), t.after.lossOf(t.risksIs)
	slices.SortFunc(m.Owners, func(a, b OwnerMovement) int {
		return cmp.Or(cmp.Compare(b.Moved, a.Moved), cmp.Compare(b.Went, a.Went), cmp.Compare(a.Owner, b.Owner))
	})
	m.Handed = t.handovers()
	for i, name := range t.rules {
		if t.rulesWas[i]+t.rulesIs[i] > 0 {
			m.Rules = append(m.Rules, RuleMovement{name, t.rulesWas[i], t.rulesIs[i]})
		}
	}
	slices.SortFunc(m.Rules, func(a, b RuleMovement) int { return cmp.Compare(a.Rule, b.Rule) })
	return m
}

// lossOf is the expected loss of findings that are counted by their risk.
func (v *View) lossOf(risks []uint32) (loss float64) {
	for r, n := range risks {
		loss += float64(n) * float64(v.scorer.loss[r])
	}
	return loss
}

func (t *tally) handovers() []Handover {
	pairs := map[[2]uint32]int{}
	for asset, n := range t.handed {
		if n > 0 {
			pairs[[2]uint32{t.ownerWas[asset], t.ownerIs[asset]}] += int(n)
		}
	}
	var all []Handover
	for pair, n := range pairs {
		all = append(all, Handover{t.comparison.owners[pair[0]], t.comparison.owners[pair[1]], n})
	}
	slices.SortFunc(all, func(a, b Handover) int {
		return cmp.Or(cmp.Compare(b.Findings, a.Findings), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return all
}
