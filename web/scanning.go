package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// The pages of what Leeward scans by itself.
const (
	PlansURL    = "/plans"
	NewPlanURL  = "/plans/new"
	ScanJobsURL = "/scan-jobs"
	AgentsURL   = "/agents"
)

// PlanURL is what is done to one plan: edit, run, pause, remove; without a word
// it is where its form is sent to.
func PlanURL(id int64, what string) string { return numberedURL(PlansURL, id, what) }

// ScanJobURL is the page of one job, or with a word what is done to it: stop.
func ScanJobURL(id int64, what string) string { return numberedURL(ScanJobsURL, id, what) }

// AgentURL is what is done to one agent: access.
func AgentURL(id int64, what string) string { return numberedURL(AgentsURL, id, what) }

func numberedURL(list string, id int64, what string) string {
	link := list + "/" + strconv.FormatInt(id, 10)
	if what != "" {
		link += "/" + what
	}
	return link
}

// PlansPage lists what is scanned, and when.
type PlansPage struct {
	Shell       Shell
	Rows        []exposure.ScanPlan
	Engagements []EngagementRow // those in force, and those that rows name
	CanEdit     bool
}

// PlanForm is the form for a plan, as it was typed.
type PlanForm struct {
	Shell       Shell
	ID          int64 // 0: a new one
	Error       string
	Engagements []EngagementRow // to choose from
	Vantages    []string        // to choose from

	Name, Targets  string
	Engagement     int64
	When           string // cron, adaptive; empty: only on changes
	Cron, Zone     string
	Assets, Deploy bool // run on such changes
	Level          exposure.Level
	Engines, Ports string
	Vantage        string
	Credentials    bool
}

// ScanJobsPage lists scans, those that run or wait first.
type ScanJobsPage struct {
	Shell Shell
	Open  []ScanJobView
	Ended []exposure.ScanJob
	Plans bool // there are plans
}

// ScanJobView is a job with its parts, or those of them that are worked on.
type ScanJobView struct {
	exposure.ScanJob
	Parts []exposure.Shard
}

// ScanJobPage is one scan.
type ScanJobPage struct {
	Shell Shell
	Job   ScanJobView
}

// AgentRow is one agent and how it stands.
type AgentRow struct {
	exposure.Agent
	State string // online, silent, shut out
}

// AgentsPage lists agents.
type AgentsPage struct {
	Shell     Shell
	Rows      []AgentRow
	CanInvite bool
	Error     string

	Name, Labels string // as they were typed
	Command      string // starts the agent that was invited, shown this once
	Expires      string // of that
}

// shownParts and workedOn bound the parts that a page and a row list.
const (
	shownParts = 500
	workedOn   = 5
)

// planWhen says when a plan runs.
func planWhen(p *exposure.ScanPlan) string {
	var when []string
	switch {
	case p.Adaptive:
		when = append(when, "as often as the tier of its assets asks for")
	case p.Cron != "":
		when = append(when, cronWords(p.Cron)+", "+zoneName(p.Zone))
	}
	for _, on := range p.On[:min(len(p.On), 4)] {
		switch on {
		case "asset":
			on = "on new assets"
		case "deploy":
			on = "after deployments"
		}
		when = append(when, cut(on, 40))
	}
	return words(orNone(strings.Join(when, "; "), "never by itself"))
}

// cronWords says the usual cron lines in words, and repeats the others.
func cronWords(line string) string {
	switch line {
	case "@hourly":
		return "every hour"
	case "@daily", "@midnight":
		return "every day at 00:00"
	case "@weekly":
		return "every Sun at 00:00"
	case "@monthly":
		return "on day 1 of each month at 00:00"
	}
	f := strings.Fields(line)
	raw := "by the cron line " + cut(line, 60)
	if len(f) != 5 || f[3] != "*" {
		return raw
	}
	minute, err := strconv.Atoi(f[0])
	if err != nil {
		return raw
	}
	if f[1] == "*" && f[2] == "*" && f[4] == "*" {
		return fmt.Sprintf("every hour at minute %d", minute)
	}
	hour, err := strconv.Atoi(f[1])
	if err != nil {
		return raw
	}
	at := fmt.Sprintf(" at %02d:%02d", hour, minute)
	days, known := weekdays(f[4])
	switch {
	case f[2] == "*" && f[4] == "*":
		return "every day" + at
	case f[2] == "*" && known:
		return "every " + days + at
	case f[4] == "*":
		if day, err := strconv.Atoi(f[2]); err == nil {
			return fmt.Sprintf("on day %d of each month", day) + at
		}
	}
	return raw
}

// weekdays names the days of a cron field; known is false when it is none of
// single days and one range.
func weekdays(field string) (text string, known bool) {
	names := []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	name := func(s string) (string, bool) {
		for i, n := range names {
			if strings.EqualFold(s, n) || s == strconv.Itoa(i) {
				return n, true
			}
		}
		return "", false
	}
	var all []string
	for part := range strings.SplitSeq(field, ",") {
		from, to, ranged := strings.Cut(part, "-")
		first, known := name(from)
		if !known {
			return "", false
		}
		if ranged {
			last, known := name(to)
			if !known {
				return "", false
			}
			first += " to " + last
		}
		all = append(all, first)
	}
	return strings.Join(all, ", "), true
}

// vantageWords names where one looks from.
func vantageWords(v string) string {
	if v == "here" || v == "" {
		return "This server"
	}
	return cut(v, 60)
}

func scanJobTone(s exposure.JobState) string {
	switch s {
	case exposure.JobDone:
		return "good"
	case exposure.JobFailed:
		return "bad"
	case exposure.JobRunning:
		return "st-triaged"
	}
	return ""
}

func scanJobWord(s exposure.JobState) string { return words(cut(string(s), 20)) }

// causeWords says why a scan began.
func causeWords(cause string) string {
	switch cause {
	case "schedule":
		return "Its schedule"
	case "asset":
		return "New assets"
	}
	if who, ok := strings.CutPrefix(cause, "deploy: "); ok {
		return "A deployment, told by " + cut(who, 60)
	}
	return "Asked for by " + cut(orNone(cause, "somebody"), 60)
}

func scanJobName(j *exposure.ScanJob) string {
	return cut(orNone(j.Plan.Name, fmt.Sprintf("Scan %d", j.ID)), 100)
}

// working are the parts that somebody works on.
func (v *ScanJobView) working() (all []exposure.Shard) {
	for i := range v.Parts {
		if v.Parts[i].State == exposure.JobRunning {
			all = append(all, v.Parts[i])
		}
	}
	return all
}

func partWho(s *exposure.Shard) string {
	if s.Worker == "" && s.Attempts == 0 {
		return "nobody yet"
	}
	return cut(orNone(s.Worker, "This server"), 60)
}

func partsEnded(j *exposure.ScanJob) string {
	return fmt.Sprintf("%s of %s", number(j.Ended), plural(j.Shards, "part", "parts"))
}

func agentTone(state string) string {
	switch state {
	case "online":
		return "good"
	case "shut out":
		return "bad"
	}
	return ""
}

// engagementTitle names an engagement by its number.
func engagementTitle(all []EngagementRow, id int64) string {
	for i := range all {
		if all[i].ID == id {
			return cut(orNone(all[i].Name, "Engagement"), 60)
		}
	}
	return "Engagement " + strconv.FormatInt(id, 10)
}

func planFormName(p PlanForm) string {
	if p.ID == 0 {
		return "New plan"
	}
	return fmt.Sprintf("Change plan %d", p.ID)
}

func planFormAction(p PlanForm) string {
	if p.ID == 0 {
		return PlansURL
	}
	return PlanURL(p.ID, "")
}

func took(now time.Time, started, finished int64) string {
	if started == 0 {
		return "–"
	}
	end := now
	if finished != 0 {
		end = millis(finished)
	}
	return span(max(0, end.Sub(millis(started))))
}
