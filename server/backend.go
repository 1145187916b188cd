package server

import (
	"context"
	"io"

	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
)

// Backend is what the server asks of the rest of the house. It is implemented
// by the composition root, and by the command line's client over this very API.
type Backend interface {
	Findings(ctx context.Context, q FindingQuery) (FindingPage, error)
	Finding(ctx context.Context, id exposure.FindingID) (FindingDetail, error)
	Move(ctx context.Context, m MoveRequest) (moved int, err error)

	Assets(ctx context.Context, q AssetQuery) (AssetPage, error)
	Groups(ctx context.Context, filter string, by []string) ([]GroupRow, error)

	Import(ctx context.Context, req discover.Request, r io.Reader) ([]discover.Result, error)
	Scans(ctx context.Context, limit int) ([]exposure.Scan, error)

	Jobs(ctx context.Context) ([]cycle.Job, error)
	RetryJob(ctx context.Context, id int64) error

	Ready(ctx context.Context) error
}

// FindingQuery asks for a page of findings.
type FindingQuery struct {
	Filter  string `query:"q" doc:"filter, for example: sev:critical kev:true -tag:lab"`
	Sort    string `query:"sort" doc:"risk, severity, epss, asset, team, due, first_seen, title, status or id"`
	Reverse bool   `query:"reverse" doc:"against the natural order"`
	After   string `query:"after" doc:"cursor of the page before"`
	Limit   int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// FindingRow is one finding in a list.
type FindingRow struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	Severity  string   `json:"severity"`
	Risk      int      `json:"risk"`
	Band      string   `json:"band"`
	Due       string   `json:"due" doc:"RFC 3339 date, empty without"`
	KEV       bool     `json:"kev"`
	EPSS      *float64 `json:"epss" doc:"null: no score, which is not a low score"`
	CVEs      []string `json:"cves"`
	Asset     string   `json:"asset"`
	Location  string   `json:"location"`
	Status    string   `json:"status"`
	Tools     []string `json:"tools"`
	FirstSeen string   `json:"first_seen" doc:"RFC 3339 date"`
	Owner     string   `json:"owner,omitempty"`
	Advisory  string   `json:"advisory"`
}

// FindingPage is one page of findings.
type FindingPage struct {
	Rows  []FindingRow `json:"rows"`
	Total int          `json:"total"`
	Next  string       `json:"next,omitempty"`
}

// FindingDetail is everything about one finding.
type FindingDetail struct {
	FindingRow
	Fingerprint string               `json:"fingerprint"`
	AssetID     exposure.AssetID     `json:"asset_id"`
	AssetInfo   exposure.Asset       `json:"asset_info"`
	Info        exposure.Advisory    `json:"advisory_info"`
	Place       exposure.Place       `json:"place"`
	Explanation exposure.Explanation `json:"explanation"`
	Sources     []SourceRow          `json:"sources"`
	Evidence    []exposure.Proof     `json:"evidence"`
	Timeline    []exposure.Event     `json:"timeline"`
	Moves       []string             `json:"moves" doc:"causes the lifecycle allows a person now"`
	Remediation string               `json:"remediation,omitempty"`
}

// SourceRow is one scanner's word on a finding.
type SourceRow struct {
	Tool  string `json:"tool"`
	Class string `json:"class"`
	State string `json:"state"`
	Scan  uint32 `json:"scan"`
	At    string `json:"at"`
}

// MoveRequest moves findings through their life.
type MoveRequest struct {
	IDs    []string `json:"ids,omitempty" doc:"findings; or all that match filter"`
	Filter string   `json:"filter,omitempty"`
	Cause  string   `json:"cause" enum:"triage,claim,expiry"`
	Reason string   `json:"reason,omitempty" maxLength:"2000"`
	Actor  string   `json:"-"`
}

// AssetQuery asks for a page of assets.
type AssetQuery struct {
	Text  string `query:"q" doc:"part of a name or identifier"`
	After uint32 `query:"after" doc:"number of the last asset of the page before"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// AssetRow is one asset in a list.
type AssetRow struct {
	exposure.Asset
	Open int     `json:"open"`
	Risk int     `json:"risk" doc:"worst, in points"`
	Loss float64 `json:"expected_loss"`
	KEV  int     `json:"kev"`
	Late int     `json:"overdue"`
}

// AssetPage is one page of assets, most loss first.
type AssetPage struct {
	Rows  []AssetRow `json:"rows"`
	Total int        `json:"total"`
	Next  uint32     `json:"next,omitempty"`
}

// GroupRow is the findings that share values.
type GroupRow struct {
	Keys    []string `json:"keys"`
	Count   int      `json:"count"`
	Loss    float64  `json:"expected_loss"`
	Risk    int      `json:"risk"`
	KEV     int      `json:"kev"`
	Overdue int      `json:"overdue"`
}
