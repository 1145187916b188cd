package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// The pages of what scans and checks may send, and did.
const (
	EngagementsURL   = "/engagements"
	NewEngagementURL = "/engagements/new"
	AuditURL         = "/audit"
	HaltURL          = "/halt"
	ResumeURL        = "/resume"
)

// EngagementURL is the page of one engagement, or with a word what is done to
// it: edit, approve, withdraw, prove.
func EngagementURL(id int64, what string) string {
	link := EngagementsURL + "/" + strconv.FormatInt(id, 10)
	if what != "" {
		link += "/" + what
	}
	return link
}

// AuditOf is the audit log of an engagement, or with 0 of all.
func AuditOf(engagement int64, refused bool) string { return auditLink(engagement, refused, 0) }

func auditLink(engagement int64, refused bool, after int64) string {
	var of, only, from string
	if engagement != 0 {
		of = strconv.FormatInt(engagement, 10)
	}
	if refused {
		only = "true"
	}
	if after != 0 {
		from = strconv.FormatInt(after, 10)
	}
	return withQuery(AuditURL, "engagement", of, "refused", only, "after", from)
}

// Halted is a stop that holds.
type Halted struct {
	Engagement int64 // 0: all
	At         time.Time
	Actor      string
	Reason     string
}

// stops reports whether somebody may stop what is sent: whoever may act.
func (u User) stops() bool { return u.Role != "" && u.Role != "viewer" }

// resumes reports whether somebody may lift a stop.
func (u User) resumes() bool { return u.Role == "operator" || u.Role == "admin" }

// haltedAll is the stop of everything, nil when there is none.
func (s *Shell) haltedAll() *Halted {
	for i := range s.Halts {
		if s.Halts[i].Engagement == 0 {
			return &s.Halts[i]
		}
	}
	return nil
}

// EngagementRow is rules of engagement and how they stand.
type EngagementRow struct {
	exposure.Engagement
	Version int64
	Author  string
	Digest  string
	State   string   // waiting, upcoming, in_force, outside, expired, withdrawn, broken
	Against []string // why nothing is sent now
	Halted  string   // why it is stopped; empty: it is not
}

// EngagementsPage lists rules of engagement, newest first.
type EngagementsPage struct {
	Shell   Shell
	Rows    []EngagementRow
	Ended   int  // expired or withdrawn, of all
	All     bool // with those
	CanEdit bool
}

// EngagementPage is one engagement.
type EngagementPage struct {
	Shell      Shell
	Row        EngagementRow
	Approvals  []exposure.Approval // of the rules as they stand
	Challenges []Challenge
	Changes    []EngagementChange
	Audit      []AuditRow
	Ask        ActionAsk
	CanEdit    bool
	Approve    bool   // who looks at it may approve it
	WhyNot     string // why not, when only that stands against it
}

// Challenge is what shows who owns a target when it is published there.
type Challenge struct {
	Target, Token, Record, Path string
}

// EngagementChange is one change of an engagement.
type EngagementChange struct {
	Version int64
	At      time.Time
	Actor   string
	What    string
}

// ActionAsk is a question to the rules, with its answer.
type ActionAsk struct {
	Host    string // as it was typed; empty: nothing was asked
	Level   exposure.Level
	Error   string
	Where   string // the host and port that were understood
	Allowed bool
	Reasons []string
	Note    string
}

// EngagementForm is the form for rules of engagement, as it was typed.
type EngagementForm struct {
	Shell   Shell
	ID      int64 // 0: new ones
	Version int64
	Error   string

	Name, Owner, Contact, Authorisation string
	Targets, Exclusions                 string // one a line
	Level                               exposure.Level
	Credentials, Test                   bool
	Windows, Blackouts                  string // one a line
	Zone, Starts, Expires               string
	Rate, Concurrency, Total            string
}

// AuditRow is one entry of the audit log.
type AuditRow struct {
	Chain      string
	Seq        int64
	At         time.Time
	Kind       string // decision, request, end, stop, rules
	Engagement int64
	Scan       string
	Action     string
	Host, Addr string
	Level      string
	Allowed    bool
	Reasons    []string
	Count      int64
}

// AuditPage is the audit log, newest first.
type AuditPage struct {
	Shell      Shell
	Engagement int64 // only of this one; 0: of all
	Refused    bool  // only what was refused
	Names      []EngagementRow
	Rows       []AuditRow
	Next       int64
}

func (e *EngagementRow) word() string {
	if e.Halted != "" {
		return "Stopped"
	}
	switch e.State {
	case "waiting":
		return "Waits for approval"
	case "upcoming":
		return "Not begun"
	case "in_force":
		return "In force"
	case "outside":
		return "Outside its window"
	case "broken":
		return "Cannot be read"
	}
	return words(e.State)
}

func (e *EngagementRow) tone() string {
	switch {
	case e.Halted != "" || e.State == "broken":
		return "bad"
	case e.State == "in_force":
		return "good"
	case e.State == "waiting":
		return "st-triaged"
	}
	return ""
}

func (e *EngagementRow) ended() bool { return e.State == "expired" || e.State == "withdrawn" }

// shownTargets bounds the targets and exclusions that a page lists.
const shownTargets = 200

// someTargets names the first few.
func someTargets(all []string) string {
	var some []string
	for _, t := range all[:min(len(all), 3)] {
		some = append(some, cut(t, 40))
	}
	text := strings.Join(some, ", ")
	if more := len(all) - len(some); more > 0 {
		text += " and " + number(more) + " more"
	}
	return text
}

// levelWords says what a level sends.
func levelWords(l exposure.Level) string {
	switch l {
	case exposure.LevelMatch:
		return "Match: looks only at what is known already and sends nothing."
	case exposure.LevelObserve:
		return "Observe: looks up names, connects, reads banners and certificates, and sends GET and HEAD."
	case exposure.LevelProbe:
		return "Probe: beside that, a harmless marker that proves a condition and changes nothing."
	case exposure.LevelAuthenticated:
		return "Authenticated: beside that, reads with a login."
	}
	return "Emulation: is planned and its results imported, never run from here."
}

// engagementLevels are those that rules can be made of.
func engagementLevels() []exposure.Level {
	return []exposure.Level{exposure.LevelMatch, exposure.LevelObserve, exposure.LevelProbe, exposure.LevelAuthenticated}
}

// windowWords says when something may be sent.
func windowWords(w exposure.Window) string {
	days := "Every day"
	if len(w.Days) > 0 {
		days = words(cut(strings.Join(w.Days, ", "), 60))
	}
	text := fmt.Sprintf("%s from %s to %s", days, cut(w.From, 8), cut(w.Until, 8))
	if w.Until <= w.From {
		text += " of the next day"
	}
	return text
}

// limitWords says what each target gets, with the default where none is stated.
func limitWords(l exposure.Limits) string {
	rate, concurrency, total := "100", "32", "1,000,000"
	if l.Rate > 0 {
		rate = strconv.FormatFloat(l.Rate, 'g', 6, 64)
	}
	if l.Concurrency > 0 {
		concurrency = number(l.Concurrency)
	}
	if l.Total > 0 {
		total = number(int(l.Total))
	}
	return fmt.Sprintf("%s a second, %s at once, %s in one scan", rate, concurrency, total)
}

func zoneName(zone string) string { return cut(orNone(zone, "UTC"), 60) }

// auditWord is what an entry tells, in a word.
func auditWord(r *AuditRow) string {
	switch {
	case r.Kind == "decision" && !r.Allowed:
		return "Refused"
	case r.Kind == "decision":
		return "Allowed"
	case r.Kind == "request":
		return "Sent"
	case r.Kind == "end":
		return "Ended"
	case r.Kind == "stop":
		return "Stopped"
	case r.Kind == "rules":
		return "Rules"
	}
	return words(cut(r.Kind, 20))
}

func auditTone(r *AuditRow) string {
	switch {
	case r.Kind == "decision" && !r.Allowed, r.Kind == "stop":
		return "bad"
	case r.Kind == "decision":
		return "good"
	}
	return ""
}

// haltText says that something is stopped.
func haltText(h *Halted) string {
	text := "by " + cut(orNone(h.Actor, "somebody"), 40)
	if h.Reason != "" {
		text += ": " + cut(h.Reason, 300)
	}
	return text
}

func engagementsLink(all bool) string {
	if all {
		return withQuery(EngagementsURL, "all", "true")
	}
	return EngagementsURL
}

func formName(p EngagementForm) string {
	if p.ID == 0 {
		return "New engagement"
	}
	return fmt.Sprintf("Change engagement %d", p.ID)
}

func formAction(p EngagementForm) string {
	if p.ID == 0 {
		return EngagementsURL
	}
	return EngagementURL(p.ID, "")
}
