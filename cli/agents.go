package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

type agentsCmd struct {
	List    agentsListCmd   `cmd:"" default:"1" help:"List the agents."`
	Invite  agentsInviteCmd `cmd:"" help:"Print a token with which one agent may enrol, once and within a day."`
	ShutOut agentsAccessCmd `cmd:"" help:"Lock an agent out: what it works on is given to another."`
	LetIn   letInCmd        `cmd:"" help:"Let an agent in again."`
}

type agentsListCmd struct{}

// Run lists the agents.
func (c *agentsListCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := h.Agents(ctx)
	if err != nil {
		return err
	}
	t := r.table("ID\tNAME\tSTATE\tVANTAGES\tLAST HEARD\tVERSION\tHOST")
	for _, a := range all {
		if err := t.row(a, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, clip(printable(a.Name), 30), server.AgentState(&a, r.Now()), strings.Join(a.Labels, ", "), time.UnixMilli(a.Seen).UTC().Format(time.DateTime), printable(a.Facts["version"]), clip(printable(a.Facts["host"]), 30)); err != nil {
			return err
		}
	}
	return t.end("There is no agent. One scans from another network: `leeward agents invite --from dmz` prints how to start it.", "")
}

type agentsInviteCmd struct {
	From []string `help:"Vantages that it looks from: lower case letters and digits, such as dmz." required:"" placeholder:"NAME,…"`
	Name string   `help:"Name of the agent; the host's when not given."`
}

// Run prints a token.
func (c *agentsInviteCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	inv, err := h.InviteAgent(ctx, server.InviteAgent{Name: c.Name, Labels: c.From, Actor: exposure.CommandLine})
	if err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(inv)
	}
	fmt.Fprintf(r.Out, "On the machine that is to look from there, until %s:\n\n  leeward agent --server https://YOUR-SERVER --token %s\n", inv.Expires, inv.Token)
	return nil
}

type agentsAccessCmd struct {
	ID int64 `arg:"" help:"Number of the agent."`
}

// Run locks an agent out.
func (c *agentsAccessCmd) Run(ctx context.Context, r *run) error { return r.access(ctx, c.ID, true) }

type letInCmd agentsAccessCmd

// Run lets an agent in.
func (c *letInCmd) Run(ctx context.Context, r *run) error { return r.access(ctx, c.ID, false) }

func (r *run) access(ctx context.Context, id int64, out bool) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	return h.ShutOutAgent(ctx, id, out)
}

type plansCmd struct {
	List   plansListCmd   `cmd:"" default:"1" help:"List what is scanned, and when."`
	Add    plansAddCmd    `cmd:"" help:"Scan something again and again: by the clock, by the tiers, or on changes."`
	Run    plansRunCmd    `cmd:"" help:"Scan what a plan says now."`
	Remove plansRemoveCmd `cmd:"" help:"Forget a plan; its scans stay."`
}

type plansListCmd struct{}

func planTime(p *exposure.ScanPlan) string {
	var when []string
	switch {
	case p.Paused:
		return "paused"
	case p.Adaptive:
		when = append(when, "by tier")
	case p.Cron != "":
		when = append(when, p.Cron+" "+orElse(p.Zone, "UTC"))
	}
	for _, on := range p.On {
		when = append(when, "on "+on)
	}
	return strings.Join(when, ", ")
}

func timeText(ms int64) string {
	if ms == 0 {
		return "–"
	}
	return time.UnixMilli(ms).UTC().Format(time.DateTime)
}

// Run lists plans.
func (c *plansListCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := h.Plans(ctx)
	if err != nil {
		return err
	}
	t := r.table("ID\tNAME\tWHEN\tNEXT (UTC)\tFROM\tLEVEL\tENGAGEMENT\tTARGETS")
	for _, p := range all {
		if err := t.row(p, "%d\t%s\t%s\t%s\t%s\t%v\t%d\t%s\n", p.ID, clip(printable(p.Name), 30), planTime(&p), timeText(p.Next), p.Vantage, p.Level, p.Engagement, clip(printable(strings.Join(p.Targets, ", ")), 60)); err != nil {
			return err
		}
	}
	return t.end("Nothing is scanned by itself yet: `leeward plans add --help`.", "")
}

type plansAddCmd struct {
	Name        string   `help:"Name of the plan." required:""`
	Engagement  int64    `help:"Number of the engagement that allows it." required:""`
	Target      []string `help:"What to look at: addresses, networks, hosts, URLs." required:""`
	Cron        string   `help:"When: minute hour day month weekday, or @daily, @weekly." placeholder:"LINE"`
	Zone        string   `help:"Zone of the cron line, such as Europe/Berlin." placeholder:"ZONE"`
	Adaptive    bool     `help:"As often as the tier of the assets asks for: crown jewels each day."`
	On          []string `help:"Changes that cause a scan: asset (a new one that the targets hold), deploy." placeholder:"CHANGE"`
	Level       string   `help:"How far to go." default:"observe" enum:"observe,probe,authenticated"`
	Engines     []string `help:"Engines to use; all that suit the targets when not given." placeholder:"NAME,…"`
	Ports       string   `help:"Ports to look at, as in 22,80,8000-8100." placeholder:"LIST"`
	From        string   `help:"Vantage: a label of agents, or here for the server." default:"here"`
	Credentials bool     `help:"Try a handful of default credentials (level authenticated)."`
}

// Run keeps a plan.
func (c *plansAddCmd) Run(ctx context.Context, r *run) error {
	p := exposure.ScanPlan{
		Name: c.Name, Engagement: c.Engagement, Targets: c.Target, Cron: c.Cron, Zone: c.Zone, Adaptive: c.Adaptive, On: c.On,
		Engines: c.Engines, Ports: c.Ports, Vantage: c.From, Credentials: c.Credentials,
	}
	if err := p.Level.UnmarshalText([]byte(c.Level)); err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	if p, err = h.PutPlan(ctx, p, exposure.CommandLine); err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(p)
	}
	fmt.Fprintf(r.Out, "Plan %d: %s, next at %s UTC.\n", p.ID, planTime(&p), timeText(p.Next))
	return nil
}

type plansRunCmd struct {
	ID int64 `arg:"" help:"Number of the plan."`
}

// Run starts a scan.
func (c *plansRunCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	j, err := h.StartScan(ctx, server.StartScan{Plan: c.ID, Actor: exposure.CommandLine})
	if err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(j)
	}
	fmt.Fprintf(r.Out, "Scan %d waits, in %d parts: leeward scans show %d\n", j.ID, j.Shards, j.ID)
	return nil
}

type plansRemoveCmd struct {
	ID int64 `arg:"" help:"Number of the plan."`
}

// Run forgets a plan.
func (c *plansRemoveCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	return h.RemovePlan(ctx, c.ID)
}

type scansCmd struct {
	List scansListCmd `cmd:"" default:"withargs" help:"List scans of plans, newest first."`
	Show scansShowCmd `cmd:"" help:"Show a scan and its parts."`
	Stop scansStopCmd `cmd:"" help:"End a scan; what it found stays."`
}

type scansListCmd struct {
	Open  bool `help:"Only those that run or wait."`
	Limit int  `help:"How many." default:"20"`
}

// Run lists scans.
func (c *scansListCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := h.ScanJobs(ctx, c.Open, min(max(c.Limit, 1), 1000))
	if err != nil {
		return err
	}
	t := r.table("ID\tPLAN\tSTATE\tPARTS\tFROM\tCAUSE\tSTARTED (UTC)\tENDED (UTC)\tFAILURE")
	for _, j := range all {
		if err := t.row(j, "%d\t%s\t%s\t%d/%d\t%s\t%s\t%s\t%s\t%s\n", j.ID, clip(printable(j.Plan.Name), 30), j.State, j.Ended, j.Shards, j.Plan.Vantage, printable(j.Cause), timeText(j.Started), timeText(j.Finished), clip(printable(oneLine(j.Failure)), 60)); err != nil {
			return err
		}
	}
	return t.end("No plan was scanned yet: `leeward plans add --help`. Reports that were imported are listed by the server's page of scans.", "")
}

type scansShowCmd struct {
	ID int64 `arg:"" help:"Number of the scan."`
}

// Run shows a scan.
func (c *scansShowCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	d, err := h.ScanJob(ctx, c.ID)
	if err != nil {
		return err
	}
	t := r.table("PART\tSTATE\tBY\tATTEMPTS\tFOUND\tNEW\tPROGRESS\tTARGETS")
	for _, s := range d.Parts {
		said := s.Progress
		if s.Failure != "" {
			said = s.Failure
		}
		if err := t.row(s, "%d\t%s\t%s\t%d\t%d\t%d\t%s\t%s\n", s.Number, s.State, clip(printable(orElse(s.Worker, "–")), 20), s.Attempts, s.Found, s.New, clip(printable(oneLine(said)), 80), clip(printable(strings.Join(s.Targets, ", ")), 60)); err != nil {
			return err
		}
	}
	return t.end("The scan has no parts.", "Scan %d (%s): %s, %d of %d parts ended. %s\n", d.ID, printable(d.Plan.Name), d.State, d.Ended, d.Shards, printable(oneLine(d.Failure)))
}

type scansStopCmd struct {
	ID     int64  `arg:"" help:"Number of the scan."`
	Reason string `help:"Why." required:""`
}

// Run ends a scan.
func (c *scansStopCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	return h.StopScanJob(ctx, c.ID, exposure.CommandLine, c.Reason)
}

func (c *client) Plans(ctx context.Context) ([]exposure.ScanPlan, error) {
	var l listed[exposure.ScanPlan]
	return l.Rows, c.get(ctx, "/api/v1/scan-plans", &l)
}

func (c *client) PutPlan(ctx context.Context, p exposure.ScanPlan, _ string) (exposure.ScanPlan, error) {
	return p, c.call(ctx, "POST", "/api/v1/scan-plans", p, &p)
}

func (c *client) RemovePlan(ctx context.Context, id int64) error {
	return c.call(ctx, "DELETE", fmt.Sprintf("/api/v1/scan-plans/%d", id), nil, &struct{}{})
}

func (c *client) StartScan(ctx context.Context, r server.StartScan) (j exposure.ScanJob, err error) {
	return j, c.call(ctx, "POST", "/api/v1/scan-jobs", r, &j)
}

func (c *client) ScanJobs(ctx context.Context, open bool, limit int) ([]exposure.ScanJob, error) {
	var l listed[exposure.ScanJob]
	err := c.get(ctx, fmt.Sprintf("/api/v1/scan-jobs?open=%t&limit=%d", open, limit), &l)
	return slices.Clip(l.Rows), err
}

func (c *client) ScanJob(ctx context.Context, id int64) (d server.ScanJobDetail, err error) {
	return d, c.get(ctx, fmt.Sprintf("/api/v1/scan-jobs/%d", id), &d)
}

func (c *client) StopScanJob(ctx context.Context, id int64, _, why string) error {
	return c.call(ctx, "POST", fmt.Sprintf("/api/v1/scan-jobs/%d/stop", id), server.StopScan{Reason: why}, &struct{}{})
}

func (c *client) Agents(ctx context.Context) ([]exposure.Agent, error) {
	var l listed[exposure.Agent]
	return l.Rows, c.get(ctx, "/api/v1/agents", &l)
}

func (c *client) InviteAgent(ctx context.Context, r server.InviteAgent) (inv server.Invitation, err error) {
	return inv, c.call(ctx, "POST", "/api/v1/agents", r, &inv)
}

func (c *client) ShutOutAgent(ctx context.Context, id int64, out bool) error {
	return c.call(ctx, "POST", fmt.Sprintf("/api/v1/agents/%d/access", id), map[string]bool{"disabled": out}, &struct{}{})
}
