package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/agent"
	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// hereVantage is where the server's own workers look from.
const hereVantage = "here"

// shardSize is how many hosts one worker looks at before it hands up what it
// saw: what is lost with a worker that dies.
const shardSize = 16

// importLease is for how long nobody else begins with a shard whose results are
// being imported.
const importLease = 10 * time.Minute

// invitationFor is how long an invitation of an agent is good.
const invitationFor = 24 * time.Hour

// Plans lists what is scanned, and when.
func (a *app) Plans(ctx context.Context) ([]exposure.ScanPlan, error) { return a.db.Plans(ctx) }

// PutPlan makes a plan, or changes the one with its number.
func (a *app) PutPlan(ctx context.Context, p exposure.ScanPlan, actor string) (exposure.ScanPlan, error) {
	if err := a.checkPlan(ctx, &p); err != nil {
		return p, err
	}
	if err := cycle.CheckPlan(&p); err != nil {
		return p, err
	}
	if p.Cron == "" && !p.Adaptive && len(p.On) == 0 {
		return p, exposure.Errorf(exposure.Invalid, "say when the plan runs: by a cron line, by the tiers (adaptive), or on changes (asset, deploy); what runs once is started as such")
	}
	now := a.now()
	p.Actor, p.Created, p.Last, p.Assets = actor, now.UnixMilli(), 0, a.newestAsset()
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		if p.ID != 0 {
			all, err := tx.Plans(ctx)
			if err != nil {
				return err
			}
			for _, old := range all {
				if old.ID == p.ID {
					p.Created, p.Last, p.Actor, p.Assets = old.Created, old.Last, old.Actor, old.Assets
				}
			}
		}
		p.Next = millis(cycle.NextRun(&p, now, a.tierOf(&p)))
		return tx.PutPlan(ctx, &p)
	})
	return p, err
}

// millis is a time in unix milliseconds, 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// checkPlan looks whether what a plan says can be done at all.
func (a *app) checkPlan(ctx context.Context, p *exposure.ScanPlan) error {
	p.Name = strings.TrimSpace(p.Name)
	p.Vantage = cmp.Or(p.Vantage, hereVantage)
	switch {
	case p.Name == "" || len(p.Name) > 200:
		return exposure.Errorf(exposure.Invalid, "the plan needs a name of at most 200 bytes")
	case len(p.Targets) == 0 || len(p.Targets) > 10_000:
		return exposure.Errorf(exposure.Invalid, "name between one and 10,000 targets")
	case !scan.ValidVantage(p.Vantage):
		return exposure.Errorf(exposure.Invalid, "vantage %q: name where one looks from with lower case letters and digits, as agents are labelled, or %q for the server itself", p.Vantage, hereVantage)
	}
	e, err := a.db.Engagement(ctx, p.Engagement)
	if err != nil {
		return err
	}
	if p.Level > e.Level {
		return exposure.Errorf(exposure.Invalid, "the plan goes to the level %v, and engagement %d (%s) to %v", p.Level, e.ID, e.Name, e.Level)
	}
	if _, err := scan.ParsePorts(p.Ports); err != nil {
		return err
	}
	for _, s := range p.Targets {
		all, err := scan.Parse(s)
		if err != nil {
			return err
		}
		for _, t := range all[:1] {
			if t.Kind == scan.Directory || t.Kind == scan.Image {
				return exposure.Errorf(exposure.Invalid, "target %q is a file: those are scanned where they lie, by `leeward scan %s --push`", s, s)
			}
		}
	}
	return engines(a.env).Check(p.Engines, p.Level)
}

// RemovePlan forgets a plan.
func (a *app) RemovePlan(ctx context.Context, id int64) error { return a.db.RemovePlan(ctx, id) }

// StartScan scans once.
func (a *app) StartScan(ctx context.Context, r server.StartScan) (exposure.ScanJob, error) {
	p := r.Once
	if r.Plan != 0 {
		all, err := a.db.Plans(ctx)
		if err != nil {
			return exposure.ScanJob{}, err
		}
		n := slices.IndexFunc(all, func(p exposure.ScanPlan) bool { return p.ID == r.Plan })
		if n < 0 {
			return exposure.ScanJob{}, exposure.Errorf(exposure.NotFound, "there is no plan %d", r.Plan)
		}
		p = all[n]
	} else {
		p.ID, p.Actor = 0, r.Actor
	}
	if err := a.checkPlan(ctx, &p); err != nil {
		return exposure.ScanJob{}, err
	}
	return a.startJob(ctx, nil, p, cmp.Or(r.Actor, "somebody"))
}

// startJob begins a job, in a transaction when there is one already.
func (a *app) startJob(ctx context.Context, tx *store.Tx, p exposure.ScanPlan, cause string) (exposure.ScanJob, error) {
	shards, err := scan.Split(p.Targets, shardSize)
	if err != nil {
		return exposure.ScanJob{}, err
	}
	j := exposure.ScanJob{Plan: p, Cause: cause, Created: a.now().UnixMilli()}
	if tx != nil {
		return j, tx.AddJob(ctx, &j, shards)
	}
	if err := a.db.AddJob(ctx, &j, shards); err != nil {
		return j, err
	}
	a.tell("scan_job", j.ID)
	return j, nil
}

// ScanJobs lists scans, newest first.
func (a *app) ScanJobs(ctx context.Context, open bool, limit int) ([]exposure.ScanJob, error) {
	return a.db.ScanJobs(ctx, open, limit)
}

// ScanJob returns one scan with its parts.
func (a *app) ScanJob(ctx context.Context, id int64) (server.ScanJobDetail, error) {
	j, parts, err := a.db.ScanJob(ctx, id)
	return server.ScanJobDetail{ScanJob: j, Parts: parts}, err
}

// StopScanJob ends a scan.
func (a *app) StopScanJob(ctx context.Context, id int64, actor, why string) error {
	err := a.db.StopJob(ctx, id, "stopped by "+actor+": "+a.im.Redact(why), a.now().UnixMilli())
	if err == nil {
		a.tell("scan_job", id)
	}
	return err
}

// Deployed starts the plans that wait for deployments and hold the target. Of
// each only what was deployed is scanned.
func (a *app) Deployed(ctx context.Context, target, actor string) ([]exposure.ScanJob, error) {
	touched, err := scan.Parse(target)
	if err != nil {
		return nil, err
	}
	if len(touched) != 1 {
		return nil, exposure.Errorf(exposure.Invalid, "name the one host or URL that was deployed")
	}
	plans, err := a.db.Plans(ctx)
	if err != nil {
		return nil, err
	}
	jobs := []exposure.ScanJob{}
	for _, p := range plans {
		if p.Paused || !slices.Contains(p.On, "deploy") || !holds(&p, touched[0].Host) {
			continue
		}
		p.Targets = []string{target}
		j, err := a.startJob(ctx, nil, p, "deploy: "+actor)
		if err != nil {
			return jobs, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// holds reports whether one of a plan's targets is, or holds, a host.
func holds(p *exposure.ScanPlan, host string) bool {
	a, _ := netip.ParseAddr(host)
	for _, s := range p.Targets {
		if n, err := netip.ParsePrefix(s); err == nil {
			if a.IsValid() && n.Contains(a) {
				return true
			}
			continue
		}
		all, err := scan.Parse(s)
		if err != nil {
			continue
		}
		if slices.ContainsFunc(all, func(t scan.Target) bool { return t.Host == host }) {
			return true
		}
	}
	return false
}

// tierOf is the highest tier of the assets that a plan's targets hold, 0 when
// none is known.
func (a *app) tierOf(p *exposure.ScanPlan) (tier int) {
	view := a.ix.View()
	for id := exposure.AssetID(1); ; id++ {
		as, more := view.AssetAt(id)
		if !more {
			return tier
		}
		if as == nil || as.Context == nil || as.Context.Tier == 0 || tier != 0 && as.Context.Tier >= tier {
			continue
		}
		if slices.ContainsFunc(as.Identifiers, func(i exposure.Identifier) bool {
			return (i.Kind == exposure.IDHostname || i.Kind == exposure.IDIP) && holds(p, i.Value)
		}) {
			tier = as.Context.Tier
		}
	}
}

// runPlans starts the plans that are due. Doing it twice starts nothing twice:
// when a plan is due next is written with the job.
func (a *app) runPlans(ctx context.Context) error {
	now := a.now()
	plans, err := a.db.Plans(ctx)
	if err != nil {
		return err
	}
	for _, p := range plans {
		if !p.Paused && slices.Contains(p.On, "asset") {
			if err := a.runForAssets(ctx, p); err != nil {
				a.log.Error("new assets cannot be scanned", slog.Int64("plan", p.ID), slog.Any("err", err))
			}
		}
	}
	for _, due := range plans {
		if due.Next == 0 || due.Next > now.UnixMilli() || due.Paused {
			continue
		}
		tier := 0
		if due.Adaptive {
			tier = a.tierOf(&due)
		}
		var started exposure.ScanJob
		err := a.db.Write(ctx, func(tx *store.Tx) error {
			started = exposure.ScanJob{}
			all, err := tx.Plans(ctx)
			if err != nil {
				return err
			}
			n := slices.IndexFunc(all, func(p exposure.ScanPlan) bool { return p.ID == due.ID })
			if n < 0 || all[n].Next != due.Next {
				return nil // another server was first, or somebody changed it
			}
			p := all[n]
			open, err := tx.ScanJobs(ctx, true, 10_000)
			if err != nil {
				return err
			}
			p.Last = now.UnixMilli()
			p.Next = millis(cycle.NextRun(&p, now, tier))
			// One that still runs is not started beside itself.
			if !slices.ContainsFunc(open, func(j exposure.ScanJob) bool { return j.Plan.ID == p.ID }) {
				if started, err = a.startJob(ctx, tx, p, "schedule"); err != nil {
					return err
				}
			}
			return tx.PutPlan(ctx, &p)
		})
		if err != nil {
			a.log.Error("a plan cannot be run", slog.Int64("plan", due.ID), slog.Any("err", err))
			continue
		}
		if started.ID != 0 {
			a.tell("scan_job", started.ID)
		}
	}
	return nil
}

// newestAsset is the number of the newest asset.
func (a *app) newestAsset() (newest exposure.AssetID) {
	view := a.ix.View()
	for {
		if _, more := view.AssetAt(newest + 1); !more {
			return newest
		}
		newest++
	}
}

// runForAssets scans the assets that are new since the last time and that a
// plan's targets hold: them alone, and each once.
func (a *app) runForAssets(ctx context.Context, p exposure.ScanPlan) error {
	newest := a.newestAsset()
	if newest <= p.Assets {
		return nil
	}
	view := a.ix.View()
	var fresh []string
	for id := p.Assets + 1; id <= newest; id++ {
		as, more := view.AssetAt(id)
		if !more {
			break
		}
		if as == nil {
			continue
		}
		for _, i := range as.Identifiers {
			if (i.Kind == exposure.IDHostname || i.Kind == exposure.IDIP) && holds(&p, i.Value) {
				fresh = append(fresh, i.Value)
				break
			}
		}
	}
	var started exposure.ScanJob
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		started = exposure.ScanJob{}
		all, err := tx.Plans(ctx)
		if err != nil {
			return err
		}
		n := slices.IndexFunc(all, func(q exposure.ScanPlan) bool { return q.ID == p.ID })
		if n < 0 || all[n].Assets != p.Assets {
			return nil // another server was first
		}
		next := all[n]
		if len(fresh) > 0 {
			once := next
			once.Targets = fresh
			if started, err = a.startJob(ctx, tx, once, "asset"); err != nil {
				return err
			}
		}
		next.Assets = newest
		return tx.PutPlan(ctx, &next)
	})
	if err == nil && started.ID != 0 {
		a.tell("scan_job", started.ID)
	}
	return err
}

// Agents lists the agents.
func (a *app) Agents(ctx context.Context) ([]exposure.Agent, error) { return a.db.Agents(ctx) }

// InviteAgent makes an invitation for an agent.
func (a *app) InviteAgent(ctx context.Context, r server.InviteAgent) (server.Invitation, error) {
	for _, l := range r.Labels {
		if !scan.ValidVantage(l) || l == hereVantage {
			return server.Invitation{}, exposure.Errorf(exposure.Invalid, "label %q: it is a vantage, of lower case letters and digits, and %q is the server's own", l, hereVantage)
		}
	}
	now := a.now()
	expires := now.Add(invitationFor)
	token, digest := server.NewInvitation()
	err := a.db.Invite(ctx, digest, strings.TrimSpace(r.Name), r.Labels, r.Actor, now.UnixMilli(), expires.UnixMilli())
	return server.Invitation{Token: token, Expires: expires.UTC().Format(time.RFC3339)}, err
}

// ShutOutAgent locks an agent out, or lets it in again.
func (a *app) ShutOutAgent(ctx context.Context, id int64, out bool) error {
	return a.db.ShutOut(ctx, id, out)
}

// EnrolAgent makes an agent of an invitation.
func (a *app) EnrolAgent(ctx context.Context, e agent.Enrolment, digest string) (exposure.Agent, error) {
	made := exposure.Agent{Name: cmp.Or(strings.TrimSpace(a.im.Redact(e.Name)), "agent"), Facts: a.facts(e.Facts), Digest: digest}
	return made, a.db.Enrol(ctx, e.Token, &made, a.now().UnixMilli())
}

// facts cleans what an agent says of itself.
func (a *app) facts(said map[string]string) map[string]string {
	facts := map[string]string{}
	for k, v := range said {
		if len(facts) < 20 {
			facts[a.im.Redact(k[:min(len(k), 50)])] = a.im.Redact(v[:min(len(v), 200)])
		}
	}
	return facts
}

// AgentByDigest finds an agent by the digest of its secret.
func (a *app) AgentByDigest(ctx context.Context, digest string) (exposure.Agent, error) {
	return a.db.AgentByDigest(ctx, digest)
}

// WorkFor is what an agent works for: this house.
func (a *app) WorkFor(who exposure.Agent) agent.Server {
	return &boss{app: a, who: who, chain: fmt.Sprintf("agent-%d", who.ID), poll: agent.PollFor}
}

// boss is the house as one agent, or the server's own worker, sees it.
type boss struct {
	*app
	who   exposure.Agent
	chain string
	poll  time.Duration
}

// pollEvery is how often a waiting poll looks for work.
const pollEvery = 500 * time.Millisecond

// seenEvery is how often it is written down that an agent was heard.
const seenEvery = 30 * time.Second

// Poll implements agent.Server.
func (b *boss) Poll(ctx context.Context, facts map[string]string) (*agent.Assignment, error) {
	if now := b.now().UnixMilli(); b.who.ID != 0 && now-b.who.Seen > seenEvery.Milliseconds() {
		if err := b.db.SawAgent(ctx, b.who.ID, b.facts(facts), now); err != nil {
			return nil, err
		}
	}
	until := time.Now().Add(b.poll)
	for {
		open, err := b.db.ShardsOpen(ctx)
		if err != nil {
			return nil, err
		}
		if open {
			now := b.now()
			j, s, ok, err := b.db.LeaseShard(ctx, b.who.ID, b.who.Name, b.who.Labels, now.UnixMilli(), now.Add(agent.ShardLease).UnixMilli())
			if err != nil {
				return nil, err
			}
			if ok {
				g, err := b.grant(ctx, j.Plan.Engagement)
				if err != nil {
					return nil, err
				}
				b.tell("scan_job", j.ID)
				return &agent.Assignment{Job: j, Shard: s, Grant: g}, nil
			}
		}
		if !time.Now().Before(until) {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil // nobody listens any more
		case <-b.ending:
			return nil, nil // agents ask again, and find the server when it is back
		case <-time.After(pollEvery):
		}
	}
}

// grant is the leave of some engagements as it is now.
func (b *boss) grant(ctx context.Context, engagements ...int64) (guard.Grant, error) {
	g := guard.Grant{Now: b.now(), For: guard.LeaseFor, Halted: map[int64]string{}}
	for _, id := range engagements {
		e, err := b.db.Engagement(ctx, id)
		if exposure.KindOf(err) == exposure.NotFound {
			continue // without it nothing is sent
		}
		if err != nil {
			return g, err
		}
		g.Engagements = append(g.Engagements, e.Engagement)
	}
	halts, err := b.db.Halts(ctx)
	for _, h := range halts {
		g.Halted[h.Engagement] = haltText(&h)
	}
	return g, err
}

// Renew implements agent.Server.
func (b *boss) Renew(ctx context.Context, held []exposure.ShardLease) (r agent.Renewed, err error) {
	for i := range held {
		held[i].Progress = b.im.Redact(held[i].Progress)
	}
	if r.Lost, err = b.db.RenewShards(ctx, b.who.ID, held, b.now().Add(agent.ShardLease).UnixMilli()); err != nil {
		return r, err
	}
	var engagements []int64
	for _, h := range held {
		j, _, err := b.db.ScanJob(ctx, h.Job)
		if err != nil {
			return r, err
		}
		engagements = append(engagements, j.Plan.Engagement)
		b.tell("scan_job", h.Job)
	}
	r.Grant, err = b.grant(ctx, engagements...)
	return r, err
}

// Upload implements agent.Server.
func (b *boss) Upload(ctx context.Context, l exposure.ShardLease, place int64, body []byte) (int64, error) {
	return b.db.Upload(ctx, b.who.ID, l, place, body)
}

// Finish implements agent.Server: what was uploaded is imported, and then the
// shard is done. When something fails in between it is done again, and a report
// that is imported twice changes nothing.
func (b *boss) Finish(ctx context.Context, l exposure.ShardLease, o agent.Outcome) error {
	now := func() int64 { return b.now().UnixMilli() }
	o.Failure = b.im.Redact(o.Failure)
	switch o.State {
	case exposure.JobWaiting:
		return b.db.ReturnShard(ctx, b.who.ID, l, o.Failure)
	case exposure.JobDone, exposure.JobFailed:
	default:
		return exposure.Errorf(exposure.Invalid, "a shard ends as done, failed or waiting, not as %q", o.State)
	}
	s, err := b.db.Holds(ctx, b.who.ID, l)
	if err != nil {
		return err
	}
	// To take the results in may take a while, in which nobody else is to begin.
	if _, err := b.db.RenewShards(ctx, b.who.ID, []exposure.ShardLease{{Job: l.Job, Number: l.Number, Fence: l.Fence, Progress: "taking in what was seen"}}, now()+importLease.Milliseconds()); err != nil {
		return err
	}
	sum := sha256.New()
	var whole bytes.Buffer
	if err := b.db.Uploaded(ctx, l, func(part []byte) error { sum.Write(part); whole.Write(part); return nil }); err != nil {
		return err
	}
	if int64(whole.Len()) != o.Size || hex.EncodeToString(sum.Sum(nil)) != o.SHA256 {
		return exposure.Errorf(exposure.Unavailable, "of the results %d bytes of %d are here, or others: hand them up again", whole.Len(), o.Size)
	}
	var made, found int
	results, err := b.Import(ctx, discover.Request{Name: fmt.Sprintf("scan job %d, part %d", l.Job, s.Number), Format: "observations"}, &whole)
	if err != nil && exposure.KindOf(err) != exposure.Invalid {
		return err
	}
	if err != nil {
		o.State, o.Failure = exposure.JobFailed, cmp.Or(o.Failure, err.Error())
	}
	for _, r := range results {
		made, found = made+r.New, found+r.Observations
		if r.Failure != "" {
			o.State, o.Failure = exposure.JobFailed, cmp.Or(o.Failure, r.Failure)
		}
	}
	if err := b.db.FinishShard(ctx, b.who.ID, l, o.State, o.Failure, made, found, now()); err != nil {
		return err
	}
	b.tell("scan_job", l.Job)
	return nil
}

// Audit implements agent.Server: the entries of the agent's own chain go on
// where those that are here end. What is here already is not doubled.
func (b *boss) Audit(ctx context.Context, entries []guard.Entry) (have int64, err error) {
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		return tx.AppendAudit(ctx, b.chain, func(head store.AuditHead) (rows []store.Audited, err error) {
			have = head.Seq
			for i := range entries {
				e := &entries[i]
				if e.Seq <= head.Seq {
					continue
				}
				if err := e.Follows(have, head.Hash); err != nil {
					return nil, err
				}
				row, err := audited(e)
				if err != nil {
					return nil, err
				}
				have, head.Hash = e.Seq, e.Hash
				rows = append(rows, row)
			}
			return rows, nil
		})
	})
	return have, err
}
