package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// maxChanges is how many changes of an engagement are told.
const maxChanges = 100

// proofSecret is the key in the database of the secret that tokens are made of.
const proofSecret = "proof.secret"

// proveFor is how long a proof is looked for.
const proveFor = 30 * time.Second

// Engagements are all rules of engagement, newest first.
func (a *app) Engagements(ctx context.Context) ([]server.EngagementRow, error) {
	all, err := a.db.Engagements(ctx)
	if err != nil {
		return nil, err
	}
	halts, err := a.db.Halts(ctx)
	rows := []server.EngagementRow{}
	for i := range all {
		rows = append(rows, a.engagementRow(&all[i], halts))
	}
	return rows, err
}

func (a *app) engagementRow(e *store.Engagement, halts []store.Halt) server.EngagementRow {
	state, against := guard.Stand(&e.Engagement, a.now())
	row := server.EngagementRow{Engagement: e.Engagement, Version: e.Version, Author: e.Author, Digest: guard.Digest(&e.Engagement), State: string(state), Against: against}
	for i := range halts {
		if h := &halts[i]; h.Engagement == 0 || h.Engagement == e.ID {
			row.Halted = haltText(h)
			row.Against = append(row.Against, "everything was stopped "+row.Halted)
			break
		}
	}
	return row
}

// Engagement is one engagement with what happened to it.
func (a *app) Engagement(ctx context.Context, id int64) (d server.EngagementDetail, err error) {
	e, err := a.db.Engagement(ctx, id)
	if err != nil {
		return d, err
	}
	halts, err := a.db.Halts(ctx)
	if err != nil {
		return d, err
	}
	d.EngagementRow, d.Text = a.engagementRow(&e, halts), scope.EngagementText(&e.Engagement)
	d.Changes, d.Challenges = []server.EngagementChange{}, []server.Challenge{}
	changes, err := a.db.EngagementChanges(ctx, id, maxChanges)
	if err != nil {
		return d, err
	}
	for _, c := range changes {
		d.Changes = append(d.Changes, server.EngagementChange(c))
	}
	hosts := guard.Provable(&e.Engagement)
	if len(hosts) == 0 {
		return d, nil
	}
	secret, err := a.proofSecret(ctx)
	for _, host := range hosts {
		c := server.Challenge{Target: host, Token: guard.Challenge(secret, id, host), Path: guard.ProofPath}
		if _, err := netip.ParseAddr(host); err != nil {
			c.Record = guard.ProofRecord + "." + host
		}
		d.Challenges = append(d.Challenges, c)
	}
	return d, err
}

// proofSecret is what tokens are made of. It is made when it is first needed.
func (a *app) proofSecret(ctx context.Context) ([]byte, error) {
	secret, err := a.db.Meta(ctx, proofSecret)
	if err == nil && secret == "" {
		err = a.db.Write(ctx, func(tx *store.Tx) error { return tx.KeepMeta(ctx, proofSecret, rand.Text()+rand.Text()) })
		if err == nil {
			secret, err = a.db.Meta(ctx, proofSecret)
		}
	}
	return []byte(secret), err
}

// PutEngagement checks and keeps rules.
func (a *app) PutEngagement(ctx context.Context, r server.EngagementRequest) (server.EngagementDetail, error) {
	rules := r.Rules
	rules.ID, rules.Proofs, rules.Approvals, rules.Withdrawn = r.ID, nil, nil, time.Time{}
	rules.Authorisation = a.im.Redact(rules.Authorisation)
	if err := guard.Check(&rules, a.now()); err != nil {
		return server.EngagementDetail{}, err
	}
	if !rules.Expires.After(a.now()) {
		return server.EngagementDetail{}, exposure.Errorf(exposure.Invalid, "the rules of engagement have ended already: say until when they hold")
	}
	e := store.Engagement{Engagement: rules, Author: r.Actor}
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		what := "written"
		if r.ID != 0 {
			was, err := tx.Engagement(ctx, r.ID)
			switch {
			case err != nil:
				return err
			case r.Version != 0 && r.Version != was.Version:
				return exposure.Errorf(exposure.Conflict, "engagement %d was changed meanwhile: look at it again and change what it says now", r.ID)
			case !was.Withdrawn.IsZero():
				return exposure.Errorf(exposure.Conflict, "engagement %d was withdrawn for good: add another", r.ID)
			}
			e.Version, e.Proofs, e.Approvals = was.Version, was.Proofs, was.Approvals
			if guard.Digest(&e.Engagement) == guard.Digest(&was.Engagement) {
				return exposure.Errorf(exposure.Conflict, "these are the rules of engagement %d already: nothing was changed", r.ID)
			}
			// An approval is of what was read. One of the same rules is none of these.
			e.Approvals = nil
			what = "changed"
		}
		if err := tx.PutEngagement(ctx, &e, a.now().UnixMilli(), r.Actor, what); err != nil {
			return err
		}
		return a.ruled(ctx, tx, e.ID, guard.Digest(&e.Engagement), what+" by "+r.Actor)
	})
	if err != nil {
		return server.EngagementDetail{}, err
	}
	a.tell("engagements", 0)
	return a.Engagement(ctx, e.ID)
}

// changeEngagement changes what is known of an engagement that was not withdrawn,
// and writes down who did it.
func (a *app) changeEngagement(ctx context.Context, id int64, actor string, change func(*store.Engagement) (what string, err error)) error {
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		e, err := tx.Engagement(ctx, id)
		if err != nil {
			return err
		}
		if !e.Withdrawn.IsZero() {
			return exposure.Errorf(exposure.Conflict, "engagement %d was withdrawn", id)
		}
		what, err := change(&e)
		if err != nil {
			return err
		}
		if err := tx.PutEngagement(ctx, &e, a.now().UnixMilli(), actor, what); err != nil {
			return err
		}
		return a.ruled(ctx, tx, id, guard.Digest(&e.Engagement), what+" by "+actor)
	})
	a.tell("engagements", 0)
	return err
}

// ApproveEngagement is a person's yes to the rules that he saw.
func (a *app) ApproveEngagement(ctx context.Context, r server.EngagementApproval) error {
	return a.changeEngagement(ctx, r.ID, r.Actor, func(e *store.Engagement) (string, error) {
		digest := guard.Digest(&e.Engagement)
		yes := exposure.Approval{By: r.Actor, At: a.now().UTC().Truncate(time.Second), Digest: digest}
		switch {
		case e.Author == r.Actor:
			return "", exposure.Errorf(exposure.Forbidden, "the rules of engagement %d were written by %s: somebody else must approve them", e.ID, r.Actor)
		case e.Owner == r.Actor:
			return "", exposure.Errorf(exposure.Forbidden, "%s is the owner of engagement %d: somebody else must approve it", r.Actor, e.ID)
		case r.Digest != digest:
			return "", exposure.Errorf(exposure.Conflict, "the rules of engagement %d were changed since you read them: read them again", e.ID)
		case !e.Expires.After(a.now()):
			return "", exposure.Errorf(exposure.Conflict, "engagement %d has expired before it was approved", e.ID)
		case slices.ContainsFunc(e.Approvals, func(was exposure.Approval) bool { return was.By == r.Actor && was.Digest == digest }):
			return "", exposure.Errorf(exposure.Conflict, "%s approved these rules already", r.Actor)
		}
		e.Approvals = append(slices.DeleteFunc(e.Approvals, func(was exposure.Approval) bool { return was.Digest != digest }), yes)
		return "approved", nil
	})
}

// WithdrawEngagement ends an engagement for good.
func (a *app) WithdrawEngagement(ctx context.Context, r server.EngagementEnd) error {
	return a.changeEngagement(ctx, r.ID, r.Actor, func(e *store.Engagement) (string, error) {
		e.Withdrawn = a.now().UTC().Truncate(time.Second)
		if why := a.im.Redact(oneLine(r.Reason)); why != "" {
			return "withdrawn (" + why + ")", nil
		}
		return "withdrawn", nil
	})
}

// ProveTarget looks for the token of a target, through a guard: the engagement
// itself must allow to look there.
func (a *app) ProveTarget(ctx context.Context, r server.ProofRequest) (exposure.Proved, error) {
	var p exposure.Proved
	host, err := guard.ProofTarget(r.Target)
	if err != nil {
		return p, err
	}
	if _, err := a.db.Engagement(ctx, r.ID); err != nil {
		return p, err
	}
	secret, err := a.proofSecret(ctx)
	if err != nil {
		return p, err
	}
	g := a.newGuard(newAuditLog(a.db, serverChain))
	state, err := a.renewLeave(ctx, "", g)
	if err != nil {
		return p, err
	}
	looking, cancel := context.WithTimeout(ctx, proveFor)
	defer cancel()
	go a.keepLeave(looking, state, g)
	session := g.Session(r.ID, "proof of "+host)
	method, err := guard.Prove(looking, session, host, guard.Challenge(secret, r.ID, host))
	if closed := session.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return p, err
	}
	p = exposure.Proved{Target: host, Method: method, At: a.now().UTC().Truncate(time.Second)}
	return p, a.changeEngagement(ctx, r.ID, r.Actor, func(e *store.Engagement) (string, error) {
		e.Proofs = append(slices.DeleteFunc(e.Proofs, func(was exposure.Proved) bool { return was.Target == host }), p)
		return fmt.Sprintf("ownership of %s proved (%s)", host, method), nil
	})
}

// DecideAction says what the rules make of something.
func (a *app) DecideAction(ctx context.Context, q server.ActionQuery) (server.ActionDecision, error) {
	d := server.ActionDecision{}
	level := exposure.LevelObserve
	if q.Level != "" {
		if err := level.UnmarshalText([]byte(q.Level)); err != nil {
			return d, err
		}
	}
	host, port, err := hostPort(q.Host)
	if err != nil {
		return d, err
	}
	e, err := a.db.Engagement(ctx, q.ID)
	if err != nil {
		return d, err
	}
	halts, err := a.db.Halts(ctx)
	if err != nil {
		return d, err
	}
	d.Host, d.Port, d.Level = host, port, level.String()
	d.Reasons = guard.Decide(&e.Engagement, &guard.Action{Level: level, Host: host, Port: port, Credentials: q.Credentials}, netip.Addr{}, a.now())
	for i := range halts {
		if h := &halts[i]; h.Engagement == 0 || h.Engagement == e.ID {
			d.Reasons = append(d.Reasons, "everything was stopped "+haltText(h))
		}
	}
	d.Allowed = len(d.Reasons) == 0
	if _, err := netip.ParseAddr(host); err != nil && d.Allowed {
		d.Note = "Its address is looked up once, and decided about before anything is sent to it."
	}
	return d, nil
}

// hostPort reads a host as people write it: with a port, or as a URL.
func hostPort(text string) (host string, port int, err error) {
	text = strings.TrimSpace(text)
	bad := exposure.Errorf(exposure.Invalid, "%q is no host: write an address or a name, with or without a port, as in 10.1.2.3:443", clip(text, 60))
	scheme, port := "", 443
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		if text, scheme = u.Host, u.Scheme; scheme == "http" {
			port = 80
		}
	}
	host = text
	if h, p, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", 0, bad
		}
		host, port = h, int(n)
	}
	if host = strings.Trim(host, "[]"); host == "" || strings.ContainsAny(host, "/ ") {
		return "", 0, bad
	}
	return host, port, nil
}
