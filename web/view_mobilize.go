package web

import (
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// RemediationsPage is the list of fixes, most risk removed per effort first.
type RemediationsPage struct {
	Shell       Shell
	Query       string // filter of the findings that the fixes are made of
	FilterError string
	Rows        []RemediationRow
	Total       int
	Shown       int
	Next        string
	Nothing     bool
}

// BoardPage shows fixes by how far they are.
type BoardPage struct {
	Shell       Shell
	Query       string
	FilterError string
	Lanes       []Lane
	Total       int
	Nothing     bool
}

// Lane is a column of the board.
type Lane struct {
	ID    string
	Name  string
	Help  string
	Rows  []RemediationRow // the first of them, best first
	Total int
	Loss  float64 // of all of them
}

// ExceptionsPage lists exceptions, newest first.
type ExceptionsPage struct {
	Shell      Shell
	Rows       []exposure.Exception
	All        bool // ended ones, too
	CanApprove bool
	CanEnd     bool // one's own
}

// OutboxPage lists messages to the outside, newest first.
type OutboxPage struct {
	Shell     Shell
	Rows      []exposure.OutboxMessage
	CanResend bool
}

// RemediationPage is one fix.
type RemediationPage struct {
	Shell     Shell
	Row       RemediationRow
	Solution  string // what to do, as the advisories say it
	Findings  []FindingRow
	Assets    []AssetRow
	CanClaim  bool
	CanExcept bool
}

// ValidatePage is what was proved and what still has to be.
type ValidatePage struct {
	Shell    Shell
	Awaiting []Claim
	Total    int // of all that wait
	Verdicts []VerdictRow
}

// Claim is a fix that somebody says is done.
type Claim struct {
	FindingRow
	By     string
	At     time.Time
	Reason string
	Needs  string // what will decide: "a complete trivy scan of this image"
}

// VerdictRow is the outcome of one validation.
type VerdictRow struct {
	Finding exposure.FindingID
	Title   string
	Asset   string
	Kind    exposure.VerdictKind
	By      string // check, scanner or person
	At      time.Time
	Until   time.Time // valid until; zero: not stated
	Note    string
}

// JobsPage is what runs and ran in the background.
type JobsPage struct {
	Shell    Shell
	Rows     []JobRow
	CanRetry bool
}

// JobRow is one job.
type JobRow struct {
	ID       int64
	Title    string
	Task     string
	State    string // available, running, retryable, scheduled, completed, cancelled, discarded
	Attempt  int
	Attempts int // at most
	At       time.Time
	Ended    time.Time
	Error    string // of the last attempt
}
