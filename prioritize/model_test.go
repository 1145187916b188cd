package prioritize

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize/policy"
)

var day = time.Date(2025, 9, 28, 0, 0, 0, 0, time.UTC)

func newModel(t testing.TB, c Config) *Model {
	t.Helper()
	m, err := New(c, day)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// points is the score the index shows.
func points(m *Model, e Evidence) exposure.Risk {
	a, c := m.Advisory(e.Advisory), m.Context(e.Context)
	return m.Curve().Risk(a.Log+c.Reach[a.Vector]+m.Validation(e.Detection, e.Verdict), c.Loss[a.Impact])
}

func random(r *rand.Rand, today int) Evidence {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	maybe := func(p float64, v int) int {
		if r.Float64() < p {
			return v
		}
		return 0
	}
	a := &exposure.Advisory{Key: fmt.Sprintf("CVE-%d-%d", 2015+r.IntN(11), 1000+r.IntN(9000)), Severity: exposure.Severity(r.IntN(6))}
	if r.IntN(4) == 0 {
		a.Key, a.Type = "tool:rule", exposure.Type(1+r.IntN(9))
	} else {
		a.CVEs = []string{a.Key}
	}
	switch r.IntN(5) {
	case 0, 1:
		a.CVSS = []string{fmt.Sprintf("CVSS:3.1/AV:%s/AC:%s/PR:%s/UI:%s/S:U/C:%s/I:%s/A:%s", pick("N", "A", "L", "P"), pick("L", "H"), pick("N", "L", "H"), pick("N", "R"), pick("N", "L", "H"), pick("N", "L", "H"), pick("N", "L", "H"))}
	case 2:
		a.CVSS = []string{fmt.Sprintf("AV:%s/AC:%s/Au:%s/C:%s/I:%s/A:%s", pick("N", "A", "L"), pick("L", "M", "H"), pick("N", "S", "M"), pick("N", "P", "C"), pick("N", "P", "C"), pick("N", "P", "C"))}
	case 3:
		a.CVSS = []string{fmt.Sprintf("CVSS:4.0/AV:%s/AC:%s/AT:%s/PR:%s/UI:%s/VC:%s/VI:%s/VA:%s/SC:N/SI:N/SA:N", pick("N", "A", "L", "P"), pick("L", "H"), pick("N", "P"), pick("N", "L", "H"), pick("N", "P", "A"), pick("N", "L", "H"), pick("N", "L", "H"), pick("N", "L", "H"))}
	}
	if r.IntN(3) > 0 {
		a.Threat.EPSS, a.Threat.EPSSModel = math.Pow(r.Float64(), 4), "v2025.03.14"
	}
	a.Threat.KEVDay = maybe(0.1, today-r.IntN(900))
	a.Threat.Ransomware = r.IntN(20) == 0
	a.Threat.MetasploitDay, a.Threat.NucleiDay = maybe(0.1, today-r.IntN(900)), maybe(0.1, today-r.IntN(900))
	a.Threat.ArchiveDay, a.Threat.PoCDay = maybe(0.1, today-r.IntN(900)), maybe(0.2, today-r.IntN(200))
	a.Threat.PublishedDay = maybe(0.8, today-r.IntN(2000))
	switch r.IntN(4) {
	case 0:
		a.Threat.Vector = fmt.Sprintf("CVSS:3.1/AV:%s/AC:%s/PR:%s/UI:%s/S:U/C:%s/I:%s/A:%s", pick("N", "A", "L", "P"), pick("L", "H"), pick("N", "L", "H"), pick("N", "R"), pick("N", "L", "H"), pick("N", "L", "H"), pick("N", "L", "H"))
	case 1:
		a.Threat.Vector = pick("CVSS:3.1/", "AV:", "CVSS:9.9/AV:N", "AV:N/AC:L/Au:N/C:C/I:C/A:C") // most are none
	}
	if r.IntN(3) == 0 {
		a.Threat.Tailored = exposure.Tailored{Techniques: "T1190", Technique: "T1190", Actors: "APT29", Users: 4, Targeters: 9, Targeting: r.Float64()}
	}
	c := &exposure.Context{Reach: exposure.Reach(r.IntN(5)), Tier: r.IntN(5), Controls: float64(maybe(0.3, 1)) * r.Float64()}
	if r.IntN(2) == 0 {
		c.Services, c.Loss = []string{"shop"}, exposure.Loss{Confidentiality: r.Float64() * 1e6, Integrity: r.Float64() * 1e6, Availability: r.Float64() * 1e6}
	}
	return Evidence{Advisory: a, Context: c, Detection: exposure.Detection(r.IntN(6)), Verdict: exposure.VerdictKind(r.IntN(9)), FirstSeen: today - r.IntN(400)}
}

const cases = 100_000

// Worse evidence never lowers a score.
func TestMonotone(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{})
	today := m.today
	r := rand.New(rand.NewPCG(3, 4))
	worsen := map[string]func(e *Evidence) bool{
		"a higher EPSS": func(e *Evidence) bool {
			h := &e.Advisory.Threat
			h.EPSS += (1 - h.EPSS) * r.Float64()
			return h.Scored()
		},
		"a KEV listing": func(e *Evidence) bool {
			h := &e.Advisory.Threat
			h.KEVDay = max(h.KEVDay, today-r.IntN(1000))
			return true
		},
		"fresh evidence": func(e *Evidence) bool {
			h := &e.Advisory.Threat
			h.ObservedDay = max(h.ObservedDay, today-r.IntN(1000))
			return hasAdvisory(e.Advisory)
		},
		"ransomware":          func(e *Evidence) bool { e.Advisory.Threat.Ransomware = true; return true },
		"a Metasploit module": func(e *Evidence) bool { e.Advisory.Threat.MetasploitDay = today - 5; return true },
		"a template":          func(e *Evidence) bool { e.Advisory.Threat.NucleiDay = today - 5; return true },
		"an archived exploit": func(e *Evidence) bool { e.Advisory.Threat.ArchiveDay = today - 5; return true },
		"a fresh PoC":         func(e *Evidence) bool { e.Advisory.Threat.PoCDay = today - 5; return true },
		"local sightings":     func(e *Evidence) bool { e.Advisory.Threat.Sightings += r.Float64() / 100; return true },
		"an actor that targets us": func(e *Evidence) bool {
			h := &e.Advisory.Threat
			h.Targeting += (1 - h.Targeting) * r.Float64()
			return true
		},
		"a wider reach": func(e *Evidence) bool {
			order := []exposure.Reach{exposure.ReachIsolated, exposure.ReachInternal, exposure.ReachPartner, exposure.ReachInternet}
			i := r.IntN(3)
			if e.Context.Reach != order[i] {
				return false
			}
			e.Context.Reach = order[i+1]
			return true
		},
		"a known exposure instead of an unknown one": func(e *Evidence) bool {
			if e.Context.Reach != exposure.ReachUnknown {
				return false
			}
			e.Context.Reach = exposure.ReachInternet
			return true
		},
		"a weaker control": func(e *Evidence) bool { e.Context.Controls *= r.Float64(); return true },
		"a larger loss": func(e *Evidence) bool {
			l := &e.Context.Loss
			if *l == (exposure.Loss{}) {
				return false
			}
			l.Confidentiality, l.Integrity, l.Availability = l.Confidentiality*(1+r.Float64()), l.Integrity*(1+r.Float64()), l.Availability*(1+r.Float64())
			return true
		},
		"a more important tier": func(e *Evidence) bool {
			if e.Context.Tier < 2 {
				return false
			}
			e.Context.Tier--
			return true
		},
		"a stronger detection": func(e *Evidence) bool { e.Detection = max(e.Detection, exposure.Detection(r.IntN(6))); return true },
		"a proof":              func(e *Evidence) bool { e.Verdict = exposure.VerdictExploitable; return true },
		"an inconclusive test": func(e *Evidence) bool {
			if e.Verdict != exposure.VerdictNone {
				return false
			}
			e.Verdict = exposure.VerdictInconclusive
			return true
		},
		"a worse vector": func(e *Evidence) bool {
			if len(e.Advisory.CVSS) == 0 {
				return false
			}
			worse, ok := worseVector(e.Advisory.CVSS[0])
			e.Advisory.CVSS = []string{worse}
			return ok
		},
		"a worse vector of the feeds": func(e *Evidence) bool {
			worse, ok := worseVector(e.Advisory.Threat.Vector)
			e.Advisory.Threat.Vector = worse
			return ok && len(e.Advisory.CVSS) == 0
		},
		"a vector of the feeds beside that of the report": func(e *Evidence) bool {
			e.Advisory.Threat.Vector = "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"
			return len(e.Advisory.CVSS) > 0
		},
	}
	tried := map[string]int{}
	for range cases / 10 {
		seed := r.Uint64()
		for name, f := range worsen {
			before := random(rand.New(rand.NewPCG(seed, 0)), today)
			after := random(rand.New(rand.NewPCG(seed, 0)), today)
			if !f(&after) {
				continue
			}
			tried[name]++
			x, y := points(m, before), points(m, after)
			if y < x {
				t.Fatalf("%s lowers the risk from %d to %d:\n%+v\n%+v\n%+v\n%+v", name, x, y, before.Advisory, before.Context, after.Advisory, after.Context)
			}
		}
	}
	for name := range worsen {
		if tried[name] < 100 {
			t.Errorf("%s was tried %d times only", name, tried[name])
		}
	}
}

// worseVector is a vector with one metric that is worse.
func worseVector(v string) (worse string, ok bool) {
	for _, step := range [][2]string{{"AC:H", "AC:L"}, {"PR:H", "PR:L"}, {"PR:L", "PR:N"}, {"UI:R", "UI:N"}, {"C:N", "C:L"}, {"/I:L", "/I:H"}, {"/A:N", "/A:H"}, {"AV:P", "AV:L"}, {"AV:L", "AV:A"}, {"AV:A", "AV:N"}, {"AT:P", "AT:N"}} {
		if strings.Contains(v, step[0]) && strings.HasPrefix(v, "CVSS:") && (!strings.HasPrefix(v, "CVSS:4") || step[0][0] != 'C' && step[0][0] != '/') {
			return strings.Replace(v, step[0], step[1], 1), true
		}
	}
	return v, false
}

// The vector of the feeds counts where the report has none, as if the report
// had stated it, and the explanation says whose it is.
func TestVectorOfFeeds(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{})
	const near, far = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	flagged := func(x exposure.Explanation, part string) bool {
		return slices.ContainsFunc(x.Flags, func(f string) bool { return strings.Contains(f, part) })
	}
	for name, tt := range map[string]struct {
		report  []string
		feeds   string
		as      []string // the report that scores the same
		byFeeds bool
	}{
		"none":                    {nil, "", nil, false},
		"of the feeds":            {nil, far, []string{far}, true},
		"of the report":           {[]string{near}, "", []string{near}, false},
		"of both":                 {[]string{near}, far, []string{near}, false},
		"a newer one":             {[]string{near}, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", []string{near}, false},
		"of version 2":            {nil, "AV:N/AC:L/Au:N/C:C/I:C/A:C", []string{"AV:N/AC:L/Au:N/C:C/I:C/A:C"}, true},
		"a report with no vector": {[]string{"9.8"}, far, []string{far}, true},
		"feeds with no vector":    {nil, "CVSS:3.1/AV:N", nil, false},
	} {
		e := func(report []string, feeds string) Evidence {
			return Evidence{Context: &exposure.Context{Reach: exposure.ReachInternet}, Advisory: &exposure.Advisory{
				Key: "CVE-2025-1", CVEs: []string{"CVE-2025-1"}, Severity: exposure.SeverityMedium, CVSS: report, Threat: exposure.Threat{Vector: feeds}}}
		}
		got, want := m.Explain(e(tt.report, tt.feeds)), m.Explain(e(tt.as, ""))
		if got.Risk != want.Risk || got.SSVC != want.SSVC {
			t.Errorf("%s: %d points and %s, want %d and %s", name, got.Points, got.SSVC, want.Points, want.SSVC)
		}
		if flagged(got, "by the feeds") != tt.byFeeds || flagged(got, "no CVSS vector") != flagged(want, "no CVSS vector") {
			t.Errorf("%s: flags %q", name, got.Flags)
		}
	}
}

// An explanation is the score: its factors add up and its points are the index's.
func TestExplanationAddsUp(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{})
	r := rand.New(rand.NewPCG(1, 2))
	for range cases {
		e := random(r, m.today)
		x := m.Explain(e)
		if x.Sum() != x.Total {
			t.Fatalf("factors add up to %d, total is %d: %+v", x.Sum(), x.Total, x.Factors)
		}
		if want := points(m, e); x.Risk != want || x.Points != want.Points() {
			t.Fatalf("explained %d, the index shows %d", x.Risk, want)
		}
		sum := 0.0
		for _, s := range x.Threat {
			sum += s.Share
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("threat shares sum to %g: %+v", sum, x.Threat)
		}
		a, c := m.Advisory(e.Advisory), m.Context(e.Context)
		due, rule := m.Due().Due(m.Bands().Of(x.Risk), a.Policy, c.Policy, uint16(e.FirstSeen), a.KEVDay)
		if due == exposure.NoDue {
			due = 0
		}
		if x.DueDay != int(due) || x.DueDay != 0 && x.DueRule != m.Due().Rules[rule] {
			t.Fatalf("due %d by %s, the index says %d", x.DueDay, x.DueRule, due)
		}
	}
}

func TestSameInputsSameBytes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		one, _ := json.Marshal(newModel(t, Config{}).Explain(random(rand.New(rand.NewPCG(seed, 9)), 20359)))
		two, _ := json.Marshal(newModel(t, Config{}).Explain(random(rand.New(rand.NewPCG(seed, 9)), 20359)))
		if string(one) != string(two) {
			t.Fatalf("%s\n%s", one, two)
		}
	}
}

// Actors that target us at most double a hazard, and knowing nothing of them
// lowers nothing, whatever the programme says of them at large.
func TestActors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ says, known, want float64 }{
		{0, 0, 1}, {0, 1, 2}, {0, 0.5, math.Exp2(0.5)}, {0.5, 0, 0.5}, {0.5, 1, 1}, {2, 1, 2}, {1.5, 1, 2}, {0, 7, 2}, {0, -1, 1}, {0, math.NaN(), 1}, {0, math.Inf(1), 2},
	} {
		if got := newModel(t, Config{Actors: tt.says}).actorsOf(&exposure.Threat{Tailored: exposure.Tailored{Targeting: tt.known}}); got != tt.want {
			t.Errorf("the programme says %g, %g is known: %g, want %g", tt.says, tt.known, got, tt.want)
		}
	}
	bank := exposure.Profile{Sectors: []string{"financial-services"}, Countries: []string{"DE"}}
	for _, tt := range []struct {
		profile exposure.Profile
		known   exposure.Tailored
		want    string
	}{
		{exposure.Profile{}, exposure.Tailored{Techniques: "T1190"}, "No profile: set sectors and countries in the programme to know who targets you"},
		{bank, exposure.Tailored{Techniques: "T1190"}, "No actor that targets you is known to use it"},
		{bank, exposure.Tailored{Actors: "APT29", Users: 1, Targeters: 9, Targeting: 1}, "Used by APT29, which targets financial-services in DE"},
		{exposure.Profile{Countries: []string{"DE", "CH"}}, exposure.Tailored{Actors: "A; B; C", Users: 5, Targeters: 9, Targeting: 1}, "Used by A; B; C and 2 more, which target DE, CH"},
		{bank, exposure.Tailored{Techniques: "T1133 T1190", Technique: "T1190", Actors: "A; B; C", Users: 4, Targeters: 9, Targeting: 0.2}, "Its technique T1190 is used by 4 of 9 actors that target you"},
		{bank, exposure.Tailored{Techniques: "T1190", Derived: true, Technique: "T1190", Actors: "A", Users: 1, Targeters: 9}, "T1190, a technique of its class, is used by 1 of 9 actors that target you"},
	} {
		m, err := newModel(t, Config{}).For(tt.profile)
		if err != nil {
			t.Fatal(err)
		}
		e := random(rand.New(rand.NewPCG(1, 1)), m.today)
		e.Advisory.Threat.Tailored = tt.known
		x := m.Explain(e)
		if f := x.Factors[2]; f.Name != "actors" || f.Label != tt.want {
			t.Errorf("%s: %s, want %s", f.Name, f.Label, tt.want)
		}
		if x.Sum() != x.Total || x.Risk != points(newModel(t, Config{}), e) {
			t.Errorf("a profile changed the score itself: %+v", x)
		}
		if m.Version() == newModel(t, Config{}).Version() != tt.profile.Empty() {
			t.Error("what a model says does not show in its version")
		}
	}
}

// A missing score is not a low one.
func TestMissingScore(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{})
	a := exposure.Advisory{Key: "CVE-2025-1", CVEs: []string{"CVE-2025-1"}, CVSS: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, Threat: exposure.Threat{PublishedDay: m.today - 3}}
	e := Evidence{Advisory: &a, Context: &exposure.Context{Reach: exposure.ReachInternet}}
	missing := m.Explain(e)
	a.Threat.EPSSModel, a.Threat.EPSS = "v4", 0.00001
	low := m.Explain(e)
	if missing.Risk <= low.Risk {
		t.Errorf("without a score %d, with the lowest %d", missing.Points, low.Points)
	}
	if len(missing.Flags) == 0 || !strings.Contains(missing.Flags[0], "imputed") {
		t.Errorf("flags %v", missing.Flags)
	}
}

// A CVE that has no score although it is old may be any: until the feeds are
// there it is taken for the mean of its severity.
func TestUnasked(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{})
	score := func(key string, s exposure.Severity, h exposure.Threat) exposure.Explanation {
		a := exposure.Advisory{Key: key, CVEs: []string{key}, Severity: s, CVSS: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, Threat: h}
		return m.Explain(Evidence{Advisory: &a, Context: &exposure.Context{Reach: exposure.ReachInternet}})
	}
	last := -1
	for _, s := range []exposure.Severity{exposure.SeverityLow, exposure.SeverityMedium, exposure.SeverityHigh, exposure.SeverityCritical} {
		old, fresh := score("CVE-2021-44228", s, exposure.Threat{}), score("CVE-2025-44228", s, exposure.Threat{PublishedDay: m.today - 3})
		if old.Points <= last || !strings.Contains(old.Flags[0], "the mean of its severity") || old.First != nil {
			t.Errorf("%v: %d points, %v", s, old.Points, old.Flags)
		}
		last = old.Points
		if strings.Contains(fresh.Flags[0], "mean") || fresh.First == nil {
			t.Errorf("fresh and %v: %v", s, fresh.Flags)
		}
	}
	if listed := score("CVE-2021-44228", exposure.SeverityCritical, exposure.Threat{KEVDay: 19000}); listed.Points <= last {
		t.Errorf("listed in KEV it has %d points, of an unknown one %d", listed.Points, last)
	}
}

// published reads a table of the shared material; the test skips without it.
func published(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "shared", "intel", name))
	if err != nil {
		t.Skip("the shared material is not here")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestDueFromListing(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{Policies: []string{policy.BOD}, SLA: []int{0, 0, 0, 0}})
	a := exposure.Advisory{Key: "CVE-2024-1", CVEs: []string{"CVE-2024-1"}, CVSS: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, Threat: exposure.Threat{KEVDay: 20300}}
	e := m.Explain(Evidence{Advisory: &a, Context: &exposure.Context{Reach: exposure.ReachInternet}, FirstSeen: 20000})
	if e.DueDay != 20303 || e.DueRule != "bod-26-04: known exploited yes, publicly exposed yes, automatable yes, technical impact total" {
		t.Errorf("due on day %d by %q: want three days after the listing", e.DueDay, e.DueRule)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{Targeted: 2}, {Targeted: math.NaN()}, {Bands: []int{1, 2, 3}}, {Bands: []int{300, 200, 400, 500}}, {SLA: []int{1, 2, 3, -4}}, {LossMin: 5, LossMax: 6}} {
		if err := c.Validate(); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := New(Config{Policies: []string{"wish"}}, day); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("a policy that is not there: %v", err)
	}
	if a, b := newModel(t, Config{}), newModel(t, Config{Targeted: 0.1}); a.Version() == b.Version() || a.bands != b.bands {
		t.Error("another configuration is another version")
	}
}

func TestAssetRisk(t *testing.T) {
	t.Parallel()
	one := AssetRisk([][]float64{{0.001}})
	if grouped, apart := AssetRisk([][]float64{{0.001, 0.001}}), AssetRisk([][]float64{{0.001}, {0.001}}); !(one < grouped && grouped < apart) {
		t.Errorf("one %g, two by one fix %g, two by two fixes %g", one, grouped, apart)
	}
	if AssetRisk(nil) != 0 {
		t.Error("no finding, no risk")
	}
}

func BenchmarkAdvisory(b *testing.B) {
	m := newModel(b, Config{})
	e := random(rand.New(rand.NewPCG(1, 1)), m.today)
	for b.Loop() {
		m.Advisory(e.Advisory)
	}
}

// The chance of first exploitation is the base times the odds of its signals.
func TestPrediction(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{})
	r := rand.New(rand.NewPCG(5, 6))
	told := 0
	for range cases / 10 {
		e := random(r, m.today)
		e.Advisory.Threat.Percentile = r.Float64()
		p := m.Explain(e).First
		if p == nil {
			if h := e.Advisory.Threat; hasAdvisory(e.Advisory) && h.Scored() && !h.KEV() && h.ObservedDay == 0 && !h.Withdrawn {
				t.Fatalf("nothing is said of %+v", e.Advisory)
			}
			continue
		}
		told++
		odds := p.Base / (1 - p.Base)
		for _, s := range p.Signals {
			if s.Odds < 1 && s.Name != "old" || s.Odds > 1 && s.Name == "old" || s.Label == "" {
				t.Fatalf("%+v of %+v", s, e.Advisory.Threat)
			}
			odds *= s.Odds
		}
		if chance := odds / (1 + odds); math.Abs(chance-p.Chance) > 1e-12 || p.Horizon != 90 {
			t.Fatalf("the signals come to %g, the chance is %g", chance, p.Chance)
		}
	}
	if told < cases/50 {
		t.Errorf("%d predictions only", told)
	}
}

// What would change a score is what scoring the changed evidence gives, in the
// direction that its label promises.
func TestAlternatives(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{})
	r := rand.New(rand.NewPCG(7, 8))
	tried := map[string]int{}
	for range cases / 20 {
		e := random(r, m.today)
		now, before := m.Score(e).Points(), fmt.Sprintf("%+v %+v", *e.Advisory, *e.Context)
		last := -1
		for _, alt := range m.Alternatives(e) {
			tried[alt.Name]++
			switch lower := alt.Points < now; {
			case alt.Points == now, alt.Points < last, alt.Label == "", alt.Band != m.bands.Of(exposure.RiskAt(alt.Points)):
				t.Fatalf("%+v of %d points", alt, now)
			case lower && slices.Contains([]string{"internet", "exploitable", "exploit", "listed"}, alt.Name),
				!lower && slices.Contains([]string{"isolated", "control", "not_exploitable", "later"}, alt.Name):
				t.Fatalf("%+v of %d points: %+v", alt, now, e.Advisory)
			}
			last = alt.Points
		}
		if after := fmt.Sprintf("%+v %+v", *e.Advisory, *e.Context); after != before {
			t.Fatalf("asking changed the evidence from %s to %s", before, after)
		}
	}
	for _, name := range []string{"isolated", "internal", "control", "not_exploitable", "blocked", "later", "internet", "exploitable", "exploit", "listed"} {
		if tried[name] < 100 {
			t.Errorf("%s was told %d times only", name, tried[name])
		}
	}
}
