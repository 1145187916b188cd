package intel

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// judgeDay is the day on which tests judge: 2026-03-01.
const judgeDay = 20513

func judge() *Judge {
	return &Judge{
		At: judgeDay * 24 * time.Hour.Milliseconds(), Open: func(exposure.AdvisoryID) bool { return true }, Watched: func(exposure.AdvisoryID) string { return "" },
	}
}

// told are the keys of news, with what else matters of it.
func told(news []News) (keys []string) {
	for _, n := range news {
		k := n.Key
		if n.Watched != "" {
			k += " watched by " + n.Watched
		}
		keys = append(keys, k)
	}
	return keys
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	scored := func(p float64) exposure.Threat { return exposure.Threat{EPSS: p, EPSSModel: "v4"} }
	kev := exposure.Threat{KEVDay: 20510}
	old := exposure.Threat{KEVDay: 19000, KEVDueDay: 19021}
	ransom := old
	ransom.Ransomware = true
	for _, c := range []struct {
		name    string
		was, is exposure.Threat
		want    string // keys
		reason  string
	}{
		{"listed", exposure.Threat{}, kev, "kev|CVE-1|2026-02-26", "CISA lists CVE-1 as exploited since 2026-02-26."},
		{"listed long ago, learnt now", exposure.Threat{}, old, "kev|CVE-1|2022-01-08", ""},
		{"listed with the flag", exposure.Threat{}, ransom, "kev|CVE-1|2022-01-08", "CISA lists CVE-1 as exploited since 2022-01-08, also by ransomware."},
		{"another day", old, kev, "", ""},
		{"the flag flips", old, ransom, "ransomware|CVE-1|2022-01-08", "CISA now says that ransomware uses CVE-1."},
		{"the flag flips back", ransom, old, "", ""},
		{"taken off", ransom, exposure.Threat{}, "kev_removed|CVE-1|2022-01-08", "CISA took CVE-1 off its list of what is exploited."},
		{"first exploit", exposure.Threat{PoCDay: 5}, exposure.Threat{PoCDay: 5, ArchiveDay: 20000, NucleiDay: 20001}, "exploit|CVE-1", "The first exploit of CVE-1 is public: Nuclei has one."},
		{"first exploit, nobody says since when", exposure.Threat{}, exposure.Threat{MetasploitDay: exposure.UnknownDay}, "exploit|CVE-1", "The first exploit of CVE-1 is public: Metasploit has one."},
		{"another exploit", exposure.Threat{ArchiveDay: 5}, exposure.Threat{ArchiveDay: 5, NucleiDay: 6}, "", ""},
		{"ready to use", exposure.Threat{ArchiveDay: 5}, exposure.Threat{ArchiveDay: 5, MetasploitDay: 6}, "exploit|CVE-1|metasploit", "Metasploit has an exploit of CVE-1, so anybody can use it."},
		{"a proof of concept", exposure.Threat{}, exposure.Threat{PoCDay: 20500}, "", ""},
		{"seen", exposure.Threat{}, exposure.Threat{ObservedDay: 20500}, "observed|CVE-1", "There is evidence that CVE-1 is exploited. CISA does not list it."},
		{"seen again", exposure.Threat{ObservedDay: 20400}, exposure.Threat{ObservedDay: 20500}, "", ""},
		{"seen and listed", exposure.Threat{}, exposure.Threat{ObservedDay: 20500, KEVDay: 20510}, "kev|CVE-1|2026-02-26", ""},
		{"score rose", scored(0.02), scored(0.5), "epss|CVE-1|2026-03-01", "The probability that somebody tries to use CVE-1 within 30 days rose from 2.0 % to 50.0 %."},
		{"score moved", scored(0.02), scored(0.05), "", ""},
		{"score fell", scored(0.5), scored(0.02), "", ""},
		{"first score", exposure.Threat{}, scored(0.9), "", ""},
		{"several", scored(0.1), exposure.Threat{EPSS: 0.9, EPSSModel: "v4", KEVDay: 20510, MetasploitDay: 20511}, "kev|CVE-1|2026-02-26 exploit|CVE-1 epss|CVE-1|2026-03-01", ""},
		{"withdrawn", exposure.Threat{}, exposure.Threat{Withdrawn: true}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			change := []Change{{Advisory: 7, Key: "CVE-1", Title: "One", Was: c.was, Is: c.is}}
			got := judge().Alerts(change)
			if diff := cmp.Diff(strings.Fields(c.want), told(got)); diff != "" && c.want+strings.Join(told(got), "") != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, n := range got {
				if n.At != judge().At || n.Subject != "CVE-1" || n.Title != "One" || n.Advisory != 7 || !n.Kind.Valid() || !cmp.Equal(n.Of, []exposure.AdvisoryID{7}) || n.Reason == "" || len(n.Facts) == 0 {
					t.Errorf("%+v", n)
				}
			}
			if c.reason != "" && (len(got) == 0 || got[0].Reason != c.reason) {
				t.Errorf("reason of %+v, want %q", got, c.reason)
			}
			again := []Change{{Advisory: 7, Key: "CVE-1", Was: c.is, Is: c.is}}
			if got := judge().Alerts(again); got != nil {
				t.Errorf("nothing new is %v", told(got))
			}
			closed := judge()
			closed.Open = func(exposure.AdvisoryID) bool { return false }
			if got := closed.Alerts(change); got != nil {
				t.Errorf("nothing open is %v", told(got))
			}
			settling := judge()
			settling.Settling = true
			if got := settling.Alerts(change); got != nil {
				t.Errorf("while feeds come in: %v", told(got))
			}
		})
	}
}

// A listing that ended and came again is told of again.
func TestListedAgain(t *testing.T) {
	t.Parallel()
	first, second := exposure.Threat{KEVDay: 20000}, exposure.Threat{KEVDay: 20500}
	var keys []string
	for _, c := range []Change{{Is: first}, {Was: first}, {Is: second}, {Was: second}} {
		c.Key = "CVE-1"
		keys = append(keys, told(judge().Alerts([]Change{c}))...)
	}
	want := []string{"kev|CVE-1|2024-10-04", "kev_removed|CVE-1|2024-10-04", "kev|CVE-1|2026-02-16", "kev_removed|CVE-1|2026-02-16"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Of what a feed says that just came, only what happened lately is news.
func TestJoined(t *testing.T) {
	t.Parallel()
	change := func(id string, is exposure.Threat) Change { return Change{Key: id, Is: is} }
	changes := []Change{
		change("CVE-1", exposure.Threat{KEVDay: judgeDay - Fresh}), change("CVE-2", exposure.Threat{KEVDay: judgeDay - Fresh - 1}),
		change("CVE-3", exposure.Threat{MetasploitDay: exposure.UnknownDay}), change("CVE-4", exposure.Threat{NucleiDay: judgeDay}),
		{Key: "CVE-5", Was: exposure.Threat{KEVDay: 19000}, Is: exposure.Threat{KEVDay: 19000, Ransomware: true}},
		change("CVE-6", exposure.Threat{ObservedDay: 19000}), change("CVE-7", exposure.Threat{Vector: "AV:N"}),
	}
	j := judge()
	j.Joined = []string{"KEV", "Exploit-DB"}
	j.Watched = func(exposure.AdvisoryID) string { return "cve*" }
	want := []string{"feed|Exploit-DB|KEV", "kev|CVE-1|2026-02-15 watched by cve*", "exploit|CVE-4 watched by cve*"}
	if diff := cmp.Diff(want, told(j.Alerts(changes))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	j.Settling = true
	if diff := cmp.Diff(want[:1], told(j.Alerts(changes))); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}
}

// However many scores another model changes, it is one notice.
func TestAnotherModel(t *testing.T) {
	t.Parallel()
	var changes []Change
	for i := range 1000 {
		was, is := exposure.Threat{EPSS: float64(i) / 2000, EPSSModel: "v4"}, exposure.Threat{EPSS: float64(i)/2000 + 0.4, EPSSModel: "v5"}
		if i%100 == 0 {
			was = exposure.Threat{}
		}
		changes = append(changes, Change{Advisory: exposure.AdvisoryID(i), Key: fmt.Sprint("CVE-", i), Was: was, Is: is})
	}
	got := judge().Alerts(changes)
	if diff := cmp.Diff([]string{"epss_model|v5"}, told(got)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]exposure.AlertFact{{Label: "Model", Was: "v4", Is: "v5"}}, got[0].Facts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	j := judge()
	j.Watched = func(exposure.AdvisoryID) string { return "*" }
	if got := j.Alerts(changes); len(got) != 1 {
		t.Errorf("with a watch list there are %d", len(got))
	}
}

func TestWatched(t *testing.T) {
	t.Parallel()
	j := judge()
	j.Watched = func(id exposure.AdvisoryID) string { return map[exposure.AdvisoryID]string{1: "openssl"}[id] }
	changes := []Change{
		{Advisory: 1, Key: "CVE-1", Is: exposure.Threat{PoCDay: 20500, Withdrawn: true, Automatable: "yes"}}, {Advisory: 2, Key: "CVE-2", Is: exposure.Threat{PoCDay: 20500}},
		{Advisory: 1, Key: "CVE-3", Is: exposure.Threat{KEVDay: 20510}}, {Advisory: 1, Key: "CVE-4", Was: exposure.Threat{ObservedDay: 5, EPSS: 0.1, EPSSModel: "a"}, Is: exposure.Threat{ObservedDay: 6, EPSS: 0.12, EPSSModel: "a"}},
	}
	got := j.Alerts(changes)
	want := []string{"watch|CVE-1|Proof of concept=2026-02-16;Withdrawn=yes;Attacks can be automated=yes|2026-03-01 watched by openssl", "kev|CVE-3|2026-02-26 watched by openssl"}
	if diff := cmp.Diff(want, told(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := "The feeds say something new of CVE-1: proof of concept, withdrawn, attacks can be automated."; got[0].Reason != want {
		t.Errorf("%q", got[0].Reason)
	}
}

func TestHostileAlerts(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{"", "\x00\n|", strings.Repeat("é", 5000), "CVE-\xff\xfe", "<script>alert(1)</script>", "a|b|c"} {
		j := judge()
		j.Watched = func(exposure.AdvisoryID) string { return hostile }
		j.Joined = []string{hostile}
		news := j.Alerts([]Change{{Key: hostile, Title: hostile, Is: exposure.Threat{KEVDay: judgeDay, EPSSModel: hostile}, Was: exposure.Threat{EPSSModel: hostile + "x"}}})
		j.Joined = nil
		news = append(news, j.Alerts([]Change{{Key: hostile, Title: hostile, Is: exposure.Threat{Vector: hostile + "v"}}})...)
		if len(news) < 2 {
			t.Errorf("%q: %v", hostile, told(news))
		}
		for _, n := range news {
			if len(n.Key) > maxAlertKey || !utf8.ValidString(n.Key+n.Subject+n.Title+n.Reason) || strings.ContainsAny(n.Subject+n.Title+n.Reason, "\x00\n") || len(n.Reason) > 2000 {
				t.Errorf("%q makes %+v", hostile, n)
			}
		}
	}
	if a, b := Key("kev", strings.Repeat("x", 500)+"1"), Key("kev", strings.Repeat("x", 500)+"2"); a == b {
		t.Error("long keys are one")
	}
}

func TestCampaigns(t *testing.T) {
	t.Parallel()
	facts := func(more ...Fact) *Landscape {
		s := snapshotOf(t, append([]Fact{
			{ID: "T1190", Entry: &Entry{Kind: KindTechnique, Name: "Exploit Public-Facing Application"}},
			{ID: "T1059.001", Entry: &Entry{Kind: KindTechnique, Name: "PowerShell"}, Links: []Link{{PartOf, "T1059"}}},
			{ID: "G0016", Entry: &Entry{Kind: KindActor, Name: "APT29", Names: []string{"Cozy Bear"}, Sectors: []string{"government"}}, Links: []Link{{Uses, "T1190"}, {Exploits, "CVE-2024-1"}}},
			{ID: "CVE-2024-3400", Links: []Link{{Enables, "T1190"}}},
			{ID: "CAPEC-66", Entry: &Entry{Kind: KindPattern, Name: "SQL Injection"}, Links: []Link{{EnabledBy, "CWE-89"}, {Enables, "T1059"}}},
		}, more...)...)
		if got := s.Tailor(exposure.Profile{}).Techniques([]string{"CVE-2024-3400", "x"}, []int{89, 1}); !cmp.Equal(got, []string{"T1059", "T1190"}) {
			t.Errorf("techniques are %v", got)
		}
		return s.Landscape()
	}
	campaign := func(e Entry, links ...Link) Fact {
		e.Kind, e.Name = KindCampaign, "Operation X"
		return Fact{ID: "C0001", Entry: &e, Links: links}
	}
	estate := &Estate{
		Profile:   exposure.Profile{Sectors: []string{"energy"}},
		Exploited: map[string][]exposure.AdvisoryID{"CVE-2024-3400": {4}}, Enabled: map[string][]exposure.AdvisoryID{"T1190": {4, 3}, "T1059": {5}},
		Watched: func(names []string) string {
			for _, n := range names {
				if n == "Cozy Bear" {
					return "cozy*"
				}
			}
			return ""
		},
	}
	base := facts().Remember()
	for _, c := range []struct {
		name   string
		now    *Landscape
		want   string
		reason string
		of     []exposure.AdvisoryID
	}{
		{"nothing new", facts(), "", "", nil},
		{"new, and after us", facts(campaign(Entry{Sectors: []string{"energy"}}, Link{Uses, "T1190"}, Link{AttributedTo, "G9"})), "campaign|C0001|energy",
			"The campaign Operation X, attributed to G9, attacks energy and uses Exploit Public-Facing Application (T1190), to which something is open here.", []exposure.AdvisoryID{3, 4}},
		{"new, by the narrower technique", facts(campaign(Entry{Sectors: []string{"energy"}}, Link{Uses, "T1059.001"})), "campaign|C0001|energy", "", []exposure.AdvisoryID{5}},
		{"new, after others", facts(campaign(Entry{Sectors: []string{"retail"}}, Link{Uses, "T1190"})), "", "", nil},
		{"new, by what is not open", facts(campaign(Entry{Sectors: []string{"energy"}}, Link{Uses, "T1566"})), "", "", nil},
		{"new, exploits what is open", facts(campaign(Entry{}, Link{Exploits, "CVE-2024-3400"}, Link{Exploits, "CVE-2024-2"})), "campaign|C0001|CVE-2024-3400",
			"The campaign Operation X exploits CVE-2024-3400, which is open here.", []exposure.AdvisoryID{4}},
		{"both", facts(campaign(Entry{Sectors: []string{"energy"}}, Link{Uses, "T1190"}, Link{Exploits, "CVE-2024-3400"})), "campaign|C0001|energy|CVE-2024-3400", "", []exposure.AdvisoryID{3, 4}},
		{"of a watched actor", facts(campaign(Entry{}, Link{AttributedTo, "G0016"})), "watch|C0001 watched by cozy*", "The campaign Operation X, attributed to APT29, is new.", nil},
		{"an actor is after us now", facts(Fact{ID: "x", Aliases: []string{"G0016"}, Entry: &Entry{Kind: KindActor, Name: "APT29", Sectors: []string{"energy"}}}), "campaign|G0016|energy", "", []exposure.AdvisoryID{3, 4}},
		{"an actor exploits another", facts(Fact{ID: "x", Aliases: []string{"G0016"}, Entry: &Entry{Kind: KindActor, Name: "APT29"}, Links: []Link{{Exploits, "CVE-2024-3400"}}}), "campaign|G0016|CVE-2024-3400", "", []exposure.AdvisoryID{4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := judge().Campaigns(base, c.now, estate)
			if diff := cmp.Diff(c.want, strings.Join(told(got), " ")); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if len(got) == 0 {
				return
			}
			if c.reason != "" && got[0].Reason != c.reason {
				t.Errorf("%q", got[0].Reason)
			}
			if diff := cmp.Diff(c.of, got[0].Of); diff != "" {
				t.Errorf("of (-want +got):\n%s", diff)
			}
			if again := judge().Campaigns(c.now.Remember(), c.now, estate); again != nil {
				t.Errorf("told again: %v", told(again))
			}
			if first := judge().Campaigns(nil, c.now, estate); first != nil {
				t.Errorf("without a memory: %v", told(first))
			}
			joined := judge()
			joined.Joined = []string{"ATT&CK"}
			if late := joined.Campaigns(base, c.now, estate); strings.Contains(c.want, "C0001") && late != nil {
				t.Errorf("of a feed that just came: %v", told(late))
			}
		})
	}
}
