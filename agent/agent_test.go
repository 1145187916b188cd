package agent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/leeward-ctem/leeward/agent"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// boss is a server in memory, with the faults that a test wants.
type boss struct {
	mu       sync.Mutex
	work     []*agent.Assignment
	bytes    map[int64][]byte
	outcomes []agent.Outcome
	renewed  int
	entries  []guard.Entry

	renew  func(n int) (agent.Renewed, error)
	upload func(n int) error // before the n-th upload is taken
	tries  int
	finish func() error
	done   chan struct{}
}

func newBoss(work ...*agent.Assignment) *boss {
	return &boss{work: work, bytes: map[int64][]byte{}, done: make(chan struct{}, 10)}
}

func grant() guard.Grant {
	return guard.Grant{Engagements: []exposure.Engagement{guardtest.Engagement()}, For: guard.LeaseFor}
}

func shard(n int) *agent.Assignment {
	return &agent.Assignment{Job: exposure.ScanJob{ID: 1}, Shard: exposure.Shard{Job: 1, Number: n, Fence: 1, Targets: []string{"127.0.0.1"}}, Grant: grant()}
}

func (b *boss) Poll(context.Context, map[string]string) (*agent.Assignment, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.work) == 0 {
		return nil, nil
	}
	a := b.work[0]
	b.work = b.work[1:]
	return a, nil
}

func (b *boss) Renew(context.Context, []exposure.ShardLease) (agent.Renewed, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.renewed++
	if b.renew != nil {
		return b.renew(b.renewed)
	}
	return agent.Renewed{Grant: grant()}, nil
}

func (b *boss) Upload(_ context.Context, l exposure.ShardLease, place int64, body []byte) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if b.upload != nil {
		if err := b.upload(b.tries); err != nil {
			return 0, err
		}
	}
	if have := int64(len(b.bytes[l.Job])); place == have {
		b.bytes[l.Job] = append(b.bytes[l.Job], body...)
	}
	return int64(len(b.bytes[l.Job])), nil
}

func (b *boss) Finish(_ context.Context, l exposure.ShardLease, o agent.Outcome) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.finish != nil {
		if err := b.finish(); err != nil {
			b.done <- struct{}{}
			return err
		}
	}
	b.outcomes = append(b.outcomes, o)
	b.done <- struct{}{}
	return nil
}

func (b *boss) Audit(_ context.Context, entries []guard.Entry) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range entries {
		prev := ""
		if n := len(b.entries); n > 0 {
			prev = b.entries[n-1].Hash
		}
		if err := e.Follows(int64(len(b.entries)), prev); err != nil {
			return 0, err
		}
		b.entries = append(b.entries, e)
	}
	return int64(len(b.entries)), nil
}

// text is what was uploaded, unpacked.
func (b *boss) text(t *testing.T) string {
	t.Helper()
	z, err := zstd.NewReader(bytes.NewReader(b.bytes[1]))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// within starts the child's side in this process.
func within(look agent.Look, connect func(context.Context, string, string) (net.Conn, error)) agent.Start {
	return func(ctx context.Context) (*agent.Process, error) {
		childIn, in := io.Pipe()
		out, childOut := io.Pipe()
		ended := make(chan error, 1)
		childCtx, kill := context.WithCancel(context.WithoutCancel(ctx))
		go func() {
			err := agent.Serve(childCtx, childIn, childOut, guard.Config{Now: time.Now, Connect: connect}, look)
			childOut.Close()
			childIn.Close()
			ended <- err
		}()
		return &agent.Process{In: in, Out: out, Wait: func() error { return <-ended }, Kill: func() { kill(); childIn.Close(); childOut.Close() }}, nil
	}
}

func newAgent(t *testing.T, b *boss, child agent.Child) *agent.Agent {
	t.Helper()
	dir := t.TempDir()
	f, err := guard.OpenFile(filepath.Join(dir, "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &agent.Agent{Server: b, Child: child, Spool: filepath.Join(dir, "spool"), Audit: f, Facts: func() map[string]string { return nil }, Log: slog.New(slog.DiscardHandler), Now: time.Now, Idle: time.Second}
}

// run lets an agent work until the server was told of n outcomes.
func run(t *testing.T, a *agent.Agent, b *boss, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	for range n {
		<-b.done
	}
	synctest.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func silent(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() { server.Read(make([]byte, 1)); server.Close() }()
	return client, nil
}

// three states three things, after it touched its target.
func three(ctx context.Context, a *agent.Assignment, n guard.Network, state func(*exposure.Observation) error, progress func(string)) error {
	c, err := n.Dial(ctx, guard.Action{Host: a.Shard.Targets[0], Port: 80})
	if err != nil {
		return err
	}
	c.Close()
	progress("one of three")
	for i := range 3 {
		if err := state(&exposure.Observation{Title: fmt.Sprintf("thing %d", i)}); err != nil {
			return err
		}
	}
	return nil
}

func left(t *testing.T, a *agent.Agent) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(a.Spool)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestShardIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoss(shard(1))
		// The network is away at first, and loses an answer in between.
		b.upload = func(n int) error {
			if n < 3 {
				return errors.New("no route")
			}
			return nil
		}
		a := newAgent(t, b, agent.InProcess(within(three, silent)))
		run(t, a, b, 1)
		if len(b.outcomes) != 1 || b.outcomes[0].State != exposure.JobDone || strings.Count(b.text(t), "thing") != 3 {
			t.Fatalf("%+v: %s", b.outcomes, b.text(t))
		}
		sum := sha256.Sum256(b.bytes[1])
		if o := b.outcomes[0]; o.SHA256 != hex.EncodeToString(sum[:]) || o.Size != int64(len(b.bytes[1])) {
			t.Errorf("%+v", o)
		}
		if len(b.entries) < 2 || b.entries[0].Kind != guard.Decided {
			t.Errorf("the audit log did not come up: %+v", b.entries)
		}
		if names := left(t, a); len(names) > 0 {
			t.Errorf("left in the spool: %q", names)
		}
	})
}

// Who lost the lease stops, and hands nothing up.
func TestLeaseIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoss(shard(1))
		b.renew = func(n int) (agent.Renewed, error) {
			if n == 2 {
				defer func() { b.done <- struct{}{} }()
				return agent.Renewed{Lost: []exposure.ShardLease{{Job: 1, Number: 1, Fence: 1}}, Grant: grant()}, nil
			}
			return agent.Renewed{Grant: grant()}, nil
		}
		ended := make(chan struct{})
		a := newAgent(t, b, agent.InProcess(within(func(ctx context.Context, _ *agent.Assignment, _ guard.Network, state func(*exposure.Observation) error, _ func(string)) error {
			defer close(ended)
			<-ctx.Done()
			return ctx.Err()
		}, silent)))
		run(t, a, b, 1)
		<-ended
		if len(b.outcomes) > 0 || len(left(t, a)) > 0 {
			t.Errorf("%+v, left %q", b.outcomes, left(t, a))
		}
	})
}

// Nothing is sent ten seconds after the server was heard last, and what was not
// looked at for that reason is looked at anew.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoss(shard(1))
		began := time.Now()
		b.renew = func(int) (agent.Renewed, error) {
			if d := time.Since(began); d > 5*time.Second && d < time.Hour {
				return agent.Renewed{}, errors.New("no route")
			}
			return agent.Renewed{Grant: grant()}, nil
		}
		var last time.Time
		a := newAgent(t, b, agent.InProcess(within(func(ctx context.Context, a *agent.Assignment, n guard.Network, _ func(*exposure.Observation) error, _ func(string)) error {
			for {
				if c, err := n.Dial(ctx, guard.Action{Host: "127.0.0.1", Port: 80}); err == nil {
					last = time.Now()
					c.Close()
				} else if time.Since(began) > time.Minute {
					return nil // an engine that takes no offence at refusals
				}
				time.Sleep(100 * time.Millisecond)
			}
		}, silent)))
		run(t, a, b, 1)
		if d := last.Sub(began); d < 12*time.Second || d > 17*time.Second {
			t.Errorf("the last packet went out %v after the start, the server was heard last at 5 s", d)
		}
		if len(b.outcomes) != 1 || b.outcomes[0].State != exposure.JobWaiting {
			t.Errorf("%+v", b.outcomes)
		}
	})
}

// A stop reaches a scan with the next renewal.
func TestHalt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoss(shard(1))
		began := time.Now()
		b.renew = func(int) (agent.Renewed, error) {
			g := grant()
			if time.Since(began) > 5*time.Second {
				g.Halted = map[int64]string{0: "somebody called"}
			}
			return agent.Renewed{Grant: g}, nil
		}
		var last time.Time
		var why error
		a := newAgent(t, b, agent.InProcess(within(func(ctx context.Context, a *agent.Assignment, n guard.Network, _ func(*exposure.Observation) error, _ func(string)) error {
			for {
				c, err := n.Dial(ctx, guard.Action{Host: "127.0.0.1", Port: 80})
				if err != nil {
					why = err
					return err
				}
				last = time.Now()
				c.Close()
				time.Sleep(10 * time.Millisecond)
			}
		}, silent)))
		run(t, a, b, 1)
		if d := last.Sub(began); d > 7*time.Second || why == nil || !strings.Contains(why.Error(), "somebody called") {
			t.Errorf("the last packet went out %v after the start, the stop was at 5 s: %v", d, why)
		}
		if len(b.outcomes) != 1 || b.outcomes[0].State != exposure.JobFailed {
			t.Errorf("%+v", b.outcomes)
		}
	})
}

// A child that ends in the middle, writes nonsense or panics costs its shard
// and nothing else.
func TestBrokenChild(t *testing.T) {
	t.Parallel()
	for name, out := range map[string]string{"gone": "", "nonsense": "hello\n", "half": `{"observation":{"title":"a"}}` + "\n" + `{"obs`, "failed": `{"end":{"failure":"it broke"}}` + "\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBoss(shard(1))
			a := newAgent(t, b, agent.InProcess(func(context.Context) (*agent.Process, error) {
				_, in := io.Pipe()
				return &agent.Process{In: in, Out: strings.NewReader(out), Wait: func() error { return errors.New("exit status 2") }, Kill: func() { in.Close() }}, nil
			}))
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- a.Run(ctx) }()
			<-b.done
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if len(b.outcomes) != 1 || b.outcomes[0].State != exposure.JobFailed || b.outcomes[0].Failure == "" {
				t.Errorf("%+v", b.outcomes)
			}
		})
	}
}

// What a run left whole in the spool is handed up by the next, what is not
// whole is not; what nobody wants any more is dropped.
func TestSpoolOfBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoss(shard(1))
		b.upload = func(int) error { return errors.New("no route") }
		a := newAgent(t, b, agent.InProcess(within(three, silent)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := a.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if names := left(t, a); len(names) != 2 {
			t.Fatalf("in the spool: %q", names)
		}
		torn := filepath.Join(a.Spool, "1-2-1.jsonl.zst")
		if err := os.WriteFile(torn, []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
		b.upload = nil
		run(t, a, b, 1)
		if len(b.outcomes) != 1 || strings.Count(b.text(t), "thing") != 3 || len(left(t, a)) > 0 {
			t.Errorf("%+v, left %q", b.outcomes, left(t, a))
		}
		b.work, b.outcomes = []*agent.Assignment{shard(3)}, nil
		b.finish = func() error { return exposure.Errorf(exposure.Conflict, "not yours") }
		run(t, a, b, 1)
		if len(b.outcomes) > 0 || len(left(t, a)) > 0 {
			t.Errorf("%+v, left %q", b.outcomes, left(t, a))
		}
	})
}

// A parent that is gone leaves no child behind.
func TestParentIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, parent := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			ended <- agent.Serve(t.Context(), in, io.Discard, guard.Config{Now: time.Now}, func(ctx context.Context, _ *agent.Assignment, _ guard.Network, _ func(*exposure.Observation) error, _ func(string)) error {
				<-ctx.Done()
				return nil
			})
		}()
		fmt.Fprintln(parent, `{"assignment":{"grant":{"engagements":[]}}}`)
		synctest.Wait()
		parent.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		for _, first := range []string{"", "hello\n", "{}\n"} {
			if err := agent.Serve(t.Context(), strings.NewReader(first), io.Discard, guard.Config{Now: time.Now}, nil); err == nil {
				t.Errorf("%q is an assignment", first)
			}
		}
	})
}
