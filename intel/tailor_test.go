package intel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

func bank() exposure.Profile {
	return exposure.Profile{Sectors: []string{"financial-services"}, Countries: []string{"DE"}}
}

// banks are actors of whom five target banks, and what they use.
func banks() []Fact {
	actor := func(id, name string, e Entry, links ...Link) Fact {
		e.Kind, e.Name = KindActor, name
		return Fact{ID: id, Entry: &e, Links: links}
	}
	trade := []string{"financial-services"}
	return []Fact{
		{ID: "T1190", Entry: &Entry{Kind: KindTechnique, Name: "Exploit Public-Facing Application"}},
		{ID: "T1059", Entry: &Entry{Kind: KindTechnique, Name: "Command and Scripting Interpreter"}},
		{ID: "T1059.001", Entry: &Entry{Kind: KindTechnique, Name: "PowerShell"}, Links: []Link{{PartOf, "T1059"}}},
		{ID: "T1133", Entry: &Entry{Kind: KindTechnique, Name: "External Remote Services"}},
		{ID: "S0001", Entry: &Entry{Kind: KindSoftware, Name: "Breaker"}, Links: []Link{{Exploits, "CVE-2024-0003"}, {Uses, "T1133"}}},
		{ID: "C0001", Entry: &Entry{Kind: KindCampaign, Name: "Winter"}, Links: []Link{{AttributedTo, "G0002"}, {Exploits, "CVE-2024-0002"}, {Uses, "T1190"}}},
		actor("G0001", "Alpha", Entry{Sectors: trade, Countries: []string{"DE"}}, Link{Uses, "T1190"}, Link{Exploits, "GHSA-1"}),
		actor("G0002", "Beta", Entry{Sectors: trade, LastDay: 20000}, Link{Uses, "T1059.001"}),
		actor("G0003", "Gamma", Entry{Countries: []string{"DE"}}, Link{Uses, "T1190"}, Link{Uses, "S0001"}),
		actor("G0004", "Delta", Entry{Sectors: trade, Inferred: true}, Link{Uses, "T1190"}, Link{Exploits, "CVE-2024-0004"}),
		actor("G0005", "Elsewhere", Entry{Sectors: trade, Countries: []string{"US"}}, Link{Uses, "T1133"}, Link{Exploits, "CVE-2024-0005"}),
		actor("G0006", "Unknown", Entry{}, Link{Uses, "T1133"}),
		{ID: "CWE-89", Entry: &Entry{Kind: KindClass, Name: "SQL injection"}},
		{ID: "CAPEC-66", Entry: &Entry{Kind: KindPattern, Name: "SQL injection"}, Links: []Link{{EnabledBy, "CWE-89"}, {Enables, "T1190"}}},
		{ID: "CVE-2024-0001", Aliases: []string{"GHSA-1"}, Links: []Link{{Enables, "T1190"}, {LeadsTo, "T1059"}, {OfClass, "CWE-89"}}},
		{ID: "CVE-2024-0006", Links: []Link{{OfClass, "CWE-89"}}},
		{ID: "CVE-2024-0007", Links: []Link{{Enables, "T1059"}, {Enables, "nonsense"}}},
		{ID: "CVE-2024-0008", Links: []Link{{Enables, "T1190"}}},
		{ID: "ALAS-1", Aliases: []string{"CVE-2024-0006", "CVE-2024-0008"}},
	}
}

func TestTailor(t *testing.T) {
	t.Parallel()
	us := snapshotOf(t, banks()...).Tailor(bank())
	var actors []string
	for _, a := range us.Actors() {
		actors = append(actors, a.Name)
	}
	if diff := cmp.Diff([]string{"Beta", "Alpha", "Gamma", "Delta"}, actors); diff != "" {
		t.Fatalf("who targets us, the most certain first (-want +got):\n%s", diff)
	}
	// Alpha, Gamma, Beta by a campaign, and Delta, who counts half: 3.5 of
	// those who say half at 6.
	byT1190 := 0.6 * (1 - 0.24) * (1 - 0.6674199270850172)
	for _, tt := range []struct {
		what string
		ids  []string
		cwes []int
		want exposure.Tailored
	}{
		{"its very weakness, under another name", []string{"GHSA-1"}, nil, exposure.Tailored{Techniques: "T1190", Actors: "Alpha", Targeting: 1, Users: 1, Targeters: 4}},
		{"that of a campaign", []string{"CVE-2024-0002"}, nil, exposure.Tailored{Actors: "Beta", Targeting: 1, Users: 1, Targeters: 4}},
		{"that of its software", []string{"CVE-2024-0003"}, nil, exposure.Tailored{Actors: "Gamma", Targeting: 0.8, Users: 1, Targeters: 4}},
		{"by one whose targets are guessed", []string{"CVE-2024-0004"}, nil, exposure.Tailored{Actors: "Delta", Targeting: 0.8, Users: 1, Targeters: 4}},
		{"by one who targets others", []string{"CVE-2024-0005"}, nil, exposure.Tailored{}},
		{"a technique", []string{"CVE-2024-0008"}, nil, exposure.Tailored{Techniques: "T1190", Technique: "T1190", Actors: "Beta; Alpha; Gamma", Targeting: byT1190, Users: 4, Targeters: 4}},
		{"that of its class", []string{"CVE-2024-0006"}, nil, exposure.Tailored{Techniques: "T1190", Derived: true, Technique: "T1190", Actors: "Beta; Alpha; Gamma", Targeting: byT1190 / 2, Users: 4, Targeters: 4}},
		{"of a class that the report states", []string{"semgrep:x"}, []int{89, 79}, exposure.Tailored{Techniques: "T1190", Derived: true, Technique: "T1190", Actors: "Beta; Alpha; Gamma", Targeting: byT1190 / 2, Users: 4, Targeters: 4}},
		{"a technique that is part of another, of too few", []string{"CVE-2024-0007"}, nil, exposure.Tailored{Techniques: "T1059", Technique: "T1059", Actors: "Beta", Users: 1, Targeters: 4}},
		{"what an advisory covers", []string{"ALAS-1"}, nil, exposure.Tailored{Techniques: "T1190", Technique: "T1190", Actors: "Beta; Alpha; Gamma", Targeting: byT1190, Users: 4, Targeters: 4}},
		{"two names", []string{"CVE-2024-0003", "CVE-2024-0001"}, nil, exposure.Tailored{Techniques: "T1190", Actors: "Alpha; Gamma", Targeting: 1, Users: 2, Targeters: 4}},
		{"unheard of", []string{"CVE-1999-0001", ""}, []int{-1}, exposure.Tailored{}},
	} {
		got := us.Of(tt.ids, tt.cwes)
		if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(x, y float64) bool { return x-y < 1e-12 && y-x < 1e-12 })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
	known := us.Of([]string{"CVE-2024-0001"}, nil)
	if got := us.Concerned([]string{"CVE-2024-0001"}, &known); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("concerned: %v", got)
	}
}

// Without a profile, and without a landscape, nobody is known to target us; by
// what a weakness is exploited is known all the same.
func TestTailorOfNobody(t *testing.T) {
	t.Parallel()
	if got := snapshotOf(t, banks()...).Tailor(exposure.Profile{}).Of([]string{"CVE-2024-0001"}, nil); got != (exposure.Tailored{Techniques: "T1190"}) {
		t.Errorf("%+v", got)
	}
	us := (&Snapshot{}).Tailor(bank())
	if got := us.Of([]string{"CVE-2024-0001"}, []int{89}); got != (exposure.Tailored{}) || len(us.Actors()) != 0 || us.Users("T1190") != 0 {
		t.Errorf("%+v", got)
	}
}

// At most eight techniques are kept of a weakness, those that are most used.
func TestTailorKeepsTheMostUsed(t *testing.T) {
	t.Parallel()
	facts := banks()
	w := Fact{ID: "CVE-2024-0009"}
	for i := range 20 {
		w.Links = append(w.Links, Link{Enables, fmt.Sprintf("T1%03d", i)})
	}
	w.Links = append(w.Links, Link{Enables, "T1190"})
	got := snapshotOf(t, append(facts, w)...).Tailor(bank()).Of([]string{w.ID}, nil)
	if ids := strings.Fields(got.Techniques); len(ids) != exposure.MaxTechniques || !slices.Contains(ids, "T1190") || !slices.IsSorted(ids) {
		t.Errorf("%v", ids)
	}
}

// Whatever is learned beside what is known, of actors, of what they aim at and
// use, or of weaknesses, makes no weakness matter less.
func TestTailorIsMonotone(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(7, 11))
	name := func(kind string, n int) string { return fmt.Sprintf("%s%d", kind, 1000+rnd.IntN(n)) }
	sectors, countries := []string{"financial-services", "energy"}, []string{"DE", "AT"}
	us := exposure.Profile{Sectors: sectors, Countries: countries}
	link := func(kind Kind) Link {
		switch kind {
		case KindActor:
			return []Link{{Uses, name("T", 6)}, {Uses, name("S", 3)}, {Exploits, name("CVE-2024-", 6)}}[rnd.IntN(3)]
		case KindCampaign:
			return []Link{{Uses, name("T", 6)}, {AttributedTo, name("G", 12)}, {Exploits, name("CVE-2024-", 6)}}[rnd.IntN(3)]
		case KindSoftware:
			return Link{Exploits, name("CVE-2024-", 6)}
		case KindPattern:
			return []Link{{EnabledBy, name("CWE-", 3)}, {Enables, name("T", 6)}}[rnd.IntN(2)]
		}
		return []Link{{Enables, name("T", 6)}, {OfClass, name("CWE-", 3)}}[rnd.IntN(2)]
	}
	kinds := []Kind{KindActor, KindActor, KindActor, KindCampaign, KindSoftware, KindPattern, ""}
	prefix := map[Kind]string{KindActor: "G", KindCampaign: "C", KindSoftware: "S", KindPattern: "CAPEC-", "": "CVE-2024-"}
	add := func(facts []Fact) []Fact { // something that nobody knew
		facts = slices.Clone(facts)
		if i := rnd.IntN(len(facts) + 1); i < len(facts) && rnd.IntN(3) > 0 {
			f := facts[i]
			kind := Kind("")
			if f.Entry != nil {
				e := *f.Entry
				kind, f.Entry = e.Kind, &e
				switch rnd.IntN(4) { // it aims at us as well
				case 0:
					e.Sectors = joined(e.Sectors, sectors[:1+rnd.IntN(2)])
				case 1:
					e.Countries = joined(e.Countries, countries[:1+rnd.IntN(2)])
				case 2:
					e.Inferred = false // and somebody said so
				}
			}
			f.Links = append(slices.Clone(f.Links), link(kind))
			facts[i] = f
			return facts
		}
		kind := kinds[rnd.IntN(len(kinds))]
		f := Fact{ID: name(prefix[kind], 12)}
		if slices.ContainsFunc(facts, func(o Fact) bool { return o.ID == f.ID }) {
			return facts
		}
		if kind != "" {
			f.Entry = &Entry{Kind: kind, Name: f.ID, Inferred: kind == KindActor && rnd.IntN(2) == 0}
			if kind == KindActor && rnd.IntN(4) > 0 {
				f.Entry.Sectors = []string{[]string{"financial-services", "energy", "retail"}[rnd.IntN(3)]}
			}
			if kind == KindActor && rnd.IntN(2) > 0 {
				f.Entry.Countries = []string{[]string{"DE", "US"}[rnd.IntN(2)]}
			}
		}
		for range rnd.IntN(4) {
			f.Links = append(f.Links, link(kind))
		}
		return append(facts, f)
	}
	tailor := func(facts []Fact) *Tailor { // without the way through a copy
		b := newBuilder()
		for i := range facts {
			if err := b.fact(&facts[i]); err != nil {
				t.Fatal(err)
			}
		}
		return b.snapshot().Tailor(us)
	}
	cases, rose := 0, 0
	for cases < 100_000 {
		var facts []Fact
		before := tailor(nil)
		for range 45 {
			facts = add(facts)
			after := tailor(facts)
			for i := range 6 {
				id := []string{fmt.Sprintf("CVE-2024-%d", 1000+i)}
				was, is := before.Of(id, []int{1000}), after.Of(id, []int{1000})
				if cases++; is.Targeting < was.Targeting || is.Targeting > 1 {
					t.Fatalf("%s: %v became %v by\n%+v", id, was, is, facts[len(facts)-1])
				}
				if is.Targeting > was.Targeting {
					rose++
				}
				if is.Targeting > 0 && is.Actors == "" {
					t.Fatalf("%s: %+v names nobody", id, is)
				}
			}
			before = after
		}
	}
	if rose < cases/200 {
		t.Errorf("of %d cases only %d rose: the test tests little", cases, rose)
	}
}

func BenchmarkTailor(b *testing.B) {
	rnd := rand.New(rand.NewPCG(3, 5))
	technique := func() string { return fmt.Sprintf("T%d", 1000+rnd.IntN(700)) }
	var facts []Fact
	for i := range 1200 {
		f := Fact{ID: fmt.Sprintf("G%04d", i), Entry: &Entry{Kind: KindActor, Name: fmt.Sprintf("Actor %d", i), Sectors: []string{exposure.Sectors()[rnd.IntN(8)]}}}
		for range 30 {
			f.Links = append(f.Links, Link{Uses, technique()})
		}
		f.Links = append(f.Links, Link{Exploits, fmt.Sprintf("CVE-2024-%d", 10000+rnd.IntN(100_000))})
		facts = append(facts, f)
	}
	for i := range 500 {
		facts = append(facts, Fact{ID: fmt.Sprintf("CAPEC-%d", i), Entry: &Entry{Kind: KindPattern, Name: "pattern"}, Links: []Link{{EnabledBy, fmt.Sprintf("CWE-%d", rnd.IntN(800))}, {Enables, technique()}}})
	}
	ids := make([][]string, 100_000)
	for i := range ids {
		id := fmt.Sprintf("CVE-2024-%d", 10000+i)
		ids[i] = []string{id, id}
		f := Fact{ID: id, Links: []Link{{OfClass, fmt.Sprintf("CWE-%d", rnd.IntN(800))}}}
		if i%10 == 0 {
			f.Links = append(f.Links, Link{Enables, technique()})
		}
		facts = append(facts, f)
	}
	s := snapshotOf(b, facts...)
	p := exposure.Profile{Sectors: exposure.Sectors()[:3]}
	for b.Loop() {
		us := s.Tailor(p)
		for _, id := range ids {
			us.Of(id, []int{79})
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(ids)), "ns/advisory")
}
