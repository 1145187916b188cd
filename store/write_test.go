package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

// writerEnv names the database that a copy of the test binary writes to, the
// second process of TestWritersTakeTurns.
const writerEnv = "LEEWARD_TEST_WRITER"

const (
	writersInOne = 3  // goroutines of each process
	turnsOfEach  = 12 // transactions of each
	eventsOfTurn = 3
)

func openAddress(ctx context.Context, address string) (*store.DB, error) {
	if strings.HasPrefix(address, "postgres://") {
		return store.OpenPostgres(ctx, address)
	}
	return store.Open(ctx, address)
}

// writeFromElsewhere is the main of the second process.
func writeFromElsewhere(address string) int {
	ctx := context.Background()
	db, err := openAddress(ctx, address)
	if err == nil {
		defer db.Close()
		fmt.Println("ready")
		bufio.NewReader(os.Stdin).ReadString('\n')
		err = takeTurns(ctx, db, "there")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// takeTurns writes transactions from several goroutines.
func takeTurns(ctx context.Context, db *store.DB, name string) error {
	errs := make([]error, writersInOne)
	var wait sync.WaitGroup
	for w := range writersInOne {
		wait.Go(func() {
			for turn := range turnsOfEach {
				errs[w] = errors.Join(errs[w], db.Write(ctx, func(tx *store.Tx) error {
					for range eventsOfTurn {
						if err := tx.Append(ctx, &exposure.Event{Kind: exposure.EventNote, Actor: fmt.Sprintf("%s %d.%d", name, w, turn)}); err != nil {
							return err
						}
					}
					if turn%4 == 3 {
						return errChanged // its numbers are free again
					}
					return nil
				}))
				if errors.Is(errs[w], errChanged) {
					errs[w] = nil
				}
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

var errChanged = errors.New("changed my mind")

// Two processes with several goroutines each write at once: event numbers have
// no gaps, those of one transaction are neighbours, and who reads on from the
// last number never misses one that was committed later.
func TestWritersTakeTurns(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			address := t.TempDir()
			if engine == "postgres" {
				address = emptyPostgres(t)
			}
			db, err := openAddress(ctx, address)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			other := exec.CommandContext(ctx, os.Args[0])
			other.Env = append(os.Environ(), writerEnv+"="+address)
			other.Stderr = os.Stderr
			in, _ := other.StdinPipe()
			out, _ := other.StdoutPipe()
			if err := other.Start(); err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
				t.Fatalf("the other process says %q, %v", line, err)
			}
			done, stopped := make(chan struct{}), make(chan struct{})
			var followed []string
			go func() {
				defer close(stopped)
				last := int64(0)
				for finished := false; !finished; {
					select {
					case <-done:
						finished = true // and once more, for the last
					default:
					}
					if err := db.Events(ctx, last, func(e *exposure.Event) error {
						if e.Seq != last+1 {
							return fmt.Errorf("event %d follows event %d", e.Seq, last)
						}
						last = e.Seq
						followed = append(followed, e.Actor)
						return nil
					}); err != nil {
						t.Error(err)
						return
					}
				}
			}()
			fmt.Fprintln(in)
			if err := takeTurns(ctx, db, "here"); err != nil {
				t.Error(err)
			}
			if err := other.Wait(); err != nil {
				t.Errorf("the other process: %v", err)
			}
			close(done)
			<-stopped
			if want := 2 * writersInOne * turnsOfEach * 3 / 4 * eventsOfTurn; len(followed) != want {
				t.Fatalf("%d events were followed, want %d", len(followed), want)
			}
			seen := map[string]bool{}
			for i := 0; i < len(followed); i += eventsOfTurn {
				for _, actor := range followed[i : i+eventsOfTurn] {
					if actor != followed[i] {
						t.Fatalf("events of %s and %s are mixed", followed[i], actor)
					}
				}
				if seen[followed[i]] {
					t.Fatalf("transaction %s is there twice", followed[i])
				}
				seen[followed[i]] = true
			}
		})
	}
}

// Servers that start at once on an empty database make one schema.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			address := t.TempDir()
			if engine == "postgres" {
				if cluster == nil {
					emptyPostgres(t) // says what is missing
				}
				address = cluster.Database(t)
			}
			var wait sync.WaitGroup
			for i := range 4 {
				wait.Go(func() {
					db, err := openAddress(t.Context(), address)
					if err != nil {
						t.Errorf("server %d: %v", i, err)
						return
					}
					defer db.Close()
					if err := db.PutRollup(t.Context(), i, []byte("x")); err != nil {
						t.Errorf("server %d: %v", i, err)
					}
				})
			}
			wait.Wait()
		})
	}
}

// When the disk is full the transaction did not happen, the sentence says what
// to do, and after that everything goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	insert(t, db, make([]exposure.Status, 10)...)
	conn, _ := db.SQL()
	pages := rows(t, db, "PRAGMA page_count")[0][0]
	limit := func(pages string) {
		t.Helper()
		if _, err := conn.ExecContext(ctx, "PRAGMA max_page_count = "+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages)
	before := statesOf(t, db)
	fill := func() error {
		return db.Write(ctx, func(tx *store.Tx) error {
			if _, err := tx.Move(ctx, []exposure.FindingID{1, 2, 3}, exposure.CauseTriage, "ada", "half", 5); err != nil {
				return err
			}
			fs := make([]exposure.Finding, 20_000)
			for i := range fs {
				fs[i].Fingerprint = exposure.NewFingerprint("full", fmt.Sprint(i), "")
			}
			return tx.InsertFindings(ctx, fs)
		})
	}
	for range 2 {
		kind(t, "a full disk", fill(), exposure.Unavailable, "the disk of the database is full: free some space")
		if diff := cmp.Diff(before, statesOf(t, db)); diff != "" {
			t.Fatalf("something was half written (-want +got):\n%s", diff)
		}
		if n := head(t, db); n != 0 {
			t.Fatalf("%d events of a transaction that did not happen", n)
		}
	}
	// A catch of the function does not make half of it count.
	err = db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Append(ctx, &exposure.Event{Kind: exposure.EventNote, Actor: "before"}); err != nil {
			return err
		}
		if tx.SetMeta(ctx, "big", strings.Repeat("x", 8<<20)) == nil {
			t.Error("there was room")
		}
		return nil
	})
	if events := eventsAfter(t, db, 0); err == nil && len(events) != 1 || err != nil && len(events) != 0 {
		t.Errorf("the transaction ended with %v and left %+v", err, events)
	}
	limit("1000000")
	if err := fill(); err != nil {
		t.Fatalf("with space again: %v", err)
	}
	if n := len(statesOf(t, db)); n != 20_010 {
		t.Errorf("%d findings, want 20,010", n)
	}
	if check := rows(t, db, "PRAGMA integrity_check")[0][0]; check != "ok" {
		t.Errorf("the file is damaged: %s", check)
	}
}

func TestFaultsAreExplained(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		for text, want := range map[string]exposure.Kind{
			"database disk image is malformed (11)": exposure.Unavailable, "database is locked (5) (SQLITE_BUSY)": exposure.Unavailable, "write: no space left on device": exposure.Unavailable,
			"attempt to write a readonly database (8)": exposure.Unavailable, "malformed package URL": exposure.Internal, "boom": exposure.Internal,
		} {
			cause := errors.New(text)
			err := db.Write(t.Context(), func(*store.Tx) error { return cause })
			if exposure.KindOf(err) != want || !errors.Is(err, cause) || want == exposure.Unavailable && !strings.Contains(err.Error(), ": ") {
				t.Errorf("%q became %v of kind %v, want %v", text, err, exposure.KindOf(err), want)
			}
		}
		said := exposure.Errorf(exposure.Forbidden, "no")
		if err := db.Write(t.Context(), func(*store.Tx) error { return said }); err != said {
			t.Errorf("what was said well became %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, func(tx *store.Tx) error {
			defer cancel()
			return tx.Append(ctx, &exposure.Event{Kind: exposure.EventNote, Actor: "x"})
		})
		if !errors.Is(err, context.Canceled) || head(t, db) != 0 {
			t.Errorf("a cancelled transaction ended with %v and %d events", err, head(t, db))
		}
	})
}
