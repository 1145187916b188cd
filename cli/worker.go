package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/agent"
	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/scan"
	tools "github.com/leeward-ctem/leeward/discover/scan/exec"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/internal/process"
	"github.com/leeward-ctem/leeward/internal/secret"
)

// engines are all engines: our own, and the tools of others that are installed.
func engines(env func(string) string) *scan.Runner {
	return &scan.Runner{Engines: builtin.Engines(builtin.Means{Tools: toolsOf(env)})}
}

// toolsOf are the tools of others, as an environment finds them.
func toolsOf(env func(string) string) tools.Tools {
	return tools.Tools{Run: process.Runner{Path: env("PATH")}, Read: discover.Readers(builtin.Reports()), Home: toolsHome(env)}
}

// toolsHome is where the tools of others keep their databases and rules.
func toolsHome(env func(string) string) string {
	return cmp.Or(env("LEEWARD_TOOLS"), env("HOME"), env("USERPROFILE"))
}

// lookCmd is the child process in which a shard is looked at. It is started by
// the server and by agents, and speaks with them by its standard input and
// output.
type lookCmd struct{}

// Run serves as a child.
func (c *lookCmd) Run(ctx context.Context, r *run) error {
	self, _ := os.Hostname()
	return agent.Serve(ctx, r.In, r.Out, guard.Config{Now: r.Now, Redact: func(s string) string { return secret.Text(s, 0) }, Resolver: r.Env(resolverVariable)},
		func(ctx context.Context, a *agent.Assignment, n guard.Network, state func(*exposure.Observation) error, progress func(string)) error {
			return lookAtShard(ctx, engines(r.Env), a, n, self, r.Now, state, progress)
		})
}

// lookAtShard looks at the targets of a shard. What it states begins and ends with
// what is to be said of the run: one that failed closes nothing.
func lookAtShard(ctx context.Context, runner *scan.Runner, a *agent.Assignment, n guard.Network, self string, now func() time.Time, state func(*exposure.Observation) error, progress func(string)) error {
	p := &a.Job.Plan
	plan := scan.Plan{Only: p.Engines, Level: p.Level, Credentials: p.Credentials, Network: n, Vantage: p.Vantage, Self: self, Now: now,
		Progress: func(g scan.Progress) {
			progress(fmt.Sprintf("%d of %d looks done, %d found, now %s of %s", g.Done, g.Known, g.Found, g.Engine, g.Target))
		}}
	var err error
	if plan.Ports, err = scan.ParsePorts(p.Ports); err != nil {
		return err
	}
	for _, s := range a.Shard.Targets {
		all, err := scan.Parse(s)
		if err != nil {
			return err
		}
		plan.Targets = append(plan.Targets, all...)
	}
	if err := state(&exposure.Observation{Kind: exposure.ObservedRun, Run: &exposure.Run{Tool: scan.Tool, Version: version, Started: now()}}); err != nil {
		return err
	}
	status, err := runner.Run(ctx, plan, func(o exposure.Observation) error { return state(&o) })
	end := exposure.Run{Finished: now()}
	if failed := failures(status); err == nil && failed != "" {
		err = errors.New(failed)
	}
	if err != nil {
		end.Failed, end.Failure = true, err.Error()
	}
	return errors.Join(err, state(&exposure.Observation{Kind: exposure.ObservedRun, Run: &end}))
}

// failures says in a few words which looks ended because of an engine or of the
// rules; hosts that do not answer are none.
func failures(all []scan.Status) string {
	var text []string
	for _, s := range all {
		if s.Failure != "" {
			text = append(text, fmt.Sprintf("%s of %s: %s", s.Engine, s.Target, s.Failure))
		}
	}
	const most = 5
	if len(text) > most {
		text = append(text[:most], fmt.Sprintf("and %d more", len(text)-most))
	}
	return strings.Join(text, "; ")
}

// childMemory is how much memory a scan process should keep to.
const childMemory = "512MiB"

// startChild starts the same program as a child that looks at a shard.
func startChild(cpus int, env func(string) string) agent.Start {
	return func(ctx context.Context) (*agent.Process, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, exposure.Errorf(exposure.Unavailable, "cannot find this program to start the scan process: %w", err)
		}
		cmd := exec.Command(self, "scan-process")
		cmd.Env = []string{"GOMEMLIMIT=" + cmp.Or(env("LEEWARD_SCAN_MEMORY"), childMemory), fmt.Sprintf("GOMAXPROCS=%d", max(1, cpus)), "PATH=" + env("PATH"), "HOME=" + os.TempDir(), resolverVariable + "=" + env(resolverVariable), "LEEWARD_TOOLS=" + toolsHome(env)}
		if name := env(childVariable); name != "" {
			cmd.Env = append(cmd.Env, childVariable+"="+name)
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		last := &tail{}
		cmd.Stderr = last
		if err := cmd.Start(); err != nil {
			return nil, exposure.Errorf(exposure.Unavailable, "cannot start the scan process: %w", err)
		}
		return &agent.Process{In: in, Out: out, Kill: func() { _ = cmd.Process.Kill() }, Wait: sync.OnceValue(func() error {
			_, _ = io.Copy(io.Discard, out)
			if err := cmd.Wait(); err != nil {
				return fmt.Errorf("%w: %s", err, secret.Text(last.String(), 2000))
			}
			return nil
		})}, nil
	}
}

// childVariable makes a test's program be leeward when it is started as a child.
const childVariable = "LEEWARD_TEST_RUN"

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 4 << 10
	t.b.Write(p)
	if over := t.b.Len() - most; over > 0 {
		t.b.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// startWorkers lets the server look at shards itself. The returned function
// waits until they gave back what they held.
func (a *app) startWorkers(ctx context.Context, n int, env func(string) string) (wait func()) {
	var wg sync.WaitGroup
	log := newAuditLog(a.db, serverChain)
	for i := range n {
		wg.Go(func() {
			w := &agent.Agent{
				Server: &boss{app: a, who: exposure.Agent{Name: fmt.Sprintf("worker %d", i+1), Labels: []string{hereVantage}}, chain: serverChain, poll: 5 * time.Second},
				Child:  agent.InProcess(startChild(max(1, runtime.NumCPU()/n), env)), Spool: filepath.Join(a.workDir(), fmt.Sprintf("worker-%d-%d", os.Getpid(), i)),
				Facts: func() map[string]string { return nil }, Record: log, Log: a.log, Now: a.now, Idle: 100 * time.Millisecond, Renew: 700 * time.Millisecond,
			}
			defer os.RemoveAll(w.Spool)
			if err := w.Run(ctx); err != nil {
				a.log.Error("a worker ended", slog.Any("err", err))
			}
		})
	}
	return wg.Wait
}

// workDir is where workers keep results until they are imported.
func (a *app) workDir() string {
	if a.dir != "" {
		return filepath.Join(a.dir, "scans")
	}
	return filepath.Join(os.TempDir(), "leeward-scans")
}
