package mobilize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Outbox keeps the messages that are to be sent. It is written in the
// transaction of the change that a message speaks of; the [Deliverer] only
// takes from it.
type Outbox interface {
	// Due takes up to limit waiting messages whose NextAt is not after now
	// and that nobody holds, the longest due first, and leases each until
	// lease, in one step: no two callers get the same message while a lease
	// lasts. Both times are unix milliseconds; the messages carry the lease in
	// LeaseAt.
	Due(ctx context.Context, now, lease int64, limit int) ([]exposure.OutboxMessage, error)

	// Settle records State, Attempts, NextAt and LastError of m and gives up
	// its lease. It does nothing when the lease is no longer m.LeaseAt.
	Settle(ctx context.Context, m exposure.OutboxMessage) error
}

const (
	batch      = 200              // messages taken at once
	atOnce     = 16               // receivers served at the same time
	tryFor     = 45 * time.Second // a try is cut off after
	serveFor   = time.Minute      // no new try for a receiver after, so that a slow one costs others little
	leaseFor   = 5 * time.Minute  // longer than serving one receiver takes
	settleFor  = 10 * time.Second // for the record of a try, even when everything shuts down
	defaultTry = 12               // tries, over about a day
)

// Deliverer sends what waits in an outbox: each message at least once, and
// never by two at the same time. Several may share an outbox, also from
// several processes. All fields but Jitter and MaxAttempts are needed.
type Deliverer struct {
	Outbox     Outbox
	Connectors []Connector
	// Receivers finds a receiver in the programme. A message to one that is
	// not there is given up.
	Receivers   func(connector, target string) (Receiver, bool)
	Client      Client
	Now         func() time.Time
	Jitter      func() float64 // in [0, 1); none: no jitter
	MaxAttempts int            // tries before a message is given up; 0: 12
}

// Deliver sends what is due and returns how many messages were taken by their
// receivers and how many were given up. What failed for now is left waiting.
//
// Messages of one receiver go one after another, receivers beside each other.
// A receiver that asks for time, or takes more than a minute, is left alone
// until later, and its remaining messages are not counted as tried. An error
// tells of the outbox, never of a receiver.
func (d *Deliverer) Deliver(ctx context.Context) (sent, failed int, err error) {
	r := &round{Deliverer: d, lanes: map[address]*lane{}}
	began := d.Now().UnixMilli()
	for ctx.Err() == nil {
		due, err := d.Outbox.Due(ctx, began, d.Now().Add(leaseFor).UnixMilli(), batch)
		if err != nil {
			r.errs = append(r.errs, fmt.Errorf("take messages from the outbox: %w", err))
			break
		}
		r.send(ctx, due)
		if len(due) < batch {
			break
		}
	}
	return r.sent, r.failed, errors.Join(r.errs...)
}

// address names a receiver.
type address struct{ connector, target string }

// lane is one receiver during one Deliver. One goroutine at a time uses it.
type lane struct {
	connector Connector
	to        Receiver
	refused   string // why nothing can be sent there
	until     int64  // left alone until then, unix milliseconds; 0: not
	messages  []exposure.OutboxMessage
}

// round is one Deliver.
type round struct {
	*Deliverer
	lanes map[address]*lane

	mu           sync.Mutex // for what follows
	sent, failed int
	errs         []error
}

// send sorts messages by receiver and serves the receivers side by side.
func (r *round) send(ctx context.Context, due []exposure.OutboxMessage) {
	var busy []*lane
	for _, m := range due {
		l := r.lane(address{m.Connector, m.Target})
		if len(l.messages) == 0 {
			busy = append(busy, l)
		}
		l.messages = append(l.messages, m)
	}
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, l := range busy {
		places <- struct{}{}
		wg.Go(func() {
			r.serve(ctx, l)
			<-places
		})
	}
	wg.Wait()
}

// lane finds the receiver, once a round.
func (r *round) lane(a address) *lane {
	if l, ok := r.lanes[a]; ok {
		return l
	}
	l := &lane{}
	r.lanes[a] = l
	i := slices.IndexFunc(r.Connectors, func(c Connector) bool { return c.Name() == a.connector })
	if i < 0 {
		l.refused = fmt.Sprintf("This version has no connector %q: the message was not sent.", a.connector)
		return l
	}
	l.connector = r.Connectors[i]
	var ok bool
	if l.to, ok = r.Receivers(a.connector, a.target); !ok {
		l.refused = fmt.Sprintf("The programme has no %s %q any more: the message was not sent.", a.connector, a.target)
	}
	return l
}

// serve goes through the messages of one receiver.
func (r *round) serve(ctx context.Context, l *lane) {
	began := r.Now()
	for _, m := range l.messages {
		switch now := r.Now(); {
		case l.refused != "":
			m.State, m.LastError = exposure.OutboxFailed, oneLine(l.refused)
		case l.until > 0:
			m.NextAt = max(m.NextAt, l.until)
		case ctx.Err() != nil, now.Add(tryFor).UnixMilli() > m.LeaseAt:
			// Shutting down, or somebody else could have it before this try
			// ends: given back as it was.
		default:
			m = r.try(ctx, l, m)
			if now := r.Now(); l.until == 0 && now.Sub(began) >= serveFor {
				l.until = now.Add(firstWait).UnixMilli()
			}
		}
		r.settle(ctx, m)
	}
	l.messages = nil
}

// try sends one message once and returns it with what became of it.
func (r *round) try(ctx context.Context, l *lane, m exposure.OutboxMessage) exposure.OutboxMessage {
	within, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	err := l.connector.Send(within, r.Client, l.to, m)
	if err != nil && ctx.Err() != nil {
		return m // cut off by us, which says nothing about the receiver
	}
	m.Attempts++
	most := cmp.Or(r.MaxAttempts, defaultTry)
	switch {
	case err == nil:
		m.State, m.LastError = exposure.OutboxSent, ""
	case IsPermanent(err):
		m.State, m.LastError = exposure.OutboxFailed, redact(err.Error(), l.to)
	case m.Attempts >= most:
		m.State, m.LastError = exposure.OutboxFailed, redact(fmt.Sprintf("Given up after %d tries: %v", m.Attempts, err), l.to)
	default:
		m.LastError = redact(err.Error(), l.to)
		wait, asked := r.wait(m.Attempts, err)
		m.NextAt = r.Now().Add(wait).UnixMilli()
		if asked {
			l.until = m.NextAt
		}
	}
	return m
}

// settle records a message, also when ctx has ended: what was sent must not be
// sent again only because the process stops.
func (r *round) settle(ctx context.Context, m exposure.OutboxMessage) {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	err := r.Outbox.Settle(within, m)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("record message %d as %s, so it may be sent again: %w", m.ID, m.State, err))
	}
	switch m.State {
	case exposure.OutboxSent:
		r.sent++
	case exposure.OutboxFailed:
		r.failed++
	}
}
