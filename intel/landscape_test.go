package intel

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// Entries of two feeds with one alias or one name are one, whatever comes
// first, and what is related to either is related to it.
func TestLandscape(t *testing.T) {
	t.Parallel()
	facts := []Fact{
		{ID: "T1190", Aliases: []string{"uuid:1"}, Entry: &Entry{Kind: KindTechnique, Name: "Exploit Public-Facing Application"}, Links: []Link{{Serves, "TA0001"}}},
		{ID: "G0016", Aliases: []string{"uuid:2"}, Entry: &Entry{Kind: KindActor, Name: "APT29", Names: []string{"Cozy Bear"}, Origin: []string{"RU"}}, Links: []Link{{Uses, "uuid:1"}, {Uses, "S0154"}}},
		{ID: "G0046", Entry: &Entry{Kind: KindActor, Name: "FIN7", Sectors: []string{"retail"}}, Links: []Link{{Uses, "T9999"}}},
		{ID: "misp:2", Aliases: []string{"uuid:2"}, Entry: &Entry{Kind: KindActor, Name: "APT 29", Names: []string{"The Dukes"}, Sectors: []string{"government"}, Countries: []string{"US", "DE"}}, Links: []Link{{Exploits, "GHSA-1"}}},
		{ID: "misp:3", Entry: &Entry{Kind: KindActor, Name: "Fin-7", Countries: []string{"US"}}},
		{ID: "CVE-2024-3400", Aliases: []string{"GHSA-1"}, Links: []Link{{OfClass, "CWE-77"}, {Enables, "T1190"}}},
		{ID: "C0001", Entry: &Entry{Kind: KindCampaign, Name: "FIN7", FirstDay: 19000}, Links: []Link{{AttributedTo, "misp:3"}, {AttributedTo, "C0001"}}},
	}
	for range len(facts) {
		l := snapshotOf(t, facts...).Landscape()
		var actors []string
		for e := range l.All(KindActor) {
			actors = append(actors, e.Name)
		}
		if len(actors) != 2 || l.Size() != 4 {
			t.Fatalf("actors %v, %d entries", actors, l.Size())
		}
		for _, id := range []string{"G0016", "misp:2", "uuid:2"} {
			got, ok := l.Find(id)
			if !ok || got.Kind != KindActor || !slices.Contains(append(got.Names, got.Name), "The Dukes") || !cmp.Equal(got.Countries, []string{"DE", "US"}) || !cmp.Equal(got.Origin, []string{"RU"}) {
				t.Errorf("%s is %+v, %v", id, got, ok)
			}
			if diff := cmp.Diff([]string{"CVE-2024-3400"}, l.Linked(id, Exploits)); diff != "" {
				t.Errorf("exploits (-want +got):\n%s", diff)
			}
		}
		actor, _ := l.Find("uuid:2")
		if got := l.Linking("T1190", Uses); !cmp.Equal(got, []string{actor.ID}) {
			t.Errorf("T1190 is used by %v, want %s", got, actor.ID)
		}
		if got := l.Linked("GHSA-1", Enables); !cmp.Equal(got, []string{"T1190"}) {
			t.Errorf("the alias of a weakness enables %v", got)
		}
		if got := l.Linking("T1190", Enables); got != nil {
			t.Errorf("weaknesses are not listed backwards: %v", got)
		}
		if got := l.Linked("C0001", AttributedTo); len(got) != 1 {
			t.Errorf("the campaign is attributed to %v", got)
		}
		if e, ok := l.Find("T9999"); ok {
			t.Errorf("a dangling name is an entry: %+v", e)
		}
		facts = append(facts[1:], facts[0])
	}
	var none *Landscape
	if _, ok := none.Find("T1190"); ok || none.Size() != 0 || none.Linked("T1190", Uses) != nil {
		t.Error("nothing is known of something")
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	bank := exposure.Profile{Sectors: []string{"financial-services"}, Countries: []string{"DE", "CH"}}
	for _, tt := range []struct {
		name               string
		sectors, countries []string
		p                  exposure.Profile
		want               bool
	}{
		{"both", []string{"financial-services"}, []string{"DE"}, bank, true},
		{"another country", []string{"financial-services"}, []string{"US"}, bank, false},
		{"another sector", []string{"retail"}, []string{"DE"}, bank, false},
		{"only its sector is known", []string{"financial-services"}, nil, bank, true},
		{"nothing is known", nil, nil, bank, false},
		{"no profile", []string{"retail"}, []string{"DE"}, exposure.Profile{}, false},
		{"only a country is said", []string{"retail"}, []string{"CH"}, exposure.Profile{Countries: []string{"CH"}}, true},
	} {
		e := Entry{Sectors: tt.sectors, Countries: tt.countries}
		if _, _, got := e.Targets(tt.p); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestEntryRefused(t *testing.T) {
	t.Parallel()
	good := Entry{Kind: KindActor, Name: "APT29"}
	for name, change := range map[string]func(*Fact){
		"no kind":         func(f *Fact) { f.Entry.Kind = "" },
		"unknown kind":    func(f *Fact) { f.Entry.Kind = "planet" },
		"no name":         func(f *Fact) { f.Entry.Name = "" },
		"lines in a name": func(f *Fact) { f.Entry.Name = "a\nb" },
		"a control sign":  func(f *Fact) { f.Entry.Names = []string{"\x1b[31m"} },
		"no UTF-8":        func(f *Fact) { f.Entry.Summary = "\xff" },
		"http":            func(f *Fact) { f.Entry.URL = "http://example.com" },
		"javascript":      func(f *Fact) { f.Entry.URL = "javascript:alert(1)" },
		"a country":       func(f *Fact) { f.Entry.Countries = []string{"Germany"} },
		"two halves":      func(f *Fact) { f.Entry.Countries = []string{"D "} },
		"a sector":        func(f *Fact) { f.Entry.Sectors = []string{"bank"} },
		"a threat":        func(f *Fact) { f.Threat.KEVDay = 1 },
		"a relation":      func(f *Fact) { f.Links = []Link{{"likes", "T1"}} },
		"a link":          func(f *Fact) { f.Links = []Link{{Uses, "a b"}} },
		"many links":      func(f *Fact) { f.Links = make([]Link, MaxLinks+1) },
		"a day":           func(f *Fact) { f.Entry.LastDay = -1 },
	} {
		e := good
		f := Fact{ID: "G0016", Entry: &e}
		if err := f.Check(); err != nil {
			t.Fatal(err)
		}
		change(&f)
		if f.Check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"short": "short", "two\nlines\t here ": "two lines here", "One sentence. Another one.": "One sentence.", "words that run on": "words that…",
		"ääääääääääääääääää": "ääääääää…", "": "", "\x1b[0m": "[0m",
	} {
		n := 20
		if in == "words that run on" {
			n = 14
		}
		if got := Cut(in, n); got != want || !oneLine(got, n) {
			t.Errorf("Cut(%q) = %q, want %q", in, got, want)
		}
	}
}
