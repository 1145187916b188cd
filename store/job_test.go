package store_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func addJob(t *testing.T, db *store.DB, vantage string, shards int) exposure.ScanJob {
	t.Helper()
	j := exposure.ScanJob{Plan: exposure.ScanPlan{Name: "n", Vantage: vantage, Engagement: 1}, Cause: "test", Created: 5}
	var lists [][]string
	for i := range shards {
		lists = append(lists, []string{fmt.Sprintf("10.0.0.%d", i)})
	}
	if err := db.AddJob(t.Context(), &j, lists); err != nil {
		t.Fatal(err)
	}
	return j
}

func lease(t *testing.T, db *store.DB, agent int64, now int64, vantages ...string) (exposure.Shard, bool) {
	t.Helper()
	_, s, ok, err := db.LeaseShard(t.Context(), agent, "w", vantages, now, now+60)
	if err != nil {
		t.Fatal(err)
	}
	return s, ok
}

// Jobs take turns, a vantage is kept to, and a shard that nobody was heard of
// is given to another, whose fence shuts out the first.
func TestShardsAreLeased(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		large, small := addJob(t, db, "dmz", 3), addJob(t, db, "dmz", 1)
		addJob(t, db, "office", 1)
		var order []string
		var got []exposure.Shard
		for {
			s, ok := lease(t, db, 1, 100, "dmz")
			if !ok {
				break
			}
			order, got = append(order, fmt.Sprintf("%d/%d", s.Job, s.Number)), append(got, s)
		}
		if diff := cmp.Diff([]string{"1/1", "2/1", "1/2", "1/3"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		first := got[0].Lease()
		lost, err := db.RenewShards(ctx, 1, []exposure.ShardLease{first, {Job: 1, Number: 2, Fence: 9}}, 200)
		if err != nil || len(lost) != 1 || lost[0].Number != 2 {
			t.Errorf("renewed: lost %v, %v", lost, err)
		}
		if lost, err = db.RenewShards(ctx, 2, []exposure.ShardLease{first}, 200); err != nil || len(lost) != 1 {
			t.Errorf("another agent renews: lost %v, %v", lost, err)
		}
		// Of those that ran out at 160, another takes one.
		taken, ok := lease(t, db, 2, 170, "dmz")
		if !ok || taken.Fence != 2 || taken.Attempts != 2 || taken.Agent != 2 {
			t.Fatalf("taken over: %+v, %v", taken, ok)
		}
		old := taken.Lease()
		old.Fence = 1
		for name, err := range map[string]error{
			"finish": db.FinishShard(ctx, 1, old, exposure.JobDone, "", 1, 1, 180),
			"upload": second(db.Upload(ctx, 1, old, 0, []byte("x"))),
			"return": db.ReturnShard(ctx, 1, old, "no"),
		} {
			if exposure.KindOf(err) != exposure.Conflict {
				t.Errorf("%s with an old lease: %v", name, err)
			}
		}
		// Results come in parts, again and with gaps, and count once.
		for _, part := range []struct {
			place int64
			text  string
			size  int64
		}{{0, "abc", 3}, {0, "abc", 3}, {9, "xyz", 3}, {3, "de", 5}, {3, "de", 5}} {
			size, err := db.Upload(ctx, 2, taken.Lease(), part.place, []byte(part.text))
			if err != nil || size != part.size {
				t.Errorf("part at %d: %d, %v", part.place, size, err)
			}
		}
		var whole bytes.Buffer
		if err := db.Uploaded(ctx, taken.Lease(), func(b []byte) error { whole.Write(b); return nil }); err != nil || whole.String() != "abcde" {
			t.Errorf("uploaded %q, %v", &whole, err)
		}
		if err := db.FinishShard(ctx, 2, taken.Lease(), exposure.JobDone, "", 3, 4, 180); err != nil {
			t.Fatal(err)
		}
		if err := db.FinishShard(ctx, 2, taken.Lease(), exposure.JobDone, "", 3, 4, 180); exposure.KindOf(err) != exposure.Conflict {
			t.Errorf("finished twice: %v", err)
		}
		j, shards, err := db.ScanJob(ctx, taken.Job)
		if err != nil {
			t.Fatal(err)
		}
		if s := shards[taken.Number-1]; s.State != exposure.JobDone || s.New != 3 || s.Found != 4 || s.Finished != 180 {
			t.Errorf("finished: %+v", s)
		}
		if err := db.StopJob(ctx, large.ID, "enough", 190); err != nil && taken.Job != large.ID {
			t.Error(err)
		}
		db.StopJob(ctx, small.ID, "enough", 190)
		if j, _, err = db.ScanJob(ctx, large.ID); err != nil || !j.State.Ended() || j.Ended != j.Shards || j.Finished != 190 {
			t.Errorf("stopped: %+v, %v", j, err)
		}
		if _, ok := lease(t, db, 1, 1000, "dmz"); ok {
			t.Error("a stopped job is worked on")
		}
	})
}

func second(_ int64, err error) error { return err }

// A shard that kills whoever takes it is given up, and the job ends.
func TestShardIsGivenUp(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		j := addJob(t, db, "here", 1)
		now := int64(0)
		for n := range store.MaxAttempts {
			if s, ok := lease(t, db, 0, now, "here"); !ok || s.Attempts != n+1 {
				t.Fatalf("attempt %d: %+v, %v", n, s, ok)
			}
			now += 100
		}
		if s, ok := lease(t, db, 0, now, "here"); ok {
			t.Errorf("once more: %+v", s)
		}
		j, _, err := db.ScanJob(t.Context(), j.ID)
		if err != nil || j.State != exposure.JobFailed || !strings.Contains(j.Failure, "given up") {
			t.Errorf("%+v, %v", j, err)
		}
	})
}

func TestAgents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		if err := db.Invite(ctx, "token", "", []string{"dmz"}, "ada", 10, 20); err != nil {
			t.Fatal(err)
		}
		a := exposure.Agent{Name: "box", Labels: []string{"crown-jewels"}, Digest: "secret", Facts: map[string]string{"os": "linux"}}
		if err := db.Enrol(ctx, "token", &a, 21); exposure.KindOf(err) != exposure.Forbidden {
			t.Errorf("a token that ran out: %v", err)
		}
		if err := db.Enrol(ctx, "token", &a, 15); err != nil {
			t.Fatal(err)
		}
		if err := db.Enrol(ctx, "token", &exposure.Agent{Digest: "other"}, 15); exposure.KindOf(err) != exposure.Forbidden {
			t.Errorf("a token twice: %v", err)
		}
		if err := db.SawAgent(ctx, a.ID, map[string]string{"os": "plan9"}, 30); err != nil {
			t.Fatal(err)
		}
		got, err := db.AgentByDigest(ctx, "secret")
		want := exposure.Agent{ID: 1, Name: "box", Labels: []string{"dmz"}, Facts: map[string]string{"os": "plan9"}, Enrolled: 15, Seen: 30, Digest: "secret", Actor: "ada"}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if err := db.ShutOut(ctx, 1, true); err != nil {
			t.Fatal(err)
		}
		if _, err := db.AgentByDigest(ctx, "secret"); exposure.KindOf(err) != exposure.Forbidden {
			t.Errorf("shut out: %v", err)
		}
		if _, err := db.AgentByDigest(ctx, "nobody"); exposure.KindOf(err) != exposure.Forbidden {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestPlans(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		p := exposure.ScanPlan{Name: "nightly", Targets: []string{"10.0.0.0/24"}, Vantage: "here", Cron: "0 3 * * *", Next: 77}
		if err := db.PutPlan(ctx, &p); err != nil || p.ID != 1 {
			t.Fatal(p.ID, err)
		}
		p.Paused = true
		if err := db.PutPlan(ctx, &p); err != nil {
			t.Fatal(err)
		}
		all, err := db.Plans(ctx)
		if diff := cmp.Diff([]exposure.ScanPlan{p}, all); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if err := db.RemovePlan(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if err := db.RemovePlan(ctx, 1); exposure.KindOf(err) != exposure.NotFound {
			t.Errorf("removed twice: %v", err)
		}
		q := exposure.ScanPlan{Name: "next"}
		if err := db.PutPlan(ctx, &q); err != nil || q.ID != 2 {
			t.Errorf("the number of a removed plan is given again: %d, %v", q.ID, err)
		}
	})
}

// fillJobs writes something into the tables of this file.
func fillJobs(ctx context.Context, db *store.DB) error {
	j := exposure.ScanJob{Plan: exposure.ScanPlan{Name: "☃", Vantage: "here"}, Cause: "test", Created: 5}
	if err := db.AddJob(ctx, &j, [][]string{{"10.0.0.1"}}); err != nil {
		return err
	}
	_, s, _, err := db.LeaseShard(ctx, 0, "w", []string{"here"}, 10, 20)
	if err != nil {
		return err
	}
	if _, err := db.Upload(ctx, 0, s.Lease(), 0, []byte{0, 255}); err != nil {
		return err
	}
	if err := db.PutPlan(ctx, &exposure.ScanPlan{Name: "☃", Next: 5}); err != nil {
		return err
	}
	if err := db.Invite(ctx, "used", "n", []string{"l"}, "ada", 1, 9); err != nil {
		return err
	}
	if err := db.Enrol(ctx, "used", &exposure.Agent{Name: "a", Digest: "d"}, 5); err != nil {
		return err
	}
	return db.Invite(ctx, "open", "n", nil, "ada", 1, 9)
}
