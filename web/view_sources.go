package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// ScansPage is the list of imported reports, newest first.
type ScansPage struct {
	Shell   Shell
	Tool    string   // only reports of this tool
	Tools   []string // that ever reported anything
	Rows    []exposure.Scan
	Next    string
	Nothing bool // no report was imported yet
}

// ScanPage is one imported report.
type ScanPage struct {
	Shell      Shell
	Scan       exposure.Scan
	Classes    []CoveredClass // what it covered completely
	Covered    int            // assets that it looked at completely
	Assets     []AssetRow     // the first of them
	Opened     int            // findings that it saw first, by what they are now
	Findings   []FindingRow   // the riskiest of them
	Broken     []BrokenRecord // one page
	NextBroken string
}

// CoveredClass is one class of checks that a scan ran completely.
type CoveredClass struct {
	Tool   string
	Class  string
	Assets int
}

// BrokenRecord is a record that could not be read.
type BrokenRecord struct {
	Record  int   // from 1; 0: unknown
	Offset  int64 // byte in the decoded report; -1: unknown
	Message string
}

// SourcesPage is what each tool's class of checks contributes.
type SourcesPage struct {
	Shell Shell
	Rows  []SourceStatus
}

// SourceStatus is one tool's class of checks.
type SourceStatus struct {
	Tool    string
	Class   string
	Last    time.Time // zero: never
	Proved  bool      // its reports prove what they covered
	Every   time.Duration
	Quiet   bool
	Assets  int // within 30 days
	Alone   int // open findings that only it asserts
	Shared  int
	Reports int // of the tool
	Records int
	Broken  int
}

// StaleFeed is a feed whose data is older than it should be.
type StaleFeed struct {
	Title string
	Data  time.Time // zero: never fetched
}

// AdvisoriesPage is the list of advisories that concern us.
type AdvisoriesPage struct {
	Shell   Shell
	Query   string
	Days    int // 0: all; else only what is new within so many
	Rows    []AdvisoryRow
	Total   int
	Shown   int // rows on the pages before
	Next    string
	Nothing bool // nothing is open at all
}

// AdvisoryRow is one advisory in a list, with what is open of it.
type AdvisoryRow struct {
	ID         exposure.AdvisoryID
	Key        string
	Title      string
	Type       string
	Risk       int
	Band       exposure.Band
	Loss       float64
	KEV        time.Time // zero: not listed
	Ransomware bool
	EPSS       *float64 // nil: no score, which is not a low score
	Percentile *float64
	Findings   int
	Assets     int
	Overdue    int
	FirstSeen  time.Time // zero: nothing was ever open
	News       []AdvisoryNews
}

// AdvisoryNews is something that happened to an advisory lately.
type AdvisoryNews struct {
	Kind    string // exploited, epss or seen
	Day     time.Time
	Earlier float64 // EPSS, 0…1
	Later   float64
}

// AdvisoryPage is one advisory.
type AdvisoryPage struct {
	Shell    Shell
	Row      AdvisoryRow
	Advisory exposure.Advisory
	Assets   []AssetRow // the worst
	Fixes    []FixVersion
	EPSS     []PastEPSS       // a week apart, oldest first
	Alerts   []exposure.Alert // the last
}

// PastEPSS is what EPSS said of a CVE on a day.
type PastEPSS struct {
	Day   time.Time
	EPSS  float64
	Model string
}

// FixVersion is what fixes a weakness of a component.
type FixVersion struct {
	Component string
	Versions  string
	Findings  int
}

// ComponentRow is a component of an asset that has open findings.
type ComponentRow struct {
	Name     string
	Version  string
	Purl     string
	Findings int
	Risk     int
	Band     exposure.Band
}
