// Package exec lets tools of others look, where they are installed, as engines
// beside ours: nuclei, nmap, trivy, grype, semgrep and osv-scanner. What they
// write is read by the readers of their reports.
//
// A program gets its arguments as a list, never through a shell. What a target
// says of itself stands where no flag can: after "--", or as the value of a
// flag. It is told not to update itself, not to phone home and not to ask the
// internet about what it finds.
//
// Packets of a program are not seen one by one by the guard: each target is
// decided before the program starts, names are given as the address that they
// are kept at, the rate is given by the program's own flags, and the end of the
// context kills it.
package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Runner starts programs. It is safe for concurrent use.
type Runner interface {
	// Run starts a program, without a shell, and returns its standard output.
	// Close waits for its end and says how it ended, as an error with ExitCode()
	// int when that was by itself and not well. The end of ctx kills it with all
	// its children. An error of kind [exposure.NotFound] says that it is not
	// installed.
	Run(ctx context.Context, program string, args, env []string) (io.ReadCloser, error)
}

// Reader reads the report of a tool: format is the name of a report format. Its
// contract is that of the readers of reports.
type Reader interface {
	Read(ctx context.Context, format string, r io.Reader) iter.Seq2[exposure.Observation, error]
}

// Tools is what the engines need.
type Tools struct {
	Run  Runner
	Read Reader
	// Home is below which the tools keep their databases, rules and templates by
	// default: the home directory of the user. They read them there, and write
	// nowhere but in a temporary directory.
	Home string
}

// Engines returns an engine for each tool that is known.
func (t Tools) Engines() []scan.Engine {
	all := make([]scan.Engine, len(known))
	for i := range known {
		all[i] = engine{tool: &known[i], Tools: t}
	}
	return all
}

type engine struct {
	*tool
	Tools
}

// Describe implements scan.Engine.
func (e engine) Describe() scan.Description {
	return scan.Description{Name: e.name, Title: e.title, Level: e.level, Takes: slices.Clone(e.takes), Foreign: true}
}

// coverageKept bounds the statements of coverage that wait for the end of a program.
const coverageKept = 100_000

// Scan implements scan.Engine.
func (e engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		if err := e.scan(ctx, j, yield); err != nil && !errors.Is(err, errStopped) {
			yield(exposure.Observation{}, err)
		}
	}
}

// errStopped says that nobody listens any more.
var errStopped = errors.New("stopped")

func (e engine) scan(ctx context.Context, j *scan.Job, yield func(exposure.Observation, error) bool) error {
	if e.Run == nil || e.Read == nil {
		return fmt.Errorf("%s: programs cannot be run here", e.name)
	}
	if j.Level < e.level {
		return nil // too low for anything, so nothing is covered either
	}
	if !slices.Contains(e.takes, j.Kind) {
		return exposure.Errorf(exposure.Invalid, "%s does not look at a %s", e.name, j.Kind)
	}
	c, err := e.command(ctx, j)
	if err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if c.leave != nil {
		var watching sync.WaitGroup
		watching.Go(func() { c.watch(ctx, cancel) })
		defer watching.Wait()
		defer cancel(nil)
	}
	out, err := e.Run.Run(ctx, e.program, c.args, c.env)
	if exposure.KindOf(err) == exposure.NotFound {
		return exposure.Errorf(exposure.NotFound, "%w: install %s %s or newer (%s), or leave it out", err, e.title, e.version, e.install)
	} else if err != nil {
		return err
	}
	defer out.Close()
	held, failed, err := e.read(ctx, j, out, yield)
	if err != nil {
		cancel(err)
		if ended := e.wrong(out.Close()); !errors.Is(err, errStopped) {
			err = errors.Join(err, ended)
		}
		return err
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		return err
	}
	if err := e.wrong(out.Close()); err != nil {
		return err
	}
	if failed {
		return nil
	}
	for _, o := range held {
		if !yield(o, nil) {
			return errStopped
		}
	}
	return nil
}

// read passes on what the tool states, and keeps its coverage until it is known
// how the program ended. failed says that a part could not be read.
func (e engine) read(ctx context.Context, j *scan.Job, out io.Reader, yield func(exposure.Observation, error) bool) (held []exposure.Observation, failed bool, err error) {
	for o, err := range e.Read.Read(ctx, e.format, out) {
		if err != nil {
			var broken *exposure.RecordError
			if !errors.As(err, &broken) {
				return nil, true, fmt.Errorf("%s: what it wrote: %w", e.name, err)
			}
			failed = true
			if !yield(exposure.Observation{}, err) {
				return nil, true, errStopped
			}
			continue
		}
		if o.Kind == exposure.ObservedRun {
			if o.Run != nil && o.Run.Failed {
				return nil, true, fmt.Errorf("%s: its report says that it failed: %s", e.name, o.Run.Failure)
			}
			continue
		}
		e.own(j, &o)
		if o.Kind == exposure.ObservedCoverage {
			if len(held) == coverageKept {
				failed = true
				continue
			}
			held = append(held, o)
			continue
		}
		if !yield(o, nil) {
			return nil, true, errStopped
		}
	}
	return held, failed, nil
}

// own says that what a tool states is about the target, which it knows by an
// address or a path of this machine only.
func (e engine) own(j *scan.Job, o *exposure.Observation) {
	if o.Tool == "" {
		o.Tool = e.format
	}
	if !j.Asset.IsZero() {
		system := o.Asset.OS
		if o.Asset = j.Asset; o.Asset.OS == "" {
			o.Asset.OS = system
		}
	} else if j.Kind == scan.Directory || j.Kind == scan.Image {
		o.Asset = exposure.AssetRef{}
	}
}

// wrong returns how a program ended, unless that is one of its ways to end well.
func (e engine) wrong(err error) error {
	var code interface{ ExitCode() int }
	if errors.As(err, &code) && slices.Contains(e.well, code.ExitCode()) {
		return nil
	}
	return err
}

// leave is what the guard was asked for a program, to be asked again.
type leave struct {
	guard.Authorizer
	action guard.Action
}

// again is how often leave is asked for while a program runs.
const again = time.Second

// watch ends a program when leave is withdrawn.
func (c command) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(again)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := c.leave.Authorize(ctx, c.leave.action); err != nil {
				cancel(err)
				return
			}
		}
	}
}

// authorize lets the guard decide about everything that the program will touch,
// and returns the address that the host is kept at.
func (e engine) authorize(ctx context.Context, j *scan.Job, protocol string, ports []exposure.PortRange) (*leave, string, error) {
	decides, ok := j.Network.(guard.Authorizer)
	if !ok {
		return nil, "", exposure.Errorf(exposure.Unsupported, "the network here cannot decide about programs, so none is run")
	}
	l := &leave{decides, guard.Action{Level: max(e.level, min(j.Level, e.most)), Protocol: protocol, Host: j.Host, Port: ports[0].First, Ports: ports, What: e.name}}
	if err := l.Authorize(ctx, l.action); err != nil {
		return nil, "", err
	}
	addr, err := j.Network.Resolve(ctx, j.Host)
	if err != nil {
		return nil, "", err
	}
	return l, addr.String(), nil
}

// pace is how many packets or requests a second a program may send to a target:
// what was agreed, and at most what is harmless everywhere.
func pace(n guard.Network) float64 {
	if agreed, ok := n.(interface{ Rate() float64 }); ok {
		return min(harmless, agreed.Rate())
	}
	return harmless
}

const harmless = 20
