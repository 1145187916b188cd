package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

// insert adds findings of the given states, numbered from 1 in an empty database.
func insert(t *testing.T, db *store.DB, states ...exposure.Status) []exposure.Finding {
	t.Helper()
	fs := make([]exposure.Finding, len(states))
	for i, s := range states {
		fs[i] = exposure.Finding{Fingerprint: exposure.NewFingerprint(rand.Text(), "", ""), Asset: 1, Advisory: 1, Location: 1, Source: 1, Scan: 1, FirstSeen: 1000, Since: 1000, Status: s}
	}
	write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.InsertFindings(ctx, fs) })
	return fs
}

// statesOf returns the states of the findings 1 … n, in their order.
func statesOf(t *testing.T, db *store.DB) (out []string) {
	t.Helper()
	if err := db.Findings(t.Context(), 1, 1<<30, func(f *exposure.Finding) error { out = append(out, f.Status.String()); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// eventsAfter returns the events after seq, without their numbers.
func eventsAfter(t *testing.T, db *store.DB, seq int64) (out []exposure.Event) {
	t.Helper()
	if err := db.Events(t.Context(), seq, func(e *exposure.Event) error {
		e.Seq = 0
		out = append(out, *e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func head(t *testing.T, db *store.DB) int64 {
	t.Helper()
	n, err := db.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Every cause on findings of every status does what the table says, and the
// events say what was done.
func TestMove(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		const statuses, causes = 7, 10
		for c := range causes {
			cause := exposure.Cause(c)
			var states []exposure.Status
			for i := range 2 * statuses {
				states = append(states, exposure.Status(i%statuses))
			}
			fs := insert(t, db, states...)
			before := head(t, db)
			var ids []exposure.FindingID
			var want []exposure.Event
			moves := 0
			for s := range statuses {
				first, second := fs[s].ID, fs[s+statuses].ID
				ids = append(ids, second, first, second)
				to, ok := exposure.Status(s).Move(cause)
				if !ok {
					continue
				}
				moves += 2
				fs[s].Status, fs[s].Since, fs[s+statuses].Status, fs[s+statuses].Since = to, 5000, to, 5000
				want = append(want, exposure.Event{At: 5000, Kind: exposure.EventMoved, Cause: cause, From: exposure.Status(s), To: to,
					First: uint32(first), Last: uint32(second), IDs: []uint32{uint32(first), uint32(second)}, Actor: "ada", Reason: "because"})
			}
			ids = append(ids, 1<<20) // nobody
			var moved int
			write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
				moved, err = tx.Move(ctx, ids, cause, "ada", "because", 5000)
				return err
			})
			if moved != moves {
				t.Errorf("%v moved %d findings, want %d", cause, moved, moves)
			}
			if diff := cmp.Diff(want, eventsAfter(t, db, before)); diff != "" {
				t.Errorf("events of %v (-want +got):\n%s", cause, diff)
			}
			var got []exposure.Finding
			if err := db.Findings(t.Context(), fs[0].ID, 1<<30, func(f *exposure.Finding) error { got = append(got, *f); return nil }); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fs, got); diff != "" {
				t.Errorf("findings after %v (-want +got):\n%s", cause, diff)
			}
		}
	})
}

func TestMoveManyOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		fs := insert(t, db, make([]exposure.Status, 1300)...)
		var ids []exposure.FindingID
		for _, f := range slices.Concat(fs, fs) { // more than one query asks for, each twice
			ids = append(ids, f.ID)
		}
		var moved int
		write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
			moved, err = tx.Move(ctx, ids, exposure.CauseTriage, "ada", "", 5000)
			return err
		})
		if events := eventsAfter(t, db, 0); moved != 1300 || len(events) != 1 || len(events[0].IDs) != 1300 {
			t.Errorf("%d moved by %d events, want 1300 by one", moved, len(events))
		}
	})
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		insert(t, db, exposure.StatusOpen, exposure.StatusTriaged, exposure.StatusVerified, exposure.StatusOpen)
		wish := exposure.Exception{Reason: "legacy, gone in spring", Requester: "ada", Created: 10, Expires: 1000, Findings: []exposure.FindingID{1, 2, 3}}
		late := exposure.Exception{Reason: "too late", Requester: "ada", Created: 10, Expires: 500, Findings: []exposure.FindingID{4}}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.AddException(ctx, &wish), tx.AddException(ctx, &late))
		})
		list := func(all bool) []exposure.Exception {
			t.Helper()
			got, err := db.Exceptions(ctx, all)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if diff := cmp.Diff([]exposure.Exception{late, wish}, list(false)); diff != "" {
			t.Errorf("exceptions that wait (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"open", "triaged", "verified", "open"}, statesOf(t, db)); diff != "" {
			t.Errorf("a wish has an effect (-want +got):\n%s", diff)
		}
		approve := func(id int64, by string, at int64) (moved int, err error) {
			err = db.Write(ctx, func(tx *store.Tx) (err error) {
				moved, err = tx.ApproveException(ctx, id, by, at)
				return err
			})
			return moved, err
		}
		_, err := approve(wish.ID, "ada", 20)
		kind(t, "one's own wish", err, exposure.Forbidden, "somebody else")
		_, err = approve(99, "bob", 20)
		kind(t, "no wish", err, exposure.NotFound, "99")
		_, err = approve(late.ID, "bob", 500)
		kind(t, "after its time", err, exposure.Conflict, "expired")
		if head(t, db) != 0 {
			t.Error("a refusal is an event")
		}
		moved, err := approve(wish.ID, "bob", 20)
		if err != nil || moved != 2 {
			t.Fatalf("the approval moved %d, %v, want 2", moved, err)
		}
		_, err = approve(wish.ID, "carl", 21)
		kind(t, "approved before", err, exposure.Conflict, "decided")
		if diff := cmp.Diff([]string{"excepted", "excepted", "verified", "open"}, statesOf(t, db)); diff != "" {
			t.Errorf("after the approval (-want +got):\n%s", diff)
		}
		wish.Approver, wish.Approved = "bob", 20
		if diff := cmp.Diff([]exposure.Exception{late, wish}, list(true)); diff != "" {
			t.Errorf("exceptions (-want +got):\n%s", diff)
		}
		want := []exposure.Event{
			{At: 20, Kind: exposure.EventMoved, Cause: exposure.CauseExcept, From: exposure.StatusOpen, To: exposure.StatusExcepted, First: 1, Last: 1, IDs: []uint32{1}, Actor: "bob", Reason: wish.Reason},
			{At: 20, Kind: exposure.EventMoved, Cause: exposure.CauseExcept, From: exposure.StatusTriaged, To: exposure.StatusExcepted, First: 2, Last: 2, IDs: []uint32{2}, Actor: "bob", Reason: wish.Reason},
		}
		if diff := cmp.Diff(want, eventsAfter(t, db, 0)); diff != "" {
			t.Errorf("events of the approval (-want +got):\n%s", diff)
		}
		for _, at := range []int64{499, 999} { // the late one ends on the way
			if moved, err := db.ExpireExceptions(ctx, at); err != nil || moved != 0 {
				t.Errorf("at %d %d findings are open again, %v", at, moved, err)
			}
		}
		if moved, err := db.ExpireExceptions(ctx, 1000); err != nil || moved != 2 {
			t.Errorf("in the end %d findings are open again, %v, want 2", moved, err)
		}
		if moved, err := db.ExpireExceptions(ctx, 2000); err != nil || moved != 0 {
			t.Errorf("what ended ends again: %d, %v", moved, err)
		}
		if diff := cmp.Diff([]string{"open", "open", "verified", "open"}, statesOf(t, db)); diff != "" {
			t.Errorf("after the end (-want +got):\n%s", diff)
		}
		want = []exposure.Event{{At: 1000, Kind: exposure.EventMoved, Cause: exposure.CauseExpiry, From: exposure.StatusExcepted, To: exposure.StatusOpen, First: 1, Last: 2, IDs: []uint32{1, 2}, Actor: "cycle", Reason: "the exception expired"}}
		if diff := cmp.Diff(want, eventsAfter(t, db, 2)); diff != "" {
			t.Errorf("events of the end (-want +got):\n%s", diff)
		}
		wish.Ended, late.Ended = 1000, 999
		if diff := cmp.Diff([]exposure.Exception{late, wish}, list(true)); diff != "" {
			t.Errorf("ended exceptions (-want +got):\n%s", diff)
		}
		if got := list(false); len(got) != 0 {
			t.Errorf("ended exceptions are in force: %+v", got)
		}
		_, err = approve(late.ID, "bob", 20)
		kind(t, "an ended wish", err, exposure.Conflict, "decided")
		end := func(id int64) (int, error) {
			err := db.Write(ctx, func(tx *store.Tx) (err error) {
				moved, err = tx.EndException(ctx, id, "ada", "no longer", 30)
				return err
			})
			return moved, err
		}
		_, err = end(99)
		kind(t, "the end of none", err, exposure.NotFound, "99")
		if moved, err := end(wish.ID); err != nil || moved != 0 {
			t.Errorf("the end of an ended one moves %d, %v", moved, err)
		}
	})
}

// A finding stays excepted while any exception that covers it is in force.
func TestOverlappingExceptions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		insert(t, db, make([]exposure.Status, 4)...)
		except := func(expires int64, ids ...exposure.FindingID) int64 {
			t.Helper()
			e := exposure.Exception{Reason: "r", Requester: "ada", Expires: expires, Findings: ids}
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				if err := tx.AddException(ctx, &e); err != nil {
					return err
				}
				_, err := tx.ApproveException(ctx, e.ID, "bob", 1)
				return err
			})
			return e.ID
		}
		short := except(100, 1, 2)
		except(200, 2, 3)
		write(t, db, func(ctx context.Context, tx *store.Tx) error { // waits, so covers nothing
			return tx.AddException(ctx, &exposure.Exception{Requester: "ada", Expires: 900, Findings: []exposure.FindingID{1, 2, 3, 4}})
		})
		var moved int
		write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
			moved, err = tx.EndException(ctx, short, "ada", "withdrawn", 50)
			return err
		})
		if diff := cmp.Diff([]string{"open", "excepted", "excepted", "open"}, statesOf(t, db)); diff != "" || moved != 1 {
			t.Errorf("after the end of the first %d moved (-want +got):\n%s", moved, diff)
		}
		except(200, 3)
		if moved, err := db.ExpireExceptions(ctx, 200); err != nil || moved != 2 {
			t.Errorf("the last two end and %d are open again, %v, want 2", moved, err)
		}
		if diff := cmp.Diff([]string{"open", "open", "open", "open"}, statesOf(t, db)); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
	})
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		insert(t, db, make([]exposure.Status, 3)...)
		all := []exposure.Verdict{
			{Finding: 2, Kind: exposure.VerdictExploitable, Confidence: 95, At: 10, Until: 100, Evidence: "shell ☃", Actor: "check"},
			{Finding: 1, Kind: exposure.VerdictBlocked, Confidence: 70, At: 11, Until: 200, Actor: "bob"},
			{Finding: 2, Kind: exposure.VerdictFixed, Confidence: 90, At: 12, Until: 300, Actor: "check"},
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.AddVerdicts(ctx, nil), tx.AddVerdicts(ctx, all[:2]), tx.AddVerdicts(ctx, all[2:]))
		})
		for i, v := range all {
			if v.ID != int64(i+1) {
				t.Errorf("verdict %d has the number %d", i, v.ID)
			}
		}
		want := map[exposure.FindingID][]exposure.Verdict{1: {all[1]}, 2: {all[0], all[2]}}
		ids := []exposure.FindingID{1, 2, 3, 99}
		got, err := db.VerdictsOf(ctx, ids)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("verdicts: %v (-want +got):\n%s", err, diff)
		}
		newest, err := db.Verdicts(ctx, 2)
		if diff := cmp.Diff([]exposure.Verdict{all[2], all[1]}, newest); diff != "" || err != nil {
			t.Errorf("newest verdicts: %v (-want +got):\n%s", err, diff)
		}
		older, err := db.VerdictsBefore(ctx, newest[1].ID, 9)
		if diff := cmp.Diff([]exposure.Verdict{all[0]}, older); diff != "" || err != nil {
			t.Errorf("the page after them: %v (-want +got):\n%s", err, diff)
		}
		for _, test := range []struct {
			after, until int64
			want         []exposure.FindingID
		}{{0, 99, nil}, {99, 100, []exposure.FindingID{2}}, {100, 199, nil}, {100, 300, []exposure.FindingID{1, 2}}, {300, 900, nil}} {
			got, err := db.VerdictsEnding(ctx, test.after, test.until)
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("ending after %d until %d: %v (-want +got):\n%s", test.after, test.until, err, diff)
			}
		}
		set := func(kinds map[exposure.FindingID]exposure.VerdictKind) (changed int) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
				if got, err := tx.VerdictsOf(ctx, ids); err != nil || len(got) != 2 {
					t.Errorf("verdicts within the transaction: %v, %v", got, err)
				}
				changed, err = tx.SetVerdicts(ctx, kinds, "check", "retest", 50)
				return err
			})
			return changed
		}
		kinds := map[exposure.FindingID]exposure.VerdictKind{3: exposure.VerdictNone, 2: exposure.VerdictFixed, 1: exposure.VerdictBlocked, 99: exposure.VerdictFixed}
		if changed := set(kinds); changed != 2 {
			t.Errorf("%d findings changed, want 2", changed)
		}
		if changed := set(kinds); changed != 0 || set(nil) != 0 {
			t.Errorf("the same again changed %d", changed)
		}
		events := []exposure.Event{{At: 50, Kind: exposure.EventVerdict, First: 1, Last: 2, IDs: []uint32{1, 2}, Actor: "check", Reason: "retest"}}
		if diff := cmp.Diff(events, eventsAfter(t, db, 0)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		var carried []exposure.VerdictKind
		if err := db.Findings(ctx, 1, 9, func(f *exposure.Finding) error { carried = append(carried, f.Verdict); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]exposure.VerdictKind{exposure.VerdictBlocked, exposure.VerdictFixed, exposure.VerdictNone}, carried); diff != "" {
			t.Errorf("findings carry (-want +got):\n%s", diff)
		}
	})
}

func TestEventsOf(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		insert(t, db, make([]exposure.Status, 3)...)
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err1 := tx.Move(ctx, []exposure.FindingID{1}, exposure.CauseTriage, "a", "", 1)
			_, err2 := tx.Move(ctx, []exposure.FindingID{1, 2}, exposure.CauseClaim, "b", "", 2)
			_, err3 := tx.Move(ctx, []exposure.FindingID{2}, exposure.CauseAbsent, "c", "", 3)
			// Its cause is not one: it did not move anything.
			return errors.Join(err1, err2, err3, tx.Append(ctx, &exposure.Event{Kind: exposure.EventNote, Cause: exposure.CauseClaim, Actor: "d"}))
		})
		of := func(limit int, causes ...exposure.Cause) (actors string) {
			t.Helper()
			if err := db.EventsOf(t.Context(), limit, func(e *exposure.Event) error { actors += e.Actor; return nil }, causes...); err != nil {
				t.Fatal(err)
			}
			return actors
		}
		for _, test := range []struct {
			limit  int
			causes []exposure.Cause
			want   string
		}{
			{9, []exposure.Cause{exposure.CauseClaim}, "bb"}, {9, []exposure.Cause{exposure.CauseAbsent, exposure.CauseTriage}, "ca"},
			{2, []exposure.Cause{exposure.CauseAbsent, exposure.CauseTriage, exposure.CauseClaim}, "cb"}, {9, []exposure.Cause{exposure.CauseExcept}, ""}, {9, nil, ""},
		} {
			if got := of(test.limit, test.causes...); got != test.want {
				t.Errorf("%d events by %v: %q, want %q", test.limit, test.causes, got, test.want)
			}
		}
	})
}
