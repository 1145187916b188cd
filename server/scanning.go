package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/agent"
	"github.com/leeward-ctem/leeward/exposure"
)

// Scanning is what the server asks of the house about its own scans.
type Scanning interface {
	Plans(ctx context.Context) ([]exposure.ScanPlan, error)
	// PutPlan makes a plan, or changes the one with its number.
	PutPlan(ctx context.Context, p exposure.ScanPlan, actor string) (exposure.ScanPlan, error)
	RemovePlan(ctx context.Context, id int64) error
	// StartScan scans once: what a plan says, or what the request says itself.
	StartScan(ctx context.Context, r StartScan) (exposure.ScanJob, error)
	ScanJobs(ctx context.Context, open bool, limit int) ([]exposure.ScanJob, error)
	ScanJob(ctx context.Context, id int64) (ScanJobDetail, error)
	StopScanJob(ctx context.Context, id int64, actor, why string) error
	// Deployed tells that something was deployed, and starts the plans that wait
	// for that and hold it.
	Deployed(ctx context.Context, target, actor string) ([]exposure.ScanJob, error)

	Agents(ctx context.Context) ([]exposure.Agent, error)
	InviteAgent(ctx context.Context, r InviteAgent) (Invitation, error)
	ShutOutAgent(ctx context.Context, id int64, out bool) error
	// EnrolAgent uses an invitation up; digest is that of the agent's new secret.
	EnrolAgent(ctx context.Context, e agent.Enrolment, digest string) (exposure.Agent, error)
	AgentByDigest(ctx context.Context, digest string) (exposure.Agent, error)
	// WorkFor is what an agent works for.
	WorkFor(a exposure.Agent) agent.Server
}

// StartScan asks for one scan.
type StartScan struct {
	Plan  int64             `json:"plan,omitempty" doc:"the plan to run; or what follows"`
	Once  exposure.ScanPlan `json:"once,omitzero" doc:"what to scan once"`
	Actor string            `json:"-"`
}

// ScanJobDetail is one job with its parts.
type ScanJobDetail struct {
	exposure.ScanJob
	Parts []exposure.Shard `json:"parts"`
}

// StopScan ends a job.
type StopScan struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}

// Deployment tells that something was deployed.
type Deployment struct {
	Target string `json:"target" minLength:"1" maxLength:"2000" doc:"host, address or URL that changed"`
}

// InviteAgent asks for a token with which one agent may enrol.
type InviteAgent struct {
	Name   string   `json:"name,omitempty" maxLength:"100" doc:"of the agent; empty: as it calls itself"`
	Labels []string `json:"labels" minItems:"1" maxItems:"16" doc:"vantages that it looks from: lower case letters and digits"`
	Actor  string   `json:"-"`
}

// Invitation is a token that is good once.
type Invitation struct {
	Token   string `json:"token"`
	Expires string `json:"expires"`
}

// agentPrefix begins the secrets of agents, which open the agents' door and no
// other.
const (
	agentPrefix      = "lwa_"
	invitationPrefix = "lwi_"
)

// agentQuiet is after how long an agent that says nothing is called silent: its
// polls come more often.
const agentQuiet = 3 * time.Minute

// AgentState says how an agent stands: online, silent or shut out.
func AgentState(a *exposure.Agent, now time.Time) string {
	switch {
	case a.Disabled:
		return "shut out"
	case now.Sub(time.UnixMilli(a.Seen)) > agentQuiet:
		return "silent"
	}
	return "online"
}

func (s *Server) registerScanning(a operations, mux *routes) {
	register(a, Viewer, "list-scan-plans", http.MethodGet, "/scan-plans", "What is scanned, and when", func(ctx context.Context, _ *struct{}) (*list[exposure.ScanPlan], error) {
		rows, err := s.Backend.Plans(ctx)
		return &list[exposure.ScanPlan]{rows}, err
	})
	register(a, Operator, "put-scan-plan", http.MethodPost, "/scan-plans", "Make a plan of scans, or change the one with its number", func(ctx context.Context, in *struct{ Body exposure.ScanPlan }) (*exposure.ScanPlan, error) {
		p, err := s.Backend.PutPlan(ctx, in.Body, ActorOf(ctx).Name)
		return &p, err
	})
	register(a, Operator, "remove-scan-plan", http.MethodDelete, "/scan-plans/{id}", "Forget a plan; its scans stay", func(ctx context.Context, in *struct {
		ID int64 `path:"id" minimum:"1"`
	}) (*struct{}, error) {
		return &struct{}{}, s.Backend.RemovePlan(ctx, in.ID)
	})
	register(a, Viewer, "list-scan-jobs", http.MethodGet, "/scan-jobs", "Scans that run, wait or ended, newest first", func(ctx context.Context, in *struct {
		Open  bool `query:"open" doc:"only those that run or wait"`
		Limit int  `query:"limit" default:"50" minimum:"1" maximum:"1000"`
	}) (*list[exposure.ScanJob], error) {
		rows, err := s.Backend.ScanJobs(ctx, in.Open, in.Limit)
		return &list[exposure.ScanJob]{rows}, err
	})
	register(a, Viewer, "get-scan-job", http.MethodGet, "/scan-jobs/{id}", "One scan with its parts", func(ctx context.Context, in *struct {
		ID int64 `path:"id" minimum:"1"`
	}) (*ScanJobDetail, error) {
		d, err := s.Backend.ScanJob(ctx, in.ID)
		return &d, err
	})
	register(a, Operator, "start-scan", http.MethodPost, "/scan-jobs", "Scan now: what a plan says, or once", func(ctx context.Context, in *struct{ Body StartScan }) (*exposure.ScanJob, error) {
		in.Body.Actor = ActorOf(ctx).Name
		j, err := s.Backend.StartScan(ctx, in.Body)
		return &j, err
	})
	register(a, Analyst, "stop-scan-job", http.MethodPost, "/scan-jobs/{id}/stop", "End a scan; what it found stays", func(ctx context.Context, in *struct {
		ID   int64 `path:"id" minimum:"1"`
		Body StopScan
	}) (*struct{}, error) {
		return &struct{}{}, s.Backend.StopScanJob(ctx, in.ID, ActorOf(ctx).Name, in.Body.Reason)
	})
	register(a, Analyst, "deployed", http.MethodPost, "/deployments", "Tell that something was deployed: plans that wait for that scan it", func(ctx context.Context, in *struct{ Body Deployment }) (*list[exposure.ScanJob], error) {
		rows, err := s.Backend.Deployed(ctx, in.Body.Target, ActorOf(ctx).Name)
		return &list[exposure.ScanJob]{rows}, err
	})
	register(a, Viewer, "list-agents", http.MethodGet, "/agents", "Scanners in other networks", func(ctx context.Context, _ *struct{}) (*list[exposure.Agent], error) {
		rows, err := s.Backend.Agents(ctx)
		return &list[exposure.Agent]{rows}, err
	})
	register(a, Admin, "invite-agent", http.MethodPost, "/agents", "Make a token with which one agent may enrol", func(ctx context.Context, in *struct{ Body InviteAgent }) (*Invitation, error) {
		in.Body.Actor = ActorOf(ctx).Name
		inv, err := s.Backend.InviteAgent(ctx, in.Body)
		return &inv, err
	})
	register(a, Admin, "shut-out-agent", http.MethodPost, "/agents/{id}/access", "Lock an agent out, or let it in again", func(ctx context.Context, in *struct {
		ID   int64 `path:"id" minimum:"1"`
		Body struct {
			Disabled bool `json:"disabled"`
		}
	}) (*struct{}, error) {
		return &struct{}{}, s.Backend.ShutOutAgent(ctx, in.ID, in.Body.Disabled)
	})
	for path, f := range map[string]func(http.ResponseWriter, *http.Request) error{
		agent.PathEnrol: s.enrolAgent, agent.PathPoll: s.asAgent(agentPoll), agent.PathRenew: s.asAgent(agentRenew),
		agent.PathUpload: s.asAgent(agentUpload), agent.PathFinish: s.asAgent(agentFinish), agent.PathAudit: s.asAgent(agentAudit),
	} {
		mux.Handle("POST "+path, s.page(f))
	}
}

// NewInvitation returns a fresh token for one agent, and the digest to keep.
func NewInvitation() (token, digest string) { return newSecret(invitationPrefix) }

// enrolAgent lets an agent in that brings an invitation.
func (s *Server) enrolAgent(w http.ResponseWriter, r *http.Request) error {
	var e agent.Enrolment
	if err := readJSON(r, &e); err != nil {
		return err
	}
	if !strings.HasPrefix(e.Token, invitationPrefix) {
		return exposure.Errorf(exposure.Forbidden, "this is no token of an invitation: make one with `leeward agents invite`")
	}
	secret, digest := newSecret(agentPrefix)
	e.Token = digestOf(e.Token)
	a, err := s.Backend.EnrolAgent(r.Context(), e, digest)
	if err != nil {
		return err
	}
	return writeJSON(w, agent.Enrolled{ID: a.ID, Name: a.Name, Labels: a.Labels, Secret: secret})
}

// asAgent lets agents through, by their secret.
func (s *Server) asAgent(f func(http.ResponseWriter, *http.Request, agent.Server) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !strings.HasPrefix(secret, agentPrefix) {
			return exposure.Errorf(exposure.Forbidden, "this door is for agents")
		}
		a, err := s.Backend.AgentByDigest(r.Context(), digestOf(secret))
		if err != nil {
			return err
		}
		return f(w, r, s.Backend.WorkFor(a))
	}
}

const (
	maxAgentBody   = 4 << 20
	maxAgentUpload = 2 << 20
	maxAgentHeld   = 100
	maxAgentFacts  = 64
	maxAgentAudit  = 1000
)

func readJSON(r *http.Request, v any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAgentBody+1))
	switch {
	case err != nil:
		return exposure.Errorf(exposure.Unavailable, "the request broke off: %w", err)
	case len(body) > maxAgentBody:
		return exposure.Errorf(exposure.Invalid, "the request has more than %d bytes", maxAgentBody)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return exposure.Errorf(exposure.Invalid, "the request cannot be read: %w", err)
	}
	return nil
}

func agentPoll(w http.ResponseWriter, r *http.Request, boss agent.Server) error {
	var in agent.Polling
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if len(in.Facts) > maxAgentFacts {
		return exposure.Errorf(exposure.Invalid, "an agent says at most %d things of itself", maxAgentFacts)
	}
	a, err := boss.Poll(r.Context(), in.Facts)
	if err != nil {
		return err
	}
	return writeJSON(w, agent.Polled{Assignment: a})
}

func agentRenew(w http.ResponseWriter, r *http.Request, boss agent.Server) error {
	var in agent.Renewal
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if len(in.Held) > maxAgentHeld {
		return exposure.Errorf(exposure.Invalid, "an agent holds at most %d shards", maxAgentHeld)
	}
	for i := range in.Held {
		if p := &in.Held[i].Progress; len(*p) > 500 {
			*p = strings.ToValidUTF8((*p)[:500], "")
		}
	}
	out, err := boss.Renew(r.Context(), in.Held)
	if err != nil {
		return err
	}
	return writeJSON(w, out)
}

func agentUpload(w http.ResponseWriter, r *http.Request, boss agent.Server) error {
	q := r.URL.Query()
	var numbers [4]int64
	for i, name := range []string{"job", "number", "fence", "place"} {
		n, err := strconv.ParseInt(q.Get(name), 10, 62)
		if err != nil || n < 0 {
			return exposure.Errorf(exposure.Invalid, "%s %q is no number", name, q.Get(name))
		}
		numbers[i] = n
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAgentUpload+1))
	switch {
	case err != nil:
		return exposure.Errorf(exposure.Unavailable, "the upload broke off: %w", err)
	case len(body) > maxAgentUpload:
		return exposure.Errorf(exposure.Invalid, "a part of results has more than %d bytes", maxAgentUpload)
	}
	size, err := boss.Upload(r.Context(), exposure.ShardLease{Job: numbers[0], Number: int(numbers[1]), Fence: numbers[2]}, numbers[3], body)
	if err != nil {
		return err
	}
	return writeJSON(w, agent.Uploaded{Size: size})
}

func agentFinish(w http.ResponseWriter, r *http.Request, boss agent.Server) error {
	var in agent.Finishing
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if err := boss.Finish(r.Context(), in.Lease, in.Outcome); err != nil {
		return err
	}
	return writeJSON(w, struct{}{})
}

func agentAudit(w http.ResponseWriter, r *http.Request, boss agent.Server) error {
	var in agent.Auditing
	if err := readJSON(r, &in); err != nil {
		return err
	}
	if len(in.Entries) > maxAgentAudit {
		return exposure.Errorf(exposure.Invalid, "at most %d audit entries are taken at once", maxAgentAudit)
	}
	have, err := boss.Audit(r.Context(), in.Entries)
	if err != nil {
		return err
	}
	return writeJSON(w, agent.Audited{Have: have})
}
