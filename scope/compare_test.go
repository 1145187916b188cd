package scope

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

func estate(names ...string) iter.Seq[*exposure.Asset] {
	return func(yield func(*exposure.Asset) bool) {
		for _, n := range names {
			if !yield(host(n)) {
				return
			}
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	base := "services: [{name: shop, tier: 2, owner: payments, impact: {integrity: 1000}}]\nassets:\n- {match: {name: 'web-*'}, services: shop, reach: internal}\n"
	for _, c := range []struct{ what, old, next, want string }{
		{"nothing", base, "# a comment\n" + base, "nothing changes"},
		{"from nothing", "", base, "1 service added, 1 rule added; 2 assets change: 2 get an owner, 2 get a tier, 2 get a reach, 2 support other services, 2 have more to lose"},
		{"to nothing", base, "", "1 service removed, 1 rule removed; 2 assets change: 2 lose their owner, 2 lose their tier, 2 lose their reach, 2 support other services, 2 have less to lose"},
		{"an exclusion", base, base + "exclusions: [{match: {name: web-1}}]\nscopes: [{name: all, in: {name: '*'}}]", "1 exclusion added, 1 scope added; 3 assets change: 1 becomes excluded, 2 are in other scopes"},
		{"no exclusion", base + "exclusions: [{match: {name: '*-1'}}]", base, "1 exclusion removed; 2 assets change: 2 are no longer excluded"},
		{"another reason", base + "exclusions: [{match: {name: x}, reason: a}]", base + "exclusions: [{match: {name: x}, reason: b}]", "1 exclusion changed; no asset changes"},
		{"a worse service", base, strings.Replace(base, "tier: 2, owner: payments, impact: {integrity: 1000}", "tier: 1, owner: shop team, impact: {integrity: 2000}", 1), "1 service changed; 2 assets change: 2 get another owner, 2 become more critical, 2 have more to lose"},
		{"rules in another order", base + "- {match: {name: web-1}, reach: internet, tags: [a]}\n", "assets:\n- {match: {name: web-1}, reach: internet, tags: [a]}\n" + base[strings.Index(base, "- {match"):] + base[:strings.Index(base, "assets")], "rules reordered; 1 asset changes: 1 gets another reach"},
		{"a rule changed", base, strings.Replace(base, "reach: internal", "reach: internet, tier: 4, tags: [x], controls: [{name: waf, effectiveness: 1, coverage: 0.5}]", 1), "1 rule changed; 2 assets change: 2 become less critical, 2 get another reach, 2 have other controls, 2 have other tags"},
		{"a profile", base + "profile: {sectors: retail}\n", base + "profile: {sectors: [retail], countries: [de]}\n", "another profile; no asset changes"},
		{"the same profile", base + "profile: {countries: [DE, AT]}\n", base + "profile: {countries: [at, DE, de]}\n", "nothing changes"},
		{"settings", base, base + "name: x\ncurrency: CHF\nrisk: {sla: [1, 1, 1, 1]}\nwebhooks: [{name: w, url: 'http://h', secret_env: X, events: kev}]", "1 webhook added, another name, another currency (amounts are not converted), other settings of the risk model; no asset changes"},
		{"the default loss", "services: [{name: s, criticality: {integrity: 3}}]\nassets: [{match: {name: db-1}, services: s}]", "services: [{name: s, criticality: {integrity: 3}}]\nassets: [{match: {name: db-1}, services: s}]\nrisk: {loss: 5}", "other settings of the risk model; 1 asset changes: 1 has less to lose"},
		{"the same rule twice", base, base + "- {match: {name: 'web-*'}, services: shop, reach: internal}\n", "1 rule added; no asset changes"},
	} {
		got := Compare(parse(t, c.old), parse(t, c.next), estate("web-1", "web-2", "db-1"))
		if got.String() != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.what, got, c.want)
		}
		if got.Assets.Total != 3 || got.Empty() != (c.want == "nothing changes") {
			t.Errorf("%s: %+v", c.what, got)
		}
	}
}

func TestCompareNamesExclusions(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range maxExamples + 5 {
		names = append(names, fmt.Sprintf("h-%02d", i))
	}
	excluding := parse(t, "exclusions: [{match: {name: 'h-*'}}]")
	c := Compare(nil, excluding, estate(names...))
	if c.Assets.Excluded != len(names) || !slices.Equal(c.Assets.ExcludedNames, names[:maxExamples]) {
		t.Errorf("%+v", c.Assets)
	}
	c = Compare(excluding, nil, estate(names...))
	if c.Assets.Returned != len(names) || !slices.Equal(c.Assets.ReturnedNames, names[:maxExamples]) {
		t.Errorf("%+v", c.Assets)
	}
	text, err := json.Marshal(Compare(nil, nil, estate()))
	if err != nil || !strings.Contains(string(text), `"excluded_names":[]`) {
		t.Errorf("%s %v", text, err)
	}
}

// Changes one way are changes the other way round, and none to oneself.
func TestCompareMirrors(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		d := newDice(seed)
		x, y := d.programme(), d.programme()
		assets := slices.Values(some(d, 10, d.asset))
		there, back := Compare(x, y, assets), Compare(y, x, assets)
		mirrored := func(l ListChanges) ListChanges { return ListChanges{l.Removed, l.Added, l.Changed} }
		a, b := there.Assets, back.Assets
		a.Excluded, a.Returned, a.ExcludedNames, a.ReturnedNames = a.Returned, a.Excluded, a.ReturnedNames, a.ExcludedNames
		a.OwnerGained, a.OwnerLost = a.OwnerLost, a.OwnerGained
		a.ReachGained, a.ReachLost = a.ReachLost, a.ReachGained
		a.TierGained, a.TierLost, a.TierRaised, a.TierLowered = a.TierLost, a.TierGained, a.TierLowered, a.TierRaised
		a.LossRaised, a.LossLowered = a.LossLowered, a.LossRaised
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		if mirrored(there.Services) != back.Services || mirrored(there.Rules) != back.Rules || mirrored(there.Exclusions) != back.Exclusions || mirrored(there.Scopes) != back.Scopes {
			t.Fatalf("seed %d: %+v, %+v", seed, there, back)
		}
		if same := Compare(x, newDice(seed).programme(), assets); !same.Empty() {
			t.Fatalf("seed %d: %v", seed, same)
		}
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	text := strings.Replace(company, "scopes:", "  - {match: {name: gone-*, kind: host}}\nscopes:", 1)
	p := parse(t, text)
	v := p.Coverage(estate("web-1", "web-9", "db-1", "mail-1", "printer", "laptop", "10.66.0.9"))
	want := Coverage{
		Total: 7, InScope: 5, Excluded: 2, Matched: 4, WithOwner: 4, WithService: 4, WithReach: 2, Unspoken: 2, Examples: []string{"printer", "laptop"}, IdleCount: 2,
		Idle: []IdleEntry{{List: "assets", Index: 6, Line: 16, Text: "{name: web-8}"}, {List: "exclusions", Index: 2, Line: 21, Text: "{name: gone-*; kind: host}"}},
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
	for line, part := range map[int]string{16: "match: {name: web-8}", 21: "gone-*"} {
		if here := strings.Join(strings.Split(text, "\n")[line-1:line], "\n"); !strings.Contains(here, part) {
			t.Errorf("line %d is %q", line, here)
		}
	}
	body, err := json.Marshal((&Programme{}).Coverage(estate()))
	if err != nil || string(body) != `{"total":0,"in_scope":0,"excluded":0,"matched":0,"with_owner":0,"with_service":0,"with_reach":0,"unspoken":0,"examples":[],"idle":[],"idle_count":0}` {
		t.Errorf("%s %v", body, err)
	}
	if v := p.Coverage(estate()); v.IdleCount != 0 {
		t.Errorf("without assets %d entries are idle", v.IdleCount)
	}
}

func TestCoverageIsBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("exclusions:\n")
	for i := range maxIdle + 7 {
		fmt.Fprintf(&text, "- match: {name: [none-%d, %s]}\n", i, strings.Repeat("é", 500))
	}
	names := make([]string, maxExamples+1)
	v := parse(t, text.String()).Coverage(estate(names...))
	if len(v.Idle) != maxIdle || v.IdleCount != maxIdle+7 || len(v.Examples) != maxExamples || v.Unspoken != maxExamples+1 || len(v.Idle[0].Text) > maxCut+len("…") {
		t.Errorf("%d of %d, %d of %d, %d bytes", len(v.Idle), v.IdleCount, len(v.Examples), v.Unspoken, len(v.Idle[0].Text))
	}
}

// The counts are those of the contexts, and an entry is idle when leaving it
// out changes nothing.
func TestCoverageAgainstContexts(t *testing.T) {
	t.Parallel()
	idle := 0
	for seed := range uint64(300) {
		d := newDice(seed)
		p := d.programme()
		assets := some(d, 10, d.asset)
		v := p.Coverage(slices.Values(assets))
		var want Coverage
		for _, a := range assets {
			c := p.Context(a)
			for counter, is := range map[*int]bool{&want.Excluded: c.Excluded, &want.WithOwner: c.Owner != "", &want.WithService: c.Services != nil, &want.WithReach: c.Reach != exposure.ReachUnknown, &want.InScope: c.Scopes != nil || p.Scopes == nil && !c.Excluded} {
				if is {
					*counter++
				}
			}
		}
		if v.Total != len(assets) || v.Excluded != want.Excluded || v.WithOwner != want.WithOwner || v.WithService != want.WithService || v.WithReach != want.WithReach || v.InScope != want.InScope {
			t.Fatalf("seed %d: %+v, want %+v", seed, v, want)
		}
		for _, e := range v.Idle {
			less := *p
			switch e.List {
			case "assets":
				less.Assets = slices.Delete(slices.Clone(p.Assets), e.Index, e.Index+1)
			case "exclusions":
				less.Exclusions = slices.Delete(slices.Clone(p.Exclusions), e.Index, e.Index+1)
			case "scopes":
				less.Scopes = slices.Delete(slices.Clone(p.Scopes), e.Index, e.Index+1)
			}
			idle++
			if c := Compare(p, ready(&less), slices.Values(assets)); c.Assets.Changed != 0 {
				t.Fatalf("seed %d: %+v is not idle: %v", seed, e, c)
			}
		}
	}
	if idle < 300 {
		t.Errorf("only %d idle entries", idle)
	}
}
