// Package templates runs checks that are written as templates, in a documented
// subset of the language that Nuclei made common (docs/templates.md says which):
// requests over HTTP, DNS, TCP and TLS, matchers, extractors, variables, and
// flows without programs. What is not of the subset is refused loudly, by
// template and field, and never half understood.
//
// A template sends to the target and to nobody else, and at the level that
// follows from what it sends. Some sixty for common exposures are built in.
package templates

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"iter"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Engine runs templates. Make it with [New].
type Engine struct {
	builtin *Set

	mu    sync.Mutex
	dir   fs.FS // of which set is
	set   *Set
	errs  []error
	until time.Time
}

// New returns an engine that runs the templates of a set beside those of the
// user, which it keeps for a minute.
func New(builtin *Set) *Engine { return &Engine{builtin: builtin} }

const (
	class   = "templates"
	workers = 16
	// maxShown is how many refused templates are named in one look.
	maxShown = 20
)

// Describe implements scan.Engine.
func (*Engine) Describe() scan.Description {
	return scan.Description{Name: class, Title: "Templates: exposed files, panels and services", Level: exposure.LevelObserve, Takes: []scan.Kind{scan.Service, scan.Domain}}
}

// user returns the templates of the user, read at most once a minute.
func (e *Engine) user(j *scan.Job) (*Set, []error) {
	if j.Templates == nil {
		return &Set{}, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	same := reflect.TypeOf(j.Templates).Comparable()
	if now := j.Now(); e.set == nil || !same || e.dir != j.Templates || now.After(e.until) {
		e.set, e.errs = Load(j.Templates)
		e.dir, e.until = nil, now.Add(time.Minute)
		if same {
			e.dir = j.Templates
		}
	}
	return e.set, e.errs
}

// Scan implements scan.Engine.
func (e *Engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		own, errs := e.user(j)
		for i, err := range errs {
			if i == maxShown {
				err = &exposure.RecordError{Record: i + 1, Offset: -1, Err: fmt.Errorf("%d more templates are refused", len(errs)-maxShown)}
			}
			if i > maxShown {
				break
			}
			if !yield(exposure.Observation{}, err) {
				return
			}
		}
		l := newLook(j, together(own, e.builtin))
		if len(l.templates) == 0 {
			return
		}
		l.run(ctx, yield)
	}
}

// together are the templates of both; the user's stand for the built-in ones
// of the same id.
func together(own, builtin *Set) []*Template {
	if len(own.Templates) == 0 {
		return builtin.Templates
	}
	all := slices.Clone(own.Templates)
	known := map[string]bool{}
	for _, t := range all {
		known[t.ID] = true
	}
	for _, t := range builtin.Templates {
		if !known[t.ID] {
			all = append(all, t)
		}
	}
	return all
}

// outcome is what became of one template.
type outcome struct {
	template *Template
	matches  []match
	settled  bool // everything it asked was answered conclusively
	err      error
}

// look is one look at one target.
type look struct {
	job       *scan.Job
	target    target
	templates []*Template
	shared    *shared
}

func newLook(j *scan.Job, all []*Template) *look {
	l := &look{job: j, target: newTarget(&j.Target)}
	for _, t := range all {
		if t.Level <= j.Level && (!t.Credentials || j.Credentials) && l.target.suits(t) {
			l.templates = append(l.templates, t)
		}
	}
	l.shared = newShared(l)
	return l
}

// maxFailures is how many templates may fail in a row before the target is
// given up.
const maxFailures = 3

func (l *look) run(parent context.Context, yield func(exposure.Observation, error) bool) {
	ctx, cancel := context.WithCancel(parent)
	todo, results := make(chan *Template), make(chan outcome)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range min(workers, len(l.templates)) {
		wg.Go(func() {
			for t := range todo {
				o := l.one(ctx, t)
				select {
				case results <- o:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	wg.Go(func() {
		defer close(todo)
		for _, t := range l.templates {
			select {
			case todo <- t:
			case <-ctx.Done():
				return
			}
		}
	})
	var covered []string
	var broken error // why the first template that could not ask could not
	failures, lost, reached := 0, 0, false
	for done := range l.templates {
		var o outcome
		select {
		case o = <-results:
		case <-parent.Done():
			yield(exposure.Observation{}, context.Cause(parent))
			return
		}
		if !l.state(&o, yield) {
			return
		}
		switch {
		case o.err != nil:
			failures++
			if lost++; broken == nil {
				broken = fmt.Errorf("template %s: %w", o.template.ID, o.err)
			}
		default:
			failures, reached = 0, true
		}
		if o.settled {
			covered = append(covered, o.template.rules()...)
		}
		if failures >= maxFailures && l.alive(ctx) {
			failures, reached = 0, true // parts of it are left out, or break
		}
		if failures >= maxFailures || !reached && done+1 == len(l.templates) {
			yield(exposure.Observation{}, fmt.Errorf("templates at %s: %w", l.target.authority(), o.err))
			return
		}
		l.job.Progress(done+1, len(l.templates))
	}
	if broken != nil && !yield(exposure.Observation{}, &exposure.RecordError{Record: 1, Offset: -1, Err: fmt.Errorf("%d of %d templates could not be run, the first: %w", lost, len(l.templates), broken)}) {
		return
	}
	l.cover(covered, yield)
}

// alive reports whether the target still answers at all.
func (l *look) alive(ctx context.Context) bool {
	if !l.target.http {
		return false
	}
	_, err := l.shared.do(ctx, &guard.Request{Level: exposure.LevelObserve, URL: l.target.origin() + "/", Path: cmp.Or(l.target.path, "/"), Limit: 1024, What: "does it answer"})
	return err == nil
}

// state yields what a template found.
func (l *look) state(o *outcome, yield func(exposure.Observation, error) bool) bool {
	stated := map[string]bool{}
	for i := range o.matches {
		w := l.weakness(o.template, &o.matches[i])
		key := w.Rule + "\x00" + w.Location.Key("")
		if stated[key] {
			continue
		}
		stated[key] = true
		if !yield(w, nil) {
			return false
		}
	}
	return true
}

func (l *look) cover(rules []string, yield func(exposure.Observation, error) bool) {
	if len(rules) == 0 {
		return
	}
	slices.Sort(rules)
	c := exposure.Coverage{Class: class, Rules: rules}
	if p := l.job.Port; p != 0 && l.job.Kind == scan.Service {
		c.Ports = []exposure.PortRange{{Protocol: "tcp", First: p, Last: p}}
	}
	yield(exposure.Observation{Kind: exposure.ObservedCoverage, Class: class, Coverage: &c}, nil)
}
