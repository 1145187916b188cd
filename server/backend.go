package server

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/web"
)

// Backend is what the server asks of the rest of the house. It is implemented
// by the composition root, and by the command line's client over this very API.
type Backend interface {
	Scanning
	Kept

	Findings(ctx context.Context, q FindingQuery) (FindingPage, error)
	Finding(ctx context.Context, id exposure.FindingID) (FindingDetail, error)
	// Export writes all findings of a filter, see package mobilize/export for the formats.
	Export(ctx context.Context, format, filter string, w io.Writer) error
	Move(ctx context.Context, m MoveRequest) (Moved, error)
	// Assign gives assets to an owner, over whatever the programme says.
	Assign(ctx context.Context, r AssignRequest) (Assigned, error)
	// Owners are the names of known owners, at most 100.
	Owners(ctx context.Context) ([]string, error)
	// Concerned counts what a filter selects.
	Concerned(ctx context.Context, filter string) (Concerned, error)
	// Undo takes back what its actor decided.
	Undo(ctx context.Context, r UndoRequest) (Undone, error)

	Summary(ctx context.Context) (Summary, error)
	// SummaryOf is the summary of what a filter by assets selects.
	SummaryOf(ctx context.Context, filter string) (Summary, error)
	// Choices are the business services, scopes and owners whose names hold a
	// text, at most limit.
	Choices(ctx context.Context, text string, limit int) ([]ScopeChoice, error)
	// Bands are the limits of the risk bands by the model in force.
	Bands() exposure.Bands

	// Verdicts lists what validations and retests of what a filter by assets
	// selects came to, newest first.
	Verdicts(ctx context.Context, filter string, limit int) ([]VerdictRow, error)
	// Claims tells of each row, in the same order, who says that it is fixed.
	Claims(ctx context.Context, rows []FindingRow) ([]Claim, error)
	RecordVerdict(ctx context.Context, r VerdictRequest) (recorded int, err error)

	Exceptions(ctx context.Context, all bool) ([]exposure.Exception, error)
	RequestException(ctx context.Context, r ExceptionRequest) (Requested, error)
	ApproveException(ctx context.Context, id int64, actor string) error
	EndException(ctx context.Context, id int64, actor, reason string) (Ended, error)

	Assets(ctx context.Context, q AssetQuery) (AssetPage, error)
	Asset(ctx context.Context, id exposure.AssetID) (AssetDetail, error)
	Groups(ctx context.Context, filter string, by []string) ([]GroupRow, error)
	// Facets counts findings by each of several properties, as Groups by one
	// does; of each group, only its key, count and loss are told.
	Facets(ctx context.Context, filter string, by []string) ([][]GroupRow, error)
	Remediations(ctx context.Context, filter string) ([]exposure.Remediation, error)
	Remediation(ctx context.Context, key string) (RemediationDetail, error)
	// RemediationOf is the part of a fix that a filter selects.
	RemediationOf(ctx context.Context, key, filter string) (RemediationDetail, error)

	// Values returns the values of a text field that hold part, the most frequent first.
	Values(ctx context.Context, field exposure.Field, part string, limit int) ([]Value, error)
	// Views returns the saved views that an account sees, its own first.
	Views(ctx context.Context, account int64) ([]exposure.SavedView, error)
	// SaveView keeps a view in place of the account's one of the same name.
	SaveView(ctx context.Context, v *exposure.SavedView) error
	// RemoveView ends a view of an account, or, with others, one that somebody
	// else shares, and returns it.
	RemoveView(ctx context.Context, id, account int64, others bool) (exposure.SavedView, error)

	Import(ctx context.Context, req discover.Request, r io.Reader) ([]discover.Result, error)
	Scans(ctx context.Context, q ScanQuery) (ScanPage, error)
	// Scan is one imported report, with what it saw of the assets that a filter selects.
	Scan(ctx context.Context, id exposure.ScanID, filter string) (ScanDetail, error)
	ScanErrors(ctx context.Context, id exposure.ScanID, q BrokenQuery) (BrokenPage, error)
	// Sources tells what sources contribute to the assets that a filter selects.
	Sources(ctx context.Context, filter string) ([]SourceStatus, error)
	Advisories(ctx context.Context, q AdvisoryQuery) (AdvisoryPage, error)
	// Advisory answers with one advisory by its number or one of its names, and
	// with what is open of it on the assets that a filter selects.
	Advisory(ctx context.Context, id, filter string) (AdvisoryDetail, error)

	// Landscape tells who targets us, and what is open to them on the assets that
	// a filter selects.
	Landscape(ctx context.Context, filter string) (LandscapeReport, error)
	// Actor answers with one actor by its id or one of its names, Technique with
	// one technique.
	Actor(ctx context.Context, id, filter string) (ActorDetail, error)
	Technique(ctx context.Context, id, filter string) (TechniqueDetail, error)
	// Alerts lists the news from the feeds that was told, of the whole organisation.
	Alerts(ctx context.Context, q AlertQuery) (AlertPage, error)
	// AcknowledgeAlerts notes who took note of alerts, and of how many.
	AcknowledgeAlerts(ctx context.Context, r AcknowledgeRequest) (int, error)

	// Engagements are all rules of engagement, newest first.
	Engagements(ctx context.Context) ([]EngagementRow, error)
	Engagement(ctx context.Context, id int64) (EngagementDetail, error)
	// PutEngagement checks and keeps rules. They hold once somebody else approved them.
	PutEngagement(ctx context.Context, r EngagementRequest) (EngagementDetail, error)
	ApproveEngagement(ctx context.Context, r EngagementApproval) error
	WithdrawEngagement(ctx context.Context, r EngagementEnd) error
	// ProveTarget looks for the token that shows who owns a target.
	ProveTarget(ctx context.Context, r ProofRequest) (exposure.Proved, error)
	// DecideAction says what the rules make of something; nothing is sent.
	DecideAction(ctx context.Context, q ActionQuery) (ActionDecision, error)
	// Halts are the stops that hold.
	Halts(ctx context.Context) ([]Halt, error)
	// Halt stops everything that is sent, or what one engagement allows, and says
	// whether that is new. Resume lets it go on.
	Halt(ctx context.Context, r HaltRequest) (bool, error)
	Resume(ctx context.Context, r HaltRequest) (bool, error)
	// Audit lists what was decided and sent, newest first.
	Audit(ctx context.Context, q AuditQuery) (AuditPage, error)
	// VerifyAudit reads all chains of the audit log and says whether they hold.
	VerifyAudit(ctx context.Context) ([]AuditChain, error)

	Programme(ctx context.Context) (Programme, error)
	// Policies are those in force, then those that could be.
	Policies(ctx context.Context) ([]PolicyStatus, error)
	Apply(ctx context.Context, r ApplyRequest) (ApplyResult, error)
	// WhatIf says what a programme would move. It changes nothing and ends with ctx.
	WhatIf(ctx context.Context, r WhatIfRequest) (WhatIf, error)
	// Refit learns from own incidents, and changes nothing.
	Refit(ctx context.Context, r RefitRequest) (Refit, error)
	// Scope reports on the assets that a filter by assets selects.
	Scope(ctx context.Context, filter string) (ScopeReport, error)

	Feeds(ctx context.Context) ([]FeedStatus, error)
	UpdateFeeds(ctx context.Context, r FeedsRequest) ([]FeedStatus, error)
	// RequestFeeds asks for feeds, all without names, to be fetched in the background.
	RequestFeeds(ctx context.Context, names []string) error
	ImportFeeds(ctx context.Context, bundle io.Reader, force bool) ([]FeedStatus, error)
	ExportFeeds(ctx context.Context, w io.Writer) error
	// Match looks packages up by their package URLs in the kept advisories.
	Match(ctx context.Context, purls []string) (MatchResult, error)

	// Outbox lists the newest messages to the outside.
	Outbox(ctx context.Context, limit int) ([]exposure.OutboxMessage, error)
	// Resend tries a message again that was given up.
	Resend(ctx context.Context, id int64) error

	// Measures are those of the assets that a filter selects, by what it selects today.
	Measures(ctx context.Context, filter string) (Measures, error)
	// Unseen are the assets in scope that nobody looked at of late, the greatest
	// expected loss first.
	Unseen(ctx context.Context, q UnseenQuery) (AssetPage, error)
	// Report is the state for those who answer for it, over 7, 30 or 90 days, of
	// the assets that a filter selects.
	Report(ctx context.Context, filter string, days int) (Report, error)
	Jobs(ctx context.Context) ([]cycle.Job, error)
	RetryJob(ctx context.Context, id int64) error

	HasDemo(ctx context.Context) (bool, error)
	LoadDemo(ctx context.Context) error
	RemoveDemo(ctx context.Context, actor string) (removed int, err error)
	Ready(ctx context.Context) error
}

// Summary is the whole in a few numbers.
type Summary struct {
	Counts     Counts `json:"counts"`
	Demo       bool   `json:"demo" doc:"demo data is present"`
	Currency   string `json:"currency,omitempty" doc:"of all amounts, ISO 4217"`
	Name       string `json:"name,omitempty" doc:"of the organisation"`
	LastImport int64  `json:"last_import,omitempty" doc:"unix milliseconds; 0: never"`

	Stale   []StaleFeed `json:"stale,omitempty" doc:"feeds whose data is older than it should be"`
	Figures Rollup      `json:"figures" doc:"of the open findings, now"`
	Teams   []GroupRow  `json:"teams" doc:"open findings by team and band, most loss first"`
}

// Counts are how many of everything there are.
type Counts struct {
	Services     int `json:"services"`
	Assets       int `json:"assets"`
	StaleFeeds   int `json:"stale_feeds"`
	Findings     int `json:"findings" doc:"open"`
	Awaiting     int `json:"awaiting" doc:"fixes claimed and not verified yet"`
	Remediations int `json:"remediations" doc:"open"`
	FailedJobs   int `json:"failed_jobs"`
	Alerts       int `json:"alerts" doc:"that nobody took note of"`
}

// VerdictRow is the outcome of one validation or retest.
type VerdictRow struct {
	Finding string `json:"finding"`
	Title   string `json:"title"`
	Asset   string `json:"asset"`
	Kind    string `json:"kind"`
	By      string `json:"by"`
	At      int64  `json:"at" doc:"unix milliseconds"`
	Until   int64  `json:"until,omitempty" doc:"unix milliseconds; 0: not stated"`
	Note    string `json:"note,omitempty"`
}

// Claim is who said that a finding is fixed.
type Claim struct {
	By     string
	At     int64 // unix milliseconds
	Reason string
	Kind   exposure.AssetKind // of the asset that has to be looked at again
}

// VerdictRequest records what a validation of findings came to.
type VerdictRequest struct {
	IDs        []string `json:"ids,omitempty" doc:"findings; or all that match filter"`
	Filter     string   `json:"filter,omitempty"`
	Kind       string   `json:"kind" enum:"exploitable,not_exploitable,blocked,detected,not_detected,inconclusive"`
	Evidence   string   `json:"evidence" minLength:"3" maxLength:"16000"`
	Days       int      `json:"days,omitempty" minimum:"1" maximum:"90" doc:"for how long it holds; 60 when left out"`
	Confidence int      `json:"confidence,omitempty" minimum:"1" maximum:"100" doc:"quality of detection, 100 is exploited"`
	Actor      string   `json:"-"`
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
	DueRule   string   `json:"due_rule,omitempty" doc:"the policy and rule that it comes from"`
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

	AssetID    exposure.AssetID `json:"asset_id"`
	Verdict    string           `json:"verdict,omitempty"`
	Ransomware bool             `json:"ransomware,omitempty"`
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
	Fingerprint  string                 `json:"fingerprint"`
	AssetInfo    exposure.Asset         `json:"asset_info"`
	Info         exposure.Advisory      `json:"advisory_info"`
	Place        exposure.Place         `json:"place"`
	Explanation  exposure.Explanation   `json:"explanation"`
	Alternatives []exposure.Alternative `json:"alternatives,omitempty" doc:"what the risk would be if one thing were different, of an open finding"`
	Above        int                    `json:"above" doc:"open findings with more risk"`
	Open         int                    `json:"open" doc:"open findings in all; 0 when this one is not open"`
	History      exposure.History       `json:"history" doc:"how the score came to be what it is, computed again for each day"`
	Sources      []SourceRow            `json:"sources"`
	Evidence     []exposure.Proof       `json:"evidence"`
	Timeline     []exposure.Event       `json:"timeline"`
	Moves        []string               `json:"moves" doc:"causes the lifecycle allows a person now"`
	Remediation  string                 `json:"remediation,omitempty"`
	Exceptions   []exposure.Exception   `json:"exceptions,omitempty"`
}

// ExceptionRequest asks to live with findings for a while.
type ExceptionRequest struct {
	IDs     []string `json:"ids,omitempty" doc:"findings; or all that match filter"`
	Filter  string   `json:"filter,omitempty"`
	Reason  string   `json:"reason" minLength:"3" maxLength:"2000"`
	Expires string   `json:"expires" doc:"RFC 3339 date, at most a year ahead"`
	Actor   string   `json:"-"`
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

// Moved is what became of a [MoveRequest].
type Moved struct {
	Moved int   `json:"moved"`
	Undo  int64 `json:"undo,omitempty" doc:"number to take it back by; 0: nothing moved"`
}

// Requested is an exception that was asked for.
type Requested struct {
	exposure.Exception
	Undo int64 `json:"undo" doc:"number to take it back by"`
}

// Ended is what ending an exception came to.
type Ended struct {
	Moved int   `json:"moved" doc:"findings that are open again"`
	Undo  int64 `json:"undo,omitempty" doc:"number to take it back by; 0: it had ended already"`
}

// AssignRequest gives assets to an owner: the named ones, or those that
// findings are on.
type AssignRequest struct {
	Assets []exposure.AssetID `json:"assets,omitempty" doc:"assets; or those of the findings"`
	IDs    []string           `json:"ids,omitempty" doc:"findings; or all that match filter"`
	Filter string             `json:"filter,omitempty"`
	Owner  string             `json:"owner" maxLength:"200" doc:"empty: back to what the programme says"`
	Reason string             `json:"reason,omitempty" maxLength:"2000"`
	Actor  string             `json:"-"`
}

// Assigned is what became of an [AssignRequest].
type Assigned struct {
	Assets int    `json:"assets" doc:"that changed hands"`
	Owner  string `json:"owner" doc:"as it is known already, where only the case differs"`
	Undo   int64  `json:"undo,omitempty" doc:"number to take it back by; 0: nothing changed"`
}

func (a Assigned) String() string {
	assets := web.Plural(a.Assets, "asset now belongs", "assets now belong")
	switch {
	case a.Assets == 0 && a.Owner == "":
		return "Nothing changed: the programme decides already."
	case a.Assets == 0:
		return "Nothing changed: " + a.Owner + " was assigned already."
	case a.Owner == "":
		return assets + " to whom the programme says."
	}
	return assets + " to " + a.Owner + "."
}

// Concerned is how much a decision on all that match a filter is about.
type Concerned struct {
	Findings int `json:"findings"`
	Assets   int `json:"assets"`
	Teams    int `json:"teams" doc:"that own them; nobody is none"`
}

func (c Concerned) String() string {
	teams := "nobody"
	if c.Teams > 0 {
		teams = web.Plural(c.Teams, "team", "teams")
	}
	return fmt.Sprintf("%s with %s, owned by %s", web.Plural(c.Assets, "asset", "assets"), web.Plural(c.Findings, "finding that matches", "findings that match"), teams)
}

// UndoRequest takes back a decision.
type UndoRequest struct {
	Number int64  `json:"undo" minimum:"1" doc:"as the decision returned it"`
	Actor  string `json:"-"`
	Role   Role   `json:"-"` // that the actor has now
}

// Undone is how much is as it was before a decision. The rest was changed
// since, by somebody or something else.
type Undone struct {
	Kind exposure.DecisionKind `json:"kind" enum:"triage,claim,assign,except,end"`
	Back int                   `json:"back"`
	Of   int                   `json:"of"`
}

func (u Undone) String() string {
	one, many := "finding", "findings"
	if u.Kind == exposure.DecisionAssign {
		one, many = "asset", "assets"
	}
	switch {
	case u.Kind == exposure.DecisionExcept:
		return "The request for an exception is withdrawn."
	case u.Back < u.Of:
		return fmt.Sprintf("Undone for %d of %s: the rest was changed since and stays as it is.", u.Back, web.Plural(u.Of, one, many))
	}
	return "Undone: " + web.Plural(u.Back, one, many) + " as before."
}

// AssetQuery asks for a page of assets.
type AssetQuery struct {
	Text     string `query:"q" doc:"part of a name or identifier"`
	Filter   string `query:"filter" doc:"conditions on assets, for example: kind:host team:none service:shop tier<=2"`
	Unspoken bool   `query:"unspoken" doc:"only those that no rule and no exclusion of the programme matches"`
	Unseen   int    `query:"unseen" minimum:"0" maximum:"3650" doc:"only those in scope that no scan looked at completely within so many days; 0: all"`
	After    uint32 `query:"after" doc:"number of the last asset of the page before"`
	Limit    int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// AssetRow is one asset in a list.
type AssetRow struct {
	exposure.Asset
	Open int     `json:"open"`
	Risk int     `json:"risk" doc:"worst, in points"`
	Loss float64 `json:"expected_loss"`
	KEV  int     `json:"kev"`
	Late int     `json:"overdue"`

	LastScan int64 `json:"last_scan,omitempty" doc:"of a complete look at it, unix milliseconds; 0: never"`
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

// AssetDetail is everything about one asset.
type AssetDetail struct {
	AssetRow
	Bands    map[string]int `json:"bands" doc:"open findings by band"`
	Findings []FindingRow   `json:"findings" doc:"the worst open ones"`
	Scans    []AssetScan    `json:"scans"`

	Merged     []string       `json:"merged" doc:"names of records that were recognised as this asset, the first 50"`
	Components []ComponentRow `json:"components" doc:"those with open findings, worst first, the first 50"`
	Parts      int            `json:"parts" doc:"how many components have open findings"`
}

// AssetScan is one scan's complete look at an asset.
type AssetScan struct {
	Scan  exposure.ScanID `json:"scan"`
	Tool  string          `json:"tool"`
	Class string          `json:"class"`
	At    int64           `json:"at" doc:"unix milliseconds"`
}

// RemediationDetail is one fix with what it closes.
type RemediationDetail struct {
	exposure.Remediation
	Solution string       `json:"solution,omitempty"`
	Rows     []FindingRow `json:"rows" doc:"the riskiest of its findings"`
	On       []AssetRow   `json:"on" doc:"its assets"`
}

// Programme is the programme file in force.
type Programme struct {
	Body    string `json:"body" doc:"YAML; a commented template when none was applied"`
	Version int64  `json:"version" doc:"0: none was applied"`
	At      int64  `json:"at,omitempty" doc:"unix milliseconds"`
	Actor   string `json:"actor,omitempty"`
}

// RefitRequest asks what own incidents teach.
type RefitRequest struct {
	Incidents []Incident `json:"incidents" maxItems:"100000"`
}

// Incident is one weakness that was used against the organisation.
type Incident struct {
	CVE  string `json:"cve" maxLength:"40"`
	Date string `json:"date" maxLength:"10" doc:"as in 2026-03-14"`
}

// Refit is what own incidents teach: what to write under risk in the programme.
type Refit struct {
	Targeted  float64             `json:"targeted" doc:"the share of attacked organisations that this one is among"`
	Before    float64             `json:"before" doc:"the share in force"`
	Expected  float64             `json:"expected" doc:"incidents, had every attack hit"`
	Used      int                 `json:"used" doc:"incidents of weaknesses that were open here"`
	Unmatched []string            `json:"unmatched,omitempty" doc:"CVE ids that no report ever stated"`
	Cases     int                 `json:"cases"`
	Weights   *prioritize.Weights `json:"weights,omitempty" doc:"of first exploitation; absent when there is nothing to learn from"`
	Notes     []string            `json:"notes"`
}

// PolicyStatus is a policy and what it is to the organisation.
type PolicyStatus struct {
	exposure.Policy
	InForce bool   `json:"in_force" doc:"its due dates count; of several the earliest"`
	Own     bool   `json:"own" doc:"of the programme, not shipped"`
	Dated   bool   `json:"dated" doc:"gives due dates; otherwise labels"`
	Text    string `json:"text" doc:"YAML, as it may stand in a programme"`
}

// PolicyNamed is the policy of a name.
func PolicyNamed(all []PolicyStatus, name string) (PolicyStatus, error) {
	var names []string
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return PolicyStatus{}, exposure.Errorf(exposure.NotFound, "there is no policy %q: there are %s", name, strings.Join(names, ", "))
}

// ApplyRequest applies a programme file.
type ApplyRequest struct {
	File   string `json:"file,omitempty" doc:"its name, for messages"`
	Body   string `json:"body" doc:"YAML"`
	DryRun bool   `json:"dry_run,omitempty" doc:"say what would change and change nothing"`
	Base   int64  `json:"base,omitempty" doc:"version that the file was made from: refused when another is in force; 0: whatever is"`
	Actor  string `json:"-"`
}

// ApplyResult is what a programme changes.
type ApplyResult struct {
	Changed bool          `json:"changed"`
	Summary string        `json:"summary"`
	Changes scope.Changes `json:"changes"`

	BandChanges *int `json:"band_changes,omitempty" doc:"of a dry run: open findings that would change their risk band"`
}

// ScopeReport is what counts and whose it is.
type ScopeReport struct {
	Coverage scope.Coverage `json:"coverage"`
	Services []ServiceRow   `json:"services"`
	Scopes   []ScopeRow     `json:"scopes"`
	Owners   []OwnerRow     `json:"owners"`
	Tags     []TagRow       `json:"tags"`
	NoTier   int            `json:"no_tier" doc:"assets without a tier"`
	NoReach  int            `json:"no_reach" doc:"assets whose reach nobody stated"`
	NoOwner  int            `json:"no_owner" doc:"assets that nobody owns"`
	Unseen   int            `json:"unseen" doc:"assets in scope that no scan looked at completely within 30 days"`
	Scanned  []ScannedRow   `json:"scanned"`
}

// ServiceRow is one business service.
type ServiceRow struct {
	Name   string `json:"name"`
	Tier   int    `json:"tier"`
	Owner  string `json:"owner"`
	Assets int    `json:"assets"`

	Impact exposure.Loss `json:"impact" doc:"what is lost with it, in currency"`

	Open int     `json:"open"`
	Risk int     `json:"risk"`
	Loss float64 `json:"expected_loss"`
}

// ScopeChoice is something that everything can be narrowed to.
type ScopeChoice struct {
	Term   string `json:"term" doc:"of the filter language: service:shop"`
	Kind   string `json:"kind" enum:"service,scope,team"`
	Name   string `json:"name"`
	Assets int    `json:"assets"`
}

// ScopeRow is one scope of the programme.
type ScopeRow struct {
	Name      string `json:"name"`
	Objective string `json:"objective"`
	Owner     string `json:"owner"`
	Assets    int    `json:"assets"`
	Open      int    `json:"open"`
}

// OwnerRow is one team.
type OwnerRow struct {
	Name    string `json:"name"`
	Assets  int    `json:"assets"`
	Open    int    `json:"open"`
	Overdue int    `json:"overdue"`
}

// TagRow is one tag and how many assets have it.
type TagRow struct {
	Name   string `json:"name"`
	Assets int    `json:"assets"`
}

// ScannedRow is how much of the estate one class of scans looked at lately.
type ScannedRow struct {
	Class   string `json:"class"`
	Covered int    `json:"covered" doc:"assets within the last 30 days"`
	Total   int    `json:"total"`
	Newest  int64  `json:"newest" doc:"unix milliseconds"`
}

// FeedStatus is the state of one feed.
type FeedStatus struct {
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Locations   []string `json:"locations" doc:"empty: not configured, as it has no public address"`
	Licence     string   `json:"licence"`
	Attribution string   `json:"attribution,omitempty"`
	Records     int      `json:"records"`
	Version     string   `json:"version,omitempty" doc:"of the catalogue or model"`
	Date        string   `json:"date,omitempty" doc:"of the data, RFC 3339; empty: never fetched"`
	Fetched     string   `json:"fetched,omitempty" doc:"when it was last found current, RFC 3339"`
	Every       float64  `json:"every_hours"`
	Stale       bool     `json:"stale"`
	OnRequest   bool     `json:"on_request,omitempty" doc:"it is large, and fetched only from when somebody names it"`
	SHA256      string   `json:"sha256,omitempty" doc:"of the file as published, when it is one"`
	Notice      string   `json:"notice,omitempty" doc:"what of the files was left out, and where"`
	Error       string   `json:"error,omitempty" doc:"of the last attempt; the last good copy is kept"`
}

// FeedsRequest fetches feeds.
type FeedsRequest struct {
	Names     []string            `json:"names,omitempty" doc:"none: all"`
	Locations map[string][]string `json:"locations,omitempty" doc:"URLs, files or directories to read a feed from, now and from now on; [\"default\"] is the public address"`
	Force     bool                `json:"force,omitempty" doc:"take an edition that is older or much smaller than the kept one"`
}

// MaxMatched is how many packages one request may ask about.
const MaxMatched = 5000

// MatchRequest asks which advisories concern packages.
type MatchRequest struct {
	Purls []string `json:"purls" maxItems:"5000" doc:"package URLs with versions, such as pkg:npm/lodash@4.17.20"`
}

// MatchResult is what the kept advisories say of packages.
type MatchResult struct {
	Concerns  []Concern   `json:"concerns" doc:"advisories, in the order of the packages"`
	Unmatched []Unmatched `json:"unmatched" doc:"packages of which nothing is known: they may be affected"`
}

// Concern is an advisory about a version of a package.
type Concern struct {
	Purl       string   `json:"purl"`
	Ecosystem  string   `json:"ecosystem" doc:"as OSV spells it"`
	Package    string   `json:"package"`
	Version    string   `json:"version,omitempty" doc:"as the package URL states it; absent when it states none"`
	Advisory   string   `json:"advisory" doc:"its CVE id, or else another"`
	Names      []string `json:"names,omitempty" doc:"its other names"`
	Fixed      []string `json:"fixed,omitempty" doc:"the next versions without the weakness, one of each branch; absent when none is known"`
	Unknown    bool     `json:"unknown,omitempty" doc:"whether this version has it cannot be told, because the version or a range cannot be read"`
	Malicious  bool     `json:"malicious,omitempty" doc:"the package itself is malicious"`
	EPSS       *float64 `json:"epss,omitempty" doc:"probability of exploitation within 30 days; absent when there is no score"`
	Percentile float64  `json:"percentile,omitempty" doc:"of the score"`
	KEV        bool     `json:"kev,omitempty" doc:"known to be exploited"`
	Vector     string   `json:"vector,omitempty" doc:"CVSS"`
}

// Unmatched is a package that could not be looked up.
type Unmatched struct {
	Purl   string `json:"purl"`
	Reason string `json:"reason"`
}

// Measures are how the programme does over time. What is excluded from it is
// left out.
type Measures struct {
	At        int64                         `json:"at" doc:"when they were computed, unix milliseconds"`
	Filter    string                        `json:"filter,omitempty" doc:"what they are narrowed to, by what belongs to it today; empty: everything"`
	Days      []measure.Day                 `json:"days" doc:"flow of the last 120 days"`
	Repair    Repair                        `json:"repair" doc:"of all findings"`
	ByBand    []Repair                      `json:"repair_by_band" doc:"worst first"`
	ByTeam    []Repair                      `json:"repair_by_team" doc:"the 50 teams with the most findings, slowest first; none: nobody owns the assets"`
	SLA       map[string]measure.Compliance `json:"sla" doc:"by band"`
	TeamSLA   map[string]measure.Compliance `json:"sla_by_team"`
	Regressed *float64                      `json:"regression_rate" doc:"share of verified fixes that came back; null: none verified"`
	Pace      measure.Pace                  `json:"pace" doc:"of the backlog, a week"`
	Forecast  string                        `json:"forecast" doc:"the pace in words"`
	Now       Rollup                        `json:"now"`
	History   []Rollup                      `json:"history" doc:"figures recorded day by day; they are of everything, so there are none of a part"`
	Periods   []Period                      `json:"periods" doc:"what changed since 1, 7, 30 and 90 days ago"`
	Looks     Looks                         `json:"looks" doc:"what was looked at lately"`
}

// Repair is how fast the findings of a band or a team are fixed: from first
// seen to verified.
type Repair struct {
	Name         string        `json:"name,omitempty"`
	Curve        measure.Curve `json:"curve" doc:"share still open by age"`
	HalfLife     *float64      `json:"half_life_days" doc:"null: fewer than half are fixed yet"`
	HalfLifeLow  *float64      `json:"half_life_low" doc:"of the 95 % interval"`
	HalfLifeHigh *float64      `json:"half_life_high" doc:"null: it may be any longer"`
	After30      *Estimate     `json:"open_after_30_days" doc:"null: nothing was watched for so long"`
	After90      *Estimate     `json:"open_after_90_days" doc:"null: nothing was watched for so long"`
	Limited      *float64      `json:"restricted_mean_days" doc:"mean days open within the first 90; null: not measurable"`
	Mean         *float64      `json:"closed_mean_days" doc:"mean over closed ones only, which flatters; null: nothing is closed"`
}

// Estimate is a share of one with its 95 % interval.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Period is what changed since a day in the past.
type Period struct {
	Days      int    `json:"days" doc:"how long ago it begins"`
	First     int    `json:"first" doc:"its first day, since 1970-01-01 UTC"`
	New       Change `json:"new" doc:"came in it and are open"`
	Closed    Change `json:"closed" doc:"closed in it and still closed"`
	Exploited Change `json:"exploited" doc:"open, and listed as known exploited in it"`
	Overdue   Change `json:"overdue" doc:"open, and their due day passed in it"`
	Back      Change `json:"back" doc:"verified fixes that came back in it"`

	Opened   int                           `json:"opened" doc:"flow: new or open again"`
	Left     int                           `json:"left" doc:"flow: not open any more"`
	Verified int                           `json:"verified" doc:"flow: of these, proved fixed"`
	SLA      measure.Compliance            `json:"sla" doc:"of what fell due in it"`
	ByBand   map[string]measure.Compliance `json:"sla_by_band"`
	Before   *Rollup                       `json:"before" doc:"figures of the day before it; null: none were recorded, or only of everything"`
}

// Change is findings to which something happened.
type Change struct {
	Count  int    `json:"count"`
	Filter string `json:"filter,omitempty" doc:"lists them; empty: they are too many for a filter"`
}

// Looks is how much of what is in scope was looked at completely of late.
type Looks struct {
	Days   int        `json:"days" doc:"how long a look counts"`
	Assets int        `json:"assets" doc:"in scope"`
	Seen   int        `json:"seen" doc:"of them, those looked at"`
	Cells  []LookCell `json:"cells" doc:"by kind and team, most unseen first"`
}

// LookCell is the assets of one kind and team.
type LookCell struct {
	Kind   string `json:"kind"`
	Team   string `json:"team" doc:"none: nobody owns them"`
	Assets int    `json:"assets" doc:"in scope"`
	Seen   int    `json:"seen"`
}

// UnseenQuery asks for the assets in scope that nobody looked at of late.
type UnseenQuery struct {
	Kind   string `query:"kind" doc:"of the assets; empty: any"`
	Team   string `query:"team" doc:"that owns them; none: nobody; empty: any"`
	Filter string `query:"filter" doc:"conditions on assets, for example: service:shop tier<=2"`
	Limit  int    `query:"limit" default:"200" minimum:"1" maximum:"1000"`
}

// Report is the state of the programme for those who answer for it.
type Report struct {
	Name      string                 `json:"name,omitempty" doc:"of the organisation"`
	Currency  string                 `json:"currency,omitempty" doc:"of all amounts, ISO 4217"`
	Filter    string                 `json:"filter,omitempty" doc:"what it is narrowed to, by what belongs to it today; empty: everything"`
	At        int64                  `json:"at" doc:"unix milliseconds"`
	Days      int                    `json:"days" doc:"how far back it looks"`
	Now       Rollup                 `json:"now"`
	Period    Period                 `json:"period"`
	Flow      []measure.Day          `json:"flow" doc:"of the days of the period"`
	History   []Rollup               `json:"history" doc:"figures recorded in the period; they are of everything, so there are none of a part"`
	Fixes     []exposure.Remediation `json:"fixes" doc:"the five that remove the most expected loss"`
	FixesLoss float64                `json:"fixes_expected_loss" doc:"what they remove together"`
	Services  []ServiceRow           `json:"services" doc:"business services with open findings: crown jewels first, then the most loss"`
	Looks     Looks                  `json:"looks"`
	Forecast  string                 `json:"forecast"`
	HalfLife  *float64               `json:"half_life_days" doc:"null: fewer than half are fixed yet"`
	Asks      Asks                   `json:"asks"`
}

// Asks are what a programme needs others to do.
type Asks struct {
	Unowned int        `json:"unowned" doc:"assets in scope that nobody owns"`
	Overdue []OwnerRow `json:"overdue" doc:"teams with overdue findings, most first"`
	Stale   []string   `json:"stale_feeds" doc:"titles of feeds that are too old"`
	Unseen  int        `json:"unseen" doc:"assets in scope that nobody looked at of late"`
}

// Rollup is the figures of one day.
type Rollup struct {
	Day   int            `json:"day" doc:"days since 1970-01-01 UTC"`
	Open  int            `json:"open"`
	KEV   int            `json:"kev"`
	Late  int            `json:"overdue"`
	Loss  float64        `json:"expected_loss"`
	Bands map[string]int `json:"bands"`
}
