package scope

import (
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leeward-ctem/leeward/exposure"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got := parse(t, `
name: Acme
currency: EUR
profile: {sectors: [retail, Financial-Services, retail], countries: [de, NO]}
services:
  - name: shop
    tier: 1
    owner: payments
    impact: {confidentiality: 2_000_000, integrity: 0.5e6, availability: 0}
    criticality: {availability: 4}
    data: [cardholder, personal, cardholder]
    regulations: PCI DSS
assets:
  - match:
      name: ["*.corp.example.com", web-1]
      kind: [host, web_app]
      cidr: 10.1.2.3
      identifier: hostname:web-1
      os: "ubuntu*"
      reach: [internet, unknown]
      tier: [0, 1]
      any: [{name: x}, {not: {name: y}}]
      not: [{kind: image}]
    tags: [live, Live, eu]
    owner: web team
    reach: partner
    tier: 2
    services: Shop
    controls: [{name: waf, effectiveness: .5, coverage: 1}]
exclusions:
  - match: {tag: live, service: "s*", owner: [none, payments]}
    reason: |
      Two
      lines
scopes:
  - name: all
    objective: know
    owner: ciso
    in: {name: "*"}
    out: [{cidr: ["10.0.0.0/8", "2001:db8::/32"]}]
    frameworks: [PCI DSS, DORA]
risk: {targeted: 0.1, actors: 1.5, loss_min: 1, loss_max: 1e7, loss: 5000, bands: [1, 2, 3, 4], sla: [0, 90, 30, 7], policies: none, weights: {intercept: -9, signals: {nuclei: 1.5, old: 0}, horizon_days: 60, fit: {days: ["2024-06-30"], until: 2025-06-28, cases: 7, exploited: 2, ridge: 2, deviance: 1.5, "null": 1.6}}}
webhooks:
  - {name: chat, url: "https://user:secret@chat.example.com/x?y", secret_env: CHAT_SECRET, events: [kev, digest, kev]}
watch: [CVE-2024-3400, "*citrix*", APT 29]
`)
	want := &Programme{
		Name: "Acme", Currency: "EUR", Profile: exposure.Profile{Sectors: []string{"retail", "financial-services"}, Countries: []string{"DE", "NO"}},
		Services: []Service{{Name: "shop", Tier: 1, Owner: "payments", Impact: &Impact{2e6, 5e5, 0}, Criticality: &Impact{Availability: 4}, Data: []string{"cardholder", "personal"}, Regulations: []string{"PCI DSS"}}},
		Assets: []Rule{{
			Match: Selector{
				Name: []string{"*.corp.example.com", "web-1"}, Kind: []exposure.AssetKind{exposure.AssetHost, exposure.AssetWebApp}, CIDR: []netip.Prefix{netip.MustParsePrefix("10.1.2.3/32")},
				Identifier: []string{"hostname:web-1"}, OS: []string{"ubuntu*"}, Reach: []exposure.Reach{exposure.ReachInternet, exposure.ReachUnknown}, Tier: []int{0, 1},
				Any: []Selector{{Name: []string{"x"}}, {Not: []Selector{{Name: []string{"y"}}}}}, Not: []Selector{{Kind: []exposure.AssetKind{exposure.AssetImage}}},
			},
			Tags: []string{"live", "eu"}, Owner: "web team", Reach: exposure.ReachPartner, Tier: 2, Services: []string{"Shop"}, Controls: []Control{{"waf", 0.5, 1}},
		}},
		Exclusions: []Exclusion{{Selector{Tag: []string{"live"}, Service: []string{"s*"}, Owner: []string{"none", "payments"}}, "Two\nlines"}},
		Scopes: []Scope{{Name: "all", Objective: "know", Owner: "ciso", In: []Selector{{Name: []string{"*"}}}, Frameworks: []string{"PCI DSS", "DORA"},
			Out: []Selector{{CIDR: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}}}}},
		Risk: &Risk{0.1, 1.5, 1, 1e7, 5000, []int{1, 2, 3, 4}, []int{0, 90, 30, 7}, []string{"none"},
			&Weights{-9, map[string]float64{"nuclei": 1.5, "old": 0}, 60, Fit{[]string{"2024-06-30"}, "2025-06-28", 7, 2, 2, 1.5, 1.6}}},
		Webhooks: []Webhook{{"chat", "https://user:secret@chat.example.com/x?y", "CHAT_SECRET", []exposure.Notice{exposure.NoticeKEV, exposure.NoticeDigest}}},
		Watch:    []string{"CVE-2024-3400", "*citrix*", "APT 29"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Programme{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// An owner may come from a service that stands further down, also when a rule
// names it too.
func TestOwnerOfService(t *testing.T) {
	t.Parallel()
	parse(t, "assets:\n- {match: {name: x}, services: s}\n- {match: {owner: ops}, tier: 1}\n- {match: {name: y}, owner: ops}\nservices: [{name: s, owner: Ops}]\n")
}

func TestParseNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n\n", "# only a comment\n", "---\n", "--- # c\n...\n", "~", "{}", "\ufeff# mark of byte order\n"} {
		got := parse(t, text)
		if diff := cmp.Diff(&Programme{}, got, cmpopts.IgnoreUnexported(Programme{})); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// Every problem has its line and says what to do.
func TestParseProblems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, text string
		want       []string // in this order, each a line of the error
	}{
		{"unknown keys at every level", "nam: x\nservices:\n- {name: a, teir: 1}\nassets:\n- match: {nmae: x}\n  tags: [a]\n", []string{
			`p.yaml:1: the programme has no key "nam": use one of name, currency`, `p.yaml:3: a service has no key "teir"`, `p.yaml:5: match has no key "nmae"`}},
		{"a key twice", "name: a\ncurrency: EUR\nname: b\n", []string{`p.yaml:3: the programme has the key name twice: keep one`}},
		{"a key that is none", "? [a]\n: b\n", []string{`p.yaml:1: the programme has no key`}},
		{"a merge key", "<<: {name: x}\n", []string{`p.yaml:1: the programme has no key "<<"`}},
		{"not a mapping", "- a\n", []string{`p.yaml:1: the programme must be a mapping with the keys name`}},
		{"a text", "hello", []string{`p.yaml:1: the programme must be a mapping`}},
		{"wrong types", "name: [a]\nservices: {a: b}\nassets:\n- x\nexclusions:\n", []string{
			`p.yaml:1: name must be a single value`, `p.yaml:2: services must be a list: begin each entry with a dash`, `p.yaml:4: a rule must be a mapping`, `p.yaml:5: exclusions has no entries`}},
		{"tags of YAML", "name: !!binary aGk=\ncurrency: !x EUR\n", []string{`p.yaml:1: name has the tag "!!binary": leave tags out`, `p.yaml:2: currency has the tag "!x"`}},
		{"no values", "name:\nservices: [{name: ''}]\n", []string{`p.yaml:1: name has no value: give one`, `p.yaml:2: name has no value`}},
		{"what must be there", "services: [{tier: 1}]\nassets: [{tags: a}]\nexclusions: [{reason: x}]\nscopes: [{}]\nwebhooks: [{}]\n", []string{
			`p.yaml:1: a service has no name: add it`, `p.yaml:2: a rule has no match`, `p.yaml:3: an exclusion has no match`, `p.yaml:4: a scope has no name`, `p.yaml:4: a scope has no in`,
			`p.yaml:5: a webhook has no name`, `p.yaml:5: a webhook has no url`, `p.yaml:5: a webhook has no secret_env`, `p.yaml:5: a webhook has no events`}},
		{"a control says both", "assets: [{match: {name: x}, controls: [{name: waf}]}]\n", []string{`a control has no effectiveness: add it`, `a control has no coverage: add it`}},
		{"a control is a share", "assets: [{match: {name: x}, controls: [{name: waf, effectiveness: 90, coverage: -0.1}]}]\n", []string{`effectiveness is 90: it must be between 0 and 1`, `coverage is -0.1: it must be`}},
		{"a control twice", "assets: [{match: {name: x}, controls: [{name: waf, effectiveness: 1, coverage: 1}, {name: WAF, effectiveness: 1, coverage: 1}]}]\n", []string{`there is a control "WAF" in line 1 already`}},
		{"an empty match", "exclusions:\n- match: {}\n", []string{`p.yaml:2: match is empty: write {name: "*"} if every asset is meant`}},
		{"empty parts", "exclusions:\n- match: {name: [], any: [], not: [{}]}\nscopes: [{name: a, in: []}]\n", []string{
			`p.yaml:2: name is an empty list`, `p.yaml:2: any is an empty list`, `p.yaml:2: not is empty`, `p.yaml:3: in is an empty list`}},
		{"a rule that says nothing", "assets:\n- match: {name: x}\n", []string{`p.yaml:2: the rule says nothing of what it matches: add tags`}},
		{"names twice", "services: [{name: a}, {name: b}, {name: A}]\nscopes:\n- {name: s, in: {name: x}}\n- {name: S, in: {name: x}}\nwebhooks:\n- {name: w, url: 'http://h', secret_env: X, events: kev}\n- {name: w, url: 'http://h', secret_env: X, events: kev}\n", []string{
			`p.yaml:1: there is a service "A" in line 1 already: rename one`, `p.yaml:4: there is a scope "S" in line 3 already`, `p.yaml:7: there is a webhook "w" in line 6 already`}},
		{"wildcards in names", "services: [{name: 's*'}]\nassets: [{match: {name: x}, tags: ['a?'], owner: '*'}]\n", []string{`name is "s*": * and ? stand in patterns only`, `tags is "a?"`, `owner is "*"`}},
		{"an owner called none", "services: [{name: a, owner: None}]\n", []string{`owner is none, which means nobody`}},
		{"words", "assets: [{match: {kind: hots, reach: inernet}, reach: unknown, tier: 5}]\n", []string{`kind: unknown asset kind "hots": use one of`, `reach: unknown reach "inernet"`, `reach is unknown, which says nothing`, `tier is 5: it must be between 1 and 4`}},
		{"numbers", "services: [{name: a, tier: 1.5, impact: {integrity: much}, criticality: {availability: 6}}, {name: b, impact: {integrity: -1}}, {name: c, impact: {integrity: .nan}}, {name: d, impact: {integrity: 1e300}}]\n", []string{
			`tier is 1.5: it must be a whole number`, `impact.integrity is "much": it must be a number`, `criticality.availability is 6: it must be between 1 and 5`, `impact.integrity is -1: it must be`, `".nan": it must be a number`, `is 1e+300: it must be`}},
		{"risk", "risk: {targeted: 0, sla: [-1], bands: [0], policies: [], loss: x}\n", []string{`targeted is 0: give a number above 0`, `sla is -1`, `bands is 0`, `policies is an empty list`, `loss is "x"`}},
		{"profile", "profile:\n  sectors: [finance, x, '']\n  countries: [UK, Germany, d, [a]]\n  nation: DE\n", []string{
			`p.yaml:2: sectors has "finance", which is not known: use one of financial-services`, `p.yaml:2: sectors has "x", which is not known: use one of aerospace, agriculture`, `p.yaml:2: sectors has no value`,
			`p.yaml:3: countries has "UK", which is not known: use GB for the United Kingdom`, `p.yaml:3: countries has "Germany", which is not known: use the two letters of ISO 3166-1 for each, as in DE`, `countries has "d"`, `p.yaml:3: countries must be a single value`,
			`p.yaml:4: profile has no key "nation": use one of sectors, countries`}},
		{"an empty profile", "profile: {}\n", []string{`p.yaml:1: the profile says nothing: add sectors or countries, or leave the key out`}},
		{"no profile", "profile:\n", []string{`p.yaml:1: profile must be a mapping with the keys sectors, countries`}},
		{"empty lists of a profile", "profile: {sectors: [], countries: []}\n", []string{`sectors is an empty list`, `countries is an empty list`}},
		{"weights", "risk:\n  weights: {intercept: x, signals: [1], horizon_days: 1.5, fit: {days: [], until: '', ridge: null, cases: -1, moon: 1}}\n", []string{
			`p.yaml:2: intercept is "x": it must be a number`, `signals must be a mapping of names to weights`, `horizon_days is 1.5: it must be a whole number`, `cases is -1`, `fit has no key "moon": use one of days`}},
		{"no weights", "risk: {weights: {signals: {a: 1, a: 2, b: .inf, '': 1}}}\n", []string{`signals has "a" twice: keep one`, `the weight of "b" is ".inf"`, `the name of a signal has no value`, `weights has no intercept: add it`, `weights has no horizon_days`}},
		{"weights of one", "risk: {weights: 5}\n", []string{`weights must be a mapping with the keys intercept, signals`}},
		{"policies", "policies:\n- name: a\n  rulez: []\n- rules: [{when: !kev, du: 1 day}]\n- {name: b, table: {inputs: [{name: x, values: [{when: kev}]}], rows: [{due: 1 day}]}}\n- {name: c, rules: [{due: 1 day}], applies: [a]}\n", []string{
			`p.yaml:3: a policy has no key "rulez": use one of name, title`, `p.yaml:4: when begins with !, which YAML takes for a tag: put the expression in quotes`, `p.yaml:4: a rule of a policy has no key "du"`, `p.yaml:4: a policy has no name`,
			`p.yaml:5: a value has no value: add it`, `p.yaml:5: a row has no when`, `p.yaml:6: a rule of a policy has no when`, `p.yaml:6: applies must be a single value`}},
		{"a long expression", "policies: [{name: a, rules: [{when: \"" + strings.Repeat("x", maxExpression+1) + "\", due: 1 day}]}]\n", []string{`when has 2001 bytes, and at most 2000 are allowed`}},
		{"currency", "currency: euro\n", []string{`currency is "euro": use the three capital letters of ISO 4217`}},
		{"networks", "exclusions: [{match: {cidr: [10.66.1.5/16, 10.66.*, 'fe80::1%eth0']}}]\n", []string{`cidr: "10.66.1.5/16" has bits outside the network: write 10.66.0.0/16, or 10.66.1.5`, `"10.66.*" is no network`, `has a zone`}},
		{"identifiers", "exclusions: [{match: {identifier: ['ip:10.0.0', 'hostname:localhost']}}]\n", []string{`identifier is "ip:10.0.0", and no asset can have that ip`, `no asset can have that hostname`}},
		{"webhooks", "webhooks: [{name: a, url: 'ftp://h', secret_env: 'a b', events: [kve]}, {name: b, url: 'https://', secret_env: 1X, events: []}, {name: c, url: '://x', secret_env: ok, events: test}]\n", []string{
			`url is no address that messages can be sent to: write it as https://host/path`, `secret_env is no name of an environment variable`, `there is no event "kve": use some of kev, intelligence, critical`,
			`url is no address`, `secret_env is no name`, `events is an empty list`, `url is no address`}},
		{"a service that is not there", "assets:\n- match: {name: x}\n  services: [shpo]\n- match: {service: 'p*'}\n  tier: 1\nservices: [{name: shop}]\n", []string{
			`p.yaml:3: services names the service "shpo", which is not among the services: correct the name, or add the service`, `p.yaml:4: service names the service "p*"`}},
		{"names that no rule gives", "services: [{name: s, owner: payments}]\nassets:\n- {match: {tag: late, service: s, owner: payments}, tags: [early]}\n- {match: {tag: early, owner: ops}, owner: ops, services: s, tags: late}\nexclusions:\n- match: {not: {tag: 'lat?x'}, owner: nobody}\n", []string{
			`p.yaml:3: tag is "late", and no rule before this one gives it: correct the name, or move the rule down`, `p.yaml:3: service is "s", and no rule before`, `p.yaml:4: owner is "ops", and no rule before`,
			`p.yaml:6: tag is "lat?x", and no rule gives it: correct the name, or add a rule`, `p.yaml:6: owner is "nobody", and no rule gives it`}},
		{"an owner that a later rule gives and no service has", "assets:\n- {match: {owner: ops}, tier: 1}\n- {match: {name: x}, owner: ops}\nservices: [{name: s, owner: others}]\n", []string{`p.yaml:2: owner is "ops", and no rule before`}},
		{"two documents", "name: a\n---\nname: b\n", []string{`p.yaml:2: a second document begins here: a programme is one, so remove the line ---`}},
		{"two empty documents", "---\n---\n", []string{`p.yaml:2: a second document`}},
		{"a broken second document", "name: a\n---\n}\n", []string{`p.yaml:3: did not find expected node content`}},
		{"anchors and aliases", "name: &a x\ncurrency: *a\n", []string{`p.yaml:1: &a is a YAML anchor`, `p.yaml:2: *a is a YAML alias`}},
		{"a star without quotes", "exclusions:\n- match: {name: *.example.com}\n", []string{`p.yaml:2: a text begins with *: put it in quotes`}},
		{"a tab", "services:\n\t- name: x\n", []string{`p.yaml:2: a character cannot stand here: indent with spaces`}},
		{"a colon", "name: a: b\n", []string{`p.yaml:1: a colon stands where none can`}},
		{"an open bracket", "\n\nservices: [{name: a}\n\n", []string{`p.yaml:3: did not find expected ',' or ']': what begins here does not end as it should`}},
		{"an open comma", "\n\nservices: [{name: a},\n", []string{`p.yaml:4: did not find expected node content: check quotes, brackets and indentation`}},
		{"control characters", "name: a\ncurrency: \x01\n", []string{`p.yaml:2: the line has a character that no text has`}},
		{"not UTF-8", "name: a\nx: \xff\n", []string{`p.yaml:2: the line has a character that no text has`}},
		{"control characters in escapes", `name: "a\x07b"` + "\nservices: [{name: \"a\\nb\"}]\n", []string{`p.yaml:1: name has characters that cannot be printed`, `p.yaml:2: name has characters that cannot be printed`}},
		{"too deep", "name: " + strings.Repeat("[", maxDepth+1), []string{`p.yaml:1: the nesting is too deep: at most 32 levels are allowed`}},
		{"long names", "name: " + strings.Repeat("x", maxName+1), []string{`p.yaml:1: name has 201 bytes, and at most 200 are allowed`}},
		{"long patterns", "exclusions: [{match: {name: " + strings.Repeat("x", maxPattern+1) + "}}]", []string{`name has 2049 bytes, and at most 2048 are allowed`}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			p, err := Parse("p.yaml", []byte(c.text))
			if err == nil || p != nil || exposure.KindOf(err) != exposure.Invalid {
				t.Fatalf("%v, %v", p, err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(c.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(lines), len(c.want), err)
			}
			for i, want := range c.want {
				if !strings.Contains(lines[i], want) || !strings.HasPrefix(lines[i], "p.yaml:") {
					t.Errorf("problem %d is\n%s\nwant\n%s", i, lines[i], want)
				}
			}
		})
	}
}

// A secret that was written where it does not belong is not repeated.
func TestProblemsKeepSecrets(t *testing.T) {
	t.Parallel()
	_, err := Parse("p.yaml", []byte("webhooks: [{name: a, url: 'htps://host/hunter2', secret_env: 'hunter2-secret', events: kev}]"))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	_, err := Parse("p.yaml", []byte(strings.Repeat("nonsense: 1\n", 1000)))
	if err == nil || strings.Count(err.Error(), "\n") != maxProblems || !strings.HasSuffix(err.Error(), fmt.Sprintf("p.yaml: and %d more problems", 1000-maxProblems)) {
		t.Error(err)
	}
	// A hostile file name and a hostile key stay on one line, and short.
	_, err = Parse("a\nb\x1b[31m"+strings.Repeat("é", 500), []byte(strings.Repeat("k", 5000)+": 1"))
	if err == nil || strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 500 || !strings.HasPrefix(err.Error(), "ab[31m") {
		t.Error(err)
	}
	if _, err = Parse("", []byte("x: 1")); err == nil || !strings.HasPrefix(err.Error(), "programme:1: ") {
		t.Error(err)
	}
}

// What a file may hold is bounded, and a file at the bound is read.
func TestLimits(t *testing.T) {
	t.Parallel()
	lines := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	rule := func(tags string) string { return "assets:\n- match: {name: x}\n  tags:\n" + tags }
	hook := " - {name: w%d, url: 'http://h', secret_env: X, events: kev}\n"
	tagged := rule("  - t\n") + "exclusions:\n- match:\n    tag:\n"
	for _, c := range []struct {
		what, at, over, want string
	}{
		{"bytes", "#" + strings.Repeat("x", maxBytes-1), "#" + strings.Repeat("x", maxBytes), "at most 2097152 are allowed"},
		{"commas", "#" + strings.Repeat(",", maxFlow), "#" + strings.Repeat(",", maxFlow+1), "use patterns and networks instead"},
		{"marks", "#" + strings.Repeat("-\t", maxMarks), "#" + strings.Repeat("?\t", maxMarks+1), "use patterns and networks instead"},
		{"entries", "services:\n" + lines(maxItems, "- {name: s%d}\n"), "services:\n" + lines(maxItems+1, "- {name: s%d}\n"), "at most 20000 are allowed"},
		{"values", "exclusions:\n- match:\n    name:\n" + lines(maxPatterns, "    - h%d\n"), "exclusions:\n- match:\n    name:\n" + lines(maxPatterns+1, "    - h%d\n"), "at most 20000 are allowed"},
		{"tags", rule(lines(maxTags, "  - t%d\n")), rule(lines(maxTags+1, "  - t%d\n")), "10001 different tags, and at most 10000"},
		{"patterns of tags", tagged + strings.Repeat("    - t*\n", maxWild), tagged + strings.Repeat("    - t*\n", maxWild+1), "more than 1000 patterns"},
		{"watch", "watch:\n" + lines(maxWatch, "- CVE-%d\n"), "watch:\n" + lines(maxWatch+1, "- CVE-%d\n"), "at most 500 are allowed"},
		{"policies", "policies:\n" + lines(maxPolicies, "- {name: p%d, rules: [{when: kev, due: 1 day}]}\n"), "policies:\n" + lines(maxPolicies+1, "- {name: p%d, rules: [{when: kev, due: 1 day}]}\n"), "at most 100 are allowed"},
		{"webhooks", "webhooks:\n" + lines(maxWebhooks, hook), "webhooks:\n" + lines(maxWebhooks+1, hook), "at most 100 are allowed"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse("p.yaml", []byte(c.at)); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			if _, err := Parse("p.yaml", []byte(c.over)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("beyond the limit: %v", err)
			}
		})
	}
}

// A policy is read where it stands: in a programme, or as a file of its own.
func TestParsePolicies(t *testing.T) {
	t.Parallel()
	want := []exposure.Policy{{
		Name: "ours", Title: "Ours", Applies: "named", File: "p.yaml", Line: 1, AppliesLine: 3,
		Table: &exposure.PolicyTable{
			Inputs: []exposure.PolicyInput{{Name: "kev", Line: 6, Values: []exposure.PolicyValue{{Value: "yes", When: "kev || exploited", Line: 6}, {Value: "no", Line: 6}}}},
			Rows:   []exposure.PolicyRow{{When: []string{"yes"}, Line: 8, PolicyOutcome: exposure.PolicyOutcome{Due: "1 day", Why: "in use"}}, {When: []string{"*"}, Line: 9, PolicyOutcome: exposure.PolicyOutcome{Label: "later"}}},
		},
	}}
	alone := "name: ours\ntitle: Ours\napplies: named\ntable:\n  inputs:\n  - {name: kev, values: [{value: yes, when: kev || exploited}, {value: no}]}\n  rows:\n  - {when: yes, due: 1 day, why: in use}\n  - {when: [\"*\"], label: later}\n"
	got, err := ParsePolicies("p.yaml", []byte(alone))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("alone: %v\n%s", err, diff)
	}
	got, err = ParsePolicies("p.yaml", []byte("policies:\n  - "+strings.ReplaceAll(strings.TrimSpace(alone), "\n", "\n    ")+"\n"))
	if err != nil || len(got) != 1 || got[0].Line != 2 || got[0].Table.Rows[1].Line != 10 {
		t.Errorf("in a programme: %v %+v", err, got)
	}
	moved := parse(t, "name: x\npolicies:\n  - "+strings.ReplaceAll(strings.TrimSpace(alone), "\n", "\n    ")+"\n")
	if c := Compare(moved, parse(t, "name: x\n\n\npolicies:\n  - "+strings.ReplaceAll(strings.TrimSpace(alone), "\n", "\n    ")+"\n"), slices.Values([]*exposure.Asset{})); !c.Empty() {
		t.Errorf("a policy that moved changed: %s", c)
	}
	if c := Compare(moved, parse(t, "name: x\npolicies: [{name: a, rules: [{when: kev, due: 1 day}]}, {name: ours, rules: [{when: kev, due: 1 day}]}]"), slices.Values([]*exposure.Asset{})); c.String() != "1 policy added, 1 policy changed; no asset changes" {
		t.Error(c)
	}
	for text, want := range map[string]string{"name: x\n": "p.yaml: there is no policy in it", "": "there is no policy in it", "name: a\nrules: x\n": "p.yaml:2: rules must be a list", "name: [": "p.yaml:2:"} {
		if _, err := ParsePolicies("p.yaml", []byte(text)); exposure.KindOf(err) != exposure.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The template says nothing dangerous as it stands, and its examples are
// right.
func TestTemplate(t *testing.T) {
	t.Parallel()
	p := parse(t, string(Template()))
	if diff := cmp.Diff(exposure.Context{Scopes: []string{"everything"}}, p.Context(host("web-1", exposure.Identifier{Kind: exposure.IDIP, Value: "198.51.100.7"}))); diff != "" {
		t.Error(diff)
	}
	if p.Webhooks != nil || p.Exclusions != nil || p.Risk != nil || !p.Profile.Empty() {
		t.Errorf("%+v", p)
	}
	example := regexp.MustCompile(`(?m)^#([^ \n]|  )`)
	text := example.ReplaceAllString(string(Template()), "$1")
	full := parse(t, text)
	if len(full.Services) != 2 || len(full.Assets) != 3 || len(full.Exclusions) != 1 || len(full.Scopes) != 2 || full.Risk == nil || full.Profile.Empty() || len(full.Webhooks) != 1 {
		t.Errorf("%+v", full)
	}
	Template()[0] = 'x'
	if Template()[0] != '#' {
		t.Error("the template can be changed from outside")
	}
}

// Problems that others find stand at their lines, or at the file where there is
// no such key.
func TestComplain(t *testing.T) {
	t.Parallel()
	p := parse(t, "name: x\nrisk:\n  loss: 5\n  weights:\n    intercept: 1\n    horizon_days: 9\n    signals:\n      a: 1\n      b: 2\n")
	err := p.Complain("p\x1b.yaml", []string{"weights.signals.b", "nowhere", "weights", "loss"}, []string{"three", "none", "two", "one"})
	want := "p.yaml: none\np.yaml:3: one\np.yaml:4: two\np.yaml:9: three"
	if err == nil || err.Error() != want || exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("%v", err)
	}
	if err := parse(t, "").Complain("p", nil, nil); err != nil {
		t.Error(err)
	}
}

// block returns the first YAML block of a document.
func block(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```yaml\n")
	body, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("%s has no YAML block", file)
	}
	return body
}

// The example of the documentation is complete: it parses and uses every key.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text := block(t, "../docs/programme.md")
	p := parse(t, text)
	web, test, router := p.Context(host("web-1", exposure.Identifier{Kind: exposure.IDIP, Value: "10.1.2.3"})), p.Context(host("app-test-1")), p.Context(host("router"))
	if web.Reach != exposure.ReachInternet || web.Owner != "payments" || web.Tier != 1 || !slices.Equal(web.Scopes, []string{"internet-facing", "cardholder data"}) || !test.Excluded || test.Tier != 4 || router.Owner != "triage" || router.Excluded {
		t.Errorf("%+v\n%+v\n%+v", web, test, router)
	}
	for _, key := range []string{
		"name", "currency", "profile", "sectors", "countries", "services", "assets", "exclusions", "scopes", "risk", "webhooks", "tier", "owner", "impact", "criticality", "confidentiality", "integrity", "availability",
		"data", "regulations", "match", "tags", "reach", "controls", "effectiveness", "coverage", "reason", "objective", "in", "out", "frameworks", "kind", "cidr", "identifier", "os", "tag", "service",
		"any", "not", "targeted", "actors", "loss_min", "loss_max", "loss", "bands", "sla", "policies", "url", "secret_env", "events",
	} {
		if !regexp.MustCompile(`(?m)[\s{]` + key + `:|^` + key + `:`).MatchString(text) {
			t.Errorf("the example does not show the key %s", key)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", company, string(Template()), "policies: [{name: a, rules: [{when: kev, due: 1 day}]}, {name: b, table: {inputs: [{name: x, values: [{value: y, when: kev}, {value: n}]}], rows: [{when: '*', label: z}]}}]", "name: [a", "name: &a x\ncurrency: *a\n", "exclusions: [{match: {name: *.x}}]", "a: b\n---\nc: d\n", "assets: [{match: {}, tags: [a]}]",
		"assets:\n- match: {any: [{tag: x}, {not: {cidr: 10.0.0.0/8}}], identifier: 'ip:10.*'}\n  tags: [x]\n", "? {a: b}\n: c\n", "name: !!str x\n", "scopes: [{name: a, in: {os: '?*'}, out: {reach: unknown}}]",
		"services: [{name: ſ}, {name: S}, {name: İ, owner: K}]\nassets: [{match: {owner: k}, tier: 1}]",
	} {
		f.Add([]byte(seed))
	}
	assets := []*exposure.Asset{host("web-1", exposure.Identifier{Kind: exposure.IDIP, Value: "10.66.0.1"}), {Kind: exposure.AssetImage, Name: "a", OS: "x", Identifiers: []exposure.Identifier{{Kind: exposure.IDImage, Value: "a:1"}}}, {}}
	f.Fuzz(func(t *testing.T, body []byte) {
		if all, err := ParsePolicies("f.yaml", body); err == nil && len(all) == 0 || err != nil && exposure.KindOf(err) != exposure.Invalid {
			t.Fatalf("%v: %v", all, err)
		}
		p, err := Parse("f.yaml", body)
		if err != nil {
			if p != nil || exposure.KindOf(err) != exposure.Invalid {
				t.Fatalf("%v, %v", p, err)
			}
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "f.yaml:") {
					t.Fatalf("a problem without place: %q in %q", line, err)
				}
			}
			return
		}
		again, err := Parse("f.yaml", body)
		if err != nil {
			t.Fatal(err)
		}
		if c := Compare(p, again, slices.Values(assets)); !c.Empty() {
			t.Fatalf("the same file differs: %v", c)
		}
		if v := p.Coverage(slices.Values(assets)); v.Total != len(assets) || v.InScope+v.Excluded > v.Total {
			t.Fatalf("%+v", v)
		}
		for _, a := range assets {
			if c := p.Context(a); c.Controls < 0 || c.Controls > 1 || c.Tier < 0 || c.Tier > 4 || c.Excluded && c.Scopes != nil {
				t.Fatalf("%+v", c)
			}
		}
	})
}

// Reading costs about as much as the file is long, whatever it says.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"nested lists":    strings.Repeat(strings.Repeat("- ", maxDepth-1)+"a\n", 4_000),
		"many keys":       strings.Repeat("a: b\n", 50_000),
		"explicit keys":   strings.Repeat("? a\n", 50_000),
		"many documents":  strings.Repeat("---\n", 300_000),
		"billion laughs":  "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]\n",
		"many directives": strings.Repeat("%TAG !a! b\n", 100_000) + "---\na: 1",
	} {
		start := time.Now()
		if _, err := Parse("p.yaml", []byte(text)); err == nil {
			t.Errorf("%s: no error", what)
		}
		t.Logf("%s: %d bytes in %v", what, len(text), time.Since(start).Round(time.Millisecond))
	}
}
