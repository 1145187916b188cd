package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// ChoosePage is what everything can be narrowed to.
type ChoosePage struct {
	Shell Shell
	Query string // part of a name
	Next  string // page to show narrowed
	Rows  []Choice
	More  bool // there are more than these
}

// Choice is one business service, scope or team.
type Choice struct {
	Term   string // of the filter language
	Kind   string // service, scope or team
	Name   string
	Assets int
}

// ProgrammePage is the programme file, to read or to change.
type ProgrammePage struct {
	Shell     Shell
	Body      string
	Version   int64     // that the text was made from; 0: none was applied
	Applied   time.Time // zero: none was applied
	AppliedBy string
	CanApply  bool
	Edit      bool
	// What a check came to: problems, or else what would change.
	Problems []LineProblem
	Summary  string
	Excluded []string // names of assets, the first few
	Returned []string
	// BandChanges is how many open findings would change their band.
	BandChanges int
	Moves       *Movement // what a text would move; nil: nobody asked
	Error       string    // why it was not applied, when the text is right
}

// LineProblem is one thing that is wrong with a text.
type LineProblem struct {
	Line   int // 0: the text as a whole
	Source string
	Text   string
}

// ServicePage is one business service, with the form for who may change it.
type ServicePage struct {
	Shell Shell
	Was   string // name in the programme; empty: a new one
	Name  string
	Tier  int
	Owner string
	// Amounts as they were typed.
	Confidentiality string
	Integrity       string
	Availability    string
	Assets          string // patterns of names and networks, one a line
	Error           string
	CanApply        bool
	Reached         *Reached // nil: it is not in the programme yet, or being changed
}

// Reached is what is open on the assets behind a business service.
type Reached struct {
	Reaches map[exposure.Reach]OpenLoss
	Assets  []AssetRow // with open findings, those with most to lose first
	More    int        // further assets with open findings
	Behind  int        // all assets behind it
}

// OpenLoss is what is open somewhere.
type OpenLoss struct {
	Loss float64 // expected over the horizon, in currency
	Open int     // findings
}

// ServiceLoss is what is open on the assets behind a business service.
type ServiceLoss struct {
	Name string
	OpenLoss
}

// WelcomePage offers the ways to begin.
type WelcomePage struct {
	Shell      Shell
	CanImport  bool
	CanOperate bool // may load the demo and apply a programme
}
