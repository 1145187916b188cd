package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// OutsideBand is the band of findings that are not in scope.
const OutsideBand = exposure.BandCritical + 1

// Movement is what a programme would move if it were applied.
type Movement struct {
	Summary  string
	Version  int64 // in force, if the text was made from another one; else 0
	Currency string
	Moved    int

	Before, After    MovementTotals
	BandUp, BandDown int
	NewlyOverdue     int
	NoLongerOverdue  int

	Bands      []BandMove
	Owners     []OwnerMove // most moved first
	OwnersMore int         // further owners
	Handed     []Handed
	HandedMore int
	Rules      []RuleMove

	Top      []FindingMove // the riskiest after
	Dropped  []FindingMove // of the riskiest before, those that are not any more
	Farthest []FindingMove // the greatest changes of points
}

// MovementTotals are sums of open findings.
type MovementTotals struct {
	Open, Overdue int
	Loss          float64 // expected over the horizon
}

// BandMove is findings that go from one band to another, or stay.
type BandMove struct {
	From, To exposure.Band
	Findings int
}

// OwnerMove is what becomes of an owner's findings.
type OwnerMove struct {
	Owner           string // empty: nobody
	Moved, Up, Down int
	Earlier, Later  int // due days
	NewlyOverdue    int
	Before, After   MovementTotals
}

// Handed is findings that go from one owner to another; empty: nobody.
type Handed struct {
	From, To string
	Findings int
}

// RuleMove is how many findings a rule of policy sets the due day of.
type RuleMove struct {
	Rule          string // empty: none
	Before, After int
}

// FindingMove is a finding before and after.
type FindingMove struct {
	ID            exposure.FindingID
	Title         string
	Advisory      string
	Asset         string
	AssetID       exposure.AssetID
	Before, After FindingStanding
}

// FindingStanding is where a finding stands.
type FindingStanding struct {
	Risk  int
	Band  exposure.Band
	Due   time.Time // zero: never
	Owner string    // empty: nobody
	Rank  int       // 0: not in scope
}
