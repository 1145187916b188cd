package cycle_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/testkit/live"
	"github.com/leeward-ctem/leeward/store"
)

var cluster *live.Cluster
var noCluster error

func TestMain(m *testing.M) {
	cluster, noCluster = live.StartCluster()
	code := m.Run()
	cluster.Stop()
	os.Exit(code)
}

func onBoth(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, err := store.Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(t, db)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if cluster == nil {
			live.Missing(t, noCluster.Error())
		}
		db, err := store.OpenPostgres(t.Context(), cluster.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(t, db)
	})
}

func start(t *testing.T, db *store.DB, tasks ...cycle.Task) *cycle.Cycle {
	t.Helper()
	conn, pool := db.SQL()
	c, err := cycle.New(t.Context(), conn, pool, slog.New(slog.DiscardHandler), tasks...)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return c
}

// eventually waits for a condition; the bound is generous because only a
// failure takes that long.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

// A job asked for in our own transaction exists exactly when it commits, on
// both engines: our SQL and the job queue share one transaction.
func TestRequestSharesTheTransaction(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		var ran atomic.Int64
		c := start(t, db, cycle.Task{Name: "count", Do: func(context.Context) error { ran.Add(1); return nil }})
		boom := errors.New("boom")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if err := tx.Append(t.Context(), &exposure.Event{Kind: exposure.EventNote, Actor: "test"}); err != nil {
				return err
			}
			if err := c.RequestIn(t.Context(), tx.SQL(), "count"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		jobs, err := c.Jobs(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		if head, _ := db.Head(t.Context()); head != 0 || len(jobs) != 0 || ran.Load() != 0 {
			t.Fatalf("after a rollback: event %d, %d jobs, ran %d times", head, len(jobs), ran.Load())
		}
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			if err := tx.Append(t.Context(), &exposure.Event{Kind: exposure.EventNote, Actor: "test"}); err != nil {
				return err
			}
			if err := c.RequestIn(t.Context(), tx.SQL(), "count"); err != nil {
				return err
			}
			return c.RequestIn(t.Context(), tx.SQL(), "count") // once is enough
		})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the job of the committed transaction ran", func() bool { return ran.Load() == 1 })
		if head, _ := db.Head(t.Context()); head != 1 {
			t.Errorf("head %d after the commit", head)
		}
	})
}

func TestFailingTaskBlocksNobody(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		var good atomic.Int64
		release := make(chan struct{})
		c := start(t, db,
			cycle.Task{Name: "bad", Title: "Fails", Every: time.Hour, Do: func(context.Context) error { return errors.New("no such host") }},
			cycle.Task{Name: "panics", Every: time.Hour, Do: func(context.Context) error { panic("oops") }},
			cycle.Task{Name: "slow", Every: time.Hour, Do: func(ctx context.Context) error {
				select {
				case <-release:
				case <-ctx.Done():
				}
				return nil
			}},
			cycle.Task{Name: "good", Every: time.Hour, Do: func(context.Context) error { good.Add(1); return nil }},
		)
		eventually(t, "the good task ran", func() bool { return good.Load() > 0 })
		var failed cycle.Job
		eventually(t, "the failure shows", func() bool {
			jobs, err := c.Jobs(t.Context(), 20)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs {
				if j.Task == "bad" && j.Error != "" {
					failed = j
				}
			}
			return failed.ID != 0
		})
		if failed.Error != "no such host" || failed.Title != "Fails" || failed.State != "retryable" {
			t.Errorf("job %+v", failed)
		}
		if err := c.Retry(t.Context(), failed.ID); err != nil {
			t.Error(err)
		}
		if err := c.Retry(t.Context(), 99999); exposure.KindOf(err) != exposure.NotFound {
			t.Errorf("retry of nothing: %v", err)
		}
		close(release)
	})
}
