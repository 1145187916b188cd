package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Shell is what surrounds every page.
type Shell struct {
	Title   string // of the page, before " · Leeward"
	Static  *Static
	Now     time.Time // times are shown relative to it, days in its zone
	Stage   Stage     // the highlighted place in the navigation
	User    User      // zero: nobody is signed in, and there is no navigation
	Counts  Counts
	Stale   []StaleFeed // feeds whose age weakens what pages say
	Demo    bool        // demo data is present: a banner offers to remove it
	Halts   []Halted    // stops that hold: a banner says so
	Scope   Chosen      // what everything is narrowed to
	Flashes []Flash
	Version string // of the program
	// Currency follows amounts of money: "EUR". Empty: none is shown.
	Currency string
}

// User is who looks at the page. What he may do decides which forms are shown;
// the server decides again when they are sent.
type User struct {
	Name string
	Role string // viewer, analyst, owner, operator, admin
}

// Chosen is the business service, scope or team that lists and counts are
// narrowed to.
type Chosen struct {
	Term string // of the filter language; empty: everything
	Kind string // service, scope or team
	Name string
	Here string // address of this page, to show again with another choice
}

// Stage is a place in the navigation.
type Stage string

// The stages: the overview, the seven of the loop, and what is beside them.
const (
	StageOverview   Stage = "overview"
	StageScope      Stage = "scope"
	StageDiscover   Stage = "discover"
	StageIntel      Stage = "intel"
	StagePrioritize Stage = "prioritize"
	StageValidate   Stage = "validate"
	StageMobilize   Stage = "mobilize"
	StageMeasure    Stage = "measure"
	StageJobs       Stage = "jobs"
	StageAccount    Stage = "account"
)

// Counts are the live numbers in the navigation.
type Counts struct {
	Services     int // business services in scope
	Assets       int
	StaleFeeds   int // shown only when some are
	Findings     int // open
	Awaiting     int // fixes claimed and not verified yet
	Remediations int // open
	FailedJobs   int // shown only when there are some
	Alerts       int // that nobody took note of
}

// Flash is one message at the top of a page.
type Flash struct {
	Text string
	Bad  bool
	Undo *Form // takes back what the message tells of; nil: it cannot be
}

// Form is a button that posts fixed values.
type Form struct {
	Action string // path
	Label  string
	Fields []Field
}

// Field is one hidden value of a [Form].
type Field struct{ Name, Value string }

// FindingRow is one finding in any list.
type FindingRow struct {
	ID         exposure.FindingID
	Title      string
	Advisory   string // "CVE-2024-3400" or the scanner's rule
	Severity   exposure.Severity
	Risk       int // points, 0…1000
	Band       exposure.Band
	KEV        bool
	Ransomware bool
	EPSS       *float64 // 0…1; nil: no score, which is not a low score
	Asset      string
	AssetID    exposure.AssetID
	Location   string
	Owner      string // team; empty: nobody
	Status     exposure.Status
	Verdict    exposure.VerdictKind
	Due        time.Time // zero: not due
	FirstSeen  time.Time
	Tools      []string
}

// AssetRow is one asset in a list, with what is open on it.
type AssetRow struct {
	exposure.Asset
	Band     exposure.Band
	Risk     int     // worst, in points
	Loss     float64 // expected over the horizon, in currency
	Open     int
	KEV      int
	Overdue  int
	LastScan time.Time // zero: never covered by a scan
}

// RemediationRow is one fix in a list.
type RemediationRow struct {
	exposure.Remediation
	Band exposure.Band
	Why  string // one sentence, may be empty
}

// Count is a value and how many findings or assets have it.
type Count struct {
	Value string
	Count int
}
