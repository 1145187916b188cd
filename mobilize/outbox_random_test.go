package mobilize

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// history is what became of messages, as their receivers and the outbox saw it.
type history struct {
	mu       sync.Mutex
	taken    map[string]int // how often the receiver took it
	refused  map[string]bool
	lost     map[string]int // records of it that were lost
	finished map[string]bool
	late     []string // sent after that was final
}

// Random sequences of everything that happens: messages, receivers that fail
// in all ways, two processes that come and go, a database that loses records.
// Whatever the sequence, each message is taken or given up in the end, none is
// on its way twice at once, and none is taken twice without a record that was
// lost.
func TestRandomSequences(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			randomSequence(t, rand.New(rand.NewPCG(seed, 1)))
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
	}
}

func randomSequence(t *testing.T, r *rand.Rand) {
	var dice sync.Mutex // rand.Rand is one goroutine's
	roll := func(n int) int {
		dice.Lock()
		defer dice.Unlock()
		return r.IntN(n)
	}
	h := &history{taken: map[string]int{}, refused: map[string]bool{}, lost: map[string]int{}, finished: map[string]bool{}}
	healthy := false
	b := &memory{}
	b.settled = func(m exposure.OutboxMessage) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if !healthy && roll(8) == 0 {
			h.lost[m.Key]++
			return errors.New("lost")
		}
		h.finished[m.Key] = m.State != exposure.OutboxWaiting
		return nil
	}
	s := &sender{send: func(ctx context.Context, m Message) error {
		h.mu.Lock()
		if h.finished[m.Key] {
			h.late = append(h.late, m.Key)
		}
		h.mu.Unlock()
		select { // the answer takes its time
		case <-time.After(time.Duration(roll(20)) * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		switch roll(10) {
		case 0:
			return errors.New("lost connection")
		case 1:
			return &RetryError{After: time.Duration(roll(3600)) * time.Second, Err: errors.New("busy")}
		case 2:
			h.mu.Lock()
			h.refused[m.Key] = true
			h.mu.Unlock()
			return Permanent(errors.New("never"))
		case 3:
			<-ctx.Done()
			return ctx.Err()
		}
		h.mu.Lock()
		h.taken[m.Key]++
		h.mu.Unlock()
		if roll(10) == 0 {
			h.mu.Lock()
			h.lost[m.Key]++ // taken, and the answer did not arrive
			h.mu.Unlock()
			return errors.New("reset by peer")
		}
		return nil
	}}
	var running sync.WaitGroup
	run := func(ctx context.Context) {
		d := deliverer(b, s)
		d.Jitter = func() float64 { return float64(roll(100)) / 100 }
		d.Deliver(ctx) // its errors are those of the outbox, which are wanted
	}
	posted := 0
	stop := func() {}
	for range 40 {
		switch roll(5) {
		case 0, 1:
			for range 1 + roll(20) {
				b.post(fmt.Sprintf("r%d/%d", roll(4), posted))
				posted++
			}
		case 2, 3:
			ctx, cancel := context.WithCancel(t.Context())
			stop = cancel
			running.Go(func() { run(ctx); cancel() })
		case 4:
			stop()
		}
		time.Sleep(time.Duration(roll(300)) * time.Second)
	}
	running.Wait()
	h.mu.Lock()
	healthy = true
	h.mu.Unlock()
	for range 24 * 60 {
		run(t.Context())
		time.Sleep(5 * time.Minute)
	}
	if len(s.twice) > 0 || len(h.late) > 0 {
		t.Errorf("on their way twice at once: %v; sent though final: %v", s.twice, h.late)
	}
	for _, m := range b.all {
		switch {
		case m.State == exposure.OutboxSent && h.taken[m.Key] == 0:
			t.Errorf("%s counts as sent, but nobody got it", m.Key)
		case m.State == exposure.OutboxFailed && !h.refused[m.Key] && m.Attempts != defaultTry:
			t.Errorf("%s was given up after %d tries, and never refused", m.Key, m.Attempts)
		case m.State == exposure.OutboxWaiting:
			t.Errorf("%s still waits: %+v", m.Key, m)
		}
		if h.taken[m.Key] > 1+h.lost[m.Key] {
			t.Errorf("%s was taken %d times with %d records lost", m.Key, h.taken[m.Key], h.lost[m.Key])
		}
		if m.LeaseAt != 0 {
			t.Errorf("%s is leased and final", m.Key)
		}
	}
}
