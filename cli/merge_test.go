package cli

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/store"
)

// named is a record of a weakness on a host with several names.
func named(tool, cve, rest string, ids ...string) string {
	var list []string
	for _, id := range ids {
		kind, value, found := strings.Cut(id, ":")
		if !found {
			kind, value = "hostname", id
		}
		list = append(list, fmt.Sprintf(`{"kind":%q,"value":%q}`, kind, value))
	}
	return fmt.Sprintf(`{"tool":%q,"class":"vuln","asset":{"kind":"host","identifiers":[%s]},"advisories":[%q],"title":"t"%s}`, tool, strings.Join(list, ","), cve, rest)
}

func TestMergeOfAssets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.report("mon", ran(1), named("scan", "CVE-1", "", "a"), named("scan", "CVE-2", "", "a"))
		w.report("tue", ran(2), named("other", "CVE-2", `,"severity":"high","evidence":[{"kind":"output","text":"proof of b"}]`, "b"), named("other", "CVE-3", "", "b"))
		w.want("a CVE-1 open", "a CVE-2 open", "b CVE-2 open", "b CVE-3 open")
		res := w.report("wed", ran(3), named("scan", "CVE-1", "", "a", "b"))
		if res.New != 0 {
			w.t.Errorf("the connecting record made %d findings", res.New)
		}
		w.want("a CVE-1 open", "a CVE-2 open", "a CVE-3 open")
		if n := w.ix.View().Assets(); n != 1 {
			w.t.Errorf("%d assets, want 1", n)
		}
		// What both had is one finding with the words, texts and past of both.
		var kept exposure.FindingID
		for id := exposure.FindingID(1); int(id) <= w.ix.View().Len(); id++ {
			if r, ok := w.ix.View().Row(id); ok && w.ix.View().Advisory(r.Advisory).Key == "CVE-2" {
				kept = id
				if !r.Shared || r.Severity != exposure.SeverityHigh {
					w.t.Errorf("the finding that is left lost what the other had: %+v", r)
				}
			}
		}
		states, err := w.db.SourceStates(w.t.Context(), []exposure.FindingID{kept})
		if err != nil || len(states) != 2 {
			w.t.Errorf("%v, %v: want the words of two sources", states, err)
		}
		proofs, err := w.db.Evidence(w.t.Context(), kept, 10)
		if err != nil || len(proofs) != 1 || proofs[0].Evidence[0].Text != "proof of b" {
			w.t.Errorf("%v, %v: the evidence is lost", proofs, err)
		}
		timeline, err := w.db.Timeline(w.t.Context(), kept)
		if err != nil || len(timeline) < 4 {
			w.t.Errorf("%v, %v: want both first sights and the merge", timeline, err)
		}
		// Old reports under either name change nothing.
		before := head(w.t, w.db)
		w.report("mon", ran(1), named("scan", "CVE-1", "", "a"), named("scan", "CVE-2", "", "a"))
		w.report("tue", ran(2), named("other", "CVE-2", `,"severity":"high","evidence":[{"kind":"output","text":"proof of b"}]`, "b"), named("other", "CVE-3", "", "b"))
		w.report("wed", ran(3), named("scan", "CVE-1", "", "a", "b"))
		if now := head(w.t, w.db); now != before {
			w.t.Errorf("again wrote %d events", now-before)
		}
		// A new report by the younger's name is about the same findings.
		res = w.report("thu", ran(4), named("other", "CVE-3", "", "b"), named("other", "CVE-2", "", "b"), strings.ReplaceAll(covered("b"), `"scan"`, `"other"`))
		if res.New != 0 || res.Closed != 0 {
			w.t.Errorf("a report by the younger's name: %+v", res)
		}
		// And coverage by that name closes them.
		res = w.report("fri", ran(5), named("other", "CVE-2", "", "b"), strings.ReplaceAll(covered("b"), `"scan"`, `"other"`))
		if res.Closed != 1 {
			w.t.Errorf("coverage by the younger's name: %+v", res)
		}
		w.want("a CVE-1 open", "a CVE-2 open", "a CVE-3 verified")
	})
}

// Code is told apart by its text, which a place does not hold: such findings
// meet when they are reported again.
func TestMergeOfCode(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		code := func(text string, ids ...string) string {
			return strings.Replace(named("scan", "x", fmt.Sprintf(`,"rule":"r","location":{"file":"main.go","snippet":%q}`, text), ids...), `"advisories":["x"],`, "", 1)
		}
		w.report("1", code("one", "a"), code("two", "a"))
		w.report("2", code("one", "b"), code("three", "b"))
		w.report("3", named("scan", "CVE-1", "", "a", "b"))
		if got := len(w.state()); got != 5 {
			w.t.Errorf("%d findings after the merge, want 5: nothing proves that two of them are one", got)
		}
		res := w.report("4", code("one", "b"), code("two", "a"), code("three", "a"))
		if res.New != 0 {
			w.t.Errorf("known code made %d findings", res.New)
		}
		if got := len(w.state()); got != 4 {
			w.t.Errorf("%d findings, want 4: %v", got, w.state())
		}
	})
}

// Things whose owner gave them different ids are different, whatever they share.
func TestMergeNeverOfDifferentThings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.report("1", named("scan", "CVE-1", "", "cloud:i-1", "golden-image"))
		w.report("2", named("scan", "CVE-1", "", "cloud:i-2", "golden-image"))
		if n := w.ix.View().Assets(); n != 2 {
			w.t.Errorf("%d assets, want 2", n)
		}
		w.report("3", named("scan", "CVE-1", "", "golden-image"))
		if n := w.ix.View().Assets(); n != 2 {
			w.t.Errorf("a record that fits both joined them: %d assets", n)
		}
		if got := len(w.state()); got != 2 {
			w.t.Errorf("%v", w.state())
		}
	})
}

// Whatever records connect assets in whatever order: there are as many assets
// as there are connected sets of names, and no weakness stands twice on one.
func TestMergeProperty(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			w := newWorld(t, db)
			r := rand.New(rand.NewPCG(seed, 7))
			parent := map[string]string{}
			var find func(string) string
			find = func(n string) string {
				if parent[n] == "" || parent[n] == n {
					parent[n] = n
					return n
				}
				return find(parent[n])
			}
			type statement struct{ name, cve string }
			var said []statement
			var reports [][]string
			for range 12 {
				var lines []string
				for range 1 + r.IntN(6) {
					names := []string{fmt.Sprintf("h%d", r.IntN(14))}
					if r.IntN(4) == 0 {
						names = append(names, fmt.Sprintf("h%d", r.IntN(14)))
					}
					slices.Sort(names)
					names = slices.Compact(names)
					for _, n := range names {
						parent[find(n)] = find(names[0])
					}
					cve := fmt.Sprintf("CVE-%d", r.IntN(4))
					said = append(said, statement{names[0], cve})
					lines = append(lines, named("scan", cve, "", names...))
				}
				reports = append(reports, lines)
			}
			for range 2 {
				for i, lines := range reports {
					w.report(fmt.Sprint(i), lines...)
				}
			}
			assets, findings := map[string]bool{}, map[statement]bool{}
			for _, s := range said {
				assets[find(s.name)] = true
				findings[statement{find(s.name), s.cve}] = true
			}
			if got := w.ix.View().Assets(); got != len(assets) {
				t.Errorf("%d assets, want %d", got, len(assets))
			}
			state := w.state()
			if len(state) != len(findings) {
				t.Errorf("%d findings, want %d: %v", len(state), len(findings), state)
			}
			if len(slices.Compact(slices.Clone(state))) != len(state) {
				t.Errorf("a weakness stands twice on an asset: %v", state)
			}
			before := head(t, db)
			for i, lines := range reports {
				w.report(fmt.Sprint(i), lines...)
			}
			if now := head(t, db); now != before {
				t.Errorf("the third time wrote %d events", now-before)
			}
			fresh := index.New(flatModel{}, noContexts{})
			if err := fresh.CatchUp(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			for id := exposure.FindingID(1); int(id) <= w.ix.View().Len(); id++ {
				a, _ := w.ix.View().Row(id)
				b, _ := fresh.View().Row(id)
				if diff := cmp.Diff(a, b); diff != "" {
					t.Errorf("the index that was there and a fresh one differ on %v:\n%s", id, diff)
				}
			}
		})
	}
}

// aliases is intelligence that learns.
type aliases map[string]string

func (a aliases) Canonical(id string) string {
	if to, ok := a[id]; ok {
		return to
	}
	return id
}
func (aliases) Threat([]string, []int) exposure.Threat { return exposure.Threat{} }

// A feed that tells later that two names mean one weakness neither doubles nor
// closes what is known under the other name.
func TestAliasLearntLater(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		other := strings.ReplaceAll(seen("a", "CVE-2021-1"), `"scan"`, `"other"`)
		w.report("mon", ran(1), seen("a", "GHSA-aaaa"), seen("b", "GHSA-aaaa"), covered("a"), covered("b"))
		w.report("mon other", ran(1), other)
		w.want("a CVE-2021-1 open", "a GHSA-aaaa open", "b GHSA-aaaa open")
		w.im.Intel = aliases{"GHSA-aaaa": "CVE-2021-1"}
		res := w.report("tue", ran(2), seen("a", "GHSA-aaaa"), seen("b", "GHSA-aaaa"), covered("a"), covered("b"))
		if res.New != 0 || res.Closed != 0 {
			w.t.Errorf("a better name made or closed findings: %+v", res)
		}
		w.want("a CVE-2021-1 open", "b GHSA-aaaa open")
		before := head(w.t, w.db)
		w.report("tue", ran(2), seen("a", "GHSA-aaaa"), seen("b", "GHSA-aaaa"), covered("a"), covered("b"))
		w.report("mon", ran(1), seen("a", "GHSA-aaaa"), seen("b", "GHSA-aaaa"), covered("a"), covered("b"))
		if now := head(w.t, w.db); now != before {
			w.t.Errorf("again wrote %d events", now-before)
		}
		// What both said is closed only when both do not see it any more.
		if res := w.report("wed", ran(3), covered("a"), covered("b")); res.Closed != 1 {
			w.t.Errorf("%+v", res)
		}
		w.want("a CVE-2021-1 open", "b GHSA-aaaa verified")
	})
}
