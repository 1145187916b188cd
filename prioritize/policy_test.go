package prioritize

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize/policy"
)

// The tables are those that were published, row by row.
func TestPublishedTables(t *testing.T) {
	t.Parallel()
	for _, table := range []struct {
		file, policy string
		inputs       map[string]string // ours for theirs, where the names differ
		columns      []string          // ours, in their order
	}{
		{"ssvc/cisa_coordinator_2_0_3.csv", policy.Coordinator, nil, []string{"exploitation", "automatable", "technical impact", "mission and well-being"}},
		{"ssvc/deployer_patch_application_priority_1_0_0.csv", policy.Deployer, nil, []string{"exploitation", "exposure", "automatable", "human impact"}},
		{"ssvc/cisa_bod_26_04_1_0_0.csv", policy.BOD, nil, []string{"known exploited", "publicly exposed", "automatable", "technical impact"}},
	} {
		theirs := published(t, table.file)[1:]
		p, ok, err := policy.Preset(table.policy)
		if err != nil || !ok {
			t.Fatal(table.policy, ok, err)
		}
		doc := p.Document().Table
		if len(doc.Rows) != len(theirs) {
			t.Errorf("%s has %d rows, published are %d", table.policy, len(doc.Rows), len(theirs))
		}
		for _, row := range theirs {
			want := make([]string, len(doc.Inputs))
			for i, in := range doc.Inputs {
				want[i] = row[1+slices.Index(table.columns, in.Name)]
			}
			i := slices.IndexFunc(doc.Rows, func(r exposure.PolicyRow) bool { return slices.Equal(r.When, want) })
			if i < 0 {
				t.Errorf("%s: no row %v", table.policy, want)
				continue
			}
			o := doc.Rows[i].PolicyOutcome
			got := strings.TrimSuffix(strings.ReplaceAll(o.Due, " after kev listing", "")+" & "+o.Label, " & ")
			if got = strings.TrimPrefix(got, " & "); strings.ToLower(got) != row[len(row)-1] {
				t.Errorf("%s %v: %q, published is %q", table.policy, want, got, row[len(row)-1])
			}
		}
	}
}

// What follows is the federal directive, FedRAMP's standard and CISA's tree as
// code, as they were before policies were tables: the oracle of the next tests.

const (
	bitKEV = 1 << iota
	bitAutomatable
	bitTotal
	bitExploitable
	bitNamed
)

func bitsOf(a *exposure.Advisory, v vector) int {
	h := &a.Threat
	return int(when(h.KEV(), bitKEV) + when(h.Automatable == "yes" || h.Automatable == "" && v.automatable, bitAutomatable) +
		when(h.Impact == "total" || h.Impact == "" && v.c == 2 && v.i == 2, bitTotal) +
		when(h.KEV() || h.ObservedDay+h.MetasploitDay+h.NucleiDay != 0 || h.EPSS >= 0.1, bitExploitable) + when(hasAdvisory(a), bitNamed))
}

func bodDays(kev, exposed, automatable, total bool) int {
	switch {
	case kev && total && (exposed || automatable), kev && exposed && automatable, exposed && automatable && total:
		return 3
	case kev, exposed && automatable, exposed && total:
		return 14
	case exposed, automatable:
		return 60
	}
	return 0
}

func vdrDays(exploitable, reachable bool) int {
	switch {
	case exploitable && reachable:
		return 4
	case exploitable:
		return 14
	case reachable:
		return 30
	}
	return 0
}

// dueBefore is a cell of the table and the policies that bind.
func dueBefore(c Config, band exposure.Band, bits int, exposed bool) (cell exposure.DueCell, rule, kevRule string) {
	cell = exposure.DueCell{Days: exposure.NoDue, KEVDays: exposure.NoDue}
	earliest := func(days int, name string) {
		if days > 0 && uint16(days) < cell.Days {
			cell.Days, rule = uint16(days), name
		}
	}
	if band > exposure.BandNone {
		earliest(c.SLA[band-1], policy.SLA)
	}
	has := func(bit int) bool { return bits&bit != 0 }
	if !has(bitNamed) {
		return cell, rule, ""
	}
	if slices.Contains(c.Policies, policy.BOD) && (band > exposure.BandNone || has(bitKEV)) {
		days := bodDays(has(bitKEV), exposed, has(bitAutomatable), has(bitTotal))
		if has(bitKEV) {
			cell.KEVDays, kevRule = uint16(days), policy.BOD
		} else {
			earliest(days, policy.BOD)
		}
	}
	if slices.Contains(c.Policies, policy.VDR) && band > exposure.BandNone {
		earliest(vdrDays(has(bitExploitable), exposed), policy.VDR)
	}
	return cell, rule, kevRule
}

const ssvcTree = "000001" + "002002" + "001012" + "002012" + "002023" + "223233"

func ssvcBefore(a *exposure.Advisory, v vector, tier int) string {
	h := &a.Threat
	exploitation := 0
	switch {
	case h.KEV() || h.ObservedDay != 0:
		exploitation = 2
	case h.MetasploitDay+h.NucleiDay+h.ArchiveDay+h.PoCDay != 0:
		exploitation = 1
	}
	bits, mission := bitsOf(a, v), 1
	switch tier {
	case 1:
		mission = 2
	case 4:
		mission = 0
	}
	return [...]string{"Track", "Track*", "Attend", "Act"}[ssvcTree[exploitation*12+bits>>1&1*6+bits>>2&1*3+mission]-'0']
}

// whole visits every combination of what the shipped policies ask.
func whole(visit func(e Evidence)) {
	for n := range 1 << 8 {
		on := func(bit, day int) int { return n >> bit & 1 * day }
		for _, epss := range []float64{-1, 0.05, 0.1, 0.9} {
			for _, said := range []string{"yes total", "no partial", "yes partial", "no total", " "} {
				a := exposure.Advisory{Key: "tool:rule", Type: exposure.TypeMisconfiguration, Severity: exposure.SeverityMedium}
				if n&1 == 1 {
					a.Key, a.CVEs = "CVE-2024-1", []string{"CVE-2024-1"}
				}
				h := &a.Threat
				h.Automatable, h.Impact, _ = strings.Cut(said, " ")
				h.KEVDay, h.ObservedDay, h.MetasploitDay, h.NucleiDay, h.ArchiveDay, h.PoCDay = on(1, 20000), on(2, 19000), on(3, 1), on(4, 1), on(5, 1), on(6, 1)
				if n>>7&1 == 1 {
					a.CVSS = []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N"}
				}
				if epss >= 0 {
					h.EPSS, h.EPSSModel = epss, "v4"
				}
				for reach := exposure.ReachUnknown; reach <= exposure.ReachIsolated; reach++ {
					for tier := range 5 {
						visit(Evidence{Advisory: &a, Context: &exposure.Context{Reach: reach, Tier: tier}})
					}
				}
			}
		}
	}
}

// The tables say what the code before them said, everywhere.
func TestTablesSayWhatTheCodeSaid(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{
		{}, {Policies: []string{"none"}}, {Policies: []string{policy.BOD}}, {Policies: []string{policy.VDR}},
		{SLA: []int{0, 14, 3, 1}}, {SLA: []int{0, 0, 0, 0}, Policies: []string{policy.VDR, policy.BOD}},
	} {
		m := newModel(t, c)
		full := c.withDefaults()
		due := m.Due()
		whole(func(e Evidence) {
			if e.Context.Tier > 1 {
				return // no date hangs on it
			}
			f, bits := m.Advisory(e.Advisory), bitsOf(e.Advisory, m.vectorOf(e.Advisory))
			class := m.Context(e.Context).Policy
			for band := exposure.BandNone; band <= exposure.BandCritical; band++ {
				got := due.Cells[(int(band)*due.Policies+int(f.Policy))*due.Contexts+int(class)]
				want, rule, kevRule := dueBefore(full, band, bits, e.Context.Reach == exposure.ReachInternet)
				if got.Days != want.Days || got.KEVDays != want.KEVDays || !names(due.Rules[got.Rule], rule) || !names(due.Rules[got.KEVRule], kevRule) {
					// Of policies that give equal days the first counts, and their order was fixed.
					if got.Days == want.Days && got.KEVDays == want.KEVDays && len(c.Policies) == 2 {
						continue
					}
					t.Fatalf("%+v: %v %+v on %+v: %d by %q, %d by %q, want %d by %q, %d by %q", c, band, e.Advisory.Threat, e.Context,
						got.Days, due.Rules[got.Rule], got.KEVDays, due.Rules[got.KEVRule], want.Days, rule, want.KEVDays, kevRule)
				}
			}
		})
	}
	m := newModel(t, Config{})
	coordinator, _, err := policy.Preset(policy.Coordinator)
	if err != nil {
		t.Fatal(err)
	}
	whole(func(e Evidence) {
		v := m.vectorOf(e.Advisory)
		w, a := weaknessOf(e.Advisory, v), m.assetOf(e.Context)
		if got, want := coordinator.Ask(&w, &a, exposure.BandLow).Label, ssvcBefore(e.Advisory, v, e.Context.Tier); got != want {
			t.Fatalf("%+v on %+v: %s, want %s", e.Advisory.Threat, e.Context, got, want)
		}
	})
}

// names reports whether a rule is one of a policy.
func names(rule, policy string) bool {
	name, _, _ := strings.Cut(rule, ": ")
	return name == policy
}

// One more policy never makes a date later, whatever it says.
func TestOneMorePolicyNeverGivesMoreTime(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	conditions := []string{"kev", "!kev", "ransomware || poc", "epss_known && epss >= 0.3", `severity in ["high", "critical"]`, `attack_vector == "network"`,
		`reach in ["internet", "unknown"]`, "tier <= 2", `"shop" in services`, "controls < 0.5", `band == "critical"`, `band != "none"`, "loss > 100000", `cves.exists(c, c.startsWith("CVE-2024-"))`, "true"}
	dues := []string{"1 day", "5 days", "14 days after kev listing", "400 days", "never", "2 days after kev listing"}
	pick := func(s []string) string { return s[r.IntN(len(s))] }
	for range 30 {
		c := Config{Policies: slices.Clone([][]string{{policy.BOD}, {policy.VDR, policy.BOD}, {policy.PCI}, {"none"}}[r.IntN(4)])}
		own := exposure.Policy{Name: "own"}
		for range 1 + r.IntN(4) {
			when := pick(conditions)
			for range r.IntN(3) {
				when = fmt.Sprintf("(%s) %s (%s)", when, pick([]string{"&&", "||"}), pick(conditions))
			}
			own.Rules = append(own.Rules, exposure.PolicyRule{When: when, PolicyOutcome: exposure.PolicyOutcome{Due: pick(dues)}})
		}
		without, err := New(c, day, own)
		if err != nil {
			t.Fatal(err)
		}
		c.Policies = append(c.Policies, "own")
		with, err := New(c, day, own)
		if err != nil {
			t.Fatal(err)
		}
		if with.Version() == without.Version() {
			t.Error("another policy in force is another version")
		}
		for range 300 {
			e := random(r, with.today)
			before, after := without.Explain(e), with.Explain(e)
			if before.Risk != after.Risk || before.DueDay != 0 && (after.DueDay == 0 || after.DueDay > before.DueDay) {
				t.Fatalf("due on %d by %s and then on %d by %s\n%+v", before.DueDay, before.DueRule, after.DueDay, after.DueRule, own.Rules)
			}
			agree(t, after)
		}
	}
}

// agree checks that policies asked one by one come to what the table says.
func agree(t *testing.T, x exposure.Explanation) {
	t.Helper()
	earliest, binds := 0, []string{}
	for _, p := range x.Policies {
		if p.InForce && p.DueDay > 0 && (earliest == 0 || p.DueDay < earliest) {
			earliest = p.DueDay
		}
		if p.Binds {
			binds = append(binds, policy.RuleName(p.Policy, p.Rule))
		}
	}
	if earliest != x.DueDay || len(binds) != min(1, x.DueDay) || len(binds) == 1 && binds[0] != x.DueRule {
		t.Fatalf("due on %d by %q, and by each policy on %d, binding %q: %+v", x.DueDay, x.DueRule, earliest, binds, x.Policies)
	}
}

func TestExplanationOfPolicies(t *testing.T) {
	t.Parallel()
	own := exposure.Policy{Name: "crown-jewels", Title: "What we live from", Rules: []exposure.PolicyRule{
		{When: `tier == 1 && reach == "internet"`, PolicyOutcome: exposure.PolicyOutcome{Due: "1 day", Why: "a jewel in reach"}}}}
	m, err := New(Config{Policies: []string{policy.BOD, policy.PCI, "crown-jewels"}}, day, own)
	if err != nil {
		t.Fatal(err)
	}
	e := Evidence{Context: &exposure.Context{Reach: exposure.ReachInternet, Tier: 1, Regulations: []string{"PCI DSS"}}, FirstSeen: 20000,
		Advisory: &exposure.Advisory{Key: "CVE-2024-1", CVEs: []string{"CVE-2024-1"}, Severity: exposure.SeverityHigh, CVSS: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, Threat: exposure.Threat{KEVDay: 20010}}}
	x := m.Explain(e)
	if x.DueDay != 20001 || x.DueRule != "crown-jewels: a jewel in reach" || x.SSVC != "Act" || x.SSVCDeployer != "Immediate" {
		t.Errorf("due on %d by %q, SSVC %s and %s", x.DueDay, x.DueRule, x.SSVC, x.SSVCDeployer)
	}
	got := map[string]string{}
	for _, p := range x.Policies {
		got[p.Policy] = fmt.Sprint(p.InForce, p.Applies, p.Binds, " ", cmp.Or(p.Rule, "nothing"), "; ", p.Due, " ", p.DueDay, " ", p.Label, " ", p.Inputs)
	}
	for name, want := range map[string]string{
		"bod-26-04":        "true true false known exploited yes, publicly exposed yes, automatable yes, technical impact total; 3 days after kev listing 20013 forensic investigation [{known exploited yes} {publicly exposed yes} {automatable yes} {technical impact total}]",
		"pci-dss":          "true true false 6.3.3 critical or high; 30 days 20030  [{named true} {severity high} {reach internet} {data none} {regulations PCI DSS} {band " + x.Band.String() + "}]",
		"crown-jewels":     "true true true a jewel in reach; 1 day 20001  [{reach internet} {tier 1}]",
		"ssvc-coordinator": "false true false exploitation active, automatable yes, technical impact total, mission and well-being high;  0 Act [{exploitation active} {automatable yes} {technical impact total} {mission and well-being high}]",
		"ssvc-deployer":    "false true false exploitation active, exposure open, automatable yes, human impact very high;  0 Immediate [{exploitation active} {exposure open} {automatable yes} {human impact very high}]",
	} {
		if got[name] != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got[name], want)
		}
	}
	agree(t, x)
	agree(t, m.Explain(Evidence{Advisory: &exposure.Advisory{Key: "x:y", Type: exposure.TypeLicense}, Context: &exposure.Context{}}))
}

func TestOwnPolicies(t *testing.T) {
	t.Parallel()
	rule := []exposure.PolicyRule{{When: "kev", PolicyOutcome: exposure.PolicyOutcome{Due: "1 day"}}}
	for name, tt := range map[string]struct {
		own  []exposure.Policy
		want string
	}{
		"a shipped name": {[]exposure.Policy{{Name: policy.BOD, Rules: rule, File: "p.yaml", Line: 3}}, "p.yaml:3: the name bod-26-04 is taken"},
		"none":           {[]exposure.Policy{{Name: "none", Rules: rule, File: "p.yaml", Line: 3}}, "p.yaml:3: the name none is taken"},
		"twice":          {[]exposure.Policy{{Name: "a", Rules: rule}, {Name: "a", Rules: rule, File: "p.yaml", Line: 9}}, "p.yaml:9: there is a policy a already"},
		"all at once":    {[]exposure.Policy{{Name: "a", File: "p.yaml", Line: 2}, {Name: "b", File: "p.yaml", Line: 5}}, "p.yaml:5: policy b says nothing"},
	} {
		if _, err := New(Config{}, day, tt.own...); exposure.KindOf(err) != exposure.Invalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
