package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// otherModel is a test model with bands and a rule of its own.
type otherModel struct {
	testModel
	band, days int
}

func (m otherModel) Bands() *exposure.Bands {
	return &exposure.Bands{exposure.RiskAt(m.band), exposure.RiskAt(m.band + 150), exposure.RiskAt(m.band + 300), exposure.RiskAt(m.band + 450)}
}

func (m otherModel) Due() *exposure.DueTable {
	t := m.testModel.Due()
	t.Rules = []string{"", "kev", "ours"} // in another order, and one of another name
	for i := range t.Cells {
		t.Cells[i].Rule, t.Cells[i].KEVRule = 2, 1
		if t.Cells[i].Days != exposure.NoDue {
			t.Cells[i].Days = uint16(m.days + i)
		}
	}
	return t
}

// random says something of every asset, by a seed.
type random uint64

func (r random) Context(a *exposure.Asset) exposure.Context {
	g := rand.New(rand.NewPCG(uint64(r), uint64(a.ID)))
	c := exposure.Context{Tier: g.IntN(5), Excluded: g.IntN(6) == 0, Reach: exposure.Reach(g.IntN(5))}
	if g.IntN(5) > 0 {
		c.Owner = fmt.Sprintf("team%d", g.IntN(9))
	}
	if g.IntN(2) == 0 {
		c.Tags = []string{"a b"}
	} else {
		c.Tags = []string{"a", "b"}
	}
	return c
}

// What is seen under another model and programme is what is seen once they are
// in force, and the view that is compared with stays as it is.
func TestUnderEqualsApplied(t *testing.T) {
	t.Parallel()
	m := synthetic(chunkRows + 2000)
	for seed := range random(3) {
		ix := load(t, m)
		live := ix.View()
		before := rowsOf(live)
		model := otherModel{testModel{shift: exposure.Nats(seed)*900 - 2000}, 150 + 20*int(seed), 9}
		under, err := live.Under(t.Context(), model, seed)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(before, rowsOf(live)) || ix.View() != live {
			t.Fatal("the live view changed")
		}
		ix.SetContexts(seed)
		ix.SetModel(model)
		want, got := rowsOf(ix.View()), rowsOf(under)
		for i := range want {
			if !reflect.DeepEqual(want[i], got[i]) {
				t.Fatalf("seed %d:\n%s", seed, gocmp.Diff(want[i], got[i]))
			}
		}
		for i, text := range []string{"", "team:team3,none tag:b", "band:critical,high", "due<0", "is:any", "-tag:\"a b\""} {
			if i > 0 && i%3 != int(seed) { // each filter once, and all of it each time
				continue
			}
			f, err := exposure.ParseFilter(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, by := range []string{"risk", "team", "due"} {
				q := Query{Filter: f, Sort: Sort{By: by}, Today: today, Limit: 200}
				want, err1 := ix.View().Page(q)
				got, err2 := under.Page(q)
				if diff := gocmp.Diff(want, got); diff != "" || err1 != nil || err2 != nil {
					t.Fatalf("%s by %s: %v %v\n%s", text, by, err1, err2, diff)
				}
			}
			got, err := Compare(t.Context(), live, under, f, today)
			if err != nil {
				t.Fatal(err)
			}
			want := compared(live, under, f)
			if diff := gocmp.Diff(want, got, cmpopts.EquateApprox(1e-6, 0)); diff != "" {
				t.Fatalf("seed %d, %q:\n%s", seed, text, diff)
			}
			if text == "" && (got.Entered == 0 || got.Left == 0 || got.Up == 0 || got.Down == 0 || len(got.Handed) == 0 || got.Later+got.Earlier == 0 || len(got.Top) != leading) {
				t.Errorf("seed %d moves too little to show anything: %+v", seed, got)
			}
		}
	}
}

// seen is all that a view says of a finding.
type seen struct {
	Row
	Context exposure.Context
}

func rowsOf(v *View) (all []seen) {
	for id := exposure.FindingID(1); int(id) <= v.Len(); id++ {
		if r, ok := v.Row(id); ok {
			all = append(all, seen{r, *v.Asset(r.Asset).Context})
		}
	}
	return all
}

// compared is the comparison of two views read literally, finding by finding.
func compared(before, after *View, f exposure.Filter) (m Movement) {
	owners, handed, rules := map[string]*OwnerMovement{}, map[[2]string]int{}, map[string]*RuleMovement{}
	place := func(v *View) ([]Row, map[exposure.FindingID]int) {
		var rows []Row
		v.All(f, today, func(r Row) bool {
			if r.Status.Open() {
				rows = append(rows, r)
			}
			return true
		})
		slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(b.Risk, a.Risk) })
		ranks := map[exposure.FindingID]int{}
		for i, r := range rows {
			ranks[r.ID] = i + 1
		}
		return rows, ranks
	}
	was, rankWas := place(before)
	is, rankIs := place(after)
	owner := func(v *View, r Row) *OwnerMovement {
		name := v.Asset(r.Asset).Context.Owner
		if owners[name] == nil {
			owners[name] = &OwnerMovement{Owner: name}
		}
		return owners[name]
	}
	rule := func(name string) *RuleMovement {
		if rules[name] == nil {
			rules[name] = &RuleMovement{Rule: name}
		}
		return rules[name]
	}
	note := func(v *View, r Row, all, own *Totals) {
		loss := v.Model().Curve().ExpectedLoss(r.Risk)
		if r.Risk == 0 {
			loss = 0
		}
		late := 0
		if r.Due < today {
			late = 1
		}
		all.add(Totals{1, late, loss})
		own.add(Totals{1, late, loss})
	}
	mover := func(id exposure.FindingID) Mover {
		x, _ := before.Row(id)
		y, _ := after.Row(id)
		stand := func(v *View, r Row, rank int) Standing {
			s := Standing{r.Risk, r.Band, r.Due, r.DueRule, v.Asset(r.Asset).Context.Owner, rank}
			if rank == 0 {
				s.Band = Outside
			}
			return s
		}
		return Mover{id, x.Asset, x.Advisory, stand(before, x, rankWas[id]), stand(after, y, rankIs[id])}
	}
	for _, r := range was {
		o := owner(before, r)
		note(before, r, &m.Before, &o.Before)
		rule(r.DueRule).Before++
		if rankIs[r.ID] == 0 {
			m.Left++
			m.Moved++
			o.Moved++
			m.Bands[r.Band][Outside]++
		}
	}
	var far []Mover
	for _, r := range is {
		o := owner(after, r)
		note(after, r, &m.After, &o.After)
		rule(r.DueRule).After++
		if rankWas[r.ID] == 0 {
			m.Entered++
			m.Moved++
			o.Moved++
			m.Bands[Outside][r.Band]++
			continue
		}
		x, _ := before.Row(r.ID)
		m.Bands[x.Band][r.Band]++
		moved := x.Band != r.Band || x.Due != r.Due
		if p := owner(before, x); p != o {
			moved = true
			p.Went++
			o.Came++
			handed[[2]string{p.Owner, o.Owner}]++
		}
		if d := r.Risk.Points() - x.Risk.Points(); d > 0 {
			moved, m.Up, o.Up = true, m.Up+1, o.Up+1
			far = append(far, mover(r.ID))
		} else if d < 0 {
			moved, m.Down, o.Down = true, m.Down+1, o.Down+1
			far = append(far, mover(r.ID))
		}
		switch {
		case x.Due == r.Due:
		case x.Due == exposure.NoDue:
			m.Appeared++
			o.Earlier++
		case r.Due == exposure.NoDue:
			m.Vanished++
			o.Later++
		case r.Due < x.Due:
			m.Earlier++
			o.Earlier++
		default:
			m.Later++
			o.Later++
		}
		if r.Due < today && x.Due >= today {
			m.NewlyOverdue++
			o.NewlyOverdue++
		}
		if x.Due < today && r.Due >= today {
			m.Relieved++
		}
		if moved {
			m.Moved++
			o.Moved++
		}
	}
	slices.SortFunc(far, func(a, b Mover) int {
		return cmp.Or(cmp.Compare(max(b.Change(), -b.Change()), max(a.Change(), -a.Change())), cmp.Compare(a.ID, b.ID))
	})
	m.Farthest = append(m.Farthest, far[:min(len(far), leading)]...)
	for _, r := range is[:min(len(is), leading)] {
		m.Top = append(m.Top, mover(r.ID))
	}
	for _, r := range was[:min(len(was), leading)] {
		if n := rankIs[r.ID]; n == 0 || n > leading {
			m.Dropped = append(m.Dropped, mover(r.ID))
		}
	}
	for _, o := range owners {
		if o.Moved+o.Went > 0 {
			m.Owners = append(m.Owners, *o)
		}
	}
	slices.SortFunc(m.Owners, func(a, b OwnerMovement) int {
		return cmp.Or(cmp.Compare(b.Moved, a.Moved), cmp.Compare(b.Went, a.Went), cmp.Compare(a.Owner, b.Owner))
	})
	for pair, n := range handed {
		m.Handed = append(m.Handed, Handover{pair[0], pair[1], n})
	}
	slices.SortFunc(m.Handed, func(a, b Handover) int {
		return cmp.Or(cmp.Compare(b.Findings, a.Findings), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, r := range rules {
		m.Rules = append(m.Rules, *r)
	}
	slices.SortFunc(m.Rules, func(a, b RuleMovement) int { return cmp.Compare(a.Rule, b.Rule) })
	return m
}

func TestNothingMoves(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 5000} {
		m := synthetic(n)
		if n == 0 {
			m.events = nil
		}
		live := load(t, m).View()
		same, err := live.Under(t.Context(), testModel{}, testContexts{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Compare(t.Context(), live, same, exposure.Filter{}, today)
		if err != nil {
			t.Fatal(err)
		}
		if got.Moved != 0 || len(got.Owners) != 0 || len(got.Handed) != 0 || len(got.Farthest) != 0 || len(got.Dropped) != 0 || got.Before != got.After {
			t.Errorf("%d findings: the same moves %+v", n, got)
		}
		if n == 5000 && (got.Before.Open == 0 || got.Before.Loss == 0) {
			t.Errorf("nothing was compared: %+v", got.Before)
		}
		for i, x := range live.assets {
			if x.Asset != same.assets[i].Asset {
				t.Fatalf("asset %d was copied although nothing else is said of it", i)
			}
		}
	}
}

// Findings and assets that were removed are no obstacle.
func TestCompareRemoved(t *testing.T) {
	t.Parallel()
	m := synthetic(3000)
	ix := load(t, m)
	m.events = append(m.events, exposure.Event{Seq: 2, Kind: exposure.EventRemoved, IDs: []uint32{5, 6, 7, 2999}})
	if err := ix.CatchUp(t.Context(), &shrunk{memory: m}); err != nil {
		t.Fatal(err)
	}
	live := ix.View()
	under, err := live.Under(t.Context(), testModel{shift: 3000}, oneContext{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Compare(t.Context(), live, under, exposure.Filter{}, today)
	if diff := gocmp.Diff(compared(live, under, exposure.Filter{}), got, cmpopts.EquateApprox(1e-6, 0)); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestCompareEnds(t *testing.T) {
	t.Parallel()
	ix := load(t, synthetic(2000))
	live := ix.View()
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := live.Under(done, testModel{}, testContexts{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled view gives %v", err)
	}
	if _, err := Compare(done, live, live, exposure.Filter{}, today); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled comparison gives %v", err)
	}
	other := load(t, synthetic(2001)).View()
	if _, err := Compare(t.Context(), live, other, exposure.Filter{}, today); exposure.KindOf(err) != exposure.Internal {
		t.Errorf("views of different findings give %v", err)
	}
}

// The index goes on while views of it are made and compared.
func TestCompareWhileImporting(t *testing.T) {
	t.Parallel()
	m := synthetic(4000)
	all := m.findings
	ix := New(testModel{}, testContexts{})
	step := func(seq, first, last int) error {
		part := *m
		part.findings = all[:last]
		part.events = []exposure.Event{{Seq: int64(seq), Kind: exposure.EventOpened, First: uint32(first), Last: uint32(last)}, {Seq: int64(seq) + 1, Kind: exposure.EventMoved, First: 1, Last: 9}}
		return ix.CatchUp(t.Context(), &part)
	}
	if err := step(1, 1, 1000); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := range 8 {
				live := ix.View()
				under, err := live.Under(t.Context(), testModel{shift: exposure.Nats(i * 100)}, random(w))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := Compare(t.Context(), live, under, exposure.Filter{}, today); err != nil || got.Before.Open == 0 {
					t.Errorf("%v %+v", err, got.Before)
				}
			}
		})
	}
	for i := 1; i <= 30; i++ {
		if err := step(2*i+1, 900+100*i+1, 1000+100*i); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}

// The key of a context tells apart what differs in any field, also in those that
// somebody adds, and texts that look alike: "a b" is one tag and "a", "b" are two.
func TestContextKey(t *testing.T) {
	t.Parallel()
	all := []exposure.Context{
		{}, {Tags: []string{"a b"}}, {Tags: []string{"a", "b"}}, {Tags: []string{"ab"}}, {Tags: []string{"a"}, Services: []string{"b"}}, {Tags: []string{""}}, {Owner: "a} {b"}, {Controls: math.SmallestNonzeroFloat64},
	}
	var fields func(of reflect.Type, at []int)
	fields = func(of reflect.Type, at []int) {
		for i := range of.NumField() {
			path := append(slices.Clone(at), i)
			if of.Field(i).Type.Kind() == reflect.Struct {
				fields(of.Field(i).Type, path)
				continue
			}
			var c exposure.Context
			switch v := reflect.ValueOf(&c).Elem().FieldByIndex(path); v.Kind() {
			case reflect.String:
				v.SetString("x")
			case reflect.Bool:
				v.SetBool(true)
			case reflect.Float64:
				v.SetFloat(0.5)
			case reflect.Int:
				v.SetInt(3)
			case reflect.Uint8:
				v.SetUint(3)
			case reflect.Slice:
				v.Set(reflect.ValueOf([]string{"x"}))
			default:
				t.Fatalf("the field %s is of a kind that this test does not know", of.Field(i).Name)
			}
			all = append(all, c)
		}
	}
	fields(reflect.TypeFor[exposure.Context](), nil)
	seen := map[string]int{}
	for i := range all {
		key := contextKey(&all[i])
		if j, twice := seen[key]; twice {
			t.Errorf("%+v and %+v are taken for the same", all[i], all[j])
		}
		seen[key] = i
	}
	if len(all) < 19 {
		t.Errorf("only %d contexts were told apart", len(all))
	}
}

func benchmarkMovement(b *testing.B, n int) {
	ix := load(b, synthetic(n))
	live := ix.View()
	b.Run("rescore", func(b *testing.B) {
		for b.Loop() {
			live.next().rescore()
		}
	})
	b.Run("under", func(b *testing.B) {
		for b.Loop() {
			if _, err := live.Under(b.Context(), testModel{shift: 2000}, testContexts{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, c := range []struct {
		name string
		m    exposure.Model
		of   Contexts
	}{{"weights", testModel{shift: 2000}, testContexts{}}, {"everything", otherModel{testModel{shift: 900}, 170, 9}, random(3)}} {
		under, err := live.Under(b.Context(), c.m, c.of)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("compare/"+c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Compare(b.Context(), live, under, exposure.Filter{}, today); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMovement(b *testing.B) { benchmarkMovement(b, 1_000_000) }

func BenchmarkMovement10M(b *testing.B) {
	if testing.Short() {
		b.Skip("takes 3 GB")
	}
	benchmarkMovement(b, 10_000_000)
}
