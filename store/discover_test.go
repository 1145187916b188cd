package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func TestScansBefore(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		for _, s := range []exposure.Scan{{Digest: "a", Tool: "trivy", At: 10}, {Digest: "b", Tool: "nuclei"}, {Digest: "c", Tool: "trivy", Received: 30}, {Digest: "d", Tool: "nuclei", At: 5}} {
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				got, err := tx.BeginScan(ctx, s)
				if err != nil || s.Digest == "b" {
					return err // its import never ends
				}
				got.Finished, got.Records, got.Errors = 99, 7, 1
				return tx.FinishScan(ctx, &got, nil)
			})
		}
		for _, c := range []struct {
			before exposure.ScanID
			tool   string
			limit  int
			want   []exposure.ScanID
		}{
			{100, "", 2, []exposure.ScanID{4, 3}}, {3, "", 2, []exposure.ScanID{2, 1}}, {100, "trivy", 9, []exposure.ScanID{3, 1}},
			{3, "trivy", 9, []exposure.ScanID{1}}, {100, "zap", 9, nil}, {1, "", 9, nil},
		} {
			all, err := db.ScansBefore(ctx, c.before, c.tool, c.limit)
			var ids []exposure.ScanID
			for _, s := range all {
				ids = append(ids, s.ID)
			}
			if diff := cmp.Diff(c.want, ids); diff != "" || err != nil {
				t.Errorf("%d of %q before %d: %v (-want +got):\n%s", c.limit, c.tool, c.before, err, diff)
			}
		}
		type report struct {
			Tool            string
			At              int64
			Records, Broken int
		}
		var got []report
		if err := db.Reports(ctx, func(tool string, at int64, records, broken int) error {
			got = append(got, report{tool, at, records, broken})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]report{{"nuclei", 5, 7, 1}, {"trivy", 10, 7, 1}, {"trivy", 30, 7, 1}}, got); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

func TestScanErrors(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			broken := errors.New("broken")
			return errors.Join(
				tx.ScanErrors(ctx, 1, []*exposure.RecordError{{Record: 3, Offset: 17, Err: broken}, {Record: 3, Offset: -1, Err: broken}, {Record: 1, Offset: 90, Err: broken}, {Record: 0, Offset: -1, Err: broken}}),
				tx.ScanErrors(ctx, 2, []*exposure.RecordError{{Record: 9, Offset: 1, Err: broken}}))
		})
		type place struct {
			Record int
			Offset int64
		}
		var got []place
		var after exposure.RecordError
		for range 3 {
			page, err := db.ScanErrors(ctx, 1, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				got = append(got, place{e.Record, e.Offset})
				if e.Err.Error() != "broken" {
					t.Errorf("the message is %v", e.Err)
				}
				after = e
			}
		}
		if diff := cmp.Diff([]place{{0, -1}, {1, 90}, {3, -1}, {3, 17}}, got); diff != "" {
			t.Errorf("errors by page (-want +got):\n%s", diff)
		}
	})
}

func TestWhatScansLookedAt(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		const day = 24 * 3600 * 1000
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			c := exposure.Coverage{Class: "vuln"}
			return errors.Join(
				tx.AddCoverage(ctx, 1, 2*day+5, 1, 7, &c), tx.AddCoverage(ctx, 1, 2*day+5, 1, 3, &c), tx.AddCoverage(ctx, 1, 2*day+5, 2, 3, &c),
				tx.AddCoverage(ctx, 2, 2*day+9, 1, 3, &c), tx.AddCoverage(ctx, 3, 5*day, 1, 3, &c), tx.AddCoverage(ctx, 4, 9*day, 2, 4, &c),
				tx.PutSourceStates(ctx, []exposure.SourceState{{Finding: 5, Source: 2}, {Finding: 4, Source: 1, State: exposure.StateAbsent}}),
			)
		})
		classes := map[exposure.SourceID]int{}
		if err := db.CoveredClasses(ctx, 1, func(source exposure.SourceID, assets int) error { classes[source] = assets; return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[exposure.SourceID]int{1: 2, 2: 1}, classes); diff != "" {
			t.Errorf("classes of scan 1 (-want +got):\n%s", diff)
		}
		ids, total, err := db.CoveredAssets(ctx, 1, 1)
		if diff := cmp.Diff([]exposure.AssetID{3}, ids); diff != "" || total != 2 || err != nil {
			t.Errorf("the first of %d assets, %v (-want +got):\n%s", total, err, diff)
		}
		for source, want := range map[exposure.SourceID][]int64{1: {5 * day, 2*day + 9}, 2: {9 * day, 2*day + 5}, 3: nil} {
			got, err := db.LookedOn(ctx, source, 5)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("days of source %d, %v (-want +got):\n%s", source, err, diff)
			}
		}
		if got, err := db.LookedOn(ctx, 1, 1); len(got) != 1 || err != nil {
			t.Errorf("the newest day is %v, %v", got, err)
		}
		for since, want := range map[int64]int{0: 2, 2*day + 6: 1, 6 * day: 0} {
			if got, err := db.AssetsLookedAt(ctx, 1, since); got != want || err != nil {
				t.Errorf("since %d source 1 looked at %d assets, %v, want %d", since, got, err, want)
			}
		}
		type word struct {
			Finding exposure.FindingID
			Source  exposure.SourceID
			Asserts bool
		}
		var words []word
		if err := db.Words(ctx, func(f exposure.FindingID, s exposure.SourceID, asserts bool) error {
			words = append(words, word{f, s, asserts})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]word{{4, 1, false}, {5, 2, true}}, words); diff != "" {
			t.Errorf("words (-want +got):\n%s", diff)
		}
	})
}

func TestReported(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		insert(t, db, make([]exposure.Status, 20)...)
		addScan(t, db, "a", false, 1, 2, 3, 20)
		addScan(t, db, "b", false, 3, 4, 11)
		moved := func(scan exposure.ScanID, cause exposure.Cause, from, to exposure.Status, ids ...uint32) *exposure.Event {
			return &exposure.Event{Kind: exposure.EventMoved, Cause: cause, From: from, To: to, IDs: ids, First: ids[0], Last: ids[len(ids)-1], Scan: scan}
		}
		opened := func(scan exposure.ScanID, first, last uint32) *exposure.Event {
			return &exposure.Event{Kind: exposure.EventOpened, First: first, Last: last, Scan: scan}
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.BeginScan(ctx, exposure.Scan{Digest: "c"}) // its import never ends
			return errors.Join(err, tx.Append(ctx,
				opened(1, 1, 3), opened(2, 4, 12), opened(1, 20, 20), opened(3, 13, 13),
				moved(2, exposure.CauseAbsent, exposure.StatusOpen, exposure.StatusVerified, 1, 2, 20),
				moved(2, exposure.CauseNotAffected, exposure.StatusTriaged, exposure.StatusNotAffected, 5),
				moved(2, exposure.CauseAbsent, exposure.StatusExcepted, exposure.StatusVerified, 6), // neither closed nor reopened
				moved(3, exposure.CauseReported, exposure.StatusVerified, exposure.StatusOpen, 2),
				moved(3, exposure.CauseRetestFailed, exposure.StatusFixClaimed, exposure.StatusOpen, 7),
				moved(0, exposure.CauseClaim, exposure.StatusOpen, exposure.StatusFixClaimed, 8),
				&exposure.Event{Kind: exposure.EventSource, IDs: []uint32{9}, First: 9, Last: 9, Scan: 2}))
		})
		check := func(field exposure.Field, want []uint32, scans ...exposure.ScanID) {
			t.Helper()
			got, err := db.Reported(ctx, field, scans)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.ToArray()); diff != "" {
				t.Errorf("field %d of scans %v (-want +got):\n%s", field, scans, diff)
			}
		}
		none := []uint32{}
		check(exposure.FieldScan, []uint32{1, 2, 3, 20}, 1)
		check(exposure.FieldScan, []uint32{1, 2, 3, 4, 11, 20}, 1, 2, 3, 99)
		check(exposure.FieldScan, none, 3)
		check(exposure.FieldScan, none, 0, 99, 1<<32-1)
		check(exposure.FieldScan, none)
		check(exposure.FieldOpenedBy, []uint32{1, 2, 3, 20}, 1)
		check(exposure.FieldOpenedBy, []uint32{4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, 3, 2)
		check(exposure.FieldClosedBy, []uint32{1, 2, 5, 20}, 2)
		check(exposure.FieldClosedBy, none, 1, 3)
		check(exposure.FieldClosedBy, none, 0)
		check(exposure.FieldReopenedBy, []uint32{2, 7}, 3)
		check(exposure.FieldReopenedBy, none, 2)
		var many []exposure.ScanID
		for id := range exposure.ScanID(1200) {
			many = append(many, id)
		}
		check(exposure.FieldScan, []uint32{1, 2, 3, 4, 11, 20}, many...)

		// What became part of another counts as that one, under each of the terms.
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.FoldFindings(ctx, map[exposure.FindingID]exposure.FindingID{20: 11}), tx.FoldFindings(ctx, map[exposure.FindingID]exposure.FindingID{11: 10, 7: 3}))
		})
		check(exposure.FieldScan, []uint32{1, 2, 3, 10}, 1)
		check(exposure.FieldScan, []uint32{3, 4, 10}, 2)
		check(exposure.FieldOpenedBy, []uint32{1, 2, 3, 10}, 1)
		check(exposure.FieldClosedBy, []uint32{1, 2, 5, 10}, 2)
		check(exposure.FieldReopenedBy, []uint32{2, 3}, 3)

		if _, err := db.Reported(ctx, exposure.FieldTool, []exposure.ScanID{1}); err == nil {
			t.Error("a field that does not speak of reports has an answer")
		}
	})
}

// A list that cannot be read is an error and no shorter list.
func TestReportedBroken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			s, err := tx.BeginScan(ctx, exposure.Scan{Digest: "a"})
			if err != nil {
				return err
			}
			return tx.FinishScan(ctx, &s, []byte("no bitmap"))
		})
		if _, err := db.Reported(t.Context(), exposure.FieldScan, []exposure.ScanID{1}); err == nil || !strings.Contains(err.Error(), "scan 1") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestRises(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		early, late := store.Rise{Advisory: 2, At: 100, Earlier: 0.031, Later: 0.44}, store.Rise{Advisory: 1, At: 200, Earlier: 0.1, Later: 0.999999}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			again := early
			again.Later = 0.9
			return errors.Join(tx.AddRises(ctx, []store.Rise{late, early}), tx.AddRises(ctx, []store.Rise{again}))
		})
		for since, want := range map[int64][]store.Rise{0: {early, late}, 150: {late}, 201: nil} {
			got, err := db.Rises(ctx, since)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("since %d, %v (-want +got):\n%s", since, err, diff)
			}
		}
	})
}

func TestMergedNames(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.InsertAssets(ctx, []exposure.Asset{{Key: "hostname:a", Name: "a"}, {Key: "hostname:b", Name: "b"}, {Key: "hostname:c", Name: "c"}}),
				tx.MergeAsset(ctx, 2, 1), tx.MergeAsset(ctx, 3, 1))
		})
		for limit, want := range map[int][]string{1: {"b"}, 9: {"b", "c"}} {
			got, err := db.MergedNames(t.Context(), 1, limit)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
		if got, err := db.MergedNames(t.Context(), 2, 9); got != nil || err != nil {
			t.Errorf("what became part of another has names %v, %v", got, err)
		}
	})
}
