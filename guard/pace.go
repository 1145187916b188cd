package guard

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/leeward-ctem/leeward/exposure"
)

// paceKey is a target of an engagement: what all sessions share.
type paceKey struct {
	engagement int64
	addr       netip.Addr
}

// pace keeps what one target gets within the limits, and leaves it alone when
// it suffers.
type pace struct {
	limiter *rate.Limiter
	slots   chan struct{}

	mu      sync.Mutex
	used    map[string]int64 // by scan
	total   int64
	opened  map[int]struct{} // ports that answered before
	errors  int              // in a row, of ports that answered before
	first   []time.Duration  // the first times to connect
	recent  []time.Duration  // the last ones
	alone   time.Time        // until when it is left alone
	because string
}

const (
	breakerErrors  = 3
	breakerSamples = 16
	breakerRest    = time.Minute
	// breakerFloor is how much longer connecting must take before a doubling
	// means anything.
	breakerFloor = 250 * time.Millisecond
	maxOpened    = 1024
)

// pace returns the one of an address. Its limits are those of the rules now.
func (g *Guard) pace(r *rules, addr netip.Addr) *pace {
	l := limits(r.Limits)
	g.mu.Lock()
	defer g.mu.Unlock()
	key := paceKey{r.ID, addr}
	p := g.targets[key]
	if p == nil {
		p = &pace{limiter: rate.NewLimiter(rate.Limit(l.Rate), burst(l.Rate)), used: map[string]int64{}, opened: map[int]struct{}{}}
		g.targets[key] = p
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limiter.Limit() != rate.Limit(l.Rate) {
		p.limiter.SetLimit(rate.Limit(l.Rate))
		p.limiter.SetBurst(burst(l.Rate))
	}
	if cap(p.slots) != l.Concurrency {
		p.slots = make(chan struct{}, l.Concurrency)
	}
	p.total = l.Total
	return p
}

func limits(l exposure.Limits) exposure.Limits {
	if l.Rate == 0 {
		l.Rate = DefaultRate
	}
	if l.Concurrency == 0 {
		l.Concurrency = DefaultConcurrency
	}
	if l.Total == 0 {
		l.Total = DefaultTotal
	}
	return l
}

// burst is how many may come at once: a hundredth of a second of them, as
// timers are not finer.
func burst(perSecond float64) int { return max(1, int(perSecond/100)) }

// wait waits for the turn of one more connection or request. The returned
// function ends it.
func (p *pace) wait(ctx context.Context, scan string, now time.Time) (done func(), against string, err error) {
	p.mu.Lock()
	switch {
	case now.Before(p.alone):
		against = p.because
	case p.used[scan] >= p.total:
		against = fmt.Sprintf("the target got the %d connections and requests that are agreed for a scan", p.total)
	default:
		p.used[scan]++
	}
	slots := p.slots
	p.mu.Unlock()
	if against != "" {
		return nil, against, nil
	}
	if err := p.limiter.Wait(ctx); err != nil {
		return nil, "", cmp.Or(ctx.Err(), err)
	}
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, "", nil
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
}

// connected takes up how a connection went. That a port which never answered
// does not, is what a scan is there to find out; that one which did does no
// more, is a sign that the target suffers.
func (p *pace) connected(port int, took time.Duration, err error, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.opened[port]
	if err != nil {
		if !known {
			return
		}
		if p.errors++; p.errors >= breakerErrors {
			p.rest(now, fmt.Sprintf("the target is left alone for a while: %d connections in a row failed at ports that answered before", p.errors))
		}
		return
	}
	p.errors = 0
	if !known && len(p.opened) < maxOpened {
		p.opened[port] = struct{}{}
	}
	if len(p.first) < breakerSamples {
		p.first = append(p.first, took)
		return
	}
	if p.recent = append(p.recent, took); len(p.recent) < breakerSamples {
		return
	}
	before, after := median(p.first), median(p.recent)
	p.recent = p.recent[:0]
	if after > 2*before && after > before+breakerFloor {
		p.rest(now, fmt.Sprintf("the target is left alone for a while: connecting took %v and takes %v now", before.Round(time.Millisecond), after.Round(time.Millisecond)))
	}
}

// answered takes up the status of an answer: who says that it is too much is
// believed at the third time.
func (p *pace) answered(status int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if status != 429 && status != 503 {
		p.errors = 0
		return
	}
	if p.errors++; p.errors >= breakerErrors {
		p.rest(now, fmt.Sprintf("the target is left alone for a while: it answered with status %d, three times in a row", status))
	}
}

// rest leaves the target alone. What it is compared with is learnt anew.
func (p *pace) rest(now time.Time, why string) {
	p.alone, p.because = now.Add(breakerRest), why
	p.errors, p.first, p.recent = 0, nil, nil
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}
