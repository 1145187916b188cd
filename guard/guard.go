package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Config is what a [Guard] needs.
type Config struct {
	Auditor Auditor
	Now     func() time.Time
	// Redact removes secrets from what is written down; nil: nothing is removed.
	Redact func(string) string
	// Resolver is the address of the DNS server, host:port. Empty: as the system is
	// set up.
	Resolver string
	// Connect makes connections; nil: the network does. Addresses were decided on.
	Connect func(ctx context.Context, network, address string) (net.Conn, error)
	// Dry is told what would be sent, and nothing is. Nil: it is sent.
	Dry func(Entry)
}

// Guard holds the leave to send and enforces it. Without a [Grant] it refuses
// everything.
type Guard struct {
	cfg Config

	mu       sync.Mutex
	grant    Grant
	received time.Time // by our own clock
	rules    map[int64]*rules
	sessions map[*Session]struct{}
	targets  map[paceKey]*pace
}

// Grant is the leave to send as it is now. The newest replaces those before.
type Grant struct {
	Engagements []exposure.Engagement `json:"engagements"`
	// Halted are the engagements for which nothing is sent, with the reason;
	// that of 0 is for all.
	Halted map[int64]string `json:"halted,omitempty"`
	// Now is the time by the clock of who grants it; zero: ours is right.
	Now time.Time `json:"now,omitzero"`
	// For is how long it holds unless it is renewed; 0: until it is replaced.
	For time.Duration `json:"for,omitempty"`
}

// LeaseFor is how long a remote agent may send without hearing from its server.
const LeaseFor = 10 * time.Second

// watchEvery is how often what was started before is looked at: windows that
// close, leases that run out.
const watchEvery = 100 * time.Millisecond

// New makes a guard.
func New(cfg Config) *Guard {
	if cfg.Redact == nil {
		cfg.Redact = func(s string) string { return s }
	}
	return &Guard{cfg: cfg, rules: map[int64]*rules{}, sessions: map[*Session]struct{}{}, targets: map[paceKey]*pace{}}
}

// Grant takes a new leave. What is not covered any more ends at once. An
// engagement that cannot be read is refused, and the others hold.
func (g *Guard) Grant(gr Grant) error {
	compiled := map[int64]*rules{}
	var errs []error
	for i := range gr.Engagements {
		e := &gr.Engagements[i]
		r, err := compile(e)
		if err != nil {
			errs = append(errs, fmt.Errorf("engagement %d: %w", e.ID, err))
			continue
		}
		compiled[e.ID] = r
	}
	g.mu.Lock()
	g.grant, g.received, g.rules = gr, g.cfg.Now(), compiled
	g.mu.Unlock()
	g.sweep()
	return errors.Join(errs...)
}

// now is the time by the clock of who granted leave. It follows our own only
// in how much time passed.
func (g *Guard) now() time.Time {
	now := g.cfg.Now()
	if g.grant.Now.IsZero() {
		return now
	}
	return g.grant.Now.Add(now.Sub(g.received))
}

// leave returns the rules in force of an engagement, or says why nothing may
// be sent.
func (g *Guard) leave(engagement int64) (*rules, []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.rules[engagement]
	now := g.now()
	switch {
	case !ok:
		return nil, []string{fmt.Sprintf("there is no engagement %d", engagement)}
	case g.grant.For > 0 && g.cfg.Now().Sub(g.received) >= g.grant.For:
		return r, []string{"leave ran out: the server was not heard for " + g.grant.For.String()}
	}
	for _, id := range []int64{0, engagement} {
		if why, halted := g.grant.Halted[id]; halted {
			return r, []string{"everything was stopped: " + why}
		}
	}
	return r, r.when(now)
}

// Watch ends what is not allowed any more, until ctx ends. Who grants leave for
// a time runs it beside.
func (g *Guard) Watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.sweep()
		}
	}
}

// sweep ends the sessions that have no leave any more.
func (g *Guard) sweep() {
	g.mu.Lock()
	open := make([]*Session, 0, len(g.sessions))
	for s := range g.sessions {
		open = append(open, s)
	}
	g.mu.Unlock()
	for _, s := range open {
		r, against := g.leave(s.engagement)
		s.settle(r, against)
	}
}

// Decide says what the rules of an engagement make of an action at a time,
// without sending or keeping anything: nil is yes. addr is the address of the
// host when it is a name; when it is not valid, only the name is judged.
func Decide(e *exposure.Engagement, a *Action, addr netip.Addr, now time.Time) []string {
	r, err := compile(e)
	if err != nil {
		return []string{err.Error()}
	}
	q, err := question(a)
	if err != nil {
		return []string{err.Error()}
	}
	if q.name != "" {
		q.addr = addr.Unmap()
	}
	return append(r.when(now), r.allows(q, nil)...)
}

// question brings an action into its canonical form.
func question(a *Action) (*ask, error) {
	name, addr, err := canonicalHost(a.Host)
	if err != nil {
		return nil, err
	}
	q := &ask{where: where{name: name, addr: addr, protocol: orElse(a.Protocol, "tcp"), ports: a.Ports}, level: max(a.Level, exposure.LevelObserve), credentials: a.Credentials}
	if q.protocol != "tcp" && q.protocol != "udp" {
		return nil, exposure.Errorf(exposure.Invalid, "protocol %q: tcp or udp", cut(q.protocol))
	}
	if a.Port < 1 || a.Port > 65535 {
		return nil, exposure.Errorf(exposure.Invalid, "port %d is none", a.Port)
	}
	if !inRanges(q.ports, q.protocol, a.Port) {
		q.ports = []exposure.PortRange{{Protocol: q.protocol, First: a.Port, Last: a.Port}}
	}
	return q, nil
}

func inRanges(ranges []exposure.PortRange, protocol string, port int) bool {
	for _, r := range ranges {
		if orElse(r.Protocol, "tcp") == protocol && r.First <= port && port <= r.Last {
			return true
		}
	}
	return false
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Error says what was refused and why.
func (r *Refusal) Error() string {
	why := "refused"
	for i, reason := range r.Reasons {
		if i == 0 {
			why = reason
			continue
		}
		why += "; " + reason
	}
	return fmt.Sprintf("%s was not sent: %s", r.Action, why)
}
