package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// OverviewPage is the first page.
type OverviewPage struct {
	Shell      Shell
	Scope      string    // what it speaks of: "All scopes"
	LastImport time.Time // zero: never; the page then teaches the first step
	Tiles      []Tile    // four are best
	Trend      Trend
	Changes    []ChangeRow // since yesterday
	Teams      []TeamRisk
	SLA        SLA
	Fixes      []RemediationRow // the first five, best first
	FixShare   *float64         // of the expected loss that they remove; nil: there is none
	Imports    []exposure.Scan  // newest first
}

// Tile is one key figure.
type Tile struct {
	Label   string
	Value   int
	Link    string    // the list that the number counts
	Delta   string    // "−4.1% in 30 days", may be empty
	Tone    Tone      // of the delta
	History []float64 // for the sparkline, oldest first
}

// Tone is whether a change is good or bad.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Bad   Tone = "bad"
)

// Trend is risk and flow over time. Values that could not be measured are NaN.
type Trend struct {
	Title  string
	Unit   string // what the line shows: "Expected loss", "Backlog"
	Labels []string
	Line   []float64
	Opened []float64
	Closed []float64
}

// TeamRisk counts a team's open findings by band.
type TeamRisk struct {
	Team   string // empty: nobody owns the assets
	Counts map[exposure.Band]int
}

// SLA is how much of what fell due in a period was done in time.
type SLA struct {
	Period string // "this month"
	Due    int    // 0: nothing fell due, so there is no share
	OnTime int
	Late   int // open and past due now
}

// FindingsPage is the list of findings.
type FindingsPage struct {
	Shell Shell
	// Query is the filter as it was typed; Filter is what it means, and zero
	// when FilterError says why it means nothing.
	Query       string
	Filter      exposure.Filter
	FilterError string
	Sort        string // risk, severity, epss, asset, team, due, first_seen, title, status, id
	Reverse     bool
	Columns     columns     // names, see [ChosenColumns]; none: the usual ones
	Views       []SavedView // one's own first
	Rows        []FindingRow
	Total       int    // of all that match
	Shown       int    // rows on the pages before this one
	Next        string // cursor of the next page; empty: this is the last
	Facets      []Facet
	Nothing     bool     // no finding was ever imported: the page teaches the first step
	CanMove     bool     // may triage
	CanClaim    bool     // may say that something is fixed
	CanExcept   bool     // may ask for an exception
	CanAssign   bool     // may say whose the assets are
	Owners      []string // known ones, to choose from
	CanShare    bool     // may share a view with everybody
}

// FilterCompletion is what may be written where somebody types in the filter.
// Places count UTF-16 units.
type FilterCompletion struct {
	Query    string // what it is for
	From, To int    // a choice replaces the text between
	Choices  []exposure.Choice
}

// Facet counts the matches by one field of the filter language.
type Facet struct {
	Field  string // name in the language: "team"
	Label  string // "Team"
	Values []Count
}

// FindingPage is one finding with everything known about it.
type FindingPage struct {
	Shell       Shell
	Row         FindingRow
	Fingerprint exposure.Fingerprint
	Advisory    exposure.Advisory
	Asset       exposure.Asset
	Services    []ServiceLoss // behind which the asset stands, the first few
	Place       exposure.Place
	Explanation exposure.Explanation
	// Alternatives are what the score would be if one thing were different.
	Alternatives []exposure.Alternative
	Above, Open  int // open findings with more risk, and all; 0 when this one is not open
	History      exposure.History
	Sources      []SourceRow
	Evidence     []Evidence
	Timeline     []exposure.Event // newest first
	Remediation  *RemediationRow  // nil: it is in none, because it is not open
	Exceptions   []exposure.Exception
	// Moves are the causes that the lifecycle allows this user now.
	Moves      []exposure.Cause
	CanExcept  bool
	CanApprove bool // may decide on exceptions that others asked for
	CanAssign  bool
	Owners     []string // known ones, to choose from
	// Verdicts are the outcomes of a validation that this user may record.
	Verdicts []exposure.VerdictKind
}

// SourceRow is one scanner's word on a finding.
type SourceRow struct {
	Tool  string
	Class string
	State exposure.State
	Scan  exposure.ScanID
	At    time.Time
}

// Evidence is one piece of proof, redacted already.
type Evidence struct {
	Kind string // request, response, output, code, match, path, note
	Text string
	Tool string
	Scan exposure.ScanID
	At   time.Time
	Line int    // 0: unknown
	Path string // where the component lies, may be empty
}

// ConfirmPage asks before many findings are moved. Its form posts the same
// values again, with confirmed=true.
type ConfirmPage struct {
	Shell   Shell
	Heading string // "Triage 312 findings?"
	Text    string // what will happen, and what can be undone
	Form    Form
	Back    string // path to return to without doing anything
	Total   int
	Assets  int          // that the findings are on
	Teams   int          // that own the assets
	Sample  []FindingRow // the first few of them
}
