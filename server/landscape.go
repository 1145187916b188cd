package server

import (
	"context"
	"net/http"

	"github.com/leeward-ctem/leeward/exposure"
)

// LandscapeReport is who targets the organisation, with what, and where it is
// open to them.
type LandscapeReport struct {
	Profile      exposure.Profile  `json:"profile" doc:"of the programme"`
	Known        int               `json:"known" doc:"actors that the feeds tell of, whomever they target"`
	Feeds        []LandscapeFeed   `json:"feeds" doc:"that tell of actors, techniques and what stands against them"`
	ByTechnique  int               `json:"open_by_technique" doc:"open findings of what is exploited by techniques of those"`
	ByExploit    int               `json:"open_by_exploit" doc:"open findings of what those are known to exploit"`
	Exploited    []string          `json:"exploited,omitempty" doc:"open weaknesses that those are known to exploit, the 200 with the greatest expected loss"`
	Loss         float64           `json:"expected_loss" doc:"by both"`
	Actors       []ActorRow        `json:"actors" doc:"those that target the profile, by the expected loss open to them"`
	Techniques   []TechniqueRow    `json:"techniques" doc:"that they use, or by which something open is exploited, by the expected loss open to them"`
	Technologies []TechnologyCount `json:"technologies" doc:"what is in use here, counted from open findings; which of it an actor attacks, no feed says"`
}

// LandscapeFeed is a feed and what is owed to its publisher.
type LandscapeFeed struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Licence     string `json:"licence"`
	Attribution string `json:"attribution,omitempty"`
}

// ActorRow is an actor and what is open to it.
type ActorRow struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Names      []string `json:"names,omitempty" doc:"others of the same"`
	Origin     []string `json:"origin,omitempty" doc:"countries that are suspected to stand behind it"`
	Sectors    []string `json:"sectors,omitempty" doc:"of the profile, that it targets"`
	Countries  []string `json:"countries,omitempty" doc:"of the profile, that it targets"`
	Inferred   bool     `json:"inferred,omitempty" doc:"its targets were read from prose"`
	Ransomware bool     `json:"ransomware,omitempty"`
	First      string   `json:"first,omitempty" doc:"first known activity, RFC 3339 date"`
	Last       string   `json:"last,omitempty" doc:"last known activity, RFC 3339 date"`

	Techniques int     `json:"techniques" doc:"that it is known to use"`
	Exploited  int     `json:"exploited" doc:"open weaknesses that it is known to exploit"`
	Open       int     `json:"open" doc:"open findings of what it exploits, and of what is exploited by its techniques"`
	Loss       float64 `json:"expected_loss" doc:"of those"`
	Risk       int     `json:"risk" doc:"of the worst of those"`
}

// TechniqueRow is a technique and what is open to it.
type TechniqueRow struct {
	ID              string   `json:"id"`
	Name            string   `json:"name,omitempty" doc:"empty: no feed describes it"`
	Tactics         []string `json:"tactics,omitempty"`
	Users           int      `json:"users" doc:"actors that target the profile and use it, or one that is part of it"`
	Findings        int      `json:"findings" doc:"open, exploited by it"`
	Assets          int      `json:"assets"`
	Loss            float64  `json:"expected_loss"`
	Risk            int      `json:"risk"`
	Mitigations     []Thing  `json:"mitigations,omitempty"`
	Countermeasures []Thing  `json:"countermeasures,omitempty"`
}

// Thing is something of the landscape by name.
type Thing struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

// TechnologyCount is something that is in use here.
type TechnologyCount struct {
	Kind  string `json:"kind" enum:"os,package"`
	Name  string `json:"name"`
	Count int    `json:"count" doc:"of os: assets with open findings; of package: open findings in packages of that kind"`
}

// ActorDetail is everything about one actor.
type ActorDetail struct {
	ActorRow
	Profile       exposure.Profile `json:"profile" doc:"of the programme"`
	Targets       bool             `json:"targets" doc:"it targets the profile"`
	AllSectors    []string         `json:"all_sectors,omitempty" doc:"that it targets"`
	AllCountries  []string         `json:"all_countries,omitempty" doc:"that it targets"`
	Summary       string           `json:"summary,omitempty"`
	URL           string           `json:"url,omitempty"`
	Uses          []TechniqueRow   `json:"uses" doc:"its techniques, by the expected loss open to them"`
	Software      []Thing          `json:"software,omitempty"`
	Campaigns     []Thing          `json:"campaigns,omitempty"`
	ByTechnique   int              `json:"open_by_technique" doc:"open findings of what is exploited by its techniques"`
	ByExploit     int              `json:"open_by_exploit" doc:"open findings of what it is known to exploit"`
	Exploits      []ExploitRow     `json:"exploits" doc:"weaknesses that it is known to exploit, those that are open first"`
	ExploitsTotal int              `json:"exploits_total"`
	Feeds         []LandscapeFeed  `json:"feeds"`
}

// ExploitRow is a weakness that an actor is known to exploit.
type ExploitRow struct {
	ID       string `json:"id"`
	By       string `json:"by,omitempty" doc:"the software of it that does so; empty: itself, or a campaign of it"`
	Findings int    `json:"findings" doc:"open"`
	Assets   int    `json:"assets"`
}

// TechniqueDetail is everything about one technique.
type TechniqueDetail struct {
	TechniqueRow
	Summary   string          `json:"summary,omitempty"`
	URL       string          `json:"url,omitempty"`
	Targeters int             `json:"targeters" doc:"actors that target the profile"`
	UsedBy    []ActorRow      `json:"used_by" doc:"of those that target the profile"`
	On        []AssetRow      `json:"on" doc:"the 50 assets with the greatest expected loss by it"`
	Feeds     []LandscapeFeed `json:"feeds"`
}

// registerLandscape adds what tells who targets us.
func (s *Server) registerLandscape(a operations) {
	register(a, Viewer, "get-landscape", http.MethodGet, "/landscape", "Who targets us, with what, and where we are open to it", func(ctx context.Context, _ *struct{}) (*LandscapeReport, error) {
		l, err := s.Backend.Landscape(ctx, "")
		return &l, err
	})
	register(a, Viewer, "get-actor", http.MethodGet, "/actors/{id}", "One actor: what it uses and what of it is open here", func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"200" doc:"as in G0016, or one of its names"`
	}) (*ActorDetail, error) {
		d, err := s.Backend.Actor(ctx, in.ID, "")
		return &d, err
	})
	register(a, Viewer, "get-technique", http.MethodGet, "/techniques/{id}", "One technique: who uses it against us, where we are open to it and what stands against it", func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"200" doc:"as in T1190"`
	}) (*TechniqueDetail, error) {
		d, err := s.Backend.Technique(ctx, in.ID, "")
		return &d, err
	})
}
