package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web/chart"
)

// MeasurePage is how the programme does over time.
type MeasurePage struct {
	Shell    Shell
	Period   string // "Last 90 days"
	Figures  []Figure
	Flow     Trend
	Forecast string // one sentence
	By       string // what the curves are of: "", "band" or "team"
	Survival []chart.Curve
	Repair   []Repair // the same in numbers
	SLA      []BandSLA
	TeamSLA  []TeamSLA
	Looks    Looks
}

// Figure is one measure; a value that cannot be measured says so.
type Figure struct {
	Label string
	Value string // "41 days"; empty: not measurable
	Note  string // how it is made, or why it cannot be: one sentence
	Link  string // the list behind it, may be empty
}

// Repair is how fast one group of findings is fixed. What cannot be measured is
// empty.
type Repair struct {
	Name     string
	Link     string // the list of its open findings
	Findings int
	Fixed    int
	HalfLife Measured
	After30  Measured
	After90  Measured
	Limited  string // mean days open of the first 90
	Mean     string // over the closed ones only
}

// Measured is a number with its interval.
type Measured struct {
	Value    string // "41 days"; empty: not measurable
	Interval string // "35 to 52", may be empty
}

// BandSLA is how one band kept its due dates.
type BandSLA struct {
	Band   exposure.Band
	Due    int // fell due in the period
	OnTime int
	Late   int // open and past due now
}

// TeamSLA is how one team kept its due dates.
type TeamSLA struct {
	Team   string // empty: nobody owns the assets
	Due    int
	OnTime int
	Late   int
}

// Looks is how much of what is in scope was looked at of late.
type Looks struct {
	Days   int
	Assets int // in scope
	Seen   int
	Kinds  []string // columns
	Teams  []LookRow
}

// LookRow is the assets of one team, a cell for each kind.
type LookRow struct {
	Team  string // empty: nobody owns them
	Cells []LookCell
}

// LookCell is how many assets there are and how many nobody looked at.
type LookCell struct{ Assets, Unseen int }

// LookKind is the assets of one kind.
type LookKind struct {
	Kind   string
	Assets int
	Seen   int
}

// UnseenPage is the assets in scope that nobody looked at of late.
type UnseenPage struct {
	Shell Shell
	Days  int
	Kind  string // of the assets; empty: any
	Team  string // "none": nobody's; empty: any
	Rows  []AssetRow
	Total int
}

// ReportPage is the state of the programme for those who answer for it.
type ReportPage struct {
	Shell    Shell
	Name     string // of the organisation
	At       time.Time
	Days     int // how far back it looks: one of Periods
	Periods  []int
	Nothing  bool // nothing was imported yet
	Summary  []string
	Figures  []ReportFigure
	Trend    Trend
	Fixes    []RemediationRow
	FixShare *float64 // of the expected loss that the fixes remove; nil: there is none
	Services []ServiceRow
	More     int // services that are not listed
	SLA      []BandSLA
	Changes  []ChangeRow
	Looks    Looks
	Kinds    []LookKind // the blindest first
	Forecast string
	Asks     []Ask
}

// ReportFigure is one number of a report and how it changed.
type ReportFigure struct {
	Label string
	Value string
	Delta string // "−14% in 30 days"; empty: what was before is not known
	Tone  Tone
	Link  string
}

// ChangeRow counts what happened to findings.
type ChangeRow struct {
	Label string // "Newly exploited"
	Count int
	Tone  Tone
	Link  string // its list
}

// Ask is what the programme needs somebody to do.
type Ask struct {
	Whom string
	What string
	Link string
}
