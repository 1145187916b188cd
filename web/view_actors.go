package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// ActorsPage tells who targets the organisation, with what, and where it is
// open to that.
type ActorsPage struct {
	Shell        Shell
	Profile      exposure.Profile
	Known        int // actors that the feeds tell of; 0: none of them does
	Actors       []ActorRow
	Techniques   []TechniqueRow
	Technologies []TechnologyCount
	Feeds        []Notice
	ByTechnique  int      // open findings of what is exploited by techniques of the actors
	ByExploit    int      // open findings of what they are known to exploit
	Exploited    []string // the names of those weaknesses
	Loss         float64  // expected by both
	All          bool     // every row is shown
	CanApply     bool
}

// Notice is what is owed to the publisher of a feed.
type Notice struct{ Title, License, Attribution string }

// ActorRow is an actor and what is open to it.
type ActorRow struct {
	ID         string
	Name       string
	Names      []string
	Origin     []string
	Sectors    []string // of the profile, that it targets
	Countries  []string
	Inferred   bool // its targets were read from prose
	Ransomware bool
	First      time.Time // zero: not known
	Last       time.Time
	Techniques int
	Exploited  int // open weaknesses that it is known to exploit
	Open       int
	Loss       float64
	Risk       int
	Band       exposure.Band
}

// TechniqueRow is a technique and what is open to it.
type TechniqueRow struct {
	ID              string
	Name            string
	Tactics         []string
	Users           int // of the actors that target the organisation
	Findings        int
	Assets          int
	Loss            float64
	Risk            int
	Band            exposure.Band
	Mitigations     []Thing
	Countermeasures []Thing
}

// Thing is something of the threat landscape.
type Thing struct {
	ID, Name, URL string
}

// TechnologyCount is something that is in use here.
type TechnologyCount struct {
	Package bool
	Name    string
	Count   int // assets, or of packages findings
}

// ActorPage is one actor.
type ActorPage struct {
	Shell         Shell
	Row           ActorRow
	Targets       bool // it targets the organisation
	Profile       exposure.Profile
	AllSectors    []string
	AllCountries  []string
	Summary       string
	URL           string
	Uses          []TechniqueRow
	Software      []Thing
	Campaigns     []Thing
	ByTechnique   int // open findings
	ByExploit     int
	Exploits      []ExploitRow
	ExploitsTotal int
	Feeds         []Notice
	All           bool
}

// ExploitRow is a weakness that an actor is known to exploit.
type ExploitRow struct {
	ID       string
	By       string // software; empty: the actor itself
	Findings int
	Assets   int
}

// TechniquePage is one technique.
type TechniquePage struct {
	Shell     Shell
	Row       TechniqueRow
	Targeters int // actors that target the organisation
	Summary   string
	URL       string
	UsedBy    []ActorRow
	Assets    []AssetRow // the worst
	Feeds     []Notice
}
