package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Runner lets engines look at targets.
type Runner struct {
	Engines []Engine
	// Workers is how many looks go on at once; 0: 16. They mostly wait, and the
	// guard keeps to the pace that a target bears.
	Workers int
}

// Plan says what to look at and how.
type Plan struct {
	Targets     []Target
	Only        []string // names of engines; none: all but those of others
	Level       exposure.Level
	Ports       []exposure.PortRange // none: the engine's own choice
	Credentials bool
	Templates   fs.FS
	Network     guard.Network // nil: nothing is sent
	// Vantage is where one looks from: what is reachable, and so what its absence
	// proves, differs by it. Lower case letters and digits.
	Vantage string
	// Self is the name of this machine: what loopback addresses are.
	Self     string
	Now      func() time.Time
	Progress func(Progress) // may be nil; called from one goroutine at a time
}

// Progress is how far a run is.
type Progress struct {
	Done, Known int    // looks that ended, and that are known of so far
	Engine      string // of the look that said something
	Target      string
	Part, Of    int // of that look
	Found       int // weaknesses so far
}

// Status is how one engine's look at one target went.
type Status struct {
	Engine   string        `json:"engine"`
	Target   string        `json:"target"`
	Found    int           `json:"found"`
	Covered  bool          `json:"covered"`           // what was not found is not there
	Failure  string        `json:"failure,omitempty"` // why it ended early
	Refused  bool          `json:"refused,omitempty"` // the rules of engagement did not allow it, or some of it
	Problems []string      `json:"problems,omitempty"`
	Took     time.Duration `json:"took"`

	broken bool // something that was stated is missing
}

func (s *Status) problem(err error) {
	if len(s.Problems) < maxProblems {
		s.Problems = append(s.Problems, err.Error())
	}
}

const (
	maxProblems = 20
	maxLooks    = 2_000_000
)

// Run looks at all targets and calls state with what is seen, from one goroutine
// at a time. What an engine finds open is looked at by the engines that take
// services. An engine that fails or panics costs its own look. The error is
// state's, or says that ctx ended.
func (r *Runner) Run(ctx context.Context, p Plan, state func(exposure.Observation) error) ([]Status, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	engines, err := r.choose(&p)
	if err != nil {
		return nil, err
	}
	w := &run{plan: p, engines: engines, state: state, stop: cancel, seen: map[string]bool{}, hosts: map[string]*hostLook{}, running: map[*look]bool{}}
	w.wake = sync.NewCond(&w.mu)
	for _, t := range p.Targets {
		w.add(t)
	}
	defer context.AfterFunc(ctx, func() {
		w.mu.Lock()
		w.wake.Broadcast()
		w.mu.Unlock()
	})()
	var wg sync.WaitGroup
	for range max(1, cmp.Or(r.Workers, 16)) {
		wg.Go(func() {
			for l := w.next(ctx); l != nil; l = w.next(ctx) {
				w.look(ctx, l)
			}
		})
	}
	w.wait(ctx, &wg)
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.status, func(a, b Status) int {
		return cmp.Or(strings.Compare(a.Target, b.Target), strings.Compare(a.Engine, b.Engine))
	})
	return w.status, context.Cause(ctx)
}

// grace is how long engines have to stop when they are told to.
const grace = 500 * time.Millisecond

// wait waits for the workers. An engine that does not stop when it is told to is
// left behind: nothing that it says later is taken.
func (w *run) wait(ctx context.Context, workers *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		workers.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-ended:
		return
	case <-late.C:
	}
	w.out.Lock()
	w.over = true
	w.out.Unlock()
	w.mu.Lock()
	for l := range w.running {
		w.status = append(w.status, Status{Engine: l.about.Name, Target: l.target.Name, Failure: "the engine did not stop when it was told to", Took: w.plan.Now().Sub(l.began)})
	}
	w.running = nil
	w.mu.Unlock()
}

// choose returns the engines of a plan.
func (r *Runner) choose(p *Plan) ([]Engine, error) {
	if !ValidVantage(p.Vantage) {
		return nil, exposure.Errorf(exposure.Invalid, "vantage %q: name where one looks from with lower case letters and digits", p.Vantage)
	}
	if err := r.Check(p.Only, p.Level); err != nil {
		return nil, err
	}
	var chosen []Engine
	for _, e := range r.Engines {
		d := e.Describe()
		if slices.Contains(p.Only, d.Name) || len(p.Only) == 0 && !d.Foreign && d.Level <= p.Level {
			chosen = append(chosen, e)
		}
	}
	return chosen, nil
}

// Check says what is wrong with names of engines for a level, nil when nothing
// is.
func (r *Runner) Check(only []string, level exposure.Level) error {
	known := map[string]exposure.Level{}
	var names []string
	for _, e := range r.Engines {
		d := e.Describe()
		known[d.Name] = d.Level
		names = append(names, d.Name)
	}
	for _, name := range only {
		needs, ok := known[name]
		switch {
		case !ok:
			return exposure.Errorf(exposure.Invalid, "there is no engine %q: there are %s", name, strings.Join(names, ", "))
		case needs > level:
			return exposure.Errorf(exposure.Invalid, "engine %s needs the level %v, and %v is asked for", name, needs, level)
		}
	}
	return nil
}

// ValidVantage reports whether a name is one of a vantage: it becomes part of
// the class of findings, whose parts dashes divide.
func ValidVantage(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// look is one engine at one target.
type look struct {
	engine Engine
	about  Description
	target Target
	began  time.Time
}

// hostLook is what is known of a host when all engines that find its ports
// looked at it.
type hostLook struct {
	target  Target
	waiting int
	covered []exposure.PortRange
	open    map[int]bool
}

// run is the work of one Run.
type run struct {
	plan    Plan
	engines []Engine
	stop    context.CancelCauseFunc

	mu     sync.Mutex
	wake   *sync.Cond
	queue  []*look
	busy   int
	known  int
	done   int
	found  int
	seen   map[string]bool
	hosts  map[string]*hostLook
	status []Status
	// running are the looks that go on; nil when those that do were left behind.
	running map[*look]bool

	out   sync.Mutex
	over  bool // nothing is taken any more
	state func(exposure.Observation) error
}

// add lets the engines that take a target look at it, unless they do already.
func (w *run) add(t Target) {
	w.name(&t)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addLocked(t)
}

func (w *run) addLocked(t Target) {
	key := strings.Join([]string{string(t.Kind), t.Host, fmt.Sprint(t.Port), t.Protocol, t.Path}, "\x00")
	if t.Kind == Directory || t.Kind == Image {
		key = string(t.Kind) + "\x00" + t.Name
	}
	if w.seen[key] || len(w.seen) >= maxLooks {
		return
	}
	w.seen[key] = true
	for _, e := range w.engines {
		d := e.Describe()
		if !slices.Contains(d.Takes, t.Kind) {
			continue
		}
		if t.Kind == Host {
			h := w.hosts[t.Name]
			if h == nil {
				h = &hostLook{target: t, open: map[int]bool{}}
				w.hosts[t.Name] = h
			}
			h.waiting++
		}
		w.queue = append(w.queue, &look{engine: e, about: d, target: t})
		w.known++
	}
	w.wake.Broadcast()
	if _, err := netip.ParseAddr(t.Host); t.Kind == Host && err != nil && strings.Contains(t.Host, ".") {
		d := t
		d.Kind, d.Name, d.Port = Domain, "domain:"+t.Host, 0
		d.Asset = exposure.AssetRef{Kind: exposure.AssetDomain, Name: t.Host}
		d.Asset.Add(exposure.IDHostname, t.Host)
		w.addLocked(d)
	}
}

// name says what asset a target is, when the caller did not.
func (w *run) name(t *Target) {
	if !t.Asset.IsZero() || t.Host == "" {
		return
	}
	t.Asset.Kind, t.Asset.Name = exposure.AssetHost, t.Host
	a, err := netip.ParseAddr(t.Host)
	switch {
	case err == nil && a.IsLoopback(), t.Host == "localhost":
		t.Asset.Name = cmp.Or(w.plan.Self, "this machine")
		t.Asset.Add(exposure.IDHostname, w.plan.Self)
	case err == nil:
		t.Asset.Add(exposure.IDIP, t.Host)
	default:
		if t.Kind == Domain {
			t.Asset.Kind = exposure.AssetDomain
		}
		t.Asset.Add(exposure.IDHostname, t.Host)
	}
}

// next waits for a look; nil: there will be none any more.
func (w *run) next(ctx context.Context) *look {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && w.busy > 0 && ctx.Err() == nil {
		w.wake.Wait()
	}
	if len(w.queue) == 0 || ctx.Err() != nil {
		return nil
	}
	l := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	w.busy++
	l.began = w.plan.Now()
	w.running[l] = true
	return l
}

// remote reports whether a look goes by the network.
func (l *look) remote() bool { return l.target.Kind != Directory && l.target.Kind != Image }

// look lets one engine look at one target.
func (w *run) look(ctx context.Context, l *look) {
	s := Status{Engine: l.about.Name, Target: l.target.Name}
	err := w.drive(ctx, l, &s)
	s.Took = w.plan.Now().Sub(l.began)
	var no *guard.Refusal
	if errors.As(err, &no) {
		s.Refused = true
	}
	if err != nil {
		s.Failure, s.Covered = err.Error(), false
	}
	if ctx.Err() == nil && l.target.Kind == Host {
		w.closePorts(l)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running == nil {
		return
	}
	delete(w.running, l)
	w.status = append(w.status, s)
	w.busy--
	w.done++
	w.wake.Broadcast()
	w.tell(l, 0, 0)
}

// tell reports progress; w.mu is held.
func (w *run) tell(l *look, part, of int) {
	if w.plan.Progress != nil && w.running != nil {
		w.plan.Progress(Progress{Done: w.done, Known: w.known, Engine: l.about.Name, Target: l.target.Name, Part: part, Of: of, Found: w.found})
	}
}

// drive runs an engine and takes up what it yields.
func (w *run) drive(ctx context.Context, l *look, s *Status) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the engine %s panicked: %v\n%s", l.about.Name, p, firstFrames(debug.Stack()))
		}
	}()
	if l.remote() && w.plan.Network == nil {
		return &guard.Refusal{Action: l.about.Name + " of " + l.target.Name, Reasons: []string{"there is no engagement"}}
	}
	t := l.target
	if a, err := netip.ParseAddr(t.Host); l.remote() && err != nil && !a.IsValid() && t.Kind != Domain {
		if at, err := w.plan.Network.Resolve(ctx, t.Host); err == nil {
			t.Asset.Identifiers = slices.Clone(t.Asset.Identifiers)
			t.Asset.Add(exposure.IDIP, at.String())
		}
	}
	j := &Job{Target: t, Level: w.plan.Level, Network: w.plan.Network, Ports: w.plan.Ports, Credentials: w.plan.Credentials, Templates: w.plan.Templates, Now: w.plan.Now,
		Progress: func(part, of int) {
			w.mu.Lock()
			w.tell(l, part, of)
			w.mu.Unlock()
		}}
	if t.Kind == Host && t.Port != 0 {
		j.Ports = []exposure.PortRange{{Protocol: "tcp", First: t.Port, Last: t.Port}}
	}
	for o, err := range l.engine.Scan(ctx, j) {
		if err != nil {
			var rec *exposure.RecordError
			if !errors.As(err, &rec) {
				return err
			}
			s.problem(err)
			continue
		}
		if err := w.take(l, t, o, s); err != nil {
			w.stop(err)
			return err
		}
	}
	return ctx.Err()
}

func firstFrames(stack []byte) string { return string(stack[:min(len(stack), 2000)]) }

// take hands on one observation, as the runner's.
func (w *run) take(l *look, t Target, o exposure.Observation, s *Status) error {
	if o.Asset.IsZero() {
		o.Asset = t.Asset
	}
	if why := l.own(&o); why != "" {
		s.broken = true
		s.problem(fmt.Errorf("what the engine stated is not taken: %s", why))
		return nil
	}
	if l.remote() && o.Class != "" {
		o.Class += "-" + w.plan.Vantage
	}
	if ignores(&t, &o) {
		return nil
	}
	switch o.Kind {
	case exposure.ObservedWeakness:
		if t.Kind == Directory && example(cmp.Or(o.Location.File, o.Component.Path)) {
			o.Confidence = min(cmp.Or(o.Confidence, ExampleConfidence), ExampleConfidence)
		}
		s.Found++
		w.mu.Lock()
		w.found++
		w.mu.Unlock()
	case exposure.ObservedCoverage:
		if s.broken {
			return nil // what was not taken would look as if it were gone
		}
		s.Covered = true
		what := *o.Coverage
		what.Class = o.Class
		o.Coverage = &what
		if t.Kind == Host && len(what.Ports) > 0 {
			w.mu.Lock()
			h := w.hosts[t.Name]
			h.covered = append(h.covered, what.Ports...)
			w.mu.Unlock()
		}
	case exposure.ObservedInventory:
		if o.Location.Port != 0 && t.Kind == Host {
			w.opened(t, &o)
		}
	}
	return w.emit(o)
}

// own makes an observation the scanner's own, or says what of its engine's
// contract it breaks.
func (l *look) own(o *exposure.Observation) (why string) {
	if l.about.Foreign {
		return ""
	}
	o.Tool = Tool
	switch {
	case o.Class == "" && o.Kind == exposure.ObservedInventory:
		o.Class = l.about.Name
	case o.Class != l.about.Name:
		why = fmt.Sprintf("its class is %q", o.Class)
	}
	switch {
	case o.Kind == exposure.ObservedWeakness && !strings.HasPrefix(o.Rule, l.about.Name+"/"):
		why = fmt.Sprintf("its rule is %q", o.Rule)
	case o.Kind == exposure.ObservedCoverage && o.Coverage == nil:
		why = "coverage of nothing"
	case o.Kind == exposure.ObservedRun:
		why = "it states a run"
	}
	return why
}

// ExampleConfidence is what a weakness in test data has at most: it
// is there on purpose more often than not.
const ExampleConfidence = 30

// example reports whether a file lies in what is test data by its name.
func example(file string) bool {
	for part := range strings.SplitSeq(file, "/") {
		switch part {
		case "testdata", "test-data", "test_data", "fixtures", "__fixtures__":
			return true
		}
	}
	return false
}

// Ignorer is a tree that says what of it is not looked at, which also holds for
// what it was in the past.
type Ignorer interface {
	Ignores(file string) bool
}

func ignores(t *Target, o *exposure.Observation) bool {
	i, ok := t.Files.(Ignorer)
	return ok && (o.Kind == exposure.ObservedWeakness && i.Ignores(cmp.Or(o.Location.File, o.Component.Path)) || o.Kind == exposure.ObservedInventory && i.Ignores(o.Component.Path))
}

func (w *run) emit(o exposure.Observation) error {
	w.out.Lock()
	defer w.out.Unlock()
	if w.over {
		return context.Canceled
	}
	return w.state(o)
}

// opened lets the engines that take services look at an open port.
func (w *run) opened(t Target, o *exposure.Observation) {
	at := o.Location
	protocol := cmp.Or(at.Protocol, "tcp")
	w.mu.Lock()
	defer w.mu.Unlock()
	if protocol == "tcp" {
		w.hosts[t.Name].open[at.Port] = true
	}
	w.addLocked(Target{Kind: Service, Name: join(t.Host, at.Port), Asset: o.Asset, Host: t.Host, Port: at.Port, Protocol: protocol, Service: at.Service, TLS: SpeaksTLS(at.Service)})
}

// closePorts states, when all that look for the ports of a host are done, that
// closed ones have no weakness of the engines that look at services: they are
// never asked.
func (w *run) closePorts(l *look) {
	w.mu.Lock()
	h := w.hosts[l.target.Name]
	h.waiting--
	if h.waiting > 0 || len(h.covered) == 0 {
		w.mu.Unlock()
		return
	}
	closed := without(union(h.covered), h.open)
	w.mu.Unlock()
	if len(closed) == 0 {
		return
	}
	for _, e := range w.engines {
		d := e.Describe()
		if !slices.Contains(d.Takes, Service) || d.Foreign || slices.Contains(d.Takes, Host) {
			continue
		}
		class := d.Name + "-" + w.plan.Vantage
		if err := w.emit(exposure.Observation{Kind: exposure.ObservedCoverage, Tool: Tool, Asset: h.target.Asset, Class: class, Coverage: &exposure.Coverage{Class: class, Ports: closed}}); err != nil {
			w.stop(err)
			return
		}
	}
}

// without takes single ports out of ranges.
func without(ranges []exposure.PortRange, ports map[int]bool) (all []exposure.PortRange) {
	for _, r := range ranges {
		if r.Protocol != "" && r.Protocol != "tcp" {
			continue
		}
		first := r.First
		for p := r.First; p <= r.Last; p++ {
			if !ports[p] {
				continue
			}
			if p > first {
				all = append(all, exposure.PortRange{Protocol: "tcp", First: first, Last: p - 1})
			}
			first = p + 1
		}
		if first <= r.Last {
			all = append(all, exposure.PortRange{Protocol: "tcp", First: first, Last: r.Last})
		}
	}
	return all
}
