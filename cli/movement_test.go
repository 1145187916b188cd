package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
)

const threeHosts = `currency: EUR
assets:
  - {match: {name: web-1}, owner: shop, reach: internet, tier: 1}
  - {match: {name: db-1}, owner: data, reach: internal, tier: 1}
exclusions:
  - {match: {name: lab-1}, reason: wiped every week}
`

// Three hosts: one becomes harder to reach, one changes hands, and one that was
// excluded comes into scope.
func TestWhatIf(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); whatIfOfThreeHosts(t, "") })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		whatIfOfThreeHosts(t, cluster.Database(t))
	})
}

func whatIfOfThreeHosts(t *testing.T, database string) {
	h, ctx := openHouse(t, database), t.Context()
	ask := func(body, filter string, base int64) server.WhatIf {
		t.Helper()
		w, err := h.WhatIf(ctx, server.WhatIfRequest{Body: body, Filter: filter, Base: base})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	if w := ask(threeHosts, "", 0); w.Summary != "nothing moves: there are no open findings" || w.Moved != 0 || w.Version != 0 || len(w.Top) != 0 || w.Top == nil {
		t.Errorf("without findings: %+v", w)
	}
	h.report("a.jsonl", runLine("acme", 3), weak("acme", "web-1", "CVE-2025-1"), weak("acme", "web-1", "CVE-2025-2"), weak("acme", "db-1", "CVE-2025-1"), weak("acme", "lab-1", "CVE-2025-3"))
	apply := func(body string) {
		t.Helper()
		if _, err := h.Apply(ctx, server.ApplyRequest{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	apply(threeHosts)
	next := `currency: EUR
assets:
  - {match: {name: web-1}, owner: shop, reach: isolated, tier: 4}
  - {match: {name: db-1}, owner: shop, reach: internal, tier: 1}
`
	before := h.ix.View()
	w := ask(next, "", 1)
	if h.ix.View() != before {
		t.Error("asking changed the index")
	}
	type counts struct {
		Moved, Entered, Left, Up, Down, BandUp, BandDown, Earlier, Later, Appeared, Vanished, NewlyOverdue, Relieved, HandedOver int
	}
	got := counts{w.Moved, w.Entered, w.Left, w.Up, w.Down, w.BandUp, w.BandDown, w.DueEarlier, w.DueLater, w.DueAppeared, w.DueVanished, w.NewlyOverdue, w.NoLongerOverdue, w.HandedOver}
	if diff := cmp.Diff(counts{Moved: 4, Entered: 1, Down: 2, BandDown: 2, Vanished: 2, HandedOver: 1}, got); diff != "" {
		t.Errorf("%s\n%s", w.Summary, diff)
	}
	if diff := cmp.Diff([]server.WhatIfHanded{{From: "data", To: "shop", Findings: 1}}, w.Handed); diff != "" {
		t.Error(diff)
	}
	var owners []string
	for _, o := range w.Owners {
		owners = append(owners, fmt.Sprintf("%s: %d moved, %d to %d open, %d came, %d went", o.Owner, o.Moved, o.Before.Open, o.After.Open, o.Came, o.Went))
	}
	if diff := cmp.Diff([]string{"shop: 3 moved, 2 to 3 open, 1 came, 0 went", ": 1 moved, 0 to 1 open, 0 came, 0 went", "data: 0 moved, 1 to 0 open, 0 came, 1 went"}, owners); diff != "" {
		t.Error(diff)
	}
	if len(w.Top) != 4 || w.Top[0].Asset != "db-1" || w.Top[0].Before.Rank != 3 || w.Top[0].After.Rank != 1 || w.Top[0].After.Owner != "shop" || w.Top[1].Asset != "lab-1" || w.Top[1].Before.Rank != 0 || w.Top[1].Before.Band != "outside" {
		t.Errorf("%+v", w.Top)
	}
	if w.Before.Open != 3 || w.After.Open != 4 || w.After.Loss >= w.Before.Loss || w.Version != 1 || w.Outdated || w.Currency != "EUR" || w.ModelBefore != w.ModelAfter {
		t.Errorf("%+v", w)
	}
	// Narrowed to an owner: what belongs to it now or would.
	if w := ask(next, "team:data", 0); w.Moved != 1 || w.Left != 1 || w.Before.Open != 1 || w.After.Open != 0 || w.Summary != "1 of 1 open finding moves: 1 matches only now; the expected loss goes from "+lossText(w.Before.Loss)+" to 0 EUR" {
		t.Errorf("%+v", w)
	}
	if w := ask(next, "team:nobody-has-this", 0); w.Summary != "nothing moves: no open finding matches" {
		t.Error(w.Summary)
	}
	if w := ask(threeHosts, "", 1); w.Summary != "nothing moves: all 3 open findings stay as they are" {
		t.Error(w.Summary)
	}
	apply(threeHosts + "name: Acme\n")
	if w := ask(next, "", 1); !w.Outdated || w.Version != 2 || w.Moved != 4 {
		t.Errorf("a text that was made from an older version: %+v", w)
	}
	for filter, body := range map[string]string{"teem:x": threeHosts, "": "nonsense: 1", "risk>1": "risk: {weights: {intercept: 1}}"} {
		if _, err := h.WhatIf(ctx, server.WhatIfRequest{Body: body, Filter: filter}); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("%q, %q: %v", body, filter, err)
		}
	}
	res, err := h.Apply(ctx, server.ApplyRequest{Body: next, DryRun: true})
	if err != nil || res.BandChanges == nil || *res.BandChanges != 2 {
		t.Errorf("a dry run says %+v, %v", res, err)
	}
}

func lossText(x float64) string { return fmt.Sprintf("%.0f", x) }

// What the risk model finds wrong is told with its line, all at once.
func TestWeightsAreToldWithTheirLines(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "")
	body := "name: x\nrisk:\n  weights:\n    intercept: -90\n    horizon_days: 90\n    signals:\n      epss_rank: 1\n      metasploit: 1\n      nuclei: -1\n      exploit_archive: 1\n      poc_90d: 1\n      age_30d: 1\n      age_90d: 1\n      moon: 2\n"
	want := []string{
		"p.yaml:4: weights: intercept is -90: it must be between -50 and 50",
		"p.yaml:6: weights: there is none of old: add it, 0 when it says nothing",
		"p.yaml:9: weights: that of nuclei is -1: it must be between 0 and 50",
		`p.yaml:14: weights: there is no signal "moon": use epss_rank, metasploit, nuclei, exploit_archive, poc_90d, age_30d, age_90d, old`,
	}
	for name, try := range map[string]func() error{
		"whatif": func() error {
			_, err := h.WhatIf(t.Context(), server.WhatIfRequest{File: "p.yaml", Body: body})
			return err
		},
		"apply": func() error {
			_, err := h.Apply(t.Context(), server.ApplyRequest{File: "p.yaml", Body: body})
			return err
		},
	} {
		if err := try(); err == nil || exposure.KindOf(err) != exposure.Invalid || cmp.Diff(want, strings.Split(err.Error(), "\n")) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := h.Programme(t.Context()); err != nil || p.Version != 0 {
		t.Errorf("a wrong programme was applied: %+v %v", p, err)
	}
}

// What leeward train and leeward refit print can be pasted, and the shipped weights by another
// way are the same model.
func TestTrainedWeightsCanBePasted(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "")
	h.report("a.jsonl", runLine("acme", 3), weak("acme", "web-1", "CVE-2025-1"))
	w, err := prioritize.ShippedWeights()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(w, "", "  ") // as train does
	if err != nil {
		t.Fatal(err)
	}
	bare := w
	bare.Fit = prioritize.Fit{} // of which nothing is known
	refitted, err := riskSection(server.Refit{Targeted: 0.05, Weights: &bare})
	if err != nil {
		t.Fatal(err)
	}
	if w, err := h.WhatIf(t.Context(), server.WhatIfRequest{Body: string(refitted)}); err != nil || w.Moved != 0 {
		t.Errorf("%s moves %+v, %v", refitted, w, err)
	}
	for _, body := range []string{"risk:\n  weights: " + string(text) + "\n", "risk: {weights: " + string(text) + "}\n"} {
		same, err := h.WhatIf(t.Context(), server.WhatIfRequest{Body: body})
		if err != nil || same.Moved != 0 || same.ModelBefore != same.ModelAfter {
			t.Errorf("the shipped weights, pasted, move %+v, %v", same, err)
		}
		other := strings.Replace(body, `"horizon_days": 90`, `"horizon_days": 1`, 1)
		moved, err := h.WhatIf(t.Context(), server.WhatIfRequest{Body: other})
		if err != nil || moved.Up != 1 || moved.ModelBefore == moved.ModelAfter {
			t.Errorf("other weights move %+v, %v", moved, err)
		}
	}
}

// No field of the programme's risk is forgotten on the way to the model.
func TestRiskConfig(t *testing.T) {
	t.Parallel()
	r := &scope.Risk{}
	fill(reflect.ValueOf(r).Elem())
	want, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(riskConfig(&scope.Programme{Risk: r}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" || strings.Count(string(want), ":") < 15 {
		t.Errorf("%s\n%s", want, diff)
	}
}

// fill sets everything to something.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("x")
	case reflect.Float64:
		v.SetFloat(0.25)
	case reflect.Int:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// randomProgramme says something of the hosts of the estate below.
func randomProgramme(r *rand.Rand) string {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	var b strings.Builder
	b.WriteString("currency: EUR\nservices:\n")
	for _, s := range []string{"shop", "pay"} {
		fmt.Fprintf(&b, "  - {name: %s, tier: %d, owner: %s, impact: {confidentiality: %d, integrity: 1000}}\n", s, 1+r.IntN(4), pick("a", "b", "c"), 1000+r.IntN(1e6))
	}
	b.WriteString("assets:\n")
	for range 3 + r.IntN(5) {
		fmt.Fprintf(&b, "  - {match: {name: \"*%d*\"}, reach: %s, tier: %d, tags: [%s]}\n", r.IntN(10), pick("internet", "internal", "isolated", "partner"), 1+r.IntN(4), pick("x", "y z", "z"))
		fmt.Fprintf(&b, "  - {match: {name: \"*%d*\"}, services: [%s], owner: %s}\n", r.IntN(10), pick("shop", "pay"), pick("a", "b", "d e"))
	}
	fmt.Fprintf(&b, "exclusions:\n  - {match: {name: \"*%d*\"}, reason: x}\n", 10+r.IntN(90))
	fmt.Fprintf(&b, "risk: {targeted: %g, actors: %g, loss_max: %d, sla: [%d, 60, 20, 5], policies: [%s]", 0.01+r.Float64()/5, 0.6+r.Float64(), 100000+r.IntN(1e7), r.IntN(300), pick("none", "bod-26-04", "bod-26-04, fedramp-vdr"))
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, ", weights: {intercept: %g, horizon_days: 90, signals: {epss_rank: 1, metasploit: 1, nuclei: 1, exploit_archive: 0, poc_90d: 1, age_30d: 2, age_90d: 1, old: 1}}", -9+4*r.Float64())
	}
	b.WriteString("}\n")
	return b.String()
}

// state is what people see of each finding.
type state struct {
	Points int
	Band   string
	Due    string
	Rule   string
	Owner  string
	Out    bool
}

func (h *testHouse) states() map[string]state {
	h.t.Helper()
	p, err := h.Findings(h.t.Context(), server.FindingQuery{Filter: "is:open", Limit: 1000})
	if err != nil || p.Next != "" {
		h.t.Fatal(err, p.Total)
	}
	v, all := h.ix.View(), map[string]state{}
	for _, f := range p.Rows {
		id, err := exposure.ParseFindingID(f.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		r, _ := v.Row(id)
		all[f.ID] = state{f.Risk, f.Band, f.Due, r.DueRule, f.Owner, v.Asset(r.Asset).Context.Excluded}
	}
	return all
}

// What is foretold is what is seen once the programme is in force, for every
// finding that is named and in every count.
func TestWhatIfComesTrue(t *testing.T) {
	t.Parallel()
	h, ctx := openHouse(t, ""), t.Context()
	var report strings.Builder
	if err := testkit.Nuclei(&report, testkit.Estate{Findings: 700, Seed: 9}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Import(ctx, discover.Request{Name: "a.jsonl"}, strings.NewReader(report.String())); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(11, 5))
	moved, body := 0, ""
	for i := range 8 {
		next := randomProgramme(random)
		w, err := h.WhatIf(ctx, server.WhatIfRequest{Body: next})
		if err != nil {
			t.Fatalf("%s\n%v", next, err)
		}
		before := h.states()
		if _, err := h.Apply(ctx, server.ApplyRequest{Body: next}); err != nil {
			t.Fatal(err)
		}
		after := h.states()
		foretold(t, &w, before, after)
		top, err := h.Findings(ctx, server.FindingQuery{Limit: 50})
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, f := range top.Rows {
			want = append(want, f.ID)
		}
		for i, f := range w.Top {
			got = append(got, f.ID)
			if f.After.Rank != i+1 {
				t.Errorf("%s has rank %d in place %d", f.ID, f.After.Rank, i+1)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the riskiest:\n%s", diff)
		}
		sum, err := h.Summary(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if f := sum.Figures; f.Open != w.After.Open || f.Late != w.After.Overdue || !about(f.Loss, w.After.Loss) {
			t.Errorf("foretold %+v, is %+v", w.After, f)
		}
		if same, err := h.WhatIf(ctx, server.WhatIfRequest{Body: next}); err != nil || same.Moved != 0 {
			t.Errorf("what is in force moves %d: %v", same.Moved, err)
		}
		if i > 0 {
			back, err := h.WhatIf(ctx, server.WhatIfRequest{Body: body})
			if err != nil || back.Moved != w.Moved || back.Up != w.Down || back.Entered != w.Left || back.BandUp != w.BandDown || back.DueEarlier != w.DueLater || back.HandedOver != w.HandedOver {
				t.Errorf("there %s\nand back %s: %v", w.Summary, back.Summary, err)
			}
		}
		moved, body = moved+w.Moved, next
	}
	if moved < 1000 {
		t.Errorf("only %d moved: the programmes are too much alike", moved)
	}
}

func about(a, b float64) bool { return max(a-b, b-a) <= 1e-6*max(a, b) }

// foretold counts by hand, from what is seen of each finding.
func foretold(t *testing.T, w *server.WhatIf, before, after map[string]state) {
	t.Helper()
	var c server.WhatIf
	rank := []string{"none", "low", "medium", "high", "critical"}
	for id, is := range after {
		was := before[id]
		switch {
		case was.Out && is.Out:
			continue
		case was.Out:
			c.Entered, c.Moved = c.Entered+1, c.Moved+1
			continue
		case is.Out:
			c.Left, c.Moved = c.Left+1, c.Moved+1
			continue
		}
		one := func(n *int, yes bool) {
			if yes {
				*n++
			}
		}
		one(&c.Up, is.Points > was.Points)
		one(&c.Down, is.Points < was.Points)
		one(&c.BandUp, slices.Index(rank, is.Band) > slices.Index(rank, was.Band))
		one(&c.BandDown, slices.Index(rank, is.Band) < slices.Index(rank, was.Band))
		one(&c.DueAppeared, was.Due == "" && is.Due != "")
		one(&c.DueVanished, was.Due != "" && is.Due == "")
		one(&c.DueEarlier, was.Due != "" && is.Due != "" && is.Due < was.Due)
		one(&c.DueLater, was.Due != "" && is.Due != "" && is.Due > was.Due)
		one(&c.HandedOver, is.Owner != was.Owner)
		one(&c.Moved, is.Points != was.Points || is.Band != was.Band || is.Due != was.Due || is.Owner != was.Owner)
	}
	pick := func(w *server.WhatIf) [11]int {
		return [...]int{w.Moved, w.Entered, w.Left, w.Up, w.Down, w.BandUp, w.BandDown, w.DueAppeared, w.DueVanished, w.DueEarlier + w.DueLater, w.HandedOver}
	}
	if diff := cmp.Diff(pick(&c), pick(w)); diff != "" {
		t.Errorf("%s\n%s", w.Summary, diff)
	}
	for _, list := range [][]server.WhatIfFinding{w.Top, w.Dropped, w.Farthest} {
		for _, f := range list {
			for name, pair := range map[string]struct {
				foretold server.WhatIfStanding
				seen     state
			}{"before": {f.Before, before[f.ID]}, "after": {f.After, after[f.ID]}} {
				s := pair.foretold
				got := state{s.Risk, s.Band, s.Due, s.DueRule, s.Owner, s.Rank == 0}
				if got.Out {
					got.Band = pair.seen.Band
				}
				if got != pair.seen {
					t.Errorf("%s %s: foretold %+v, seen %+v", f.ID, name, got, pair.seen)
				}
			}
		}
	}
}

// What would move is computed for one at a time, ends with who asked, and goes on
// while reports come in.
func TestWhatIfTakesTurns(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "")
	h.report("a.jsonl", runLine("acme", 3), weak("acme", "web-0", "CVE-2025-1"))
	h.moves <- struct{}{}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.WhatIf(gone, server.WhatIfRequest{Body: threeHosts}); !errors.Is(err, context.Canceled) {
		t.Errorf("who left is told %v", err)
	}
	<-h.moves
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 10 {
				if w, err := h.WhatIf(t.Context(), server.WhatIfRequest{Body: threeHosts, Filter: "risk>=0"}); err != nil || w.Before.Open == 0 {
					t.Errorf("%v %+v", err, w.Before)
				}
			}
		})
	}
	for i := range 20 {
		h.report(fmt.Sprintf("%d.jsonl", i), runLine("acme", 3), weak("acme", fmt.Sprintf("web-%d", i), "CVE-2025-1"), weak("acme", fmt.Sprintf("web-%d", i), "CVE-2025-2"))
	}
	wg.Wait()
}
