package scope

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leeward-ctem/leeward/exposure"
)

func parse(t testing.TB, text string) *Programme {
	t.Helper()
	p, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func host(name string, identifiers ...exposure.Identifier) *exposure.Asset {
	return &exposure.Asset{Kind: exposure.AssetHost, Name: name, Identifiers: identifiers}
}

const company = `
currency: EUR
services:
  - {name: shop, tier: 1, owner: payments, impact: {confidentiality: 2000000, integrity: 500000}}
  - {name: warehouse, tier: 2, owner: logistics, criticality: {confidentiality: 1, integrity: 3, availability: 5}}
  - {name: newsletter, owner: marketing}
assets:
  - {match: {name: "web-*"}, reach: internet, services: [shop], tags: [production]}
  - {match: {name: web-9}, reach: internal, owner: web team, tier: 3, tags: [canary, Production]}
  - {match: {name: "db-*"}, services: [newsletter, warehouse]}
  - {match: {name: mail-1}, services: newsletter}
  - match: {tag: production, not: {tag: canary}}
    controls: [{name: waf, effectiveness: 0.5, coverage: 0.8}]
  - match: {service: shop}
    controls: [{name: edr, effectiveness: 0.5, coverage: 1}]
  - match: {name: web-8}
    controls: [{name: WAF, effectiveness: 0, coverage: 0}]
exclusions:
  - {match: {cidr: 10.66.0.0/16}, reason: medical}
  - {match: {tag: canary, reach: internal}}
scopes:
  - {name: everything, in: [{name: "*"}]}
  - {name: edge, in: [{reach: internet}, {name: db-1}], out: {name: web-2}}
`

func TestContext(t *testing.T) {
	t.Parallel()
	p := parse(t, company)
	// A service that says nothing of its losses is rated by its tier, 3 without.
	newsletter := exposure.Loss{Confidentiality: 1e5 / 3.0, Integrity: 1e5 / 3.0, Availability: 1e5 / 3.0}
	warehouse := exposure.Loss{Confidentiality: 1e4, Integrity: 1e5, Availability: 1e6}
	shop := exposure.Loss{Confidentiality: 2e6, Integrity: 5e5}
	for _, c := range []struct {
		what  string
		asset *exposure.Asset
		want  exposure.Context
	}{
		{"tier, owner and loss come from the service", host("WEB-1"), exposure.Context{
			Reach: exposure.ReachInternet, Tier: 1, Owner: "payments", Tags: []string{"production"}, Services: []string{"shop"}, Loss: shop, Scopes: []string{"everything", "edge"}, Controls: 0.7}},
		{"out wins over in", host("web-2"), exposure.Context{
			Reach: exposure.ReachInternet, Tier: 1, Owner: "payments", Tags: []string{"production"}, Services: []string{"shop"}, Loss: shop, Scopes: []string{"everything"}, Controls: 0.7}},
		{"a later rule refines; an exclusion sees the outcome", host("web-9"), exposure.Context{
			Reach: exposure.ReachInternal, Tier: 3, Owner: "web team", Tags: []string{"production", "canary"}, Services: []string{"shop"}, Loss: shop, Excluded: true, Controls: 0.5}},
		{"the last word on a control counts", host("web-8"), exposure.Context{
			Reach: exposure.ReachInternet, Tier: 1, Owner: "payments", Tags: []string{"production"}, Services: []string{"shop"}, Loss: shop, Scopes: []string{"everything", "edge"}, Controls: 0.5}},
		{"degrees where there are no amounts; the most critical service decides", host("db-1"), exposure.Context{
			Tier: 2, Owner: "logistics", Services: []string{"warehouse", "newsletter"}, Loss: warehouse.Add(newsletter), Scopes: []string{"everything", "edge"}}},
		{"a service without tier gives its owner when there is no other", host("mail-1"), exposure.Context{
			Owner: "marketing", Services: []string{"newsletter"}, Loss: newsletter, Scopes: []string{"everything"}}},
		{"an excluded asset keeps what rules say", host("db-2", exposure.Identifier{Kind: exposure.IDIP, Value: "10.66.1.2"}), exposure.Context{
			Tier: 2, Owner: "logistics", Services: []string{"warehouse", "newsletter"}, Loss: warehouse.Add(newsletter), Excluded: true}},
		{"an unknown asset is in what takes all", host("printer"), exposure.Context{Scopes: []string{"everything"}}},
	} {
		if diff := cmp.Diff(c.want, p.Context(c.asset), cmpopts.EquateApprox(1e-9, 0)); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

func TestSelector(t *testing.T) {
	t.Parallel()
	const given = `
services: [{name: shop, owner: payments, tier: 2}]
assets:
  - {match: {name: "shop-*"}, services: shop, tags: [live, eu-west], reach: internet}
  - {match: {name: "*-lab"}, owner: research, tier: 4}
exclusions:
  - match: `
	image := &exposure.Asset{Kind: exposure.AssetImage, Name: "acme/app:1.2", Identifiers: []exposure.Identifier{{Kind: exposure.IDImage, Value: "acme/App:1.2"}, {Kind: exposure.IDDigest, Value: "sha256:abc"}}}
	machine := &exposure.Asset{Kind: exposure.AssetHost, Name: "shop-1", OS: "Ubuntu 22.04", Identifiers: []exposure.Identifier{
		{Kind: exposure.IDHostname, Value: "shop-1.example.com"}, {Kind: exposure.IDMAC, Value: "00:50:56:aa:bb:cc"}, {Kind: exposure.IDIP, Value: "192.0.2.7"}, {Kind: exposure.IDIP, Value: "2001:db8::7"}}}
	repository := &exposure.Asset{Kind: exposure.AssetRepository, Name: "shop", Identifiers: []exposure.Identifier{{Kind: exposure.IDRepository, Value: "github.com/acme/shop"}}}
	for _, c := range []struct {
		selector string
		asset    *exposure.Asset
		want     bool
	}{
		{`{name: "*"}`, machine, true},
		{`{name: SHOP-1}`, machine, true},
		{`{name: shop}`, machine, false},
		{`{name: [x, "?hop-1"]}`, machine, true},
		{`{kind: host}`, machine, true},
		{`{kind: [image, repository]}`, machine, false},
		{`{kind: host, name: x}`, machine, false},
		{`{cidr: 192.0.2.0/24}`, machine, true},
		{`{cidr: [10.0.0.0/8, "2001:db8::/32"]}`, machine, true},
		{`{cidr: 192.0.2.7}`, machine, true},
		{`{cidr: 192.0.2.8}`, machine, false},
		{`{cidr: 192.0.2.0/24}`, image, false},
		{`{os: "ubuntu*"}`, machine, true},
		{`{os: ubuntu}`, machine, false},
		{`{os: "*"}`, image, true},
		{`{identifier: "hostname:*.EXAMPLE.com"}`, machine, true},
		{`{identifier: "*.example.com"}`, machine, true},
		{`{identifier: "host*"}`, machine, false}, // the kind is no part of the value
		{`{identifier: "Hostname:shop-1.example.com."}`, machine, true},
		{`{identifier: "mac:00-50-56-AA-BB-CC"}`, machine, true},
		{`{identifier: "mac:00:50:56:*"}`, machine, true},
		{`{identifier: "ip:192.0.2.7"}`, machine, true},
		{`{identifier: "image:acme/app:*"}`, image, true},
		{`{identifier: "acme/app:1.2"}`, image, true},
		{`{identifier: "digest:SHA256:ABC"}`, image, true},
		{`{identifier: "repository:git@github.com:acme/shop.git"}`, repository, true},
		{`{identifier: "repository:https://github.com/acme/other"}`, repository, false},
		{`{tag: live}`, machine, true},
		{`{tag: "EU-*"}`, machine, true},
		{`{tag: live}`, image, false},
		{`{service: shop}`, machine, true},
		{`{service: "*"}`, image, false},
		{`{owner: payments}`, machine, true}, // by its service
		{`{owner: research}`, machine, false},
		{`{owner: none}`, machine, false},
		{`{owner: none}`, image, true},
		{`{owner: "*"}`, image, false},
		{`{owner: [research, none]}`, host("x-lab"), true},
		{`{reach: internet}`, machine, true},
		{`{reach: [partner, unknown]}`, image, true},
		{`{tier: 2}`, machine, true},
		{`{tier: 4}`, host("shop-lab"), true}, // a rule's before a service's
		{`{tier: 0}`, image, true},
		{`{tier: [1, 2]}`, image, false},
		{`{any: [{name: y}, {kind: host}]}`, machine, true},
		{`{any: [{name: y}, {kind: image}]}`, machine, false},
		{`{name: "shop-*", any: [{name: y}, {kind: image}]}`, machine, false},
		{`{not: {kind: image}}`, machine, true},
		{`{not: [{kind: image}, {name: "shop-?"}]}`, machine, false},
		{`{kind: host, not: {any: [{tag: live}], not: {tag: eu-west}}}`, machine, true},
	} {
		p := parse(t, given+c.selector)
		if got := p.Context(c.asset).Excluded; got != c.want {
			t.Errorf("%s matches %s: %v", c.selector, c.asset.Name, got)
		}
	}
}

func TestZeroProgramme(t *testing.T) {
	t.Parallel()
	var none *Programme
	for _, p := range []*Programme{none, {}, parse(t, ""), parse(t, "# nothing\n"), parse(t, "---\n")} {
		if diff := cmp.Diff(exposure.Context{}, p.Context(host("web-1"))); diff != "" {
			t.Error(diff)
		}
		v := p.Coverage(slices.Values([]*exposure.Asset{host("web-1")}))
		if diff := cmp.Diff(Coverage{Total: 1, InScope: 1, Unspoken: 1, Examples: []string{"web-1"}, Idle: []IdleEntry{}}, v); diff != "" {
			t.Error(diff)
		}
		if c := Compare(p, &Programme{}, slices.Values([]*exposure.Asset{host("web-1")})); !c.Empty() {
			t.Errorf("%+v", c)
		}
	}
}

// The indexes find exactly what trying every rule finds.
func TestContextAgainstReference(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(1500) {
		d := newDice(seed)
		p := d.programme()
		for range 5 {
			a := d.asset()
			want, got := referenceContext(p, a), p.Context(a)
			if !same(&want, &got) {
				t.Fatalf("seed %d, asset %+v: %s\n%+v", seed, a, cmp.Diff(want, got), p)
			}
			for name, is := range map[string]bool{"excluded": got.Excluded, "scoped": got.Scopes != nil, "tagged": got.Tags != nil, "owned": got.Owner != "", "controlled": got.Controls > 0, "nothing": same(&got, &exposure.Context{})} {
				if is {
					seen[name]++
				}
			}
		}
	}
	for _, name := range []string{"excluded", "scoped", "tagged", "owned", "controlled", "nothing"} {
		if seen[name] < 200 {
			t.Errorf("%s happened %d times only", name, seen[name])
		}
	}
}

// The same file gives the same bytes, however often and by whomever it is asked.
func TestSameAnswers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		d := newDice(seed)
		p := d.programme()
		again := newDice(seed).programme()
		assets := some(d, 20, d.asset)
		want := make([]string, len(assets))
		for i, a := range assets {
			want[i] = fmt.Sprintf("%#v", p.Context(a))
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i, a := range assets {
					for _, p := range []*Programme{p, again} {
						if got := fmt.Sprintf("%#v", p.Context(a)); got != want[i] {
							t.Errorf("seed %d:\n%s\n%s", seed, want[i], got)
						}
					}
				}
			})
		}
		wg.Wait()
	}
}

// Names come in the order of the file, whichever rule gave them; the order of
// the lists in the file does not matter.
func TestOrder(t *testing.T) {
	t.Parallel()
	p := parse(t, `
scopes: [{name: b, in: {owner: payments}}, {name: a, in: {name: web-2}}]
assets:
  - {match: {name: web-1}, tags: [x, y], services: [s1, s2]}
  - {match: {name: web-2}, tags: [y, x], services: [s2, s1]}
  - {match: {owner: payments}, tags: [z]}
services: [{name: s2}, {name: s1, owner: payments}]
`)
	c := p.Context(host("web-2"))
	if diff := cmp.Diff([][]string{{"x", "y", "z"}, {"s2", "s1"}, {"b", "a"}}, [][]string{c.Tags, c.Services, c.Scopes}); diff != "" {
		t.Error(diff)
	}
}

// What is handed out is the caller's: changing it changes no later answer.
func TestContextIsACopy(t *testing.T) {
	t.Parallel()
	p := parse(t, company)
	c := p.Context(host("web-1"))
	c.Tags[0], c.Services[0], c.Scopes[0] = "x", "x", "x"
	if diff := cmp.Diff([]string{"production", "shop", "everything"}, func() []string {
		c := p.Context(host("web-1"))
		return []string{c.Tags[0], c.Services[0], c.Scopes[0]}
	}()); diff != "" {
		t.Error(diff)
	}
}

// An exclusion always wins: whatever else is said, adding one takes nothing
// back into scope, and what is excluded is in no scope.
func TestExclusionsWin(t *testing.T) {
	t.Parallel()
	grew := 0
	for seed := range uint64(2000) {
		d := newDice(seed)
		p := d.programme()
		a := d.asset()
		before := p.Context(a)
		more := *p
		at := d.IntN(len(p.Exclusions) + 1)
		more.Exclusions = slices.Insert(slices.Clone(p.Exclusions), at, Exclusion{Match: d.selector(2)})
		after := ready(&more).Context(a)
		if before.Excluded && !after.Excluded {
			t.Fatalf("seed %d: another exclusion takes %+v back", seed, a)
		}
		if after.Excluded && !before.Excluded {
			grew++
		}
		if after.Excluded && after.Scopes != nil {
			t.Fatalf("seed %d: excluded and in %v", seed, after.Scopes)
		}
		before.Excluded, before.Scopes, after.Excluded, after.Scopes = false, nil, false, nil
		if !same(&before, &after) {
			t.Fatalf("seed %d: an exclusion changes more: %s", seed, cmp.Diff(before, after))
		}
	}
	if grew < 100 {
		t.Errorf("only %d assets became excluded", grew)
	}
}

// Another service, whatever it states, never makes an asset lose less.
func TestServicesAddUp(t *testing.T) {
	t.Parallel()
	grew := 0
	for seed := range uint64(2000) {
		d := newDice(seed)
		p := d.programme()
		a := d.asset()
		more := *p
		s := d.service(len(p.Services))
		more.Services = slices.Insert(slices.Clone(p.Services), d.IntN(len(p.Services)+1), s)
		more.Assets = append(slices.Clone(p.Assets), Rule{Match: Selector{Name: []string{"*"}}, Services: []string{s.Name}})
		x, y := p.Context(a).Loss, ready(&more).Context(a).Loss
		const rounding = 1 - 1e-12
		if y.Confidentiality < x.Confidentiality*rounding || y.Integrity < x.Integrity*rounding || y.Availability < x.Availability*rounding {
			t.Fatalf("seed %d: %+v lowers %+v to %+v", seed, s, x, y)
		}
		if y != x {
			grew++
		}
	}
	if grew < 500 {
		t.Errorf("only %d losses grew", grew)
	}
}

// Controls stay a share, and another or a better one never lets more through.
func TestControls(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		d := newDice(seed)
		p := d.programme()
		a := d.asset()
		before := p.Context(a).Controls
		if before < 0 || before > 1 || math.IsNaN(before) {
			t.Fatalf("seed %d: controls stop %g", seed, before)
		}
		more := *p
		more.Assets = append(slices.Clone(p.Assets), Rule{Match: Selector{Name: []string{"*"}}, Controls: []Control{{"another", d.Float64(), d.Float64()}}})
		after := ready(&more).Context(a).Controls
		if after < before || after > 1 {
			t.Fatalf("seed %d: another control lowers %g to %g", seed, before, after)
		}
	}
	one := parse(t, "assets: [{match: {name: x}, controls: [{name: waf, effectiveness: 0.9, coverage: 0.7}]}]")
	if got := one.Context(host("x")).Controls; got != 0.9*0.7 {
		t.Errorf("a single control stops %v", got)
	}
}

// The cost of a hostile asset is bounded by its size.
func TestHostileAsset(t *testing.T) {
	t.Parallel()
	p := parse(t, `
assets:
  - {match: {name: ["*a*a*a*a*a*b", "?a*"], identifier: "*a*a*a*b*"}, tags: [x]}
`)
	a := host(strings.Repeat("a", 2048), exposure.Identifier{Kind: exposure.IDHostname, Value: strings.Repeat("a", 2048) + "\xff\x00"})
	if got := p.Context(a); got.Tags != nil {
		t.Errorf("%+v", got)
	}
	a.Kind = 255
	if got := p.Context(a); got.Tags != nil {
		t.Errorf("%+v", got)
	}
}

// An assigned owner goes over services and rules, is what selectors see, and
// need not be named in the file.
func TestAssignedOwner(t *testing.T) {
	t.Parallel()
	p := parse(t, company+`
  - {name: of payments, in: [{owner: payments}]}
  - {name: of nobody, in: [{owner: none}]}
  - {name: of anybody, in: [{owner: "*"}]}
`)
	for _, test := range []struct {
		name, assigned, owner string
		scopes                []string
	}{
		{"web-1", "", "payments", []string{"everything", "edge", "of payments", "of anybody"}},
		{"web-9", "Payments", "payments", nil}, // excluded
		{"web-1", "night shift", "night shift", []string{"everything", "edge", "of anybody"}},
		{"lonely", "", "", []string{"everything", "of nobody"}},
		{"lonely", "LOGISTICS", "logistics", []string{"everything", "of anybody"}},
		{"lonely", "none", "none", []string{"everything", "of anybody"}},
	} {
		a := host(test.name)
		a.Assigned = test.assigned
		got := p.Context(a)
		if got.Owner != test.owner || !slices.Equal(got.Scopes, test.scopes) {
			t.Errorf("%s assigned to %q: owner %q in %q, want %q in %q", test.name, test.assigned, got.Owner, got.Scopes, test.owner, test.scopes)
		}
	}
	var none *Programme
	if got := none.Context(&exposure.Asset{Assigned: "ops"}); got.Owner != "ops" {
		t.Errorf("without a programme the owner is %q", got.Owner)
	}
}
