package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

// takeBack undoes a decision step by step and returns how many are as before.
func takeBack(t *testing.T, db *store.DB, id int64, actor string, at int64) (back, of int, err error) {
	t.Helper()
	for more := true; more && err == nil; {
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			u, err := tx.Undo(t.Context(), id, actor, at)
			back, of, more = back+u.Back, of+u.Of, u.More
			return err
		})
	}
	return back, of, err
}

// decide moves findings and fails the test when that cannot be done.
func decide(t *testing.T, db *store.DB, kind exposure.DecisionKind, actor string, at int64, ids ...exposure.FindingID) *exposure.Decision {
	t.Helper()
	d := &exposure.Decision{At: at, Actor: actor, Kind: kind}
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.DecideMove(ctx, d, ids, "because")
		return err
	})
	return d
}

func wantStates(t *testing.T, db *store.DB, what string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, statesOf(t, db)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestUndoMove(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		insert(t, db, exposure.StatusOpen, exposure.StatusTriaged, exposure.StatusExcepted, exposure.StatusOpen)
		d := decide(t, db, exposure.DecisionClaim, "ada", 5000, 1, 2, 3, 4)
		wantStates(t, db, "claimed", "fix_claimed", "fix_claimed", "excepted", "fix_claimed")
		kept, err := db.Decision(t.Context(), d.ID)
		if diff := cmp.Diff(d, &kept); diff != "" || err != nil {
			t.Errorf("what is kept: %v (-want +got):\n%s", err, diff)
		}
		// A retest moves one of them before the claim is taken back.
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Move(ctx, []exposure.FindingID{4}, exposure.CauseAbsent, "import", "", 5500)
			return err
		})
		before := head(t, db)
		if _, _, err := takeBack(t, db, d.ID, "bob", 6000); exposure.KindOf(err) != exposure.Forbidden {
			t.Errorf("somebody else takes it back: %v", err)
		}
		if _, _, err := takeBack(t, db, d.ID+1, "ada", 6000); exposure.KindOf(err) != exposure.NotFound {
			t.Errorf("what was never decided is taken back: %v", err)
		}
		if head(t, db) != before {
			t.Error("what is refused leaves events")
		}
		back, of, err := takeBack(t, db, d.ID, "ada", 6000)
		if back != 2 || of != 3 || err != nil {
			t.Errorf("%d of %d went back: %v", back, of, err)
		}
		wantStates(t, db, "taken back", "open", "triaged", "excepted", "verified")
		want := []exposure.Event{
			{At: 6000, Kind: exposure.EventMoved, Cause: exposure.CauseUndo, From: exposure.StatusFixClaimed, To: exposure.StatusTriaged, IDs: []uint32{2}, First: 2, Last: 2, Actor: "ada", Reason: "undo of a claimed fix"},
			{At: 6000, Kind: exposure.EventMoved, Cause: exposure.CauseUndo, From: exposure.StatusFixClaimed, To: exposure.StatusOpen, IDs: []uint32{1}, First: 1, Last: 1, Actor: "ada", Reason: "undo of a claimed fix"},
		}
		if diff := cmp.Diff(want, eventsAfter(t, db, before)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if _, _, err := takeBack(t, db, d.ID, "ada", 7000); exposure.KindOf(err) != exposure.Conflict {
			t.Errorf("it is taken back twice: %v", err)
		}

		// Who triaged does not take back that somebody claimed since, nor what
		// was triaged anew.
		first := decide(t, db, exposure.DecisionTriage, "ada", 8000, 1)
		again := decide(t, db, exposure.DecisionClaim, "bob", 8100, 1)
		if back, _, err := takeBack(t, db, first.ID, "ada", 8200); back != 0 || err != nil {
			t.Errorf("%d went back under a claim: %v", back, err)
		}
		if back, _, err := takeBack(t, db, again.ID, "bob", 8300); back != 1 || err != nil {
			t.Errorf("the claim did not go back: %d, %v", back, err)
		}
		wantStates(t, db, "after two people", "triaged", "triaged", "excepted", "verified")

		// A finding that became part of another goes back as that.
		folded := decide(t, db, exposure.DecisionClaim, "ada", 8500, 1, 2)
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return tx.FoldFindings(ctx, map[exposure.FindingID]exposure.FindingID{1: 2})
		})
		if back, of, err := takeBack(t, db, folded.ID, "ada", 8600); back != 1 || of != 2 || err != nil {
			t.Errorf("%d of %d went back after a merge: %v", back, of, err)
		}
		wantStates(t, db, "after a merge", "triaged", "excepted", "verified")

		// What moves nothing is no decision.
		if d := decide(t, db, exposure.DecisionTriage, "ada", 9000, 2, 3, 4); d.ID != 0 || d.Parts != nil {
			t.Errorf("nothing moved and that can be taken back: %+v", d)
		}
	})
}

func TestUndoMany(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		const n = 10_000
		states := make([]exposure.Status, n)
		for i := range states {
			states[i] = []exposure.Status{exposure.StatusOpen, exposure.StatusTriaged}[i%2]
		}
		fs := insert(t, db, states...)
		before := statesOf(t, db)
		d := &exposure.Decision{At: 5000, Actor: "ada", Kind: exposure.DecisionClaim}
		var ids []exposure.FindingID
		for i := range fs {
			ids = append(ids, fs[i].ID)
		}
		for part := range slices.Chunk(ids, 4000) {
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.DecideMove(ctx, d, part, "")
				return err
			})
		}
		if len(d.Parts) != 6 { // three parts, from two states each
			t.Errorf("%d events", len(d.Parts))
		}
		// A step that breaks off loses nothing: the next takes up where it was.
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			u, err := tx.Undo(ctx, d.ID, "ada", 6000)
			if !u.More || u.Back != 1000 {
				t.Errorf("the first step: %+v", u)
			}
			return err
		})
		back, of, err := takeBack(t, db, d.ID, "ada", 6000)
		if back != n-1000 || of != n-1000 || err != nil {
			t.Errorf("%d of %d went back: %v", back, of, err)
		}
		if !slices.Equal(before, statesOf(t, db)) {
			t.Error("not everything is as it was")
		}
	})
}

func assignedTo(t *testing.T, db *store.DB) (out []string) {
	t.Helper()
	if err := db.Assets(t.Context(), 1, 1<<30, func(a *exposure.Asset) error { out = append(out, a.Name+" "+a.Assigned); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAssign(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		assets := []exposure.Asset{host("a"), host("b"), host("c"), host("d"), host("e")}
		assets[1].Assigned, assets[2].Assigned = "Shop", "Payments"
		fs := insert(t, db, exposure.StatusOpen)
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.InsertAssets(ctx, assets); err != nil {
				return err
			}
			return tx.MergeAsset(ctx, 5, 4)
		})
		give := func(owner, actor string, ids ...exposure.AssetID) (*exposure.Decision, int) {
			t.Helper()
			d, n := &exposure.Decision{At: 5000, Actor: actor, Kind: exposure.DecisionAssign, Owner: owner}, 0
			write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
				n, err = tx.Assign(ctx, d, ids, "they run it")
				return err
			})
			return d, n
		}
		before := head(t, db)
		d, n := give("Payments", "ada", 1, 2, 3, 4, 5, 99)
		if n != 3 { // c has it, e is part of d, and 99 is nobody's
			t.Errorf("%d were assigned", n)
		}
		if diff := cmp.Diff([]string{"a Payments", "b Payments", "c Payments", "d Payments"}, assignedTo(t, db)); diff != "" {
			t.Error(diff)
		}
		want := []exposure.Event{{At: 5000, Kind: exposure.EventAssigned, IDs: []uint32{1, 2, 4}, First: 1, Last: 4, Actor: "ada", Reason: "to Payments: they run it"}}
		if diff := cmp.Diff(want, eventsAfter(t, db, before)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		line, err := db.Timeline(t.Context(), fs[0].ID)
		if err != nil || len(line) != 1 || line[0].Reason != "to Payments: they run it" {
			t.Errorf("the history of a finding on it: %v, %v", line, err)
		}

		// Somebody gives one of them away before it is taken back.
		give("Ops", "bob", 1)
		back, of, err := takeBack(t, db, d.ID, "ada", 6000)
		if back != 2 || of != 3 || err != nil {
			t.Errorf("%d of %d went back: %v", back, of, err)
		}
		if diff := cmp.Diff([]string{"a Ops", "b Shop", "c Payments", "d "}, assignedTo(t, db)); diff != "" {
			t.Error(diff)
		}
		var reasons []string
		for _, e := range eventsAfter(t, db, before)[2:] {
			reasons = append(reasons, e.Reason)
		}
		if diff := cmp.Diff([]string{"back to the programme: undo of an assignment", "to Shop: undo of an assignment"}, reasons); diff != "" {
			t.Error(diff)
		}
		if _, _, err := takeBack(t, db, d.ID, "ada", 7000); exposure.KindOf(err) != exposure.Conflict {
			t.Errorf("it is taken back twice: %v", err)
		}
	})
}

func TestUndoException(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		insert(t, db, exposure.StatusOpen, exposure.StatusTriaged)
		ask := func(at int64) *exposure.Decision {
			t.Helper()
			d := &exposure.Decision{At: at, Actor: "ada", Kind: exposure.DecisionExcept}
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				return tx.DecideException(ctx, d, &exposure.Exception{Reason: "legacy", Requester: "ada", Created: at, Expires: 1e6, Findings: []exposure.FindingID{1, 2}})
			})
			return d
		}
		approve := func(id int64) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.ApproveException(ctx, id, "bob", 5100)
				return err
			})
		}
		end := func(id, at int64) *exposure.Decision {
			t.Helper()
			d := &exposure.Decision{At: at, Actor: "bob", Kind: exposure.DecisionEnd, Exception: id}
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.DecideEnd(ctx, d, "no longer")
				return err
			})
			return d
		}
		ended := func(id int64) bool {
			t.Helper()
			all, err := db.Exceptions(ctx, false)
			if err != nil {
				t.Fatal(err)
			}
			return !slices.ContainsFunc(all, func(e exposure.Exception) bool { return e.ID == id })
		}

		first := ask(5000)
		if back, of, err := takeBack(t, db, first.ID, "ada", 5050); back != 2 || of != 2 || err != nil || !ended(first.Exception) {
			t.Errorf("a request is withdrawn: %d of %d, %v", back, of, err)
		}
		second := ask(5060)
		approve(second.Exception)
		if _, _, err := takeBack(t, db, second.ID, "ada", 5200); exposure.KindOf(err) != exposure.Conflict {
			t.Errorf("a request is withdrawn after it was approved: %v", err)
		}
		wantStates(t, db, "approved", "excepted", "excepted")

		over := end(second.Exception, 5300)
		wantStates(t, db, "ended", "open", "open")
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Move(ctx, []exposure.FindingID{2}, exposure.CauseTriage, "eve", "", 5350)
			return err
		})
		if back, of, err := takeBack(t, db, over.ID, "bob", 5400); back != 1 || of != 2 || err != nil || ended(second.Exception) {
			t.Errorf("the end is taken back: %d of %d, %v", back, of, err)
		}
		wantStates(t, db, "in force again", "excepted", "triaged")

		// An end is not taken back when it was ended again since, or expired.
		over = end(second.Exception, 5500)
		if _, _, err := takeBack(t, db, over.ID, "bob", 2e6); exposure.KindOf(err) != exposure.Conflict || !ended(second.Exception) {
			t.Errorf("an exception that expired is in force again: %v", err)
		}

		// So is a refusal: the request waits again.
		third := ask(6000)
		refused := end(third.Exception, 6100)
		if back, _, err := takeBack(t, db, refused.ID, "bob", 6200); back != 2 || err != nil || ended(third.Exception) {
			t.Errorf("a refusal is taken back: %d, %v", back, err)
		}
		wantStates(t, db, "a request moves nothing", "open", "triaged")
		line, err := db.Timeline(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, e := range line {
			told = append(told, e.Kind.String()+" by "+e.Actor+": "+e.Reason)
		}
		want := []string{
			"note by ada: asked for an exception until 1970-01-01: legacy", "note by ada: undo of asking for an exception",
			"note by ada: asked for an exception until 1970-01-01: legacy", "moved by bob: legacy", "moved by bob: no longer", "moved by bob: undo of ending an exception", "moved by bob: no longer",
			"note by ada: asked for an exception until 1970-01-01: legacy", "note by bob: an exception that was asked for is refused or withdrawn: no longer", "note by bob: undo of ending an exception",
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("the history (-want +got):\n%s", diff)
		}
	})
}
