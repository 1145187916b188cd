// Package agent works on scans: it asks a server for a shard, looks at its
// targets in a child process, and hands the results up. The server's own workers
// and agents in other networks are the same, only the way to the server differs.
//
// A shard is leased with a fence. Whoever is not heard for a while loses it to
// another, and its results are refused: no result is lost, and none counts
// twice. Leave to send anything is granted for ten seconds at a time
// ([guard.LeaseFor]), so that an agent that is cut off stops by itself.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// ShardLease is how long a shard is given out unless it is renewed. Whoever is
// not heard for longer than leave holds has to look anew in any case.
const ShardLease = 2 * guard.LeaseFor

// RenewEvery is how often leave and leases are renewed: several times within
// the ten seconds that leave holds for.
const RenewEvery = 1500 * time.Millisecond

// Assignment is a shard to look at.
type Assignment struct {
	Job   exposure.ScanJob `json:"job"`
	Shard exposure.Shard   `json:"shard"`
	Grant guard.Grant      `json:"grant"`
}

// Renewed is what the server says to who is at work.
type Renewed struct {
	Lost  []exposure.ShardLease `json:"lost,omitempty"` // stopped, or given to others
	Grant guard.Grant           `json:"grant"`
}

// Outcome is how the look at a shard ended.
type Outcome struct {
	State   exposure.JobState `json:"state"` // done, failed, stopped; waiting: give it to another
	Failure string            `json:"failure,omitempty" maxLength:"4000"`
	Size    int64             `json:"size"`   // of the uploaded results
	SHA256  string            `json:"sha256"` // of them
}

// Server is whom an agent works for. Errors of kind Conflict say that a lease is
// lost, Forbidden that the agent is not let in; others pass, and the call is
// made again.
type Server interface {
	// Poll waits a while for a shard; nil: there is none now.
	Poll(ctx context.Context, facts map[string]string) (*Assignment, error)
	Renew(ctx context.Context, held []exposure.ShardLease) (Renewed, error)
	// Upload adds results that begin at a place, and returns how many bytes are
	// there: where to go on.
	Upload(ctx context.Context, l exposure.ShardLease, place int64, body []byte) (int64, error)
	Finish(ctx context.Context, l exposure.ShardLease, o Outcome) error
	// Audit hands up linked entries of the agent's own chain, and returns the
	// number of the last that the server has. Without entries it only asks.
	Audit(ctx context.Context, entries []guard.Entry) (have int64, err error)
}

// Child looks at a shard. It writes observations as lines to out, and audit
// entries to the auditor before anything is sent; it takes the newest grant from
// grants. It returns when all of it was looked at or ctx ends.
type Child func(ctx context.Context, a *Assignment, grants <-chan guard.Grant, sink Sink) error

// Sink is where a child's words go.
type Sink interface {
	guard.Auditor
	Observation(line []byte) error
	Progress(text string)
}

// Agent works for a server.
type Agent struct {
	Server Server
	Child  Child
	Spool  string // directory of results that are not handed up yet
	Facts  func() map[string]string
	Audit  *guard.File // its own chain; nil: Entries go to Record
	Record guard.Auditor
	Log    *slog.Logger
	Now    func() time.Time
	Idle   time.Duration // between polls that brought nothing
}

// Run works until ctx ends, or the server shuts the agent out. Results that an
// earlier run left in the spool are handed up first.
func (a *Agent) Run(ctx context.Context) error {
	if err := os.MkdirAll(a.Spool, 0o700); err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot make the spool %s: %w", a.Spool, err)
	}
	if err := a.deliverOld(ctx); err != nil {
		return err
	}
	wait := backoff{}
	for {
		job, err := a.Server.Poll(ctx, a.Facts())
		switch {
		case ctx.Err() != nil:
			return nil
		case exposure.KindOf(err) == exposure.Forbidden:
			return err
		case err != nil:
			a.Log.Warn("the server cannot be asked for work", slog.Any("err", err))
			wait.sleep(ctx)
			continue
		case job == nil:
			wait.reset()
			sleep(ctx, max(a.Idle, time.Millisecond))
			continue
		}
		wait.reset()
		if err := a.work(ctx, job); err != nil {
			return err
		}
	}
}

// work looks at a shard and hands its results up.
func (a *Agent) work(ctx context.Context, job *Assignment) error {
	l := job.Shard.Lease()
	sp, err := newSpool(a.Spool, l)
	if err != nil {
		return err
	}
	o, lost := a.look(ctx, job, sp)
	if lost {
		a.Log.Info("the shard was stopped or given to another", slog.Int64("job", l.Job), slog.Int("shard", l.Number))
		return sp.remove()
	}
	if ctx.Err() != nil && o.State != exposure.JobDone {
		// Somebody else may go on at once.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		_ = a.Server.Finish(last, l, Outcome{State: exposure.JobWaiting, Failure: "the worker was shut down"})
		return sp.remove()
	}
	if err := sp.complete(o); err != nil {
		return err
	}
	return a.deliver(ctx, sp)
}

// errLost ends a look whose lease is lost.
var errLost = errors.New("the lease is lost")

// look runs the child, renewing leave and lease beside it.
func (a *Agent) look(ctx context.Context, job *Assignment, sp *spool) (o Outcome, lost bool) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	grants := make(chan guard.Grant, 1)
	grants <- job.Grant
	progress := &progress{}
	var gap bool // leave ran out in between
	var wg sync.WaitGroup
	wg.Go(func() {
		heard := a.Now()
		for sleep(ctx, RenewEvery) {
			held := job.Shard.Lease()
			held.Progress = progress.text()
			call, end := context.WithTimeout(ctx, guard.LeaseFor/2)
			r, err := a.Server.Renew(call, []exposure.ShardLease{held})
			end()
			switch {
			case exposure.KindOf(err) == exposure.Forbidden, err == nil && len(r.Lost) > 0:
				cancel(errLost)
				return
			case err != nil:
				if a.Now().Sub(heard) >= guard.LeaseFor {
					gap = true
				}
				continue
			}
			heard = a.Now()
			newest(grants, r.Grant)
		}
	})
	err := a.Child(ctx, job, grants, &sink{a, sp, progress})
	cause := context.Cause(ctx)
	cancel(nil)
	wg.Wait()
	switch {
	case errors.Is(cause, errLost):
		return o, true
	case gap:
		// What was not looked at because leave was gone cannot be told from what is
		// not there: it is looked at anew, as a whole.
		return Outcome{State: exposure.JobWaiting, Failure: "the server was not heard for a while, so the look was not whole"}, false
	case err != nil:
		return Outcome{State: exposure.JobFailed, Failure: cut(err.Error())}, false
	}
	return Outcome{State: exposure.JobDone}, false
}

// newest leaves only the last grant in a channel that holds one.
func newest(c chan guard.Grant, g guard.Grant) {
	for {
		select {
		case c <- g:
			return
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}

// sink is a child's sink: observations go to the spool, audit entries to the
// agent's chain, and from there up.
type sink struct {
	*Agent
	spool    *spool
	progress *progress
}

func (s *sink) Observation(line []byte) error { return s.spool.line(line) }
func (s *sink) Progress(text string)          { s.progress.set(text) }

// Append implements guard.Auditor: when it returns the entries are kept here.
// They follow to the server when it can be reached.
func (s *sink) Append(ctx context.Context, entries ...guard.Entry) error {
	if s.Agent.Audit == nil {
		return s.Record.Append(ctx, entries...)
	}
	return s.Agent.Audit.Append(ctx, entries...)
}

type progress struct {
	mu sync.Mutex
	s  string
}

func (p *progress) set(s string) {
	p.mu.Lock()
	p.s = s[:min(len(s), 400)]
	p.mu.Unlock()
}

func (p *progress) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.ToValidUTF8(p.s, "")
}

// deliverOld hands up what an earlier run left.
func (a *Agent) deliverOld(ctx context.Context) error {
	entries, err := os.ReadDir(a.Spool)
	if err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot read the spool %s: %w", a.Spool, err)
	}
	for _, e := range entries {
		sp, err := oldSpool(filepath.Join(a.Spool, e.Name()))
		if errors.Is(err, errUnfinished) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := a.deliver(ctx, sp); err != nil {
			return err
		}
	}
	return nil
}

// part is how much is uploaded at once.
const part = 1 << 20

// deliver uploads results and finishes their shard, however long the server is
// away. Results whose lease is lost are dropped: whoever has it looks again.
func (a *Agent) deliver(ctx context.Context, sp *spool) error {
	wait := backoff{}
	for {
		err := a.hand(ctx, sp)
		switch kind := exposure.KindOf(err); {
		case err == nil:
			return sp.remove()
		case kind == exposure.Conflict, kind == exposure.NotFound:
			a.Log.Info("results are not wanted any more", slog.Int64("job", sp.lease.Job), slog.Int("shard", sp.lease.Number), slog.Any("err", err))
			return sp.remove()
		case kind == exposure.Forbidden:
			return err
		case ctx.Err() != nil:
			return nil // it stays in the spool
		}
		a.Log.Warn("results cannot be handed up now", slog.Any("err", err))
		wait.sleep(ctx)
	}
}

func (a *Agent) hand(ctx context.Context, sp *spool) error {
	if err := a.handAudit(ctx); err != nil {
		return err
	}
	if sp.outcome.State == exposure.JobWaiting {
		return a.Server.Finish(ctx, sp.lease, sp.outcome)
	}
	f, err := os.Open(sp.name)
	if err != nil {
		return err
	}
	defer f.Close()
	body := make([]byte, part)
	for place, stuck := int64(0), 0; place < sp.outcome.Size; {
		if err := a.keep(ctx, sp.lease); err != nil {
			return err
		}
		n, err := f.ReadAt(body[:min(part, sp.outcome.Size-place)], place)
		if n == 0 && err != nil {
			return fmt.Errorf("the spooled results are torn: %w", err)
		}
		there, err := a.Server.Upload(ctx, sp.lease, place, body[:n])
		if err != nil {
			return err
		}
		if stuck++; there > place {
			stuck = 0
		}
		if there > sp.outcome.Size || stuck > 3 {
			return exposure.Errorf(exposure.Conflict, "the server has %d bytes of %d results", there, sp.outcome.Size)
		}
		place = there
	}
	return a.Server.Finish(ctx, sp.lease, sp.outcome)
}

// keep renews the lease of results that are handed up.
func (a *Agent) keep(ctx context.Context, l exposure.ShardLease) error {
	l.Progress = "handing up what was seen"
	r, err := a.Server.Renew(ctx, []exposure.ShardLease{l})
	if err == nil && len(r.Lost) > 0 {
		return exposure.Errorf(exposure.Conflict, "the lease was lost")
	}
	return err
}

// sleep waits; it reports whether ctx goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// backoff waits longer each time, up to a minute, by a little chance.
type backoff struct{ d time.Duration }

func (b *backoff) reset() { b.d = 0 }

func (b *backoff) sleep(ctx context.Context) {
	b.d = min(max(2*b.d, time.Second), time.Minute)
	sleep(ctx, b.d/2+rand.N(b.d/2))
}

func cut(s string) string { return strings.ToValidUTF8(s[:min(len(s), 2000)], "") }
