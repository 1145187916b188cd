package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func TestFeeds(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		put := func(name, state string, body []byte) {
			t.Helper()
			if err := db.PutFeed(ctx, name, []byte(state), body); err != nil {
				t.Fatal(err)
			}
		}
		_, err := db.FeedBody(ctx, "kev")
		kind(t, "a feed that was never asked for", err, exposure.NotFound, "leeward feeds update kev")
		put("epss", `{"failed":true}`, nil)
		_, err = db.FeedBody(ctx, "epss")
		kind(t, "a feed that was never there", err, exposure.NotFound, "leeward feeds update epss")
		put("kev", `{"n":1}`, []byte("one\x00\xff"))
		put("kev", `{"n":2,"failed":true}`, nil)
		body, err := db.FeedBody(ctx, "kev")
		if string(body) != "one\x00\xff" || err != nil {
			t.Errorf("after a failure the kept copy is %q, %v", body, err)
		}
		put("kev", `{"n":3}`, []byte("two"))
		if body, err := db.FeedBody(ctx, "kev"); string(body) != "two" || err != nil {
			t.Errorf("after an update the kept copy is %q, %v", body, err)
		}
		all, err := db.Feeds(ctx)
		if diff := cmp.Diff(map[string][]byte{"epss": []byte(`{"failed":true}`), "kev": []byte(`{"n":3}`)}, all); diff != "" || err != nil {
			t.Errorf("feeds: %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestRollups(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		for _, r := range []struct {
			day  int
			body string
		}{{20003, "c"}, {20001, "a"}, {20002, "b"}, {20001, "A"}} {
			if err := db.PutRollup(ctx, r.day, []byte(r.body)); err != nil {
				t.Fatal(err)
			}
		}
		read := func(first int) (days []int, bodies string) {
			t.Helper()
			if err := db.Rollups(ctx, first, func(day int, body []byte) error {
				days, bodies = append(days, day), bodies+string(body)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return days, bodies
		}
		if days, bodies := read(0); bodies != "Abc" || len(days) != 3 || days[0] != 20001 {
			t.Errorf("figures %q of %v", bodies, days)
		}
		if _, bodies := read(20002); bodies != "bc" {
			t.Errorf("figures from the second day on: %q", bodies)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.RemoveRollups(ctx, 20003) })
		if _, bodies := read(0); bodies != "c" {
			t.Errorf("figures after the removal of older ones: %q", bodies)
		}
		boom := errors.New("boom")
		if err := db.Rollups(ctx, 0, func(int, []byte) error { return boom }); !errors.Is(err, boom) {
			t.Errorf("the reader's error became %v", err)
		}
	})
}

func TestMetaAndIdentity(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		first, err := db.Identity(ctx)
		if err != nil || len(first) < 20 {
			t.Fatalf("identity %q, %v", first, err)
		}
		if again, err := db.Identity(ctx); err != nil || again != first {
			t.Errorf("identity %q, then %q, %v", first, again, err)
		}
		if v, err := db.Meta(ctx, "nothing"); v != "" || err != nil {
			t.Errorf("of nothing: %q, %v", v, err)
		}
		for _, want := range []string{"one", "two ☃"} {
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.SetMeta(ctx, "seen", want) })
			if got, err := db.Meta(ctx, "seen"); got != want || err != nil {
				t.Errorf("kept %q, %v, want %q", got, err, want)
			}
		}
	})
}

func TestProgramme(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		if body, version, err := db.Programme(ctx); body != "" || version != 0 || err != nil {
			t.Errorf("before any: %q, %d, %v", body, version, err)
		}
		put := func(body, actor string, at int64) (changed bool) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
				changed, err = tx.PutProgramme(ctx, body, actor, at)
				return err
			})
			return changed
		}
		if !put("a: 1", "ada", 10) || put("a: 1", "bob", 20) || !put("a: 2", "bob", 30) || !put("a: 1", "carl", 40) {
			t.Error("a change is none, or the same text again is one")
		}
		if body, version, err := db.Programme(ctx); body != "a: 1" || version != 3 || err != nil {
			t.Errorf("the newest: %q, %d, %v", body, version, err)
		}
		for version, want := range map[int64]string{1: "ada", 2: "bob", 3: "carl"} {
			if at, actor, err := db.ProgrammeBy(ctx, version); actor != want || at == 0 || err != nil {
				t.Errorf("version %d was applied at %d by %q, %v, want %q", version, at, actor, err, want)
			}
		}
		_, _, err := db.ProgrammeBy(ctx, 4)
		kind(t, "another version", err, exposure.NotFound, "version 4")
		event := func(at int64, actor string) exposure.Event {
			return exposure.Event{At: at, Kind: exposure.EventContext, Actor: actor, Reason: "programme applied"}
		}
		if diff := cmp.Diff([]exposure.Event{event(10, "ada"), event(30, "bob"), event(40, "carl")}, eventsAfter(t, db, 0)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestThreats(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		var ids []exposure.AdvisoryID
		write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
			ids, err = tx.AddAdvisories(ctx, []exposure.Advisory{{Key: "CVE-1", Title: "one", Description: "long"}, {Key: "CVE-2", Threat: exposure.Threat{KEVDay: 7}}})
			return err
		})
		threat := exposure.Threat{EPSS: 0.97, Percentile: 0.999, EPSSModel: "v2025.03.14", KEVDay: 19000, KEVDueDay: 19021, Ransomware: true, ObservedDay: 20000, Sightings: 0.5,
			MetasploitDay: 1, NucleiDay: 2, ArchiveDay: 3, PoCDay: 4, PublishedDay: 5, Automatable: "yes", Impact: "total", Withdrawn: true,
			Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
		put := func(at int64, changes ...store.ThreatChange) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return putThreats(ctx, tx, at, changes...) })
		}
		put(10)
		for at := range int64(2) {
			put(20+at, store.ThreatChange{Advisory: ids[0], Is: threat}, store.ThreatChange{Advisory: 99, Is: threat})
		}
		read := func() (out []exposure.Advisory) {
			t.Helper()
			if err := db.Advisories(ctx, 1, 99, func(a *exposure.Advisory) error { out = append(out, *a); return nil }); err != nil {
				t.Fatal(err)
			}
			return out
		}
		want := []exposure.Advisory{{ID: 1, Key: "CVE-1", Title: "one", Threat: threat}, {ID: 2, Key: "CVE-2", Threat: exposure.Threat{KEVDay: 7}}}
		if diff := cmp.Diff(want, read()); diff != "" {
			t.Errorf("advisories (-want +got):\n%s", diff)
		}
		put(30, store.ThreatChange{Advisory: 2, Was: exposure.Threat{KEVDay: 7}}) // taken off the list
		want[1].Threat = exposure.Threat{}
		if diff := cmp.Diff(want, read()); diff != "" {
			t.Errorf("advisories after a withdrawal (-want +got):\n%s", diff)
		}
		if a, err := db.Advisory(ctx, 1); err != nil || a.Description != "long" || a.Threat != threat {
			t.Errorf("the whole advisory: %+v, %v", a, err)
		}

		nearly, other := threat, threat
		nearly.EPSS, other.EPSS = 0.971, 0.5
		put(40, store.ThreatChange{Advisory: 1, Was: threat, Is: nearly}) // moves no score
		put(50, store.ThreatChange{Advisory: 1, Was: nearly, Is: other})
		revised := other
		revised.Vector = "AV:N/AC:L/Au:N/C:P/I:P/A:P" // may move one
		put(60, store.ThreatChange{Advisory: 1, Was: other, Is: revised})
		for id, want := range map[exposure.AdvisoryID][]store.PastThreat{
			1: {{At: 0}, {At: 20, Threat: threat}, {At: 50, Threat: other}, {At: 60, Threat: revised}}, 2: {{At: 0, Threat: exposure.Threat{KEVDay: 7}}, {At: 30}}, 99: nil,
		} {
			got, err := db.Threats(ctx, id)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("what was known of %d: %v (-want +got):\n%s", id, err, diff)
			}
		}
		_, err := db.Advisory(ctx, 3)
		kind(t, "another advisory", err, exposure.NotFound, "advisory 3")
	})
}
