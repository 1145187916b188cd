package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/web"
)

// What a page of scans lists: those that run or wait, of how many of them the
// parts too, and those that ended.
const (
	openJobs     = 100
	openJobParts = 20
	endedJobs    = 50
)

func (s *Server) scanJobsPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	p := web.ScanJobsPage{Shell: s.shell(ctx, "Running scans", web.StageDiscover)}
	open, err := s.Backend.ScanJobs(ctx, true, openJobs)
	if err != nil {
		return nil, err
	}
	for i := range open {
		v := web.ScanJobView{ScanJob: open[i]}
		if i < openJobParts {
			d, err := s.Backend.ScanJob(ctx, v.ID)
			if err != nil {
				return nil, err
			}
			v.ScanJob, v.Parts = d.ScanJob, d.Parts
		}
		p.Open = append(p.Open, v)
	}
	last, err := s.Backend.ScanJobs(ctx, false, endedJobs+len(open))
	if err != nil {
		return nil, err
	}
	for i := range last {
		if last[i].State.Ended() && len(p.Ended) < endedJobs && !slices.ContainsFunc(open, func(j exposure.ScanJob) bool { return j.ID == last[i].ID }) {
			p.Ended = append(p.Ended, last[i])
		}
	}
	if len(last) == 0 {
		plans, err := s.Backend.Plans(ctx)
		if err != nil {
			return nil, err
		}
		p.Plans = len(plans) > 0
	}
	return web.ScanJobs(p), nil
}

func (s *Server) scanJobPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	d, err := s.Backend.ScanJob(ctx, number(r, "id"))
	if err != nil {
		return nil, err
	}
	title := "Scan " + strconv.FormatInt(d.ID, 10)
	return web.ScanJob(web.ScanJobPage{Shell: s.shell(ctx, title, web.StageDiscover), Job: web.ScanJobView{ScanJob: d.ScanJob, Parts: d.Parts}}), nil
}

func (s *Server) stopScanJobForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	ctx, id, why := r.Context(), number(r, "id"), oneLine(f.Get("reason"))
	if why == "" || len(why) > 500 {
		return nil, exposure.Errorf(exposure.Invalid, "say why the scan is stopped, in at most 500 bytes")
	}
	if err := s.Backend.StopScanJob(ctx, id, ActorOf(ctx).Name, why); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.ScanJobURL(id, ""), "The scan is stopped.")
}

// agentsView is the page of agents.
func (s *Server) agentsView(ctx context.Context) (web.AgentsPage, error) {
	all, err := s.Backend.Agents(ctx)
	p := web.AgentsPage{Shell: s.shell(ctx, "Agents", web.StageDiscover), CanInvite: can(ctx, Admin)}
	for i := range all {
		p.Rows = append(p.Rows, web.AgentRow{Agent: all[i], State: AgentState(&all[i], s.Now())})
	}
	return p, err
}

func (s *Server) agentsPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	p, err := s.agentsView(r.Context())
	return web.Agents(p), err
}

// inviteAgentForm makes an invitation and shows its token this once.
func (s *Server) inviteAgentForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	name, labels := oneLine(f.Get("name")), typedWords(f.Get("labels"))
	var inv Invitation
	switch {
	case len(labels) == 0 || len(labels) > 16:
		err = exposure.Errorf(exposure.Invalid, "name between one and 16 vantages that the agent looks from, such as dmz")
	case len(name) > 100:
		err = exposure.Errorf(exposure.Invalid, "the name has at most 100 bytes")
	default:
		inv, err = s.Backend.InviteAgent(ctx, InviteAgent{Name: name, Labels: labels, Actor: ActorOf(ctx).Name})
	}
	if err != nil && exposure.KindOf(err) != exposure.Invalid {
		return nil, err
	}
	p, failed := s.agentsView(ctx)
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		p.Error, p.Name, p.Labels = public(err), f.Get("name"), f.Get("labels")
		s.draw(w, r, status(err), web.Agents(p))
		return nil, nil
	}
	p.Command, p.Expires = "leeward agent --server "+s.addressOf(r)+" --token "+inv.Token, inv.Expires
	w.Header().Set("Cache-Control", "no-store")
	return web.Agents(p), nil
}

// typedWords are the words of a line, set apart by blanks or commas.
func typedWords(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" ,;\t\r\n", c) })
}

func (s *Server) agentAccessForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	out := f.Get("disabled") == "true"
	if err := s.Backend.ShutOutAgent(r.Context(), number(r, "id"), out); err != nil {
		return nil, err
	}
	text := "The agent is let in again."
	if out {
		text = "The agent is shut out."
	}
	return s.redirect(w, r, web.AgentsURL, text)
}

func (s *Server) plansPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	rows, err := s.Backend.Plans(ctx)
	if err != nil {
		return nil, err
	}
	p := web.PlansPage{Shell: s.shell(ctx, "Schedules", web.StageDiscover), Rows: rows, CanEdit: can(ctx, Operator)}
	p.Engagements, err = s.engagementChoices(ctx, rows...)
	return web.Plans(p), err
}

// engagementChoices are the engagements that plans can stand on: those in force
// or in a pause between windows, and those that some plans stand on already.
func (s *Server) engagementChoices(ctx context.Context, plans ...exposure.ScanPlan) (some []web.EngagementRow, err error) {
	all, err := s.Backend.Engagements(ctx)
	for i := range all {
		st := guard.Standing(all[i].State)
		named := slices.ContainsFunc(plans, func(p exposure.ScanPlan) bool { return p.Engagement == all[i].ID })
		if st == guard.InForce || st == guard.Outside || named {
			some = append(some, engagementView(&all[i]))
		}
	}
	return some, err
}

// planEditor draws the form for a plan.
func (s *Server) planEditor(ctx context.Context, p web.PlanForm) (templ.Component, error) {
	p.Shell = s.shell(ctx, "Plan", web.StageDiscover)
	agents, err := s.Backend.Agents(ctx)
	if err != nil {
		return nil, err
	}
	p.Vantages = []string{p.Vantage}
	for i := range agents {
		if !agents[i].Disabled {
			p.Vantages = append(p.Vantages, agents[i].Labels...)
		}
	}
	slices.Sort(p.Vantages)
	p.Vantages = slices.DeleteFunc(slices.Compact(p.Vantages), func(v string) bool { return v == "" || v == "here" })
	p.Engagements, err = s.engagementChoices(ctx, exposure.ScanPlan{Engagement: p.Engagement})
	return web.PlanEditor(p), err
}

func (s *Server) newPlanPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	return s.planEditor(r.Context(), web.PlanForm{When: "cron", Cron: "@daily", Level: exposure.LevelObserve})
}

// plan finds one plan.
func (s *Server) plan(ctx context.Context, id int64) (exposure.ScanPlan, error) {
	all, err := s.Backend.Plans(ctx)
	if err != nil {
		return exposure.ScanPlan{}, err
	}
	n := slices.IndexFunc(all, func(p exposure.ScanPlan) bool { return p.ID == id })
	if n < 0 {
		return exposure.ScanPlan{}, exposure.Errorf(exposure.NotFound, "there is no plan %d", id)
	}
	return all[n], nil
}

func (s *Server) editPlanPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	p, err := s.plan(ctx, number(r, "id"))
	if err != nil {
		return nil, err
	}
	f := web.PlanForm{
		ID: p.ID, Name: p.Name, Targets: strings.Join(p.Targets, "\n"), Engagement: p.Engagement, Cron: p.Cron, Zone: p.Zone,
		Assets: slices.Contains(p.On, "asset"), Deploy: slices.Contains(p.On, "deploy"), Level: p.Level, Engines: strings.Join(p.Engines, " "),
		Ports: p.Ports, Vantage: p.Vantage, Credentials: p.Credentials,
	}
	switch {
	case p.Adaptive:
		f.When = "adaptive"
	case p.Cron != "":
		f.When = "cron"
	}
	return s.planEditor(ctx, f)
}

// planForm keeps a new plan, or a changed one. What is wrong with it is told
// beside what was typed.
func (s *Server) planForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	p, err := typedPlan(f)
	if p.ID = number(r, "id"); err == nil && p.ID != 0 {
		var old exposure.ScanPlan
		if old, err = s.plan(ctx, p.ID); err != nil {
			return nil, err
		}
		p.Paused = old.Paused
	}
	if err == nil {
		p, err = s.Backend.PutPlan(ctx, p, ActorOf(ctx).Name)
	}
	if kind := exposure.KindOf(err); err != nil && (kind == exposure.Invalid || kind == exposure.Conflict) {
		again, failed := s.planEditor(ctx, web.PlanForm{
			ID: p.ID, Error: public(err), Name: f.Get("name"), Targets: f.Get("targets"), Engagement: p.Engagement, When: f.Get("when"), Cron: f.Get("cron"), Zone: f.Get("zone"),
			Assets: f.Get("asset") == "true", Deploy: f.Get("deploy") == "true", Level: p.Level, Engines: f.Get("engines"), Ports: f.Get("ports"), Vantage: f.Get("vantage"),
			Credentials: f.Get("credentials") == "true",
		})
		if failed != nil {
			return nil, failed
		}
		s.draw(w, r, status(err), again)
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.PlansURL, "The plan is kept.")
}

// typedPlan reads the form of a plan. Whether it makes sense is for the backend
// to say.
func typedPlan(f url.Values) (exposure.ScanPlan, error) {
	p := exposure.ScanPlan{
		Name: oneLine(f.Get("name")), Targets: typedLines(f.Get("targets")), Engines: typedWords(f.Get("engines")), Ports: strings.TrimSpace(f.Get("ports")),
		Vantage: strings.TrimSpace(f.Get("vantage")), Credentials: f.Get("credentials") == "true",
	}
	switch f.Get("when") {
	case "cron":
		p.Cron, p.Zone = oneLine(f.Get("cron")), strings.TrimSpace(f.Get("zone"))
		if p.Cron == "" {
			return p, exposure.Errorf(exposure.Invalid, "write when the plan runs, as in 0 3 * * * or @daily")
		}
	case "adaptive":
		p.Adaptive = true
	}
	for _, on := range []string{"asset", "deploy"} {
		if f.Get(on) == "true" {
			p.On = append(p.On, on)
		}
	}
	levelErr := p.Level.UnmarshalText([]byte(f.Get("level")))
	var err error
	if p.Engagement, err = strconv.ParseInt(f.Get("engagement"), 10, 64); err != nil || p.Engagement < 1 {
		return p, exposure.Errorf(exposure.Invalid, "choose the engagement that the plan stands on")
	}
	return p, levelErr
}

func (s *Server) runPlanForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	j, err := s.Backend.StartScan(ctx, StartScan{Plan: number(r, "id"), Actor: ActorOf(ctx).Name})
	if err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.ScanJobURL(j.ID, ""), "The scan waits for a worker.")
}

// pausePlanForm pauses a plan, or lets it run by itself again.
func (s *Server) pausePlanForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	p, err := s.plan(ctx, number(r, "id"))
	if err != nil {
		return nil, err
	}
	p.Paused = f.Get("paused") == "true"
	if p, err = s.Backend.PutPlan(ctx, p, ActorOf(ctx).Name); err != nil {
		return nil, err
	}
	text := "The plan runs by itself again."
	if p.Paused {
		text = "The plan is paused."
	}
	return s.redirect(w, r, web.PlansURL, text)
}

func (s *Server) removePlanForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	if err := s.Backend.RemovePlan(r.Context(), number(r, "id")); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.PlansURL, "The plan is removed; its scans stay.")
}
