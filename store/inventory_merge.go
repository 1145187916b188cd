package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
)

// mergeInventory makes what is kept of one asset part of what is kept of
// another, and has the whole matched anew.
func (tx *Tx) mergeInventory(ctx context.Context, from, to exposure.AssetID) error {
	byAsset := map[exposure.AssetID][]exposure.Inventory{}
	err := tx.Inventories(ctx, []exposure.AssetID{from, to}, func(i *exposure.Inventory) error {
		byAsset[i.Asset] = append(byAsset[i.Asset], *i)
		return nil
	})
	if err != nil {
		return err
	}
	var put []exposure.Inventory
	for _, moved := range byAsset[from] {
		moved.Asset = to
		for _, own := range byAsset[to] {
			if own.Source != moved.Source {
				continue
			}
			if moved, err = united(own, moved); err != nil {
				return fmt.Errorf("merge the inventory of asset %d into that of %d: %w", from, to, err)
			}
		}
		put = append(put, moved)
	}
	if err := tx.PutInventories(ctx, put); err != nil {
		return err
	}
	for _, statement := range []string{
		"UPDATE surface_change SET asset = $1 WHERE asset = $2",
		"DELETE FROM asset_inventory WHERE asset = $2 AND asset <> $1",
	} {
		if _, err := tx.tx.ExecContext(ctx, statement, int64(to), int64(from)); err != nil {
			return err
		}
	}
	return tx.mergeMatches(ctx, from, to, len(put) > 0)
}

// united is what one source said of two assets that are one.
func united(a, b exposure.Inventory) (exposure.Inventory, error) {
	if b.At > a.At {
		a, b = b, a
	}
	all := roaring.New()
	for _, packages := range [][]byte{a.Packages, b.Packages} {
		one := roaring.New()
		if err := one.UnmarshalBinary(packages); err != nil {
			return a, err
		}
		all.Or(one)
	}
	var err error
	all.RunOptimize()
	if a.Packages, err = all.ToBytes(); err != nil {
		return a, err
	}
	a.Complete = max(a.Complete, b.Complete)
	a.Services = append(slices.Clone(a.Services), b.Services...)
	slices.SortStableFunc(a.Services, exposure.Service.Compare) // the newer word on a port comes first
	a.Services = slices.CompactFunc(a.Services, func(x, y exposure.Service) bool { return x.Compare(y) == 0 })
	return a, nil
}

// mergeMatches remembers for one asset what was said of another, too: its
// findings move, and may have to be closed there.
func (tx *Tx) mergeMatches(ctx context.Context, from, to exposure.AssetID, due bool) error {
	classes := map[exposure.AssetID][]string{}
	for _, id := range []exposure.AssetID{from, to} {
		rows, err := tx.tx.QueryContext(ctx, "SELECT classes FROM asset_match WHERE asset = $1", int64(id))
		if err != nil {
			return err
		}
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				rows.Close()
				return err
			}
			due = due || id == from
			if text != "" {
				var some []string
				if err := json.Unmarshal([]byte(text), &some); err != nil {
					rows.Close()
					return err
				}
				classes[to] = append(classes[to], some...)
			}
		}
		if err := rows.Close(); err != nil {
			return err
		}
	}
	if !due {
		return nil
	}
	if _, err := tx.tx.ExecContext(ctx, "DELETE FROM asset_match WHERE asset = $1", int64(from)); err != nil {
		return err
	}
	if err := tx.RequestMatch(ctx, []exposure.AssetID{to}); err != nil {
		return err
	}
	slices.Sort(classes[to])
	text, err := json.Marshal(slices.Compact(classes[to]))
	if err != nil {
		return err
	}
	if len(classes[to]) == 0 {
		text = nil
	}
	_, err = tx.tx.ExecContext(ctx, "UPDATE asset_match SET classes = $1 WHERE asset = $2", string(text), int64(to))
	return err
}
