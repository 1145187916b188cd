package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

func compiled(t testing.TB, doc exposure.Policy) *Policy {
	t.Helper()
	p, err := Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rules is a policy of conditions, the n-th of which is due in n+1 days.
func rules(conditions ...string) exposure.Policy {
	doc := exposure.Policy{Name: "p", File: "p.yaml", Line: 1}
	for i, c := range conditions {
		doc.Rules = append(doc.Rules, exposure.PolicyRule{When: c, Line: i + 2, PolicyOutcome: exposure.PolicyOutcome{Due: plural(i + 1)}})
	}
	return doc
}

func randomCase(r *rand.Rand) Case {
	flip := func() bool { return r.IntN(2) == 0 }
	pick := func(words []string) string { return words[r.IntN(len(words))] }
	some := func(words ...string) []string {
		var out []string
		for _, w := range words {
			if flip() {
				out = append(out, w)
			}
		}
		return out
	}
	c := NewCase()
	c.Weakness = Weakness{KEV: flip(), Ransomware: flip(), Exploited: flip(), Exploit: flip(), PoC: flip(), EPSSKnown: flip(), EPSS: r.Float64(), Percentile: r.Float64(),
		Automatable: flip(), AutomatableKnown: flip(), TotalImpact: flip(), TotalImpactKnown: flip(), Named: flip(), Withdrawn: flip(),
		Type: pick(words(exposure.TypeLogic)), Severity: pick(words(exposure.SeverityCritical)), AttackVector: pick(attackVectors[:]), CVEs: some("CVE-2024-1", "CVE-2025-2")}
	c.Asset = Asset{Reach: pick(words(exposure.ReachIsolated)), Tier: 1 + r.IntN(4), TierKnown: flip(), Owner: pick([]string{"", "web", "ops"}), Services: some("shop", "intranet"), Tags: some("red", "blue"),
		Scopes: some("all"), Data: some("cardholder"), Regulations: some("PCI DSS"), Controls: r.Float64(), Loss: r.Float64() * 1e6}
	c.Band = exposure.Band(r.IntN(5))
	return c
}

// conditions are of every form that is taken apart or asked by itself.
var conditions = []string{
	"kev", "!kev", "kev == true", "epss_known && epss >= 0.5", "epss_known && 0.5 <= epss", "epss_known && epss < 1", "epss_percentile > 0.9 || !epss_known", `severity == "high"`, `"high" != severity`,
	`severity in ["high", "critical"]`, `"CVE-2024-1" in cves`, `cves.exists(c, c.startsWith("CVE-2024-"))`, "size(cves) > 1", "tier <= 2", "tier == 1", "tier != 3", "loss > 1000", "loss * 2.0 > 100000.0",
	`owner.matches("^w.b$")`, `"red" in tags || "blue" in tags`, `tags.all(x, x in ["red"])`, `reach == "internet" ? kev : exploited`, `band in ["high", "critical"]`, `band != "none" && (kev || tier == 1)`,
	"true", "false", "1 < 2", `automatable && total_impact && !withdrawn`, `exposure_type == "secret"`, `attack_vector == "network" && controls < 0.5`, `(kev ? tier == 1 : tier == 4) || band == "critical"`,
}

// What is asked by itself and through the parts is what CEL says of the whole.
func TestPartsSayWhatCELSays(t *testing.T) {
	t.Parallel()
	env, err := language()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range conditions {
		p := compiled(t, rules(c))
		ast, issues := env.Compile(c)
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		program, err := env.Program(ast)
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			x := randomCase(r)
			out, _, err := program.Eval(scene{&x.Weakness, &x.Asset, x.Band.String()})
			if err != nil {
				t.Fatal(c, err)
			}
			if got := p.Ask(&x.Weakness, &x.Asset, x.Band).Rule != ""; got != out.Value() {
				t.Fatalf("%s is %v, CEL says %v: %+v", c, got, out, x)
			}
		}
	}
}

// The table says for every finding what the policies say one by one.
func TestTableSaysWhatPoliciesSay(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		var all []*Policy
		for n := range 1 + r.IntN(4) {
			var picked []string
			for range 1 + r.IntN(4) {
				picked = append(picked, conditions[r.IntN(len(conditions))])
			}
			doc := rules(picked...)
			doc.Name = fmt.Sprintf("p%d", n)
			for i := range doc.Rules {
				doc.Rules[i].Due = []string{plural(1 + r.IntN(50)), plural(1+r.IntN(50)) + " after kev listing", "never"}[r.IntN(3)]
			}
			if r.IntN(3) == 0 {
				doc.Applies = conditions[r.IntN(len(conditions))]
			}
			p, err := Compile(doc)
			if err != nil && !strings.Contains(err.Error(), "different conditions") {
				t.Fatal(err)
			} else if err == nil {
				all = append(all, p)
			}
		}
		s, err := NewSet(all)
		if err != nil {
			continue // more conditions than are allowed
		}
		due := s.Due()
		for range 500 {
			x := randomCase(r)
			cell := due.Cells[(int(x.Band)*due.Policies+int(s.Weakness(&x.Weakness)))*due.Contexts+int(s.Asset(&x.Asset))]
			want := exposure.DueCell{Days: exposure.NoDue, KEVDays: exposure.NoDue}
			rule, kevRule := "", ""
			for _, p := range all {
				switch a := s.Ask(p, &x.Weakness, &x.Asset, x.Band); {
				case a.Days == never:
				case a.Listed && uint16(a.Days) < want.KEVDays:
					want.KEVDays, kevRule = uint16(a.Days), RuleName(a.Policy, a.Rule)
				case !a.Listed && uint16(a.Days) < want.Days:
					want.Days, rule = uint16(a.Days), RuleName(a.Policy, a.Rule)
				}
			}
			if cell.Days != want.Days || cell.KEVDays != want.KEVDays || due.Rules[cell.Rule] != rule || due.Rules[cell.KEVRule] != kevRule {
				t.Fatalf("%+v: the table says %d by %q and %d by %q, the policies %d by %q and %d by %q", x, cell.Days, due.Rules[cell.Rule], cell.KEVDays, due.Rules[cell.KEVRule], want.Days, rule, want.KEVDays, kevRule)
			}
		}
	}
}

// Everything that is wrong is refused when it is read, with its line and what to do.
func TestWrong(t *testing.T) {
	t.Parallel()
	table := func(change func(*exposure.PolicyTable)) exposure.Policy {
		doc := exposure.Policy{Name: "p", File: "p.yaml", Line: 1, Table: &exposure.PolicyTable{
			Inputs: []exposure.PolicyInput{
				{Name: "kev", Line: 3, Values: []exposure.PolicyValue{{Value: "yes", When: "kev", Line: 4}, {Value: "no", Line: 5}}},
				{Name: "reach", Line: 6, Values: []exposure.PolicyValue{{Value: "open", When: `reach == "internet"`, Line: 7}, {Value: "closed", Line: 8}}}},
			Rows: []exposure.PolicyRow{{When: []string{"yes", "*"}, Line: 10, PolicyOutcome: exposure.PolicyOutcome{Due: "1 day"}}, {When: []string{"no", "*"}, Line: 11, PolicyOutcome: exposure.PolicyOutcome{Label: "later"}}},
		}}
		change(doc.Table)
		return doc
	}
	one := func(o exposure.PolicyOutcome) exposure.Policy {
		doc := rules("kev")
		doc.Rules[0].PolicyOutcome = o
		return doc
	}
	deep := strings.Repeat("(", 200) + "kev" + strings.Repeat(")", 200)
	for _, tt := range []struct {
		what string
		doc  exposure.Policy
		want string
	}{
		{"no name", exposure.Policy{Rules: rules("kev").Rules}, `the policy's name is ""`},
		{"a name with spaces", exposure.Policy{Name: "My Policy", Rules: rules("kev").Rules}, `the policy's name is "My Policy": use up to 63 small letters`},
		{"nothing", exposure.Policy{Name: "p", File: "p.yaml", Line: 4}, "p.yaml:4: policy p says nothing: add rules, or a table"},
		{"both", func() exposure.Policy {
			d := table(func(*exposure.PolicyTable) {})
			d.Rules = rules("kev").Rules
			return d
		}(), "p.yaml:1: policy p has rules and a table"},
		{"no outcome", one(exposure.PolicyOutcome{Why: "x"}), "p.yaml:2: the rule says neither until when nor what"},
		{"due in words", one(exposure.PolicyOutcome{Due: "soon"}), `p.yaml:2: due is "soon": write 14 days, 3 days after kev listing, or never`},
		{"due at once", one(exposure.PolicyOutcome{Due: "0 days"}), `due is "0 days": give 1 to 3650 days, or never`},
		{"due in ages", one(exposure.PolicyOutcome{Due: "999999 days"}), `give 1 to 3650 days`},
		{"a long label", one(exposure.PolicyOutcome{Label: strings.Repeat("x", 201)}), "label has 201 bytes, and at most 200 are allowed"},
		{"many rules", rules(slices.Repeat([]string{"kev"}, maxRules+1)...), "policy p has 201 rules, and at most 200 are allowed"},
		{"many conditions", rules(func() (all []string) {
			for i := range maxParts + 1 {
				all = append(all, fmt.Sprintf("tier == %d", i))
			}
			return all
		}()...), "policy p has 13 different conditions, and at most 12 are allowed"},

		{"an unknown name", rules("kev", "kve"), `p.yaml:3: when: there is no "kve" (at character 1): use the variables kev, ransomware`},
		{"an unknown function", rules("kev.foo()"), `p.yaml:2: when: there is no "foo"`},
		{"syntax", rules("kev &&"), "p.yaml:2: when: the expression breaks off or has something that cannot stand there (at character 7): join conditions with &&"},
		{"words for signs", rules("kev and poc"), "cannot stand there (at character 5): join conditions"},
		{"one equals sign", rules("kev = true"), "compare with =="},
		{"a text without quotes", rules("reach == internet"), `there is no internet (at character 10): texts stand in quotes, as in reach == "internet"`},
		{"no truth", rules("epss_known ? epss : 1.0"), "p.yaml:2: when: `epss_known ? epss : 1.0` is a number and not true or false: compare it with something"},
		{"a text as truth", rules("reach"), "`reach` is a text and not true or false"},
		{"types", rules("kev == 1"), "== does not go with (bool, int) (at character 5): compare what is of one type"},
		{"text and number", rules(`tier == "1"`), "does not go with (int, string)"},
		{"an order of texts", rules(`band >= "high"`), "texts have no order here"},
		{"a word that is none", rules(`reach in ["internet", "inernet"]`), `reach is never "inernet": use one of unknown, internet, partner, internal, isolated`},
		{"the other way round", rules(`"hihg" == severity`), `severity is never "hihg"`},
		{"both sides at once", rules("kev && epss_known && epss * loss > 1000.0"), "p.yaml:2: when: `epss * loss > 1000.0` speaks of the weakness (epss) and the asset (loss) at once: compare each with a value of its own and join them with && or ||, as in epss … && loss …"},
		{"band and weakness", rules("band == severity"), "speaks of the weakness (severity) and the band (band) at once"},
		{"no score", rules("epss > 0.1"), "epss says nothing of a weakness that has no score, which is not a low one"},
		{"an index", rules(`tags[0] == "x"`), `there is no "_[_]"`},
		{"a remainder", rules("tier % 2 == 1"), `there is no "_%_"`},
		{"whole-number arithmetic", rules("tier + 1 > 2"), "+ does not go with (int, int)"},
		{"a conversion", rules(`int("x") > 2`), `there is no "int"`},
		{"a type", rules("type(kev) == bool"), `there is no "type"`},
		{"a map", rules(`{"a": 1} == {"a": 1}`), "no fields and no maps"},
		{"a field", rules("kev.x"), "a policy has no fields"},
		{"time", rules(`timestamp("2024-01-01T00:00:00Z") < timestamp("2025-01-01T00:00:00Z")`), `there is no "timestamp"`},
		{"a macro that grows", rules("tags.map(x, x + x).size() > 0"), "there is no"},
		{"a pattern that is a variable", rules("owner.matches(owner)"), "the pattern of matches must be written out"},
		{"a broken pattern", rules(`owner.matches("(")`), "the pattern of matches cannot be used"},
		{"a huge pattern", rules(`owner.matches("(x{900}){900}")`), "make it shorter"},
		{"a loop in a loop", rules("tags.all(a, tags.all(b, a == b))"), "exists or all stands within another"},
		{"a hidden variable", rules("tags.all(kev, kev == \"x\")"), "kev is a variable already"},
		{"deep", rules(deep), "nested too deeply: at most 40 levels"},
		{"deep and open", rules(strings.Repeat("!(", 900)), "nested too deeply"},
		{"many parts", rules("tier in [" + strings.Repeat("1,", 990) + "1]"), ""},
		{"too many parts", rules(strings.Repeat("!", 1999) + "kev"), "when: "},
		{"long", rules(strings.Repeat("kev || ", 150_000) + "kev"), "the expression has 1050003 bytes, and at most 2000 are allowed"},
		{"wide", rules("kev" + strings.Repeat("&&kev", 390)), ""},
		{"nothing as condition", rules(" "), "p.yaml:2: when has no expression: write one, as in kev"},
		{"applies", exposure.Policy{Name: "p", File: "p.yaml", Line: 1, Applies: "kve", AppliesLine: 7, Rules: rules("kev").Rules}, `p.yaml:7: applies: there is no "kve"`},

		{"no inputs", table(func(t *exposure.PolicyTable) { t.Inputs = nil }), "the table of policy p has 0 inputs: give 1 to 8"},
		{"an input twice", table(func(t *exposure.PolicyTable) { t.Inputs[1].Name = "kev" }), `p.yaml:6: an input is called "kev"`},
		{"one value", table(func(t *exposure.PolicyTable) { t.Inputs[0].Values = t.Inputs[0].Values[1:] }), "p.yaml:3: input kev has 1 values: give 2 to 12"},
		{"a value twice", table(func(t *exposure.PolicyTable) { t.Inputs[0].Values[1].Value = "yes" }), `p.yaml:5: input kev has a value "yes"`},
		{"a last condition", table(func(t *exposure.PolicyTable) { t.Inputs[0].Values[1].When = "!kev" }), "p.yaml:5: the last value of input kev has a condition"},
		{"no condition", table(func(t *exposure.PolicyTable) { t.Inputs[0].Values[0].When = "" }), "p.yaml:4: value yes of input kev has no condition"},
		{"a wrong condition", table(func(t *exposure.PolicyTable) { t.Inputs[0].Values[0].When = "kve" }), `p.yaml:4: when: there is no "kve"`},
		{"no rows", table(func(t *exposure.PolicyTable) { t.Rows = nil }), "has 0 rows"},
		{"a short row", table(func(t *exposure.PolicyTable) { t.Rows[0].When = []string{"yes"} }), "p.yaml:10: the row has 1 values for 2 inputs"},
		{"a value that is none", table(func(t *exposure.PolicyTable) { t.Rows[0].When[0] = "maybe" }), `p.yaml:10: input kev has no value "maybe": use one of yes, no, or "*"`},
		{"a hole", table(func(t *exposure.PolicyTable) { t.Rows[1].When[1] = "closed" }), "p.yaml:1: the table of policy p has no row for kev no, reach open: add one"},
		{"never reached", table(func(t *exposure.PolicyTable) { t.Rows[1].When[0] = "yes" }), "p.yaml:11: the row is never reached"},
		{"many cells", table(func(t *exposure.PolicyTable) {
			for i := range 6 {
				in := exposure.PolicyInput{Name: fmt.Sprint("i", i)}
				for v := range 11 {
					in.Values = append(in.Values, exposure.PolicyValue{Value: fmt.Sprint(v), When: "kev"})
				}
				t.Inputs = append(t.Inputs, exposure.PolicyInput{Name: in.Name, Values: append(in.Values, exposure.PolicyValue{Value: "last"})})
			}
		}), "combinations of values, and at most 4096 are allowed"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(tt.doc)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if exposure.KindOf(err) != exposure.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			} else if len(err.Error()) > 20_000 {
				t.Errorf("%d bytes of complaint", len(err.Error()))
			}
		})
	}
}

// Sets are bounded too, and say so.
func TestBoundsOfSets(t *testing.T) {
	t.Parallel()
	policies := func(n, parts int, of string) (all []*Policy) {
		for i := range n {
			var each []string
			for k := range parts {
				each = append(each, fmt.Sprintf(of, i*parts+k))
			}
			all = append(all, compiled(t, rules(each...)))
		}
		return all
	}
	for what, tt := range map[string]struct {
		policies []*Policy
		want     string
	}{
		"conditions about weaknesses": {policies(2, 7, `"CVE-%d" in cves`), ""},
		"one more":                    {policies(3, 5, `"CVE-%d" in cves`), "have 15 different conditions about weaknesses, and at most 14 are allowed"},
		"about assets":                {policies(2, 6, `"t%d" in tags`), ""},
		"one more of those":           {policies(1, 7, `"t%d" in tags`), ""},
		"two more of those":           {policies(2, 7, `"t%d" in tags`), "have 14 different conditions about assets"},
		"classes":                     {append(policies(14, 1, `"CVE-%d" in cves`), policies(1, 1, `"t%d" in tags`)...), ""},
		"more classes":                {append(policies(14, 1, `"CVE-%d" in cves`), policies(2, 1, `"t%d" in tags`)...), "tell 16384 kinds of weaknesses and 4 kinds of assets apart"},
		"policies":                    {policies(maxPolicies+1, 1, "kev || tier == %d"), "33 policies with due dates are in force, and at most 32"},
	} {
		_, err := NewSet(tt.policies)
		if tt.want == "" && err != nil || tt.want != "" && (exposure.KindOf(err) != exposure.Invalid || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What cannot be evaluated reads as a reason to act.
func TestNotEvaluated(t *testing.T) {
	t.Parallel()
	p := compiled(t, rules(`kev`, `!tags.exists(t, t.matches("(a|b|c|d)+x"))`, `tier == 1`))
	q := compiled(t, func() exposure.Policy { d := rules("tier == 1"); d.Name = "q"; return d }())
	s, err := NewSet([]*Policy{p, q})
	if err != nil {
		t.Fatal(err)
	}
	x := NewCase()
	for i := range 5000 {
		x.Asset.Tags = append(x.Asset.Tags, strings.Repeat("abcd", 50)+fmt.Sprint(i))
	}
	a := s.Ask(p, &x.Weakness, &x.Asset, x.Band)
	if a.Days != 2 || !strings.Contains(a.Unknown, "matches") {
		t.Errorf("%+v", a)
	}
	due := s.Due()
	cell := due.Cells[(int(x.Band)*due.Policies+int(s.Weakness(&x.Weakness)))*due.Contexts+int(s.Asset(&x.Asset))]
	if cell.Days != 1 || due.Rules[cell.Rule] != "q: tier == 1" { // classes are shared, so q binds too
		t.Errorf("%+v %s", cell, due.Rules[cell.Rule])
	}
	if b := s.Ask(q, &x.Weakness, &x.Asset, x.Band); b.Days != 1 {
		t.Errorf("asked by itself it says otherwise: %+v", b)
	}
}

// Policies that are printed are read as what they were.
func TestText(t *testing.T) {
	t.Parallel()
	all, err := Presets()
	if err != nil {
		t.Fatal(err)
	}
	days, err := Days([]int{0, 14, 7, 1})
	if err != nil {
		t.Fatal(err)
	}
	own := compiled(t, exposure.Policy{Name: "own", Title: "a: b", Note: "two\nlines", File: "x", Rules: []exposure.PolicyRule{{When: `"*" in tags && !kev`, PolicyOutcome: exposure.PolicyOutcome{Due: "1 day", Label: "*", Why: "yes"}}}})
	for _, p := range append(all, days, own) {
		text, err := Text(p.Document())
		if err != nil {
			t.Fatal(err)
		}
		var programme struct{ Policies []exposure.Policy }
		if err := yaml.Unmarshal([]byte(InProgramme(text)), &programme); err != nil {
			t.Fatalf("%v\n%s", err, InProgramme(text))
		}
		want := p.Document()
		want.File = ""
		if diff := cmp.Diff([]exposure.Policy{want}, programme.Policies); diff != "" {
			t.Errorf("%s: %s\n%s", p.Name(), diff, text)
		}
	}
	if got := days.Document().Rules; got[0].Due != "1 day" || got[3].Due != "never" {
		t.Errorf("%+v", got)
	}
	if shipped, _, _ := Preset(SLA); shipped.Document().Rules[0].Due != "7 days" {
		t.Error("the shipped policy changed")
	}
}

func TestCase(t *testing.T) {
	t.Parallel()
	c := NewCase()
	for _, set := range []string{"kev=true", "exploit=true", "epss=0.4", "tier=1", "services=shop, web", "band=critical", "reach=internet", "automatable=false", "loss=1e6"} {
		name, value, _ := strings.Cut(set, "=")
		if err := c.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if w, a := c.Weakness, c.Asset; !w.Exploited || !w.PoC || !w.EPSSKnown || !w.AutomatableKnown || !a.TierKnown || !slices.Equal(a.Services, []string{"shop", "web"}) || c.Band != exposure.BandCritical || a.Loss != 1e6 {
		t.Errorf("%+v", c)
	}
	for _, set := range []string{"kev=maybe", "epss=NaN", "epss=x", "tier=1.5", "reach=near", "band=awful", "nothing=1", "=1"} {
		name, value, _ := strings.Cut(set, "=")
		if err := c.Set(name, value); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("%s: %v", set, err)
		}
	}
}

// Whatever is compiled can be asked, put in force and printed.
func FuzzCompile(f *testing.F) {
	for _, c := range append(slices.Clone(conditions), "kev &&", "((((", "tags[0]", `owner.matches("(")`, "a.b.c", "epss*loss>1.0", "\x00", "kev ? kev : kev ? kev : !kev") {
		f.Add(c, "14 days")
	}
	f.Add("kev", "3 days after kev listing")
	x := randomCase(rand.New(rand.NewPCG(1, 1)))
	f.Fuzz(func(t *testing.T, when, due string) {
		doc := exposure.Policy{Name: "f", File: "f.yaml", Rules: []exposure.PolicyRule{{When: when, Line: 3, PolicyOutcome: exposure.PolicyOutcome{Due: due}}}}
		p, err := Compile(doc)
		if err != nil {
			if exposure.KindOf(err) != exposure.Invalid || !strings.HasPrefix(err.Error(), "f.yaml") {
				t.Fatal(err)
			}
			return
		}
		s, err := NewSet([]*Policy{p})
		if err != nil {
			t.Fatal(err)
		}
		a := s.Ask(p, &x.Weakness, &x.Asset, x.Band)
		due2 := s.Due()
		if p.Dated() {
			cell := due2.Cells[(int(x.Band)*due2.Policies+int(s.Weakness(&x.Weakness)))*due2.Contexts+int(s.Asset(&x.Asset))]
			if dated := cell.Days != exposure.NoDue || cell.KEVDays != exposure.NoDue; dated != (a.Days != never) {
				t.Fatalf("the table says %+v, the policy %+v", cell, a)
			}
		}
		if _, err := Text(doc); err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkSet is what the default policies cost when a model is made, and what
// those cost that fill the bounds.
func BenchmarkSet(b *testing.B) {
	all, err := Presets()
	if err != nil {
		b.Fatal(err)
	}
	var most []*Policy
	for i := range 14 {
		most = append(most, compiled(b, rules(fmt.Sprintf(`"CVE-%d" in cves`, i))))
	}
	most = append(most, compiled(b, rules(`"t" in tags`)))
	var wide []string
	for i := range maxParts / 2 {
		wide = append(wide, fmt.Sprintf(`"CVE-%d" in cves && "t%d" in tags`, i, i))
	}
	for name, policies := range map[string][]*Policy{
		"default": all[:3], "shipped": all,
		"most-classes": most, "widest-policy": {compiled(b, rules(wide...))},
	} {
		b.Run(name, func(b *testing.B) {
			var s *Set
			for b.Loop() {
				var err error
				if s, err = NewSet(policies); err != nil {
					b.Fatal(err)
				}
			}
			weaknesses, assets := s.Classes()
			b.ReportMetric(float64(len(s.Due().Cells)*8), "B/table")
			b.ReportMetric(float64(weaknesses*assets), "pairs")
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		for _, name := range presetNames {
			if _, err := preset(name); err != nil {
				b.Fatal(err)
			}
		}
	}
}
