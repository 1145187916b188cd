package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func TestScans(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		begin := func(s exposure.Scan) (got exposure.Scan) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
				got, err = tx.BeginScan(ctx, s)
				return err
			})
			return got
		}
		first := exposure.Scan{Digest: "aa", Name: "trivy.json", Format: "trivy", Tool: "trivy", Version: "0.50", At: 100, Received: 200, Demo: true}
		want := first
		want.ID = 1
		if diff := cmp.Diff(want, begin(first)); diff != "" {
			t.Errorf("a new scan (-want +got):\n%s", diff)
		}
		renamed := first
		renamed.Name, renamed.Received = "copy.json", 999
		if diff := cmp.Diff(want, begin(renamed)); diff != "" {
			t.Errorf("the same report again is another scan (-want +got):\n%s", diff)
		}
		begin(exposure.Scan{Digest: "bb", At: 50})
		begin(exposure.Scan{Digest: "cc", At: 300})

		finish := func(s *exposure.Scan, seen []byte) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.FinishScan(ctx, s, seen) })
		}
		want.Finished, want.Complete, want.Records, want.Errors, want.Closed, want.Reopened = 210, true, 12, 2, 3, 1
		want.Tool, want.Version, want.At = "trivy2", "0.51", 110
		finish(&want, []byte{1, 2, 3})
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			bad := []*exposure.RecordError{{Record: 3, Offset: 17, Err: errors.New("no identity")}, {Record: 3, Offset: -1, Err: errors.New("torn")}}
			return errors.Join(tx.CountNew(ctx, 1, 5), tx.CountNew(ctx, 1, 2), tx.ScanErrors(ctx, 1, bad), tx.ScanErrors(ctx, 1, bad))
		})
		want.New = 7
		got, err := db.Scan(ctx, 1)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("a finished scan: %v (-want +got):\n%s", err, diff)
		}
		// Imported again, it closed two more.
		more := want
		more.Closed, more.Reopened = 2, 0
		finish(&more, []byte{4})
		if got, err := db.Scan(ctx, 1); err != nil || got.Closed != 5 || got.Reopened != 1 {
			t.Errorf("after the second import it closed %d and reopened %d, %v, want 5 and 1", got.Closed, got.Reopened, err)
		}
		failed := exposure.Scan{ID: 3, Digest: "cc", At: 300, Finished: 310, Failure: "cut off"}
		finish(&failed, nil)

		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			known, err := tx.ScanByDigest(ctx, "aa")
			unknown, err2 := tx.ScanByDigest(ctx, "zz")
			if known.ID != 1 || unknown.ID != 0 {
				t.Errorf("by digest: scans %d and %d", known.ID, unknown.ID)
			}
			newer := map[int64]map[exposure.ScanID]int64{0: {1: 110, 3: 300}, 110: {1: 110, 3: 300}, 111: {3: 300}, 301: {}} // scan 2 never finished
			for at, want := range newer {
				got, err := tx.NewerScans(ctx, at)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("scans at %d or later: %v (-want +got):\n%s", at, err, diff)
				}
			}
			seen, err3 := tx.Seen(ctx, 1)
			if diff := cmp.Diff([]byte{4}, seen); diff != "" {
				t.Errorf("seen (-want +got):\n%s", diff)
			}
			none, err4 := tx.Seen(ctx, 2)
			if none != nil {
				t.Errorf("a scan whose import never ended saw %v", none)
			}
			return errors.Join(err, err2, err3, err4)
		})
		for limit, want := range map[int][]exposure.ScanID{0: nil, 2: {3, 2}, 9: {3, 2, 1}} {
			all, err := db.Scans(ctx, limit)
			var ids []exposure.ScanID
			for _, s := range all {
				ids = append(ids, s.ID)
			}
			if diff := cmp.Diff(want, ids); diff != "" || err != nil {
				t.Errorf("the newest %d scans: %v (-want +got):\n%s", limit, err, diff)
			}
		}
		_, err = db.Scan(ctx, 4)
		kind(t, "another scan", err, exposure.NotFound, "scan 4")
	})
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		everything := exposure.Coverage{Class: "vuln"}
		some := exposure.Coverage{Class: "web", Rules: []string{"a", "b"}, Ports: []exposure.PortRange{{Protocol: "tcp", First: 80, Last: 443}}}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			var sources [2]exposure.SourceID
			for i, class := range []string{"vuln", "web"} {
				for range 2 { // adding it again gives the same number
					id, err := tx.AddSource(ctx, "trivy", class)
					if err != nil || sources[i] != 0 && id != sources[i] {
						t.Errorf("source %s is %d, then %d, %v", class, sources[i], id, err)
					}
					sources[i] = id
				}
			}
			return errors.Join(
				tx.AddCoverage(ctx, 1, 100, 1, 1, &everything),
				tx.AddCoverage(ctx, 1, 100, 1, 1, &some), // the first word of one scan counts
				tx.AddCoverage(ctx, 2, 300, 1, 1, &some),
				tx.AddCoverage(ctx, 3, 200, 1, 1, &everything),
				tx.AddCoverage(ctx, 4, 300, 1, 1, &everything),
				tx.AddCoverage(ctx, 2, 300, 2, 1, &some),
				tx.AddCoverage(ctx, 2, 250, 1, 2, &some),
			)
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			all := exposure.Coverage{Rules: some.Rules, Ports: some.Ports}
			want := []exposure.Covered{
				{Asset: 1, Source: 1, Scan: 4, At: 300}, // of two at one time the later scan
				{Asset: 1, Source: 2, Scan: 2, At: 300, What: all},
				{Asset: 2, Source: 1, Scan: 2, At: 250, What: all},
			}
			got, err := tx.NewestCovered(ctx, []exposure.AssetID{3, 2, 1})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("newest coverage (-want +got):\n%s", diff)
			}
			return err
		})
		type newest struct {
			Class string
			Asset exposure.AssetID
			At    int64
		}
		var newests []newest
		err := db.NewestLooks(ctx, func(class string, asset exposure.AssetID, at int64) error {
			newests = append(newests, newest{class, asset, at})
			return nil
		})
		if diff := cmp.Diff([]newest{{"vuln", 1, 300}, {"vuln", 2, 250}, {"web", 1, 300}}, newests); diff != "" || err != nil {
			t.Errorf("newest looks by class: %v (-want +got):\n%s", err, diff)
		}
		looks, err := db.Looks(ctx, 1, 3)
		if diff := cmp.Diff([]store.Look{{Scan: 4, Source: 1, At: 300}, {Scan: 2, Source: 1, At: 300}, {Scan: 2, Source: 2, At: 300}}, looks); diff != "" || err != nil {
			t.Errorf("looks: %v (-want +got):\n%s", err, diff)
		}
		ids := make([]exposure.AssetID, 1200) // more than one query asks for
		for i := range ids {
			ids[i] = exposure.AssetID(i + 1)
		}
		last, err := db.LastLooks(ctx, ids)
		if diff := cmp.Diff(map[exposure.AssetID]int64{1: 300, 2: 250}, last); diff != "" || err != nil {
			t.Errorf("last looks: %v (-want +got):\n%s", err, diff)
		}
		for since, want := range map[int64][]exposure.AssetID{0: {1, 2}, 251: {1}, 301: nil} {
			var got []exposure.AssetID
			err := db.LookedAt(ctx, since, func(id exposure.AssetID) { got = append(got, id) })
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("looked at since %d: %v (-want +got):\n%s", since, err, diff)
			}
		}
	})
}

func TestSourceStates(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		states := []exposure.SourceState{
			{Finding: 1, Source: 1, Scan: 1, State: exposure.StatePresent, At: 10},
			{Finding: 1, Source: 2, Scan: 2, State: exposure.StateNotAffected, At: 20},
			{Finding: 700, Source: 1, Scan: 1, State: exposure.StateAbsent, At: 30},
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.PutSourceStates(ctx, nil), tx.PutSourceStates(ctx, states))
		})
		states[1].State, states[1].Scan, states[1].At = exposure.StateSuppressed, 3, 40
		write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.PutSourceStates(ctx, states[1:2]) })
		ids := make([]exposure.FindingID, 700)
		for i := range ids {
			ids[i] = exposure.FindingID(i + 1)
		}
		got, err := db.SourceStates(t.Context(), ids)
		if diff := cmp.Diff(states, got); diff != "" || err != nil {
			t.Errorf("states: %v (-want +got):\n%s", err, diff)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			got, err := tx.SourceStates(ctx, ids[1:])
			if diff := cmp.Diff(states[2:], got); diff != "" {
				t.Errorf("states of some (-want +got):\n%s", diff)
			}
			return err
		})
	})
}
