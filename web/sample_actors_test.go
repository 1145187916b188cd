package web

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

func sampleProfile() exposure.Profile {
	return exposure.Profile{Sectors: []string{"financial-services", "technology"}, Countries: []string{"DE", "CH"}}
}

func sampleActors() []ActorRow {
	return []ActorRow{
		{ID: "G0900", Name: "Amber Heron", Names: []string{"AH-7", "Grey Wader"}, Origin: []string{"XK"}, Sectors: []string{"financial-services"}, Countries: []string{"DE"}, First: before(2900), Last: before(41), Techniques: 62, Exploited: 3, Open: 211, Loss: 184000, Risk: 912, Band: exposure.BandCritical},
		{ID: "misp:5c1e", Name: "Coal Ledger", Countries: []string{"DE", "CH"}, Inferred: true, Ransomware: true, Techniques: 11, Open: 38, Loss: 21500, Risk: 655, Band: exposure.BandHigh},
		{ID: "G0911", Name: "Quiet Tide", Sectors: []string{"technology"}, Last: before(400)},
	}
}

func sampleTechniques() []TechniqueRow {
	return []TechniqueRow{
		{ID: "T1190", Name: "Exploit Public-Facing Application", Tactics: []string{"Initial Access"}, Users: 2, Findings: 187, Assets: 34, Loss: 171000, Risk: 912, Band: exposure.BandCritical,
			Mitigations:     []Thing{{"M1048", "Application Isolation and Sandboxing", "https://attack.example/M1048"}, {"M1051", "Update Software", ""}},
			Countermeasures: []Thing{{"D3-ITF", "Inbound Traffic Filtering", "https://d3fend.example/ITF"}}},
		{ID: "T1068", Name: "Exploitation for Privilege Escalation", Tactics: []string{"Privilege Escalation"}, Users: 1, Findings: 24, Assets: 9, Loss: 13800, Risk: 588, Band: exposure.BandHigh, Mitigations: []Thing{{"M1051", "Update Software", ""}}},
		{ID: "T1059.001", Name: "PowerShell", Tactics: []string{"Execution"}, Users: 3},
		{ID: "T9999"},
	}
}

func sampleActorsPage(shell Shell) ActorsPage {
	return ActorsPage{
		Shell: shell, Profile: sampleProfile(), Known: 1174, Actors: sampleActors(), Techniques: sampleTechniques(), ByTechnique: 211, ByExploit: 12, Exploited: []string{"CVE-2024-3400", "CVE-2023-22527"}, Loss: 184000,
		Technologies: []TechnologyCount{{false, "Ubuntu 22.04.4 LTS", 41}, {false, "Windows Server 2019", 12}, {true, "npm", 96}, {true, "deb", 61}},
		Feeds:        []Notice{{"An encyclopedia of attacks", "terms of use", "© Its publisher. Reproduced with permission."}, {"A galaxy", "CC0-1.0", ""}}, CanApply: true,
	}
}

func actorSamples(shell func(string) Shell) []sample {
	rows, uses := sampleActors(), sampleTechniques()
	page := sampleActorsPage(shell("Who targets you"))
	return []sample{
		{"actors", Actors(page)},
		{"actor", Actor(ActorPage{
			Shell: shell("Amber Heron"), Row: rows[0], Targets: true, Profile: sampleProfile(), AllSectors: []string{"financial-services", "government"}, AllCountries: []string{"DE", "PL"}, Uses: uses, ByTechnique: 211, ByExploit: 12,
			Summary: "Amber Heron has broken into banks since 2018, mostly through appliances at the edge of their networks.", URL: "https://attack.example/G0900",
			Software: []Thing{{"S0900", "WADERSHELL", "https://attack.example/S0900"}}, Campaigns: []Thing{{"C0900", "Operation Low Tide", ""}},
			Exploits: []ExploitRow{{"CVE-2024-3400", "", 9, 4}, {"CVE-2023-22527", "WADERSHELL", 3, 3}, {"CVE-2019-19781", "", 0, 0}}, ExploitsTotal: 3, Feeds: page.Feeds,
		})},
		{"technique", Technique(TechniquePage{
			Shell: shell("T1190"), Row: uses[0], Targeters: 3, Summary: "A weakness of a host that can be reached from the internet is used to get in.", URL: "https://attack.example/T1190", UsedBy: rows[:2], Assets: sampleAssets()[:3], Feeds: page.Feeds,
		})},
	}
}

// emptyActors are what there is to see before there is something to see.
func emptyActors(shell func(string) Shell) []sample {
	unsaid := ActorsPage{Shell: shell("Who targets you"), Known: 1174, CanApply: true, Techniques: sampleTechniques()[:1]}
	unsaid.Techniques[0].Users = 0
	reader := unsaid
	reader.CanApply, reader.Techniques = false, nil
	return []sample{
		{"actors", Actors(ActorsPage{Shell: shell("Who targets you")})},
		{"actors-unsaid", Actors(unsaid)},
		{"actors-reader", Actors(reader)},
		{"actors-none", Actors(ActorsPage{Shell: shell("Who targets you"), Known: 1, Profile: sampleProfile()})},
		{"actors-closed", Actors(ActorsPage{Shell: shell("Who targets you"), Known: 1, Profile: sampleProfile(), Actors: sampleActors()[2:], Techniques: sampleTechniques()[2:]})},
		{"actor", Actor(ActorPage{Shell: shell("Actor")})},
		{"technique", Technique(TechniquePage{Shell: shell("Technique")})},
	}
}

// hostileActors hold the worst text in every place that takes text.
func hostileActors(shell func() Shell, text string, asset AssetRow) []sample {
	all := []string{text, text, text, text, text}
	things := []Thing{{text, text, text}, {text, text, "javascript:alert(1)"}}
	actor := ActorRow{ID: text, Name: text, Names: all, Origin: all, Sectors: all, Countries: all, Inferred: true, Ransomware: true, Techniques: -1, Exploited: 1, Open: 1, Loss: math.NaN(), Risk: math.MaxInt, Band: 99}
	use := TechniqueRow{ID: text, Name: text, Tactics: all, Users: math.MaxInt, Findings: 1, Assets: 1, Loss: math.Inf(1), Risk: math.MinInt, Band: 99, Mitigations: things, Countermeasures: things}
	notices := []Notice{{text, text, text}}
	return []sample{
		{"actors", Actors(ActorsPage{Shell: shell(), Profile: exposure.Profile{Sectors: all, Countries: all}, Known: -1, Actors: []ActorRow{actor}, Techniques: []TechniqueRow{use}, Technologies: []TechnologyCount{{true, text, -1}, {false, text, 1}}, Feeds: notices, Exploited: all, Loss: math.NaN()})},
		{"actor", Actor(ActorPage{Shell: shell(), Row: actor, Targets: true, AllSectors: all, AllCountries: all, Summary: text, URL: "javascript:alert(1)", Uses: []TechniqueRow{use}, Software: things, Campaigns: things, Exploits: []ExploitRow{{text, text, 1, -1}}, ExploitsTotal: 9, Feeds: notices})},
		{"technique", Technique(TechniquePage{Shell: shell(), Row: use, Targeters: 1, Summary: text, URL: text, UsedBy: []ActorRow{actor}, Assets: []AssetRow{asset}, Feeds: notices})},
	}
}

// Of many rows the first are shown, and all when they are asked for.
func TestManyActors(t *testing.T) {
	t.Parallel()
	static := sampleStatic(t)
	for _, tt := range []struct {
		n    int
		all  bool
		want int
	}{{0, false, 0}, {1, false, 1}, {1000, false, fewRows}, {1000, true, 1000}} {
		p := ActorsPage{Shell: sampleShell(static, "Who targets you", StageIntel), Profile: sampleProfile(), Known: 1000, All: tt.all}
		for i := range tt.n {
			p.Actors = append(p.Actors, ActorRow{ID: fmt.Sprint("G", i), Name: fmt.Sprint("Actor ", i)})
		}
		page := render(t, Actors(p))
		checkPage(t, page)
		if got := strings.Count(page, "<tr data-row"); got != tt.want {
			t.Errorf("%d of %d rows are shown, want %d", got, tt.n, tt.want)
		}
	}
}

// A name is one part of a path, whatever stands in it.
func TestActorURL(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"G0016": "/actors/G0016", "misp:2/x?y#z": "/actors/misp:2%2Fx%3Fy%23z", "..": "/actors/%2E%2E", "": "/actors/", `"><x`: "/actors/%22%3E%3Cx",
	} {
		if got := ActorURL(id); got != want {
			t.Errorf("%q leads to %s, want %s", id, got, want)
		}
	}
}
