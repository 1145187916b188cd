package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

func host(name string, more ...exposure.Identifier) exposure.Asset {
	return exposure.Asset{Key: "hostname:" + name, Kind: exposure.AssetHost, Name: name, FirstSeen: 5,
		Identifiers: append([]exposure.Identifier{{Kind: exposure.IDHostname, Value: name}}, more...)}
}

func TestMergeAsset(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		shared := exposure.Identifier{Kind: exposure.IDIP, Value: "10.0.0.1"}
		assets := []exposure.Asset{host("a", shared), host("b", shared), host("c"), host("d")}
		insert(t, db, make([]exposure.Status, 3)...)
		cover := &exposure.Coverage{Rules: []string{"r"}}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertAssets(ctx, assets),
				tx.AddCoverage(ctx, 1, 100, 1, 2, cover), tx.AddCoverage(ctx, 2, 200, 1, 3, cover), tx.AddCoverage(ctx, 2, 200, 1, 2, cover), tx.AddCoverage(ctx, 3, 50, 1, 1, cover))
		})
		merge := func(from, to exposure.AssetID) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.MergeAsset(ctx, from, to) })
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			keys, err := tx.MergedKeys(ctx)
			if len(keys) != 0 {
				t.Errorf("before any merge: %v", keys)
			}
			return err
		})
		merge(3, 2) // c is b,
		merge(2, 1) // and that is a: a chain leads to its end
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			keys, err1 := tx.MergedKeys(ctx)
			if diff := cmp.Diff(map[exposure.AssetID][]string{1: {"hostname:b", "hostname:c"}}, keys); diff != "" {
				t.Errorf("keys that were taken over (-want +got):\n%s", diff)
			}
			byKey, err2 := tx.AssetsByKey(ctx, []string{"hostname:a", "hostname:b", "hostname:c", "hostname:d", "hostname:e"})
			if diff := cmp.Diff(map[string]exposure.AssetID{"hostname:a": 1, "hostname:b": 1, "hostname:c": 1, "hostname:d": 4}, byKey); diff != "" {
				t.Errorf("assets by key (-want +got):\n%s", diff)
			}
			byName, err3 := tx.AssetsByIdentifier(ctx, []string{"hostname:a", "hostname:b", "hostname:c", "hostname:d", "ip:10.0.0.1"})
			if diff := cmp.Diff(map[string][]exposure.AssetID{"hostname:a": {1}, "hostname:b": {1}, "hostname:c": {1}, "hostname:d": {4}, "ip:10.0.0.1": {1}}, byName); diff != "" {
				t.Errorf("assets by identifier (-want +got):\n%s", diff)
			}
			return errors.Join(err1, err2, err3, tx.MoveFindings(ctx, []exposure.FindingID{2, 3}, 4), tx.MoveFindings(ctx, nil, 4))
		})
		var left []exposure.Asset
		if err := db.Assets(ctx, 1, 99, func(a *exposure.Asset) error { left = append(left, *a); return nil }); err != nil {
			t.Fatal(err)
		}
		merged := assets[0]
		merged.Identifiers = []exposure.Identifier{assets[0].Identifiers[0], assets[1].Identifiers[0], assets[2].Identifiers[0], shared}
		if diff := cmp.Diff([]exposure.Asset{merged, assets[3]}, left); diff != "" {
			t.Errorf("assets (-want +got):\n%s", diff)
		}
		// What was covered of the parts was covered of the whole.
		looks, err := db.Looks(ctx, 1, 9)
		if diff := cmp.Diff([]store.Look{{Scan: 2, Source: 1, At: 200}, {Scan: 1, Source: 1, At: 100}, {Scan: 3, Source: 1, At: 50}}, looks); diff != "" || err != nil {
			t.Errorf("looks: %v (-want +got):\n%s", err, diff)
		}
		last, err := db.LastLooks(ctx, []exposure.AssetID{1, 2, 3, 4})
		if diff := cmp.Diff(map[exposure.AssetID]int64{1: 200}, last); diff != "" || err != nil {
			t.Errorf("last looks: %v (-want +got):\n%s", err, diff)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			covered, err := tx.NewestCovered(ctx, []exposure.AssetID{1, 2, 3})
			if diff := cmp.Diff([]exposure.Covered{{Asset: 1, Source: 1, Scan: 2, At: 200, What: *cover}}, covered); diff != "" {
				t.Errorf("newest coverage (-want +got):\n%s", diff)
			}
			return err
		})
		var at []exposure.AssetID
		if err := db.Findings(ctx, 1, 9, func(f *exposure.Finding) error { at = append(at, f.Asset); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]exposure.AssetID{1, 4, 4}, at); diff != "" {
			t.Errorf("assets of findings (-want +got):\n%s", diff)
		}
	})
}

// The owner that a person named for an asset survives that it becomes part of
// another, and the older asset's counts for both.
func TestMergeKeepsAssignment(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		assets := []exposure.Asset{host("a"), host("b"), host("c"), host("d"), host("e")}
		assets[1].Assigned, assets[2].Assigned, assets[3].Assigned = "younger", "older", "younger"
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertAssets(ctx, assets), tx.MergeAsset(ctx, 2, 1), tx.MergeAsset(ctx, 4, 3), tx.MergeAsset(ctx, 5, 3))
		})
		got := map[string]string{}
		if err := db.Assets(t.Context(), 1, 9, func(a *exposure.Asset) error { got[a.Name] = a.Assigned; return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"a": "younger", "c": "older"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFoldFindings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		fs := insert(t, db, make([]exposure.Status, 8)...)
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			var verdicts []exposure.Verdict
			var states []exposure.SourceState
			for i := range 8 {
				id := exposure.FindingID(i + 1)
				verdicts = append(verdicts, exposure.Verdict{Finding: id, Kind: exposure.VerdictBlocked, At: int64(i)})
				states = append(states, exposure.SourceState{Finding: id, Source: 1, Scan: 1, At: int64(i)})
				proof := exposure.Proof{Finding: id, Line: i + 1, Evidence: []exposure.Evidence{{Kind: "output", Text: fmt.Sprint("of ", id)}}}
				if err := tx.InsertEvidence(ctx, exposure.ScanID(i+1), []exposure.Proof{proof}); err != nil {
					return err
				}
				if err := tx.Append(ctx, &exposure.Event{At: int64(i), Kind: exposure.EventNote, First: uint32(id), Last: uint32(id), Actor: id.String()}); err != nil {
					return err
				}
			}
			return errors.Join(tx.AddVerdicts(ctx, verdicts), tx.PutSourceStates(ctx, states))
		})
		fold := func(into map[exposure.FindingID]exposure.FindingID) {
			t.Helper()
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.FoldFindings(ctx, into) })
		}
		fold(map[exposure.FindingID]exposure.FindingID{5: 4})
		// A chain in one step, whatever the order, on top of an older one.
		fold(map[exposure.FindingID]exposure.FindingID{8: 7, 7: 6, 6: 4, 4: 2})
		for id, want := range map[exposure.FindingID]exposure.FindingID{1: 1, 2: 2, 3: 3, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2, 99: 99} {
			if now, err := db.FindingNow(ctx, id); err != nil || now != want {
				t.Errorf("%v is %v now, %v, want %v", id, now, err, want)
			}
		}
		var left []exposure.FindingID
		if err := db.Findings(ctx, 1, 99, func(f *exposure.Finding) error { left = append(left, f.ID); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]exposure.FindingID{1, 2, 3}, left); diff != "" {
			t.Errorf("findings left (-want +got):\n%s", diff)
		}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			former, err1 := tx.FormerNumbers(ctx, 2)
			none, err2 := tx.FormerNumbers(ctx, 3)
			if diff := cmp.Diff([][]exposure.FindingID{{4, 5, 6, 7, 8}, nil}, [][]exposure.FindingID{former, none}); diff != "" {
				t.Errorf("former numbers (-want +got):\n%s", diff)
			}
			var fps []exposure.Fingerprint
			want := map[exposure.Fingerprint]exposure.FindingID{}
			for i, f := range fs {
				fps = append(fps, f.Fingerprint)
				if i >= 3 {
					want[f.Fingerprint] = 2
				}
			}
			aliases, err3 := tx.AliasedFindings(ctx, fps)
			if diff := cmp.Diff(want, aliases); diff != "" {
				t.Errorf("fingerprints that lead elsewhere (-want +got):\n%s", diff)
			}
			states, err4 := tx.SourceStates(ctx, []exposure.FindingID{1, 2, 3, 4, 5, 6, 7, 8})
			if len(states) != 3 {
				t.Errorf("words of sources: %+v", states)
			}
			return errors.Join(err1, err2, err3, err4)
		})
		verdicts, err := db.VerdictsOf(ctx, []exposure.FindingID{1, 2, 3, 4, 5, 6, 7, 8})
		if err != nil || len(verdicts[2]) != 6 || len(verdicts) != 3 {
			t.Errorf("verdicts: %v, %v", verdicts, err)
		}
		line, err := db.Timeline(ctx, 2)
		var actors []string
		for _, e := range line {
			actors = append(actors, e.Actor)
		}
		if diff := cmp.Diff([]string{"F-2", "F-4", "F-5", "F-6", "F-7", "F-8"}, actors); diff != "" || err != nil {
			t.Errorf("timeline: %v (-want +got):\n%s", err, diff)
		}
		for limit, want := range map[int][]int{9: {8, 7, 6, 5, 4, 2}, 2: {8, 7}} {
			proofs, err := db.Evidence(ctx, 2, limit)
			var lines []int
			for _, p := range proofs {
				lines = append(lines, p.Line)
				if p.Scan != exposure.ScanID(p.Line) || p.Evidence[0].Text != fmt.Sprint("of ", p.Finding) {
					t.Errorf("evidence %+v", p)
				}
			}
			if diff := cmp.Diff(want, lines); diff != "" || err != nil {
				t.Errorf("%d pieces of evidence: %v (-want +got):\n%s", limit, err, diff)
			}
		}
		// The number of what became part of another is never given again.
		if next := insert(t, db, exposure.StatusOpen); next[0].ID != 9 {
			t.Errorf("the next finding is %v, want F-9", next[0].ID)
		}
		err = db.Write(ctx, func(tx *store.Tx) error {
			return tx.FoldFindings(ctx, map[exposure.FindingID]exposure.FindingID{1: 3, 3: 1})
		})
		if err == nil {
			t.Error("two findings became part of each other")
		}
		if n, err := db.FindingCount(ctx); err != nil || n != 9 {
			t.Errorf("%d findings after that, %v", n, err)
		}
	})
}

// A decision about a finding is one about what it became part of.
func TestExceptionOfFoldedFinding(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		insert(t, db, make([]exposure.Status, 3)...)
		e := exposure.Exception{Reason: "r", Requester: "ada", Expires: 900, Findings: []exposure.FindingID{2, 3}}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.AddException(ctx, &e), tx.FoldFindings(ctx, map[exposure.FindingID]exposure.FindingID{3: 1}))
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			moved, err := tx.ApproveException(ctx, e.ID, "bob", 5)
			if moved != 2 {
				t.Errorf("the approval moved %d, want 2", moved)
			}
			return err
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return tx.FoldFindings(ctx, map[exposure.FindingID]exposure.FindingID{2: 1})
		})
		if diff := cmp.Diff([]string{"excepted"}, statesOf(t, db)); diff != "" {
			t.Errorf("in force (-want +got):\n%s", diff)
		}
		if moved, err := db.ExpireExceptions(t.Context(), 900); err != nil || moved != 1 {
			t.Errorf("in the end %d are open again, %v, want 1", moved, err)
		}
		if diff := cmp.Diff([]string{"open"}, statesOf(t, db)); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
	})
}
