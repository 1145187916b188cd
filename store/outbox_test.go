package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func TestOutbox(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		message := func(key string, next int64) exposure.OutboxMessage {
			return exposure.OutboxMessage{Key: key, Connector: "webhook", Target: "ops", Body: `{"x":"☃"}`, State: exposure.OutboxWaiting, NextAt: next, CreatedAt: 5}
		}
		a, b, c := message("a", 30), message("b", 10), message("c", 10)
		post := func(messages ...exposure.OutboxMessage) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.Post(ctx, messages...) })
		}
		post(a, b, a)
		post()
		again := b
		again.Body = "other"
		post(again, c)
		a.ID, b.ID, c.ID = 1, 2, 3
		list := func() []exposure.OutboxMessage {
			t.Helper()
			all, err := db.Messages(ctx, 9)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		if diff := cmp.Diff([]exposure.OutboxMessage{c, b, a}, list()); diff != "" {
			t.Fatalf("messages, the same key only once (-want +got):\n%s", diff)
		}
		due := func(now, lease int64, limit int) []exposure.OutboxMessage {
			t.Helper()
			got, err := db.Due(ctx, now, lease, limit)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		settle := func(m exposure.OutboxMessage) {
			t.Helper()
			if err := db.Settle(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		if got := due(9, 100, 9); len(got) != 0 {
			t.Errorf("before its time: %+v", got)
		}
		b.LeaseAt, c.LeaseAt = 100, 100
		if diff := cmp.Diff([]exposure.OutboxMessage{b}, due(10, 100, 1)); diff != "" {
			t.Errorf("the oldest (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]exposure.OutboxMessage{c}, due(29, 100, 9)); diff != "" {
			t.Errorf("what is not leased (-want +got):\n%s", diff)
		}
		// A try that went wrong is to be repeated.
		b.Attempts, b.NextAt, b.LastError = 1, 60, "503"
		settle(b)
		b.LeaseAt = 0
		if diff := cmp.Diff([]exposure.OutboxMessage{c, b, a}, list()); diff != "" {
			t.Errorf("after a failure (-want +got):\n%s", diff)
		}
		// A sender that was too slow finds its message leased by another: its
		// word on it does not count.
		slow := c
		c.LeaseAt = 200
		a.LeaseAt, b.LeaseAt = 200, 200
		if diff := cmp.Diff([]exposure.OutboxMessage{c, a, b}, due(100, 200, 9)); diff != "" {
			t.Errorf("after the lease ended (-want +got):\n%s", diff)
		}
		slow.State, slow.Attempts = exposure.OutboxFailed, 7
		settle(slow)
		if diff := cmp.Diff([]exposure.OutboxMessage{c, b, a}, list()); diff != "" {
			t.Errorf("after the word of a slow sender (-want +got):\n%s", diff)
		}
		// What is settled stays so.
		c.State, c.Attempts = exposure.OutboxSent, 1
		settle(c)
		b.State, b.LastError = exposure.OutboxFailed, "gone"
		settle(b)
		undone := c
		undone.State = exposure.OutboxWaiting
		settle(undone)
		undone.LeaseAt = 0
		settle(undone)
		b.LeaseAt, c.LeaseAt = 0, 0
		if diff := cmp.Diff([]exposure.OutboxMessage{c, b, a}, list()); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
		a.LeaseAt = 900
		if diff := cmp.Diff([]exposure.OutboxMessage{a}, due(800, 900, 9)); diff != "" {
			t.Errorf("still to be sent (-want +got):\n%s", diff)
		}
		post(message("c", 1), message("d", 1))
		if all := list(); len(all) != 4 || all[0].Key != "d" || all[0].ID != 4 {
			t.Errorf("a message that was sent is posted again: %+v", all)
		}
		// What was given up is tried again when somebody says so, and nothing else.
		if err := db.Resend(ctx, b.ID, 850); err != nil {
			t.Fatal(err)
		}
		b.State, b.Attempts, b.NextAt, b.LeaseAt = exposure.OutboxWaiting, 0, 850, 950
		if got := due(860, 950, 9); len(got) != 2 || !cmp.Equal(b, got[1]) {
			t.Errorf("sent again: %+v, want %+v", got, b)
		}
		for _, id := range []int64{b.ID, c.ID, 99} {
			if err := db.Resend(ctx, id, 900); exposure.KindOf(err) != exposure.Conflict {
				t.Errorf("message %d is sent again: %v", id, err)
			}
		}
		if newest, err := db.Messages(ctx, 1); err != nil || len(newest) != 1 || newest[0].Key != "d" {
			t.Errorf("the newest message: %+v, %v", newest, err)
		}
	})
}

// However many senders ask at once, each message goes to one of them.
func TestOutboxLeases(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		const messages, senders = 60, 6
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			for i := range messages {
				if err := tx.Post(ctx, exposure.OutboxMessage{Key: fmt.Sprint(i), NextAt: 1}); err != nil {
					return err
				}
			}
			return nil
		})
		taken := make([][]exposure.OutboxMessage, senders)
		var wait sync.WaitGroup
		for i := range senders {
			wait.Go(func() {
				for {
					got, err := db.Due(t.Context(), 10, 1000, 7)
					if err != nil {
						t.Error(err)
					}
					if taken[i] = append(taken[i], got...); len(got) == 0 {
						return
					}
				}
			})
		}
		wait.Wait()
		seen := map[string]int{}
		for _, all := range taken {
			for _, m := range all {
				seen[m.Key]++
			}
		}
		for key, n := range seen {
			if n != 1 {
				t.Errorf("message %s went to %d senders", key, n)
			}
		}
		if len(seen) != messages {
			t.Errorf("%d messages were taken, want %d", len(seen), messages)
		}
	})
}
