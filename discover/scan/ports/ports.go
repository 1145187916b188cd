// Package ports finds the open ports of a host and what answers there. It
// connects, listens to what is said first, and says the first words of the
// protocols it knows, until one of them is understood.
//
// An open port is inventory, not a weakness. Weaknesses are what the first
// words prove: protocols that send everything in clear text, databases and
// control planes that answer to anybody, algorithms of SSH that are broken. No
// login is tried. What takes a question beyond the greeting is asked at the
// level probe, and those rules are covered only then.
package ports

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Engine looks for open ports.
type Engine struct{}

const class = "ports"

// Describe implements scan.Engine.
func (Engine) Describe() scan.Description {
	return scan.Description{Name: class, Title: "Open ports and what answers at them", Level: exposure.LevelObserve, Takes: []scan.Kind{scan.Host}}
}

// listeners is how many open ports are looked into at once.
const listeners = 8

// Scan implements scan.Engine.
func (Engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ranges, err := wanted(j.Ports)
		if err != nil {
			yield(exposure.Observation{}, err)
			return
		}
		s := newSweep(j, ranges)
		s.run(ctx)
		if err := context.Cause(ctx); err != nil {
			yield(exposure.Observation{}, err)
			return
		}
		open := s.open()
		var broken error // why what answers at some port is not known
		var unsure []int
		level := j.Level
		for f := range look(ctx, j, ranges, s.timeout(), open) {
			if f.err != nil || !f.settled {
				unsure = append(unsure, f.port)
			}
			if f.shallow {
				level = exposure.LevelObserve
			}
			var refusal *guard.Refusal
			if broken == nil && errors.As(f.err, &refusal) {
				broken = f.err
			}
			if !f.state(yield) {
				return
			}
		}
		switch {
		case ctx.Err() != nil:
			yield(exposure.Observation{}, context.Cause(ctx))
			return
		case s.stopped != nil:
			yield(exposure.Observation{}, fmt.Errorf("the ports of %s: %w", j.Host, s.stopped))
			return
		case broken != nil:
			yield(exposure.Observation{}, fmt.Errorf("what answers at the ports of %s: %w", j.Host, broken))
			return
		case !s.up:
			return // nothing answered: a host that is away is not one without ports
		}
		if covered := s.covered(unsure); len(covered) > 0 {
			c := exposure.Coverage{Class: class, Rules: rulesAt(level), Ports: covered}
			yield(exposure.Observation{Kind: exposure.ObservedCoverage, Class: class, Coverage: &c}, nil)
		}
	}
}

// look finds out what answers at open ports, some at a time, in the order in
// which they are done.
func look(ctx context.Context, j *scan.Job, ranges []exposure.PortRange, timeout time.Duration, open []int) iter.Seq[*found] {
	return func(yield func(*found) bool) {
		ctx, cancel := context.WithCancel(ctx)
		known := rules()
		todo, done := make(chan int), make(chan *found)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		for range min(listeners, len(open)) {
			wg.Go(func() {
				for port := range todo {
					f := identify(ctx, &target{job: j, port: port, ports: ranges, timeout: timeout, rules: known})
					select {
					case done <- f:
					case <-ctx.Done():
						return
					}
				}
			})
		}
		wg.Go(func() {
			defer close(todo)
			for _, port := range open {
				select {
				case todo <- port:
				case <-ctx.Done():
					return
				}
			}
		})
		for range open {
			select {
			case f := <-done:
				if !yield(f) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// state yields what was found at a port.
func (f *found) state(yield func(exposure.Observation, error) bool) bool {
	at := exposure.Location{Port: f.port, Protocol: "tcp", Service: f.service}
	if !yield(exposure.Observation{
		Kind: exposure.ObservedInventory, Class: class, Location: at, Component: exposure.Component{Name: f.product, Version: f.version},
	}, nil) {
		return false
	}
	for _, w := range f.weak {
		o := w.rule.observation(at, w.evidence)
		if !yield(o, nil) {
			return false
		}
	}
	return true
}
