package guard

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Session is the way out of one scan, under one engagement. It implements
// [Network]. Close it when the scan is done.
type Session struct {
	guard      *Guard
	engagement int64
	scan       string
	http       *http.Transport
	dns        *resolver
	sent       atomic.Int64

	mu      sync.Mutex
	pinned  map[string]*pin
	decided map[leaseKey]*lease
	led     map[string]struct{}   // names that answers led to
	shunned map[netip.Addr]string // addresses of excluded names; nil: not looked up yet
	shun    sync.Mutex
	log     []Entry // requests that are not written down yet
	logged  time.Time
	conns   map[*conn]struct{}
	ended   chan struct{} // closed when nothing may be sent any more
	why     []string      // why it ended
	closed  bool
}

// pin is the address that a name is kept at.
type pin struct {
	once sync.Once
	addr netip.Addr
	err  error
}

// leaseKey is what one decision is about.
type leaseKey struct {
	host        string
	protocol    string
	origin      string // of requests
	level       exposure.Level
	credentials bool
}

// lease is what was decided: it holds for the ports and places asked for.
type lease struct {
	rules  *rules
	ranges []exposure.PortRange
}

const (
	dialTimeout = 10 * time.Second
	maxPinned   = 100_000
	maxLed      = 10_000
	logEvery    = time.Second
	maxLog      = 256
)

// Session opens a way out under an engagement. scan names it in the audit log
// and counts totals.
func (g *Guard) Session(engagement int64, scan string) *Session {
	s := &Session{
		guard: g, engagement: engagement, scan: scan, dns: newResolver(g.cfg.Resolver),
		pinned: map[string]*pin{}, decided: map[leaseKey]*lease{}, led: map[string]struct{}{},
		conns: map[*conn]struct{}{}, ended: make(chan struct{}),
	}
	s.http = s.transport()
	g.mu.Lock()
	g.sessions[s] = struct{}{}
	g.mu.Unlock()
	return s
}

// Close ends the session: its connections are closed and its counts written
// down.
func (s *Session) Close() error {
	s.guard.mu.Lock()
	delete(s.guard.sessions, s)
	s.guard.mu.Unlock()
	s.mu.Lock()
	done := s.closed
	s.closed = true
	s.mu.Unlock()
	if done {
		return nil
	}
	s.cut()
	s.flush(context.Background(), true)
	return s.record(context.Background(), Entry{Kind: Finished, Action: "end of the scan", Allowed: true, Count: s.sent.Load()})
}

// Sent is how many connections, requests and lookups were sent.
func (s *Session) Sent() int64 { return s.sent.Load() }

// cut closes all connections.
func (s *Session) cut() {
	s.mu.Lock()
	open := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
	s.http.CloseIdleConnections()
}

// settle ends the session when there are reasons against it, and lets it go on
// when they are gone.
func (s *Session) settle(_ *rules, against []string) {
	s.mu.Lock()
	stopped := s.why != nil
	switch {
	case len(against) > 0 && !stopped:
		s.why = against
		close(s.ended)
	case len(against) == 0 && stopped && !s.closed:
		s.why, s.ended = nil, make(chan struct{})
	}
	s.mu.Unlock()
	if len(against) == 0 || stopped {
		return
	}
	s.cut()
	s.record(context.Background(), Entry{Kind: Stopped, Action: "stop of the scan", Reasons: against})
}

// alive returns a context that ends with the session.
func (s *Session) alive(ctx context.Context) (context.Context, context.CancelFunc) {
	s.mu.Lock()
	ended := s.ended
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	stop := make(chan struct{})
	go func() {
		select {
		case <-ended:
			cancel()
		case <-stop:
		case <-ctx.Done():
		}
	}()
	return ctx, sync.OnceFunc(func() { close(stop); cancel() })
}

// record writes entries down with what all of the session share.
func (s *Session) record(ctx context.Context, entries ...Entry) error {
	g := s.guard
	g.mu.Lock()
	now := g.now()
	digest := ""
	if r := g.rules[s.engagement]; r != nil {
		digest = r.digest
	}
	g.mu.Unlock()
	for i := range entries {
		e := &entries[i]
		e.Engagement, e.Rules, e.Scan = s.engagement, digest, s.scan
		if e.At.IsZero() {
			e.At = now
		}
		e.Action = g.cfg.Redact(e.Action)
		e.Host = cut(e.Host)
	}
	return g.cfg.Auditor.Append(ctx, entries...)
}

// judge decides and writes the decision down. When it was decided before it
// only looks whether leave still holds.
func (s *Session) judge(ctx context.Context, q *ask, action string) (*rules, error) {
	r, against := s.guard.leave(s.engagement)
	if len(against) > 0 {
		return nil, s.refuse(ctx, q, action, against)
	}
	key := leaseKey{q.host(), q.protocol, "", q.level, q.credentials}
	if q.scheme != "" {
		key.origin = q.scheme + ":" + strconv.Itoa(q.port)
	}
	s.mu.Lock()
	l := s.decided[key]
	s.mu.Unlock()
	decided := l != nil && l.rules == r && covers(l.ranges, q.ports)
	// Places within an origin are judged each: parts of it may be excluded.
	if decided && q.scheme == "" {
		return r, nil
	}
	if against = r.allows(q, nil); len(against) > 0 {
		return nil, s.refuse(ctx, q, action, against)
	}
	shunned, err := s.excluded(ctx, r)
	if err != nil {
		return nil, err
	}
	// The name is in scope, so its address may be asked for.
	if q.name != "" {
		if q.addr, err = s.pin(ctx, q.name); err != nil {
			return nil, err
		}
		against = r.allows(q, shunned)
	} else {
		against = nilIfEmpty(r.excludes(q, shunned))
	}
	if len(against) > 0 {
		return nil, s.refuse(ctx, q, action, against)
	}
	if decided {
		return r, nil
	}
	if dry := s.guard.cfg.Dry; dry != nil {
		dry(Entry{Kind: Decided, Engagement: s.engagement, Scan: s.scan, Action: s.guard.cfg.Redact(action), Host: q.host(), Addr: q.addr.String(), Level: q.level.String(), Allowed: true, At: s.guard.cfg.Now()})
		return nil, &Refusal{Action: action, Reasons: []string{"this is a dry run"}}
	}
	err = s.record(ctx, Entry{Kind: Decided, Action: action, Host: q.host(), Addr: q.addr.String(), Level: q.level.String(), Allowed: true})
	if err != nil {
		return nil, fmt.Errorf("the decision could not be written down, so nothing is sent: %w", err)
	}
	s.mu.Lock()
	if l == nil || l.rules != r || len(l.ranges) > 64 {
		l = &lease{rules: r}
	}
	s.decided[key] = &lease{r, append(l.ranges[:len(l.ranges):len(l.ranges)], q.ports...)}
	s.mu.Unlock()
	return r, nil
}

func nilIfEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// covers reports whether ranges hold each of the wanted.
func covers(ranges, wanted []exposure.PortRange) bool {
	for _, w := range wanted {
		held := false
		for _, r := range ranges {
			held = held || orElse(r.Protocol, "tcp") == orElse(w.Protocol, "tcp") && r.First <= w.First && w.Last <= r.Last
		}
		if !held {
			return false
		}
	}
	return true
}

// refuse writes a refusal down.
func (s *Session) refuse(ctx context.Context, q *ask, action string, against []string) error {
	no := &Refusal{Action: s.guard.cfg.Redact(action), Reasons: against}
	e := Entry{Kind: Decided, Action: action, Host: q.host(), Level: q.level.String(), Reasons: against}
	if q.addr.IsValid() {
		e.Addr = q.addr.String()
	}
	if err := s.record(ctx, e); err != nil {
		return fmt.Errorf("%w (and it could not be written down: %w)", no, err)
	}
	return no
}

// pin resolves a name, once.
func (s *Session) pin(ctx context.Context, name string) (netip.Addr, error) {
	s.mu.Lock()
	p := s.pinned[name]
	if p == nil {
		if len(s.pinned) >= maxPinned {
			s.mu.Unlock()
			return netip.Addr{}, fmt.Errorf("more than %d names in one scan", maxPinned)
		}
		p = &pin{}
		s.pinned[name] = p
	}
	s.mu.Unlock()
	p.once.Do(func() {
		s.sent.Add(1)
		p.addr, p.err = s.dns.address(context.WithoutCancel(ctx), name)
	})
	return p.addr, p.err
}

// excluded returns the addresses of excluded names. One that cannot be looked
// up for want of an answer stops everything: it could be the next address.
func (s *Session) excluded(ctx context.Context, r *rules) (map[netip.Addr]string, error) {
	s.shun.Lock()
	defer s.shun.Unlock()
	if s.shunned != nil {
		return s.shunned, nil
	}
	found := map[netip.Addr]string{}
	for _, name := range r.excludedNames() {
		s.sent.Add(1)
		all, err := s.dns.addresses(ctx, name)
		if err != nil && !notFound(err) {
			return nil, fmt.Errorf("%s is excluded and its address cannot be found out, so nothing is sent: %w", name, err)
		}
		for _, a := range all {
			found[a] = name
		}
	}
	s.shunned = found
	return found, nil
}

// Resolve implements [Network].
func (s *Session) Resolve(ctx context.Context, host string) (netip.Addr, error) {
	name, addr, err := canonicalHost(host)
	if err != nil || addr.IsValid() {
		return addr, err
	}
	q := &ask{where: where{name: name}, level: exposure.LevelObserve, lookup: true}
	if _, err := s.judgeLookup(ctx, q, "address of "+name); err != nil {
		return netip.Addr{}, err
	}
	return s.pin(ctx, name)
}

// Authorize decides about an action and writes it down, and sends nothing.
// What external programs will do is asked this way.
func (s *Session) Authorize(ctx context.Context, a Action) error {
	q, err := question(&a)
	if err != nil {
		return err
	}
	_, err = s.judge(ctx, q, a.String())
	return err
}

// Dial implements [Network].
func (s *Session) Dial(ctx context.Context, a Action) (Conn, error) {
	q, err := question(&a)
	if err != nil {
		return nil, err
	}
	action := a.String()
	r, err := s.judge(ctx, q, action)
	if err != nil {
		return nil, err
	}
	if !q.addr.IsValid() {
		if q.addr, err = s.pin(ctx, q.name); err != nil {
			return nil, err
		}
	}
	p := s.guard.pace(r, q.addr)
	done, err := s.turn(ctx, p, q, action)
	if err != nil {
		return nil, err
	}
	c, err := s.connect(ctx, p, q.protocol, netip.AddrPortFrom(q.addr, uint16(a.Port)), done)
	if err != nil {
		done()
		return nil, err
	}
	return c, nil
}

// turn waits until the target may get one more. Leave is looked at anew: it may
// have been withdrawn meanwhile.
func (s *Session) turn(ctx context.Context, p *pace, q *ask, action string) (func(), error) {
	live, end := s.alive(ctx)
	defer end()
	done, against, err := p.wait(live, s.scan, s.guard.cfg.Now())
	if against != "" {
		return nil, s.refuse(ctx, q, action, []string{against})
	}
	if ctx.Err() != nil {
		if done != nil {
			done()
		}
		return nil, ctx.Err()
	}
	if _, no := s.guard.leave(s.engagement); len(no) > 0 || live.Err() != nil {
		if done != nil {
			done()
		}
		if len(no) == 0 {
			no = []string{"the scan was stopped"}
		}
		return nil, s.refuse(ctx, q, action, no)
	}
	return done, err
}

// connect makes one connection to an address that was decided on.
func (s *Session) connect(ctx context.Context, p *pace, protocol string, to netip.AddrPort, done func()) (*conn, error) {
	ctx, end := s.alive(ctx)
	defer end()
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: -1, Control: func(_, address string, _ syscall.RawConn) error {
		if at, err := netip.ParseAddrPort(address); err != nil || at != to {
			return fmt.Errorf("%s is not %s", address, to)
		}
		return nil
	}}
	began := s.guard.cfg.Now()
	s.sent.Add(1)
	dial := dialer.DialContext
	if s.guard.cfg.Connect != nil {
		dial = s.guard.cfg.Connect
	}
	raw, err := dial(ctx, protocol, to.String())
	now := s.guard.cfg.Now()
	if ctx.Err() == nil || err == nil {
		p.connected(int(to.Port()), now.Sub(began), err, now)
	}
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, session: s, done: done}
	s.mu.Lock()
	over := s.closed || s.why != nil
	if !over {
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	if over {
		raw.Close()
		return nil, &Refusal{Action: "a connection", Reasons: []string{"the scan was stopped"}}
	}
	return c, nil
}

// conn is a connection that ends with its session.
type conn struct {
	net.Conn
	session *Session
	done    func()
	once    sync.Once
}

// Close closes the connection and gives its place to another.
func (c *conn) Close() (err error) {
	c.once.Do(func() {
		err = c.Conn.Close()
		c.session.mu.Lock()
		delete(c.session.conns, c)
		c.session.mu.Unlock()
		if c.done != nil {
			c.done()
		}
	})
	return err
}

// String says in a few words what an action is.
func (a *Action) String() string {
	ports := strconv.Itoa(a.Port)
	if inRanges(a.Ports, orElse(a.Protocol, "tcp"), a.Port) {
		ports = portsText(a.Ports)
	}
	s := orElse(a.Protocol, "tcp") + " " + ports
	if a.What != "" {
		s += " (" + a.What + ")"
	}
	return s + " on " + cut(a.Host)
}

func portsText(ranges []exposure.PortRange) string {
	const most = 20
	s := ""
	for i, r := range ranges {
		if i > 0 {
			s += ","
		}
		if i == most {
			return fmt.Sprintf("%s… (%d ranges)", s, len(ranges))
		}
		s += strconv.Itoa(r.First)
		if r.Last != r.First {
			s += "-" + strconv.Itoa(r.Last)
		}
	}
	return s
}

// Rate is how many connections and requests a second a target gets, for those
// whose own the guard does not see one by one.
func (s *Session) Rate() float64 {
	r, against := s.guard.leave(s.engagement)
	if len(against) > 0 {
		return 0
	}
	return limits(r.Limits).Rate
}
