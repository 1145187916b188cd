package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func bitmap(t *testing.T, ids ...uint32) []byte {
	t.Helper()
	b, err := roaring.BitmapOf(ids...).ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// addScan records an import that ended and saw the findings.
func addScan(t *testing.T, db *store.DB, digest string, demo bool, seen ...uint32) {
	t.Helper()
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		s, err := tx.BeginScan(ctx, exposure.Scan{Digest: digest, Demo: demo, At: 100})
		if err != nil {
			return err
		}
		s.Finished, s.Complete = 200, true
		return tx.FinishScan(ctx, &s, bitmap(t, seen...))
	})
}

func TestRemoveDemo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		if demo, err := db.HasDemo(ctx); demo || err != nil {
			t.Fatalf("an empty database has demo data: %v, %v", demo, err)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error { // nothing to remove is no event
			if n, err := tx.RemoveDemo(ctx, "ada", 5); n != 0 || err != nil {
				t.Errorf("of nothing %d were removed, %v", n, err)
			}
			return nil
		})
		if head(t, db) != 0 {
			t.Error("removing nothing is an event")
		}
		addScan(t, db, "real", false, 1, 2, 7)
		addScan(t, db, "demo", true, 2, 3, 4, 5, 6, 8)
		addScan(t, db, "unfinished", false)
		demo := func(name string) exposure.Asset {
			a := host(name)
			a.Demo = true
			return a
		}
		assets := []exposure.Asset{host("real"), demo("seen by both"), demo("demo only"), demo("covered by a real scan"), demo("last")}
		// 1 by the real scan; 2 by the demo and seen by the real one; 3 by the demo
		// alone; 4 by the demo, and a real source said something; 5 by the demo with a
		// verdict; 6 by the demo, and 7, which the real scan saw, is part of it; 8 is
		// of the asset that is removed and has the last number.
		scans := []exposure.ScanID{1, 2, 2, 2, 2, 2, 1, 2}
		on := []exposure.AssetID{1, 2, 2, 2, 3, 2, 2, 5}
		var fs []exposure.Finding
		for i := range scans {
			fs = append(fs, exposure.Finding{Fingerprint: exposure.NewFingerprint("x", string(rune('a'+i)), ""), Asset: on[i], Advisory: 1, Location: 1, Source: 1, Scan: scans[i], FirstSeen: 1, Since: 1})
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.InsertAssets(ctx, assets), tx.InsertFindings(ctx, fs),
				tx.PutSourceStates(ctx, []exposure.SourceState{{Finding: 4, Source: 2, Scan: 3, At: 1}, {Finding: 5, Source: 1, Scan: 2, At: 1}}),
				tx.AddVerdicts(ctx, []exposure.Verdict{{Finding: 1, Actor: "x"}, {Finding: 5, Actor: "x"}}),
				tx.AddCoverage(ctx, 2, 100, 1, 3, &exposure.Coverage{}), tx.AddCoverage(ctx, 2, 100, 1, 4, &exposure.Coverage{}), tx.AddCoverage(ctx, 1, 100, 1, 4, &exposure.Coverage{}),
				tx.ScanErrors(ctx, 2, []*exposure.RecordError{{Record: 1, Err: errors.New("x")}}),
				tx.InsertEvidence(ctx, 1, []exposure.Proof{{Finding: 1, Line: 11}}), tx.InsertEvidence(ctx, 2, []exposure.Proof{{Finding: 2, Line: 12}, {Finding: 3, Line: 13}}),
				tx.FoldFindings(ctx, map[exposure.FindingID]exposure.FindingID{7: 6}),
			)
		})
		if demo, err := db.HasDemo(ctx); !demo || err != nil {
			t.Fatalf("there is demo data: %v, %v", demo, err)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			n, err := tx.RemoveDemo(ctx, "ada", 500)
			if n != 3 {
				t.Errorf("%d findings were removed, want 3", n)
			}
			return err
		})
		if demo, err := db.HasDemo(ctx); demo || err != nil {
			t.Errorf("after that there is demo data: %v, %v", demo, err)
		}
		var left []exposure.FindingID
		if err := db.Findings(ctx, 1, 99, func(f *exposure.Finding) error { left = append(left, f.ID); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]exposure.FindingID{1, 2, 4, 6}, left); diff != "" {
			t.Errorf("findings left (-want +got):\n%s", diff)
		}
		var names []string
		if err := db.Assets(ctx, 1, 99, func(a *exposure.Asset) error {
			if names = append(names, a.Name); a.Demo || len(a.Identifiers) != 1 {
				t.Errorf("asset %+v is still of the demo, or lost its name", a)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"real", "seen by both", "covered by a real scan"}, names); diff != "" {
			t.Errorf("assets left (-want +got):\n%s", diff)
		}
		verdicts, err := db.Verdicts(ctx, 9)
		if err != nil || len(verdicts) != 1 || verdicts[0].Finding != 1 {
			t.Errorf("verdicts left: %+v, %v", verdicts, err)
		}
		for id, want := range map[exposure.FindingID]int{1: 1, 2: 1} {
			if proofs, err := db.Evidence(ctx, id, 9); err != nil || len(proofs) != want {
				t.Errorf("evidence of %v: %+v, %v, want %d", id, proofs, err, want)
			}
		}
		looks, err := db.Looks(ctx, 4, 9)
		if diff := cmp.Diff([]store.Look{{Scan: 1, Source: 1, At: 100}}, looks); diff != "" || err != nil {
			t.Errorf("what the demo covered is left: %v (-want +got):\n%s", err, diff)
		}
		want := []exposure.Event{
			{At: 500, Kind: exposure.EventAsset, First: 2, Last: 5, Actor: "ada", Reason: "demo data removed"},
			{At: 500, Kind: exposure.EventRemoved, First: 3, Last: 8, IDs: []uint32{3, 5, 8}, Actor: "ada", Reason: "demo data removed"},
		}
		if diff := cmp.Diff(want, eventsAfter(t, db, 0)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		// Numbers are never given again: events and what scans saw speak of them.
		asset, verdict := []exposure.Asset{host("new")}, []exposure.Verdict{{Finding: 1}}
		finding := []exposure.Finding{{Fingerprint: exposure.NewFingerprint("new", "", "")}}
		var scan exposure.Scan
		write(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
			scan, err = tx.BeginScan(ctx, exposure.Scan{Digest: "new"})
			return errors.Join(err, tx.InsertAssets(ctx, asset), tx.AddVerdicts(ctx, verdict), tx.InsertFindings(ctx, finding))
		})
		if asset[0].ID != 6 || verdict[0].ID != 3 || finding[0].ID != 9 || scan.ID != 4 {
			t.Errorf("the next are asset %d, verdict %d, finding %d, scan %d, want 6, 3, 9, 4", asset[0].ID, verdict[0].ID, finding[0].ID, scan.ID)
		}
	})
}

// When nothing else ever saw it, nothing of the demo stays.
func TestRemoveDemoAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		addScan(t, db, "demo", true, 1, 2)
		a := host("demo")
		a.Demo = true
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			fs := []exposure.Finding{{Fingerprint: exposure.Fingerprint{1}, Asset: 1, Scan: 1}, {Fingerprint: exposure.Fingerprint{2}, Asset: 1, Scan: 1}}
			return errors.Join(tx.InsertAssets(ctx, []exposure.Asset{a}), tx.InsertFindings(ctx, fs), tx.AddCoverage(ctx, 1, 1, 1, 1, &exposure.Coverage{}),
				tx.InsertEvidence(ctx, 1, []exposure.Proof{{Finding: 1}}), tx.ScanErrors(ctx, 1, []*exposure.RecordError{{Record: 1, Err: errors.New("x")}}))
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.RemoveDemo(ctx, "ada", 500)
			return err
		})
		conn, _ := db.SQL()
		for _, table := range []string{"scan", "asset", "asset_identifier", "finding", "evidence", "coverage", "scan_error"} {
			var n int
			if err := conn.QueryRowContext(ctx, "SELECT CAST(COUNT(*) AS BIGINT) FROM "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows of %s are left, %v", n, table, err)
			}
		}
		addScan(t, db, "again", true)
		if scans, err := db.Scans(ctx, 9); err != nil || len(scans) != 1 || scans[0].ID != 2 {
			t.Errorf("the next scan is %+v, %v, want number 2", scans, err)
		}
	})
}
