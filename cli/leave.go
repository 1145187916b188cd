package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// leaveEvery is how often each process asks whether leave to send has changed.
// A stop reaches the last packet within it and what an open connection takes to
// close.
const leaveEvery = 500 * time.Millisecond

// resolverVariable names the DNS server that scans and proofs ask, host:port.
const resolverVariable = "LEEWARD_RESOLVER"

// leave is the leave to send as it stands in the database.
func (a *app) leave(ctx context.Context) (guard.Grant, error) {
	live, err := a.db.LiveEngagements(ctx, a.now())
	if err != nil {
		return guard.Grant{}, err
	}
	halts, err := a.db.Halts(ctx)
	g := guard.Grant{Engagements: live, Halted: map[int64]string{}}
	for _, h := range halts {
		g.Halted[h.Engagement] = haltText(&h)
	}
	return g, err
}

func haltText(h *store.Halt) string {
	text := "by " + h.Actor
	if h.Why != "" {
		text += ": " + h.Why
	}
	return text
}

// newGuard makes a guard that writes into a chain of the audit log. It has no
// leave until it is granted, see [app.keepLeave].
func (a *app) newGuard(log guard.Auditor) *guard.Guard {
	return guard.New(guard.Config{Auditor: log, Now: a.now, Redact: a.im.Redact, Resolver: a.env(resolverVariable)})
}

// keepLeave gives guards the leave of the database, and each change of it, until
// ctx ends. While the database does not answer for [guard.LeaseFor] nothing is
// sent: somebody may have stopped it.
// state is what [app.renewLeave] said last, "" before it was asked.
func (a *app) keepLeave(ctx context.Context, state string, guards ...*guard.Guard) {
	tick := time.NewTicker(leaveEvery)
	defer tick.Stop()
	heard := a.now()
	for {
		next, err := a.renewLeave(ctx, state, guards...)
		switch {
		case err == nil:
			if state != "" && next != state {
				a.tell("engagements", 0)
			}
			state, heard = next, a.now()
		case ctx.Err() == nil && state != "" && a.now().Sub(heard) >= guard.LeaseFor:
			a.log.Error("the leave to send cannot be read, so nothing is sent", slog.Any("err", err))
			for _, g := range guards {
				g.Grant(guard.Grant{Halted: map[int64]string{0: "the database does not answer"}})
			}
			state = ""
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// renewLeave grants the leave of the database when it is another than before.
func (a *app) renewLeave(ctx context.Context, before string, guards ...*guard.Guard) (state string, err error) {
	// Asked first: what changes meanwhile is seen the next time.
	state, err = a.db.LeaveState(ctx)
	if err != nil || state == before {
		return before, err
	}
	g, err := a.leave(ctx)
	if err != nil {
		return before, err
	}
	for _, to := range guards {
		// An engagement that cannot be read is left out, and its page says so.
		if err := to.Grant(g); err != nil {
			a.log.Warn("an engagement gives no leave", slog.Any("err", err))
		}
	}
	return state, nil
}

// Halts are the stops that hold.
func (a *app) Halts(ctx context.Context) ([]server.Halt, error) {
	all, err := a.db.Halts(ctx)
	rows := []server.Halt{}
	for _, h := range all {
		rows = append(rows, server.Halt{Engagement: h.Engagement, At: h.At, Actor: h.Actor, Reason: h.Why})
	}
	return rows, err
}

// Halt stops everything that is sent, or what one engagement allows.
func (a *app) Halt(ctx context.Context, r server.HaltRequest) (stopped bool, err error) {
	why := a.im.Redact(oneLine(r.Reason))
	err = a.db.Write(ctx, func(tx *store.Tx) (err error) {
		if err := known(ctx, tx, r.Engagement); err != nil {
			return err
		}
		h := store.Halt{Engagement: r.Engagement, At: a.now().UnixMilli(), Actor: r.Actor, Why: why}
		if stopped, err = tx.Halt(ctx, &h); err != nil || !stopped {
			return err
		}
		return a.ruled(ctx, tx, r.Engagement, "", "stopped "+haltText(&h))
	})
	a.tell("engagements", 0)
	return stopped, err
}

// Resume lifts a stop.
func (a *app) Resume(ctx context.Context, r server.HaltRequest) (lifted bool, err error) {
	err = a.db.Write(ctx, func(tx *store.Tx) (err error) {
		if err := known(ctx, tx, r.Engagement); err != nil {
			return err
		}
		if lifted, err = tx.Resume(ctx, r.Engagement, r.Actor, a.now().UnixMilli()); err != nil || !lifted {
			return err
		}
		text := "resumed by " + r.Actor
		if why := a.im.Redact(oneLine(r.Reason)); why != "" {
			text += ": " + why
		}
		return a.ruled(ctx, tx, r.Engagement, "", text)
	})
	a.tell("engagements", 0)
	return lifted, err
}

// known complains of an engagement that is not there; 0 means all.
func known(ctx context.Context, tx *store.Tx, engagement int64) error {
	if engagement == 0 {
		return nil
	}
	if engagement < 0 {
		return exposure.Errorf(exposure.NotFound, "there is no engagement %d", engagement)
	}
	_, err := tx.Engagement(ctx, engagement)
	return err
}

// ruled writes down what a person decided about leave.
func (a *app) ruled(ctx context.Context, tx *store.Tx, engagement int64, digest, what string) error {
	return appendAudit(ctx, tx, serverChain, []guard.Entry{{At: a.now(), Kind: guard.Ruled, Engagement: engagement, Rules: digest, Action: what, Allowed: true}})
}
