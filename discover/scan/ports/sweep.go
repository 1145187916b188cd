package ports

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// state is what is known of a port.
type state uint8

const (
	unasked  state = iota
	lost           // we could not ask: no sockets left
	filtered       // no answer, or somebody on the way says that it is not to be reached
	closed         // the host says that nobody listens
	open
)

// How many ports are tried at once, and how long an answer is waited for.
const (
	firstWidth = 32
	leastWidth = 8
	mostWidth  = 256

	firstTimeout = 1500 * time.Millisecond
	leastTimeout = 250 * time.Millisecond
	mostTimeout  = 3 * time.Second

	// lonely is how many ports are tried one after the other, to learn how long
	// the way takes before we queue up on it ourselves.
	lonely = 4
	// progressEvery is how many ports are done before anybody is told.
	progressEvery = 512
)

// sweep tries ports. How many at once is found out: answers make it more, and
// an answer to a second try, where the first one was lost, makes it less.
type sweep struct {
	job    *scan.Job
	ranges []exposure.PortRange
	of     int

	mu       sync.Mutex
	states   []state // by port
	at, port int     // the next one: port, of the range at
	again    []int   // those without an answer
	second   bool
	done     int
	active   int
	width    int
	fastest  time.Duration // from the first packet to the answer; 0: none yet
	up       bool          // the host answered
	stopped  error         // a refusal
	wg       sync.WaitGroup

	telling sync.Mutex // Progress is called by one at a time
}

func newSweep(j *scan.Job, ranges []exposure.PortRange) *sweep {
	s := &sweep{job: j, ranges: ranges, of: count(ranges), states: make([]state, lastPort+1), width: firstWidth}
	if len(ranges) > 0 {
		s.port = ranges[0].First
	}
	return s
}

// run tries every port, and those that did not answer once more.
func (s *sweep) run(ctx context.Context) {
	for range lonely {
		s.mu.Lock()
		port, ok := s.next()
		s.mu.Unlock()
		if !ok || ctx.Err() != nil {
			break
		}
		s.try(ctx, port)
	}
	s.together(ctx)
	if s.stopped == nil && ctx.Err() == nil {
		s.second = true
		s.together(ctx)
	}
	s.job.Progress(s.of, s.of)
}

// together tries what is left, some ports at once.
func (s *sweep) together(ctx context.Context) {
	s.active = 1
	s.wg.Add(1)
	s.work(ctx)
	s.wg.Wait()
}

// work tries one port after the other, and lets others help as far as the
// width goes.
func (s *sweep) work(ctx context.Context) {
	defer s.wg.Done()
	for {
		s.mu.Lock()
		port, ok := 0, false
		if s.active <= s.width && s.stopped == nil && ctx.Err() == nil {
			port, ok = s.next()
		}
		if !ok {
			s.active--
			s.mu.Unlock()
			return
		}
		help := s.active < s.width
		if help {
			s.active++
			s.wg.Add(1)
		}
		s.mu.Unlock()
		if help {
			go s.work(ctx)
		}
		s.try(ctx, port)
	}
}

// next takes a port that is to be tried.
func (s *sweep) next() (int, bool) {
	if s.second {
		if len(s.again) == 0 {
			return 0, false
		}
		port := s.again[len(s.again)-1]
		s.again = s.again[:len(s.again)-1]
		return port, true
	}
	if s.at >= len(s.ranges) {
		return 0, false
	}
	port := s.port
	if s.port++; port == s.ranges[s.at].Last {
		if s.at++; s.at < len(s.ranges) {
			s.port = s.ranges[s.at].First
		}
	}
	return port, true
}

// try connects to a port and takes up what came of it.
func (s *sweep) try(ctx context.Context, port int) {
	timeout := s.timeout()
	if s.second {
		timeout = min(2*timeout, mostTimeout)
	}
	began := time.Now()
	c, err := s.job.Network.Dial(ctx, guard.Action{
		Level: exposure.LevelObserve, Host: s.job.Host, Port: port, Ports: s.ranges, What: "is the port open", Timeout: timeout,
	})
	took := time.Since(began)
	if err == nil {
		c.Close()
	}
	if ctx.Err() != nil {
		return
	}
	if done, tell := s.note(port, took, err); tell {
		s.telling.Lock()
		s.job.Progress(done, s.of)
		s.telling.Unlock()
	}
}

// note takes up what came of a try.
func (s *sweep) note(port int, took time.Duration, err error) (done int, tell bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var refusal *guard.Refusal
	switch {
	case err == nil:
		s.states[port] = open
	case errors.As(err, &refusal):
		if s.stopped == nil {
			s.stopped = err
		}
		return 0, false
	case guard.Closed(err):
		s.states[port] = closed
	case guard.Exhausted(err):
		s.states[port] = lost
	default:
		s.states[port] = filtered
	}
	switch answered := s.states[port] >= closed; {
	case answered && s.second: // the first one was lost on the way
		s.up, s.width = true, max(s.width/2, leastWidth)
	case answered:
		s.up, s.width = true, min(s.width+1, mostWidth)
		if s.fastest == 0 || took < s.fastest {
			s.fastest = took
		}
	case s.states[port] == lost:
		s.width = max(s.width/2, leastWidth)
	}
	if s.states[port] < closed && !s.second {
		s.again = append(s.again, port)
		return 0, false
	}
	s.done++
	return s.done, s.done%progressEvery == 0
}

// timeout is how long an answer is waited for: many times as long as the
// fastest one took. What took longer may have waited for us.
func (s *sweep) timeout() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fastest == 0 {
		return firstTimeout
	}
	return min(max(8*s.fastest, leastTimeout), mostTimeout)
}

// open are the ports at which somebody listens.
func (s *sweep) open() (ports []int) {
	for port, st := range s.states {
		if st == open {
			ports = append(ports, port)
		}
	}
	return ports
}

// covered are the ports of which the state is known, without those of which
// it is not known what answers there.
func (s *sweep) covered(unsure []int) (ranges []exposure.PortRange) {
	for _, port := range unsure {
		s.states[port] = unasked
	}
	for port, st := range s.states {
		if st < filtered {
			continue
		}
		if n := len(ranges); n > 0 && ranges[n-1].Last == port-1 {
			ranges[n-1].Last = port
			continue
		}
		ranges = append(ranges, exposure.PortRange{Protocol: "tcp", First: port, Last: port})
	}
	return ranges
}
