package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func putThreats(ctx context.Context, tx *store.Tx, at int64, changes ...store.ThreatChange) error {
	_, err := tx.PutThreats(ctx, changes, at)
	return err
}

func addAlerts(ctx context.Context, tx *store.Tx, alerts ...exposure.Alert) error {
	_, err := tx.AddAlerts(ctx, alerts)
	return err
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		add := func(alerts ...exposure.Alert) (keys []string) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				added, err := tx.AddAlerts(ctx, alerts)
				keys = nil
				for _, a := range added {
					keys = append(keys, fmt.Sprint(a.ID, " ", a.Key))
				}
				return err
			})
			return keys
		}
		listed := func(q store.AlertQuery) (keys []string) {
			t.Helper()
			if q.Limit == 0 {
				q.Limit = 10
			}
			all, err := db.Alerts(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range all {
				keys = append(keys, a.Key)
			}
			if n, err := db.CountAlerts(ctx, q); err != nil || q.Before == 0 && q.Limit > len(all) && n != len(all) {
				t.Errorf("counted %d (%v), listed %q", n, err, keys)
			}
			return keys
		}
		same := func(what string, got []string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		kev := exposure.Alert{Key: "kev|CVE-1|9", Kind: exposure.AlertKEV, At: 50, Advisory: 1, Loss: 7, Subject: "CVE-1", Title: "<b>'; DROP TABLE alert --", Reason: "☃",
			Facts: []exposure.AlertFact{{Label: "listed", Is: "1970-01-10"}}, Worst: []exposure.AlertAsset{{ID: 3, Name: "vpn", Owner: "Net", Loss: 7}},
			Owners: []exposure.AlertOwner{{Name: "Net", Findings: 2}}, Fixes: []exposure.AlertFix{{Key: "k", Title: "Upgrade", Findings: 2}}, Findings: 2, Assets: 1, Watched: "pan*"}
		small := exposure.Alert{Key: "epss|CVE-2", Kind: exposure.AlertEPSS, At: 50, Advisory: 2, Loss: 1}
		gone := exposure.Alert{Key: "kev_removed|CVE-3", Kind: exposure.AlertKEVRemoved, At: 50, Advisory: 3, Loss: 900}
		same("added", add(kev, small, gone, small), "1 kev_removed|CVE-3", "2 epss|CVE-2", "3 kev|CVE-1|9")
		again := kev
		again.Reason, again.At = "said otherwise", 60
		same("added again", add(again))
		late := exposure.Alert{Key: "exploit|CVE-1", Kind: exposure.AlertExploit, At: 70, Advisory: 1}
		same("later", add(small, late), "4 exploit|CVE-1")

		same("all", listed(store.AlertQuery{}), "exploit|CVE-1", "kev|CVE-1|9", "epss|CVE-2", "kev_removed|CVE-3")
		same("of an advisory", listed(store.AlertQuery{Advisory: 1}), "exploit|CVE-1", "kev|CVE-1|9")
		same("of kinds", listed(store.AlertQuery{Kinds: []exposure.AlertKind{exposure.AlertKEV, exposure.AlertEPSS}}), "kev|CVE-1|9", "epss|CVE-2")
		same("of kinds, lately", listed(store.AlertQuery{Kinds: []exposure.AlertKind{exposure.AlertKEV, exposure.AlertExploit}, Since: 51}), "exploit|CVE-1")
		same("a page", listed(store.AlertQuery{Before: 4, Limit: 2}), "kev|CVE-1|9", "epss|CVE-2")
		all, err := db.Alerts(ctx, store.AlertQuery{Kinds: []exposure.AlertKind{exposure.AlertKEV}, Limit: 5})
		kev.ID = 3
		if diff := cmp.Diff([]exposure.Alert{kev}, all); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}

		seen := func(id int64, upTo bool, actor string, want int) {
			t.Helper()
			if n, err := db.Acknowledge(ctx, id, upTo, actor, 99); err != nil || n != want {
				t.Errorf("acknowledged %d (%v), want %d", n, err, want)
			}
		}
		seen(3, false, "ada", 1)
		seen(3, false, "bob", 0) // the first to do so stays
		same("unseen", listed(store.AlertQuery{Unseen: true}), "exploit|CVE-1", "epss|CVE-2", "kev_removed|CVE-3")
		seen(3, true, "bob", 2)
		same("unseen then", listed(store.AlertQuery{Unseen: true}), "exploit|CVE-1")
		if _, err := db.Acknowledge(ctx, 99, false, "ada", 99); exposure.KindOf(err) != exposure.NotFound {
			t.Errorf("an alert that is not there: %v", err)
		}
		all, err = db.Alerts(ctx, store.AlertQuery{Before: 4, Limit: 1})
		if err != nil || len(all) != 1 || all[0].AckedBy != "ada" || all[0].AckedAt != 99 {
			t.Errorf("%v %+v", err, all)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.PruneAlerts(ctx, 1000) })
		same("pruned", listed(store.AlertQuery{}))
		same("numbers go on", add(exposure.Alert{Key: "new"}), "5 new")

		err = db.Write(ctx, func(tx *store.Tx) error {
			return addAlerts(ctx, tx, exposure.Alert{Key: "long", Reason: strings.Repeat("x", 100_000)})
		})
		if err == nil {
			t.Error("an alert without a bound was kept")
		}
	})
}

// Alerts and the threats that cause them are kept together or not at all, and
// of two that know the same only the first has news.
func TestThreatsAndAlertsTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.AddAdvisories(ctx, []exposure.Advisory{{Key: "CVE-1"}})
			return err
		})
		change := store.ThreatChange{Advisory: 1, Is: exposure.Threat{KEVDay: 9}}
		broken := fmt.Errorf("broken off")
		err := db.Write(ctx, func(tx *store.Tx) error {
			if err := putThreats(ctx, tx, 5, change); err != nil {
				return err
			}
			if err := addAlerts(ctx, tx, exposure.Alert{Key: "kev|CVE-1|9"}); err != nil {
				return err
			}
			return broken
		})
		if err == nil {
			t.Fatal("nothing broke off")
		}
		for i, want := range []bool{true, false} {
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				changed, err := tx.PutThreats(ctx, []store.ThreatChange{change}, 5)
				if changed[1] != want {
					t.Errorf("time %d changed: %v", i, changed)
				}
				return err
			})
		}
		if n, err := db.CountAlerts(ctx, store.AlertQuery{}); err != nil || n != 0 {
			t.Errorf("%d alerts of what broke off: %v", n, err)
		}
	})
}
