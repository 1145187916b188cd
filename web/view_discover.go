package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// AssetsPage is the list of assets, most expected loss first.
type AssetsPage struct {
	Shell   Shell
	Query   string // part of a name or identifier
	Filter  AssetFilter
	Problem string // why the conditions mean nothing
	Rows    []AssetRow
	Total   int
	Shown   int // rows on the pages before
	Next    string
	Nothing bool // no asset is known at all
}

// AssetFilter is what the list of assets is narrowed to, beside a name.
type AssetFilter struct {
	Kind     string // host, image …
	Owner    string // "none": nobody
	More     string // further conditions in the filter language
	Unseen   int    // days without a complete look; 0: does not matter
	Unspoken bool   // no rule of the programme matches
}

// AssetPage is one asset.
type AssetPage struct {
	Shell    Shell
	Row      AssetRow
	Bands    map[exposure.Band]int // open findings by band
	Findings []FindingRow          // the worst open ones
	Total    int                   // of the open ones
	Scans    []AssetScan           // that covered it, newest first
	Merged   []string              // names of records that were recognised as this asset

	Components []ComponentRow // with open findings, worst first
	Parts      int            // how many of them there are

	CanAssign bool
	Owners    []string // known ones, to choose from
}

// AssetScan is one scan's look at an asset.
type AssetScan struct {
	Scan  exposure.ScanID
	Tool  string
	Class string // class of checks that were run completely; empty: no coverage proof
	At    time.Time
}

// ImportPage takes reports in and tells what became of them.
type ImportPage struct {
	Shell     Shell
	CanImport bool
	Formats   []string // names of the formats that are understood
	MaxBytes  int64    // largest upload; 0: no limit is stated
	Results   []ImportResult
	Error     string          // why not even one document could be read
	Scans     []exposure.Scan // newest first
}

// ImportResult is what one document brought.
type ImportResult struct {
	File         string
	Format       string
	Tool         string
	Scan         exposure.ScanID
	Observations int // weaknesses stated
	New          int
	Known        int
	Closed       int
	Reopened     int
	Errors       int // broken records
	Took         time.Duration
	Failure      string   // why the document ended early
	Messages     []string // about broken records, the first few
}

// FeedsPage is what threat intelligence is known and how old it is.
type FeedsPage struct {
	Shell     Shell
	Rows      []FeedRow
	CanUpdate bool
}

// FeedRow is the state of one feed.
type FeedRow struct {
	Name        string // "epss"
	Title       string // "EPSS scores"
	What        string // one sentence: what it is for
	Location    string // URL or file
	License     string
	Attribution string
	Records     int
	Model       string    // version of the model behind the data, may be empty
	Data        time.Time // day of the data; zero: none yet
	Fetched     time.Time // zero: never
	Every       time.Duration
	Stale       bool
	Error       string // of the last try
	OnRequest   bool   // not fetched, because nobody asked for it yet
}

// ScopePage is what counts, whose it is and what is seen of it.
type ScopePage struct {
	Shell     Shell
	Services  []ServiceRow
	Scopes    []ScopeRow
	Owners    []OwnerRow
	Tags      []Count // assets by tag
	Coverage  []CoverageRow
	Total     int // assets
	Unspoken  int // assets that no rule and no exclusion matches
	Unseen    int // assets in scope that nothing looked at completely for 30 days
	Unowned   int // assets nobody owns
	Idle      []IdleRow
	IdleCount int
	CanApply  bool
	NoTier    int // assets without a tier or service
	NoReach   int // assets whose reach nobody stated
	Programme string
	Applied   time.Time // zero: no programme was applied yet
	AppliedBy string
}

// IdleRow is an entry of the programme that matches no asset.
type IdleRow struct {
	Line int
	Text string
}

// ServiceRow is one business service.
type ServiceRow struct {
	Name   string
	Tier   int
	Owner  string
	Impact exposure.Loss
	Loss   float64 // expected over the horizon
	Assets int
	Open   int
	Risk   int
	Band   exposure.Band
}

// ScopeRow is one scope.
type ScopeRow struct {
	Name      string
	Objective string
	Owner     string
	Assets    int
	Excluded  int
	Open      int
}

// OwnerRow is one team.
type OwnerRow struct {
	Name    string
	Assets  int
	Open    int
	Overdue int
}

// CoverageRow says how many of the assets in scope one class of scan looked at
// within the policy's interval.
type CoverageRow struct {
	Class   string
	Covered int
	Total   int
	Newest  time.Time
}
