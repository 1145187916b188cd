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

func packages(ids ...uint32) []byte {
	b, _ := roaring.BitmapOf(ids...).ToBytes()
	return b
}

func fillInventory(ctx context.Context, tx *store.Tx) error {
	_, err := tx.AddComponents(ctx, []string{"pkg:npm/a@1", "pkg:npm/naïve@2"})
	https := exposure.Service{Protocol: "tcp", Port: 443, Name: "https", Product: "☃"}
	return errors.Join(err,
		tx.PutInventories(ctx, []exposure.Inventory{{Asset: 1, Source: 1, Scan: 1, At: 5, Complete: 5, Packages: packages(1, 2), Services: []exposure.Service{https}}}),
		tx.RequestMatch(ctx, []exposure.AssetID{1}),
		tx.AddSurfaceChanges(ctx, []exposure.SurfaceChange{{At: 5, Asset: 1, Scan: 1, Kind: exposure.SurfaceOpened, Now: https}}),
	)
}

func kept(t *testing.T, db *store.DB) (all []exposure.Inventory) {
	t.Helper()
	if err := db.Inventories(t.Context(), func(i *exposure.Inventory) error { all = append(all, *i); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func matches(t *testing.T, db *store.DB) (all []store.AssetMatch) {
	t.Helper()
	if err := db.AssetMatches(t.Context(), func(m *store.AssetMatch) error { all = append(all, *m); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestMergedAssetsShareTheirInventory(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		ssh := exposure.Service{Protocol: "tcp", Port: 22, Name: "ssh"}
		old, now := exposure.Service{Protocol: "tcp", Port: 80, Product: "old"}, exposure.Service{Protocol: "tcp", Port: 80, Product: "new"}
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.InsertAssets(ctx, []exposure.Asset{host("a"), host("b")}),
				tx.PutInventories(ctx, []exposure.Inventory{
					{Asset: 1, Source: 1, Scan: 1, At: 5, Packages: packages(1), Services: []exposure.Service{old}},
					{Asset: 2, Source: 1, Scan: 2, At: 9, Complete: 9, Packages: packages(2), Services: []exposure.Service{ssh, now}},
					{Asset: 2, Source: 2, Scan: 2, At: 9, Packages: packages(3)},
				}),
				tx.RequestMatch(ctx, []exposure.AssetID{1, 2}),
				tx.PutAssetMatches(ctx, []store.AssetMatch{{Asset: 1, Due: 1, Classes: `["x","y"]`}, {Asset: 2, Due: 1, Classes: `["a","x"]`}}),
				tx.AddSurfaceChanges(ctx, []exposure.SurfaceChange{{At: 9, Asset: 2, Scan: 2, Kind: exposure.SurfaceOpened, Now: ssh}}),
				tx.MergeAsset(ctx, 2, 1),
			)
		})
		want := []exposure.Inventory{
			{Asset: 1, Source: 1, Scan: 2, At: 9, Complete: 9, Packages: packages(1, 2), Services: []exposure.Service{ssh, now}},
			{Asset: 1, Source: 2, Scan: 2, At: 9, Packages: packages(3)},
		}
		if diff := cmp.Diff(want, kept(t, db)); diff != "" {
			t.Errorf("kept differs (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]store.AssetMatch{{Asset: 1, Due: 1, Classes: `["a","x","y"]`}}, matches(t, db)); diff != "" {
			t.Errorf("matches differ (-want +got):\n%s", diff)
		}
		changes, err := db.SurfaceChanges(t.Context(), 9, 10)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]exposure.SurfaceChange{{ID: 1, At: 9, Asset: 1, Scan: 2, Kind: exposure.SurfaceOpened, Now: ssh}}, changes); diff != "" {
			t.Errorf("changes differ (-want +got):\n%s", diff)
		}
	})
}

func TestAnAssetThatChangedMeanwhileStaysDue(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.RequestMatch(ctx, []exposure.AssetID{1, 2}), tx.RequestMatch(ctx, []exposure.AssetID{2}),
				tx.PutAssetMatches(ctx, []store.AssetMatch{{Asset: 1, Due: 1, Classes: "[]"}, {Asset: 2, Due: 1, Classes: "[]"}}))
		})
		if diff := cmp.Diff([]store.AssetMatch{{Asset: 1, Classes: "[]"}, {Asset: 2, Due: 2, Classes: "[]"}}, matches(t, db)); diff != "" {
			t.Errorf("matches differ (-want +got):\n%s", diff)
		}
		if due, err := db.MatchDue(t.Context()); !due || err != nil {
			t.Errorf("due %v, %v", due, err)
		}
	})
}
