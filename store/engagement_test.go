package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func fillEngagement(ctx context.Context, tx *store.Tx) error {
	e := store.Engagement{Engagement: exposure.Engagement{Name: "office ☃", Targets: []string{"10.0.0.0/8"}}, Author: "ada"}
	_, err := tx.Halt(ctx, &store.Halt{Engagement: 1, At: 5, Actor: "bob", Why: "☃"})
	return errors.Join(err, tx.PutEngagement(ctx, &e, 5, "ada", "written"), appendAudit(ctx, tx, "server", 2))
}

// appendAudit puts n entries at the end of a chain, the even ones refusals.
func appendAudit(ctx context.Context, tx *store.Tx, chain string, n int) error {
	return tx.AppendAudit(ctx, chain, func(h store.AuditHead) (all []store.Audited, err error) {
		for range n {
			e := store.Audited{Seq: h.Seq + 1, At: 7, Engagement: (h.Seq + 1) % 3, Refused: h.Seq%2 == 1, Prev: h.Hash, Hash: fmt.Sprintf("%s%d", chain, h.Seq+1), Body: []byte("{}")}
			h.Seq, h.Hash = e.Seq, e.Hash
			all = append(all, e)
		}
		return all, nil
	})
}

func TestEngagementVersions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		now := time.UnixMilli(1_800_000_000_000).UTC()
		e := store.Engagement{Author: "ada", Engagement: exposure.Engagement{
			Name: "office", Owner: "Bär", Targets: []string{"10.0.0.0/8", "*.example.com"}, Level: exposure.LevelProbe, Expires: now.Add(time.Hour),
			Windows: []exposure.Window{{Days: []string{"mon"}, From: "20:00", Until: "04:00"}}, Limits: exposure.Limits{Rate: 2.5},
		}}
		state := func() string {
			t.Helper()
			s, err := db.LeaveState(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		states := []string{state()}
		put := func(actor, what string) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				return tx.PutEngagement(ctx, &e, now.UnixMilli(), actor, what)
			})
			states = append(states, state())
		}
		put("ada", "written")
		e.Approvals = []exposure.Approval{{By: "bob", At: now, Digest: "d"}}
		put("bob", "approved")
		got, err := db.Engagement(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, got); diff != "" || e.ID != 1 || e.Version != 2 {
			t.Errorf("engagement %d, version %d (-want +got):\n%s", e.ID, e.Version, diff)
		}
		live := func(at time.Time, want int) {
			t.Helper()
			if all, err := db.LiveEngagements(t.Context(), at); err != nil || len(all) != want {
				t.Errorf("%d live at %v, %v; want %d", len(all), at, err, want)
			}
		}
		live(now, 1)
		live(now.Add(time.Hour), 0)
		e.Withdrawn = now
		put("bob", "withdrawn")
		live(now, 0)
		if all, err := db.Engagements(t.Context()); err != nil || len(all) != 1 || !all[0].Withdrawn.Equal(now) {
			t.Errorf("engagements %v, %v", all, err)
		}
		changes, err := db.EngagementChanges(t.Context(), 1, 2)
		want := []store.EngagementChange{{3, now.UnixMilli(), "bob", "withdrawn"}, {2, now.UnixMilli(), "bob", "approved"}}
		if diff := cmp.Diff(want, changes); diff != "" || err != nil {
			t.Errorf("%v, changes (-want +got):\n%s", err, diff)
		}
		if _, err := db.Engagement(t.Context(), 2); exposure.KindOf(err) != exposure.NotFound {
			t.Errorf("engagement 2: %v", err)
		}
		huge := store.Engagement{Engagement: exposure.Engagement{Targets: []string{strings.Repeat("x", 5<<20)}}}
		err = db.Write(t.Context(), func(tx *store.Tx) error { return tx.PutEngagement(t.Context(), &huge, 1, "ada", "written") })
		if exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("huge rules: %v", err)
		}
		for i := range states {
			for j := range i {
				if states[i] == states[j] {
					t.Errorf("the state %q was there after %d and after %d changes", states[i], j, i)
				}
			}
		}
	})
}

func TestHalts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		seen := map[string]bool{}
		check := func(what string, want ...store.Halt) {
			t.Helper()
			got, err := db.Halts(t.Context())
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
			}
			s, err := db.LeaveState(t.Context())
			if err != nil || seen[s] {
				t.Errorf("%s: state %q was seen before, %v", what, s, err)
			}
			seen[s] = true
		}
		halt := func(engagement int64, actor string) (stopped bool) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
				stopped, err = tx.Halt(ctx, &store.Halt{Engagement: engagement, At: 5, Actor: actor, Why: "odd"})
				return err
			})
			return stopped
		}
		resume := func(engagement int64) (lifted bool) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
				lifted, err = tx.Resume(ctx, engagement, "bob", 6)
				return err
			})
			return lifted
		}
		check("before")
		if !halt(0, "ada") || !halt(3, "eve") {
			t.Error("a stop was not taken")
		}
		both := []store.Halt{{ID: 1, At: 5, Actor: "ada", Why: "odd"}, {ID: 2, Engagement: 3, At: 5, Actor: "eve", Why: "odd"}}
		check("stopped", both...)
		if halt(0, "bob") {
			t.Error("a second stop of all counts as new")
		}
		if !resume(0) || resume(0) {
			t.Error("a stop is lifted once")
		}
		check("one lifted", both[1])
		if !resume(3) || !halt(3, "ada") {
			t.Error("an engagement is stopped again after it was resumed")
		}
		check("stopped again", store.Halt{ID: 3, Engagement: 3, At: 5, Actor: "ada", Why: "odd"})
	})
}

func TestAuditChains(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		add := func(chain string, n int) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return appendAudit(ctx, tx, chain, n) })
		}
		add("server", 250)
		add("agent-1", 3)
		add("server", 2)
		heads, err := db.AuditChains(t.Context())
		want := []store.AuditHead{{"agent-1", 3, "agent-13"}, {"server", 252, "server252"}}
		if diff := cmp.Diff(want, heads); diff != "" || err != nil {
			t.Errorf("%v, heads (-want +got):\n%s", err, diff)
		}
		if h, err := db.AuditHead(t.Context(), "nobody"); err != nil || h.Seq != 0 || h.Hash != "" {
			t.Errorf("an empty chain ends at %+v, %v", h, err)
		}
		seq := int64(0)
		err = db.AuditChain(t.Context(), "server", func(e *store.Audited) error {
			if seq++; e.Seq != seq || e.Chain != "server" || string(e.Body) != "{}" {
				t.Errorf("entry %d is %+v", seq, e)
			}
			return nil
		})
		if err != nil || seq != 252 {
			t.Errorf("%d entries, %v", seq, err)
		}
		for name, bad := range map[string]store.Audited{"a gap": {Seq: 5, Prev: "agent-13", Hash: "x"}, "another before": {Seq: 4, Prev: "server3", Hash: "x"}, "one twice": {Seq: 3, Prev: "agent-12", Hash: "x"}} {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				return tx.AppendAudit(t.Context(), "agent-1", func(store.AuditHead) ([]store.Audited, error) { return []store.Audited{bad}, nil })
			})
			if exposure.KindOf(err) != exposure.Conflict {
				t.Errorf("%s: %v", name, err)
			}
		}
		page := func(q store.AuditQuery) (ids []int64) {
			t.Helper()
			all, err := db.Audit(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				ids = append(ids, e.ID)
				if q.Refused && !e.Refused || q.Engagement != 0 && e.Engagement != q.Engagement {
					t.Errorf("%+v has %+v", q, e)
				}
			}
			return ids
		}
		for _, c := range []struct {
			q    store.AuditQuery
			want []int64
		}{
			{store.AuditQuery{Limit: 2}, []int64{255, 254}},
			{store.AuditQuery{Limit: 2, Before: 254}, []int64{253, 252}},
			{store.AuditQuery{Limit: 3, Refused: true}, []int64{255, 252, 250}},
			{store.AuditQuery{Limit: 2, Engagement: 2}, []int64{254, 252}},
			{store.AuditQuery{Limit: 2, Engagement: 2, Refused: true, Before: 252}, []int64{248, 242}},
			{store.AuditQuery{Limit: 2, Engagement: 77}, nil},
		} {
			if diff := cmp.Diff(c.want, page(c.q)); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", c.q, diff)
			}
		}
	})
}
