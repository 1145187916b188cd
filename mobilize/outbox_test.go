package mobilize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// memory is an outbox that keeps the contract of Outbox, and fails when told to.
type memory struct {
	mu      sync.Mutex
	all     []exposure.OutboxMessage
	due     error
	settled func(exposure.OutboxMessage) error // an error keeps the message as it was
}

func (b *memory) post(keys ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		target, _, _ := strings.Cut(key, "/")
		b.all = append(b.all, exposure.OutboxMessage{ID: int64(len(b.all) + 1), Key: key, Connector: "test", Target: target, Body: "{}", State: exposure.OutboxWaiting, NextAt: time.Now().UnixMilli()})
	}
}

func (b *memory) Due(_ context.Context, now, lease int64, limit int) ([]exposure.OutboxMessage, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.due != nil {
		return nil, b.due
	}
	var due []*exposure.OutboxMessage
	for i := range b.all {
		if m := &b.all[i]; m.State == exposure.OutboxWaiting && m.NextAt <= now && m.LeaseAt <= now {
			due = append(due, m)
		}
	}
	slices.SortStableFunc(due, func(x, y *exposure.OutboxMessage) int { return cmp.Compare(x.NextAt, y.NextAt) })
	var taken []exposure.OutboxMessage
	for _, m := range due[:min(len(due), limit)] {
		m.LeaseAt = lease
		taken = append(taken, *m)
	}
	return taken, nil
}

func (b *memory) Settle(ctx context.Context, m exposure.OutboxMessage) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.settled != nil {
		if err := b.settled(m); err != nil {
			return err
		}
	}
	if is := &b.all[m.ID-1]; is.State == exposure.OutboxWaiting && is.LeaseAt == m.LeaseAt {
		*is = m
		is.LeaseAt = 0
	}
	return nil
}

func (b *memory) message(i int) exposure.OutboxMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[i]
}

// sender is a connector that does what send says, and counts.
type sender struct {
	send func(ctx context.Context, m Message) error

	mu     sync.Mutex
	flying map[string]int
	twice  []string // keys that were sent by two at once
	sent   []string // keys in the order that sending began
}

func (*sender) Name() string { return "test" }

func (s *sender) Send(ctx context.Context, _ Client, _ Receiver, m Message) error {
	s.mu.Lock()
	if s.flying == nil {
		s.flying = map[string]int{}
	}
	if s.flying[m.Key]++; s.flying[m.Key] > 1 {
		s.twice = append(s.twice, m.Key)
	}
	s.sent = append(s.sent, m.Key)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.flying[m.Key]--
	}()
	return s.send(ctx, m)
}

func deliverer(b Outbox, c ...Connector) *Deliverer {
	return &Deliverer{
		Outbox: b, Connectors: c, Now: time.Now,
		Receivers: func(connector, target string) (Receiver, bool) {
			return Receiver{Name: target, URL: "https://" + target + ".example/in", Secret: "s3cr3t"}, target != "gone"
		},
	}
}

func fails(err error) func(context.Context, Message) error {
	return func(context.Context, Message) error { return err }
}

func keys(target string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%s/%d", target, i))
	}
	return all
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, c := &memory{}, &sender{send: fails(nil)}
		var want []string
		for i := range 250 { // more than are taken at once
			b.post(keys(fmt.Sprint("r", i), 2)...)
			want = append(want, keys(fmt.Sprint("r", i), 2)...)
		}
		sent, failed, err := deliverer(b, c).Deliver(t.Context())
		if sent != 500 || failed != 0 || err != nil {
			t.Errorf("Deliver = %d, %d, %v, want 500, 0 and no error", sent, failed, err)
		}
		slices.Sort(c.sent)
		slices.Sort(want)
		if diff := gocmp.Diff(want, c.sent); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
		for i, m := range b.all {
			if m.State != exposure.OutboxSent || m.Attempts != 1 || m.LeaseAt != 0 || m.LastError != "" {
				t.Errorf("message %d: %+v", i, m)
			}
		}
	})
}

func TestWaitsGrow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		jitter func() float64
		factor float64
	}{
		"none":    {nil, 1},
		"half":    {func() float64 { return 0.5 }, 1.5},
		"too low": {func() float64 { return -3 }, 1},
		"beyond":  {func() float64 { return 7 }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, s := &memory{}, &sender{send: fails(errors.New("no route"))}
				b.post("a/1")
				d := deliverer(b, s)
				d.Jitter = c.jitter
				began := time.Now()
				for i, minutes := range []float64{1, 2, 4, 8, 16, 32, 64, 128, 180, 180, 180} {
					if sent, failed, err := d.Deliver(t.Context()); sent != 0 || failed != 0 || err != nil {
						t.Fatalf("Deliver = %d, %d, %v, want nothing", sent, failed, err)
					}
					m := b.message(0)
					want := time.Duration(minutes * c.factor * float64(time.Minute))
					if wait := time.Until(time.UnixMilli(m.NextAt)); wait != want || m.Attempts != i+1 || m.LastError != "no route" {
						t.Fatalf("after %d tries: waits %v, want %v: %+v", m.Attempts, wait, want, m)
					}
					time.Sleep(want - time.Millisecond)
					d.Deliver(t.Context())
					if len(s.sent) != i+1 {
						t.Fatalf("try %d came too early", len(s.sent))
					}
					time.Sleep(time.Millisecond)
				}
				if _, failed, _ := d.Deliver(t.Context()); failed != 1 {
					t.Errorf("%d failed, want 1", failed)
				}
				if m := b.message(0); m.State != exposure.OutboxFailed || m.Attempts != 12 || m.LastError != "Given up after 12 tries: no route" {
					t.Errorf("%+v", m)
				}
				if took := time.Since(began); took < 12*time.Hour || took > 28*time.Hour {
					t.Errorf("given up after %v, want about a day", took)
				}
				time.Sleep(100 * time.Hour)
				if d.Deliver(t.Context()); len(s.sent) != 12 {
					t.Errorf("%d tries, want 12", len(s.sent))
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]time.Duration{
		time.Second: time.Minute, 10 * time.Minute: 10 * time.Minute, 100 * time.Hour: 24 * time.Hour,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := &memory{}
			s := &sender{send: func(_ context.Context, m Message) error {
				if m.Target == "busy" {
					return fmt.Errorf("send: %w", &RetryError{After: after, Err: errors.New("busy")})
				}
				return nil
			}}
			b.post("busy/0", "free/0", "busy/1", "free/1", "busy/2")
			d := deliverer(b, s)
			if sent, failed, err := d.Deliver(t.Context()); sent != 2 || failed != 0 || err != nil {
				t.Errorf("Deliver = %d, %d, %v, want the two of the other receiver", sent, failed, err)
			}
			for i, attempts := range map[int]int{0: 1, 2: 0, 4: 0} {
				m := b.message(i)
				if wait := time.Until(time.UnixMilli(m.NextAt)); wait != want || m.Attempts != attempts || m.State != exposure.OutboxWaiting || m.LeaseAt != 0 {
					t.Errorf("asked for %v: %s waits %v after %d tries, want %v after %d", after, m.Key, wait, m.Attempts, want, attempts)
				}
			}
		})
	}
}

func TestGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &memory{}
		s := &sender{send: fails(fmt.Errorf("post: %w", Permanent(errors.New("no such\nroom"))))}
		b.post("a/1", "gone/1")
		b.all = append(b.all, exposure.OutboxMessage{ID: 3, Key: "x", Connector: "pager", Target: "a", State: exposure.OutboxWaiting})
		sent, failed, err := deliverer(b, s).Deliver(t.Context())
		if sent != 0 || failed != 3 || err != nil {
			t.Errorf("Deliver = %d, %d, %v, want three failed", sent, failed, err)
		}
		want := []string{
			"post: no such room",
			`The programme has no test "gone" any more: the message was not sent.`,
			`This version has no connector "pager": the message was not sent.`,
		}
		for i, m := range b.all {
			if m.State != exposure.OutboxFailed || m.LastError != want[i] {
				t.Errorf("%s: %s %q, want failed %q", m.Key, m.State, m.LastError, want[i])
			}
		}
		if diff := gocmp.Diff([]string{"a/1"}, s.sent); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

// Two processes on one database.
func TestTwoDeliverers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &memory{}
		s := &sender{send: func(_ context.Context, m Message) error {
			time.Sleep(time.Duration(1+m.ID*7%30) * time.Second)
			return nil
		}}
		for r := range 20 {
			b.post(keys(fmt.Sprint("r", r), 30)...)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range 60 {
					if _, _, err := deliverer(b, s).Deliver(t.Context()); err != nil {
						t.Error(err)
					}
					time.Sleep(30 * time.Second)
				}
			})
		}
		wg.Wait()
		if len(s.twice) > 0 {
			t.Errorf("sent by two at once: %v", s.twice)
		}
		if n := len(slices.Compact(slices.Sorted(slices.Values(s.sent)))); n != 600 || len(s.sent) != 600 {
			t.Errorf("%d messages were sent %d times, want 600 once each", n, len(s.sent))
		}
		for _, m := range b.all {
			if m.State != exposure.OutboxSent || m.Attempts != 1 {
				t.Errorf("%+v", m)
			}
		}
	})
}

// So many receivers are slow that leases end before their turn comes. What is
// not theirs any more, nobody sends.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &memory{}
		s := &sender{send: func(context.Context, Message) error {
			time.Sleep(40 * time.Second)
			return nil
		}}
		for r := range 180 {
			b.post(fmt.Sprintf("r%d/0", r))
		}
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 301 * time.Second)
				if _, _, err := deliverer(b, s).Deliver(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(slices.Compact(slices.Sorted(slices.Values(s.sent)))); n != 180 || len(s.sent) != 180 || len(s.twice) > 0 {
			t.Errorf("%d messages were sent %d times, %v by two at once; want 180 once each", n, len(s.sent), s.twice)
		}
	})
}

// A receiver that never answers takes a try each time, and nobody else's time.
func TestHangingReceiver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &memory{}
		s := &sender{send: func(ctx context.Context, m Message) error {
			if m.Target == "hangs" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}
		b.post(keys("hangs", 10)...)
		b.post(keys("fine", 10)...)
		began := time.Now()
		sent, _, err := deliverer(b, s).Deliver(t.Context())
		if sent != 10 || err != nil {
			t.Errorf("sent %d, %v, want the other's 10", sent, err)
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}
		tried := 0
		for _, m := range b.all[:10] {
			tried += m.Attempts
			if m.State != exposure.OutboxWaiting || m.LeaseAt != 0 || m.NextAt <= time.Now().UnixMilli() {
				t.Errorf("%+v: want it to wait", m)
			}
		}
		if tried != 2 { // 45 seconds each: after a minute it is left alone
			t.Errorf("%d tries, want 2", tried)
		}
	})
}

// The process is told to stop while messages are on their way.
func TestShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &memory{}
		ctx, cancel := context.WithCancel(t.Context())
		s := &sender{send: func(ctx context.Context, m Message) error {
			switch m.Key {
			case "a/1": // is cut off
				<-ctx.Done()
				return ctx.Err()
			case "b/0": // arrives all the same
				time.Sleep(20 * time.Second)
			}
			return nil
		}}
		b.post(keys("a", 3)...)
		b.post(keys("b", 2)...)
		time.AfterFunc(10*time.Second, cancel)
		sent, failed, err := deliverer(b, s).Deliver(ctx)
		if sent != 2 || failed != 0 || err != nil {
			t.Errorf("Deliver = %d, %d, %v, want 2 sent", sent, failed, err)
		}
		for i, want := range []exposure.OutboxState{exposure.OutboxSent, exposure.OutboxWaiting, exposure.OutboxWaiting, exposure.OutboxSent, exposure.OutboxWaiting} {
			m := b.message(i)
			attempts := 0
			if want == exposure.OutboxSent {
				attempts = 1
			}
			if m.State != want || m.Attempts != attempts || m.LeaseAt != 0 || m.LastError != "" {
				t.Errorf("%+v: want it %s after %d tries, free", m, want, attempts)
			}
		}
		if sent, _, _ := deliverer(b, &sender{send: fails(nil)}).Deliver(t.Context()); sent != 3 {
			t.Errorf("the next process sends %d at once, want the 3 that are left", sent)
		}
	})
}

// The process dies after the receiver took the message and before that was
// written down: it comes again, with the same key, when the lease is over.
func TestCrashBeforeSettle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("disk on fire")
		b, s := &memory{settled: func(exposure.OutboxMessage) error { return broken }}, &sender{send: fails(nil)}
		b.post("a/1")
		if _, _, err := deliverer(b, s).Deliver(t.Context()); !errors.Is(err, broken) {
			t.Errorf("Deliver: %v, want %v", err, broken)
		}
		b.settled = nil
		for range 4 { // the lease lasts five minutes
			deliverer(b, s).Deliver(t.Context())
			time.Sleep(time.Minute)
		}
		if len(s.sent) != 1 {
			t.Errorf("sent %d times while it was leased", len(s.sent))
		}
		time.Sleep(time.Minute)
		sent, _, err := deliverer(b, s).Deliver(t.Context())
		if sent != 1 || err != nil {
			t.Errorf("Deliver = %d, %v, want it once more", sent, err)
		}
		if diff := gocmp.Diff([]string{"a/1", "a/1"}, s.sent); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
		if m := b.message(0); m.State != exposure.OutboxSent {
			t.Errorf("%+v", m)
		}
	})
}

func TestOutboxFails(t *testing.T) {
	t.Parallel()
	b := &memory{due: errors.New("no database")}
	if _, _, err := deliverer(b).Deliver(t.Context()); !errors.Is(err, b.due) {
		t.Errorf("Deliver: %v, want %v", err, b.due)
	}
}
