package server

import "github.com/leeward-ctem/leeward/exposure"

// ScanQuery asks for a page of imported reports.
type ScanQuery struct {
	Tool  string          `query:"tool" maxLength:"200" doc:"only reports of this tool"`
	After exposure.ScanID `query:"after" doc:"number of the last report of the page before"`
	Limit int             `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// ScanPage is one page of imported reports, newest first.
type ScanPage struct {
	Rows  []exposure.Scan `json:"rows"`
	Next  exposure.ScanID `json:"next,omitempty"`
	Tools []string        `json:"tools" doc:"all that ever reported anything"`
}

// ScanDetail is everything about one imported report.
type ScanDetail struct {
	exposure.Scan
	Classes  []CoveredClass `json:"classes" doc:"what it covered completely"`
	Covered  int            `json:"covered" doc:"assets that it looked at completely"`
	Assets   []AssetRow     `json:"assets" doc:"the first 100 of them"`
	Opened   int            `json:"opened" doc:"findings that it saw first, by what they are now: those of the filter is:any opened_by:N"`
	Findings []FindingRow   `json:"findings" doc:"the 50 riskiest of them"`
}

// CoveredClass is one class of checks that a scan ran completely.
type CoveredClass struct {
	Tool   string `json:"tool"`
	Class  string `json:"class"`
	Assets int    `json:"assets"`
}

// BrokenRecord is a record of a report that could not be read.
type BrokenRecord struct {
	Record  int    `json:"record" doc:"its number in the report, from 1; 0: unknown"`
	Offset  int64  `json:"offset" doc:"byte in the decoded report; -1: unknown"`
	Message string `json:"message"`
}

// BrokenQuery asks for a page of broken records.
type BrokenQuery struct {
	After string `query:"after" maxLength:"50" doc:"cursor of the page before"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// BrokenPage is one page of broken records in the order of the report.
type BrokenPage struct {
	Rows []BrokenRecord `json:"rows"`
	Next string         `json:"next,omitempty"`
}

// SourceStatus is what one tool's class of checks contributes.
type SourceStatus struct {
	Tool    string  `json:"tool"`
	Class   string  `json:"class"`
	Last    int64   `json:"last,omitempty" doc:"when it ran last, unix milliseconds; 0: never"`
	Proved  bool    `json:"proved" doc:"its reports prove what they covered; otherwise last is that of any report of the tool"`
	Every   float64 `json:"every_days,omitempty" doc:"days between its runs; 0: too few to tell"`
	Quiet   bool    `json:"quiet" doc:"it has not run for longer than usual"`
	Assets  int     `json:"assets" doc:"looked at completely within 30 days"`
	Alone   int     `json:"alone" doc:"open findings that only it asserts"`
	Shared  int     `json:"shared" doc:"open findings that others assert too"`
	Reports int     `json:"reports" doc:"of the tool"`
	Records int     `json:"records" doc:"weaknesses stated in them"`
	Broken  int     `json:"broken" doc:"records in them that could not be read"`
}

// AdvisoryQuery asks for a page of the advisories that concern us.
type AdvisoryQuery struct {
	Text   string `query:"q" maxLength:"500" doc:"part of a title or name"`
	Filter string `query:"filter" doc:"only what is open on assets like that, for example: team:payments tier<=2"`
	Days   int    `query:"days" minimum:"0" maximum:"365" doc:"only what is new within so many days: became known to be exploited, its EPSS score rose suddenly, or it was first seen here"`
	After  string `query:"after" maxLength:"50" doc:"cursor of the page before"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// AdvisoryRow is one advisory with what is open of it.
type AdvisoryRow struct {
	ID         exposure.AdvisoryID `json:"id"`
	Key        string              `json:"key"`
	Title      string              `json:"title"`
	Type       string              `json:"type"`
	Risk       int                 `json:"risk" doc:"of its worst finding, in points"`
	Band       string              `json:"band"`
	Loss       float64             `json:"expected_loss"`
	KEV        string              `json:"kev,omitempty" doc:"day on which CISA listed it, RFC 3339 date"`
	Ransomware bool                `json:"ransomware,omitempty"`
	EPSS       *float64            `json:"epss" doc:"null: no score, which is not a low score"`
	Percentile *float64            `json:"percentile"`
	Findings   int                 `json:"findings" doc:"open, as the filter cve:key counts them"`
	Assets     int                 `json:"assets"`
	Overdue    int                 `json:"overdue"`
	FirstSeen  string              `json:"first_seen,omitempty" doc:"day of its first finding here, RFC 3339 date"`
	News       []AdvisoryNews      `json:"news,omitempty"`
}

// AdvisoryNews is something that happened to an advisory lately.
type AdvisoryNews struct {
	Kind    string  `json:"kind" enum:"exploited,epss,seen"`
	Day     string  `json:"day" doc:"RFC 3339 date"`
	Earlier float64 `json:"earlier,omitempty" doc:"EPSS score before"`
	Later   float64 `json:"later,omitempty" doc:"EPSS score after"`
}

// AdvisoryPage is one page of advisories, most expected loss first.
type AdvisoryPage struct {
	Rows  []AdvisoryRow `json:"rows"`
	Total int           `json:"total"`
	Next  string        `json:"next,omitempty"`
}

// AdvisoryDetail is everything about one advisory.
type AdvisoryDetail struct {
	AdvisoryRow
	Info  exposure.Advisory `json:"info"`
	On    []AssetRow        `json:"on" doc:"the 50 assets with the greatest expected loss by it"`
	Fixes []FixVersion      `json:"fixes" doc:"versions that fix it, as scanners state them for open findings"`
	EPSS  []PastEPSS        `json:"epss_history,omitempty" doc:"what EPSS said of its CVE, a week apart, oldest first; to within 3 %"`
}

// PastEPSS is what EPSS said of a CVE on a day.
type PastEPSS struct {
	Date       string  `json:"date"`
	EPSS       float64 `json:"epss"`
	Percentile float64 `json:"percentile"`
	Model      string  `json:"model"`
}

// FixVersion is what fixes a weakness of a component.
type FixVersion struct {
	Component string `json:"component"`
	Versions  string `json:"versions" doc:"comma-separated"`
	Findings  int    `json:"findings"`
}

// StaleFeed is a feed whose data is older than it should be.
type StaleFeed struct {
	Title string `json:"title"`
	Date  string `json:"date,omitempty" doc:"of its data, RFC 3339; empty: never fetched"`
}

// ComponentRow is a component of an asset that has open findings.
type ComponentRow struct {
	Name     string `json:"name"`
	Version  string `json:"version,omitempty"`
	Purl     string `json:"purl,omitempty"`
	Findings int    `json:"findings"`
	Risk     int    `json:"risk" doc:"worst, in points"`
}

// AlertQuery asks for a page of the alerts, newest first.
type AlertQuery struct {
	Kinds    []string            `query:"kind" maxItems:"20" doc:"only of these kinds"`
	Days     int                 `query:"days" minimum:"0" maximum:"800" doc:"only of the last days; 0: all"`
	Unseen   bool                `query:"unseen" doc:"only those that nobody took note of"`
	Advisory exposure.AdvisoryID `query:"advisory" doc:"only those of one advisory, by its number"`
	After    int64               `query:"after" minimum:"0" doc:"cursor of the page before"`
	Limit    int                 `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// AlertPage is one page of alerts. Those that came together stand by expected
// loss, the greatest first.
type AlertPage struct {
	Rows   []exposure.Alert `json:"rows"`
	Total  int              `json:"total"`
	Unseen int              `json:"unseen" doc:"of the total, those that nobody took note of"`
	Next   int64            `json:"next,omitempty" doc:"cursor of the next page"`
}

// AcknowledgeRequest says that somebody took note of an alert.
type AcknowledgeRequest struct {
	ID    int64  `json:"-"`
	UpTo  bool   `json:"up_to,omitempty" doc:"and of all older ones that nobody took note of"`
	Actor string `json:"-"`
}

// Acknowledged is what came of an [AcknowledgeRequest].
type Acknowledged struct {
	Acknowledged int `json:"acknowledged" doc:"alerts that nobody had taken note of"`
}
