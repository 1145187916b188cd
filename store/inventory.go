package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/leeward-ctem/leeward/exposure"
)

// AddComponents returns the numbers of packages by their URLs, and gives one to
// those that have none. Known ones cost no write.
func (tx *Tx) AddComponents(ctx context.Context, purls []string) ([]exposure.ComponentID, error) {
	known, err := tx.numbers(ctx, "component", "purl", purls)
	if err != nil {
		return nil, err
	}
	if missing := missingOf(known, purls); len(missing) > 0 {
		next, err := tx.next(ctx, "component", "id")
		if err != nil {
			return nil, err
		}
		for m, i := range missing {
			known[purls[i]] = next + int64(m)
		}
		err = tx.insert(ctx, "component", []string{"id", "purl", "concerns"}, len(missing), func(m int) []any {
			return []any{next + int64(m), purls[missing[m]], ""}
		})
		if err != nil {
			return nil, err
		}
	}
	ids := make([]exposure.ComponentID, len(purls))
	for i, p := range purls {
		ids[i] = exposure.ComponentID(known[p])
	}
	return ids, nil
}

const inventoryColumns = "asset, source, scan, at, complete, packages, services"

func eachInventory(ctx context.Context, q querier, where string, args []any, f func(*exposure.Inventory) error) error {
	return each(ctx, q, "SELECT "+inventoryColumns+" FROM asset_inventory "+where+" ORDER BY asset, source", args, func(rows *sql.Rows) error {
		var i exposure.Inventory
		var services string
		if err := rows.Scan(&i.Asset, &i.Source, &i.Scan, &i.At, &i.Complete, &i.Packages, &services); err != nil {
			return err
		}
		if services != "" {
			if err := json.Unmarshal([]byte(services), &i.Services); err != nil {
				return fmt.Errorf("the services of asset %d: %w", i.Asset, err)
			}
		}
		return f(&i)
	})
}

// Inventories calls f with what is kept of assets, by asset and source.
func (tx *Tx) Inventories(ctx context.Context, assets []exposure.AssetID, f func(*exposure.Inventory) error) error {
	return chunks(assets, 500, func(_ []exposure.AssetID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.AssetID))
		}
		return eachInventory(ctx, tx.tx, "WHERE asset IN ("+params+")", args, f)
	})
}

// Inventories calls f with all that is kept, by asset and source.
func (db *DB) Inventories(ctx context.Context, f func(*exposure.Inventory) error) error {
	return explain(eachInventory(ctx, db.read, "", nil, f))
}

// Inventory returns what is kept of one asset, by source.
func (db *DB) Inventory(ctx context.Context, asset exposure.AssetID) (all []exposure.Inventory, err error) {
	err = eachInventory(ctx, db.read, "WHERE asset = $1", []any{int64(asset)}, func(i *exposure.Inventory) error {
		all = append(all, *i)
		return nil
	})
	return all, explain(err)
}

// PutInventories replaces what is kept of assets by their sources.
func (tx *Tx) PutInventories(ctx context.Context, all []exposure.Inventory) error {
	for i := range all {
		v := &all[i]
		services := ""
		if len(v.Services) > 0 {
			text, err := json.Marshal(v.Services)
			if err != nil {
				return err
			}
			services = string(text)
		}
		const statement = "INSERT INTO asset_inventory (" + inventoryColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7)" +
			" ON CONFLICT (asset, source) DO UPDATE SET scan = excluded.scan, at = excluded.at, complete = excluded.complete, packages = excluded.packages, services = excluded.services"
		if _, err := tx.tx.ExecContext(ctx, statement, int64(v.Asset), int64(v.Source), int64(v.Scan), v.At, v.Complete, v.Packages, services); err != nil {
			return fmt.Errorf("keep the inventory of asset %d: %w", v.Asset, err)
		}
	}
	return nil
}

// RequestMatch notes that the packages of assets changed, so that they are
// matched against the advisories.
func (tx *Tx) RequestMatch(ctx context.Context, assets []exposure.AssetID) error {
	for _, a := range assets {
		_, err := tx.tx.ExecContext(ctx, "INSERT INTO asset_match (asset, due, classes) VALUES ($1, 1, '') ON CONFLICT (asset) DO UPDATE SET due = asset_match.due + 1", int64(a))
		if err != nil {
			return err
		}
	}
	return nil
}

// AddSurfaceChanges records changes of the surface, in their order.
func (tx *Tx) AddSurfaceChanges(ctx context.Context, all []exposure.SurfaceChange) error {
	if len(all) == 0 {
		return nil
	}
	next, err := tx.next(ctx, "surface_change", "id")
	if err != nil {
		return err
	}
	texts := make([][2]string, len(all))
	for i := range all {
		for j, s := range []exposure.Service{all[i].Was, all[i].Now} {
			if s == (exposure.Service{}) {
				continue
			}
			text, err := json.Marshal(s)
			if err != nil {
				return err
			}
			texts[i][j] = string(text)
		}
	}
	return tx.insert(ctx, "surface_change", []string{"id", "at", "asset", "scan", "kind", "was", "now"}, len(all), func(i int) []any {
		c := &all[i]
		return []any{next + int64(i), c.At, int64(c.Asset), int64(c.Scan), string(c.Kind), texts[i][0], texts[i][1]}
	})
}

// SurfaceChanges returns changes since a time, newest first, at most limit.
func (db *DB) SurfaceChanges(ctx context.Context, since int64, limit int) (all []exposure.SurfaceChange, err error) {
	err = each(ctx, db.read, "SELECT id, at, asset, scan, kind, was, now FROM surface_change WHERE at >= $1 ORDER BY at DESC, id DESC LIMIT $2", []any{since, limit}, func(rows *sql.Rows) error {
		var c exposure.SurfaceChange
		var was, now string
		if err := rows.Scan(&c.ID, &c.At, &c.Asset, &c.Scan, &c.Kind, &was, &now); err != nil {
			return err
		}
		for text, into := range map[string]*exposure.Service{was: &c.Was, now: &c.Now} {
			if text == "" {
				continue
			}
			if err := json.Unmarshal([]byte(text), into); err != nil {
				return fmt.Errorf("change %d of the surface: %w", c.ID, err)
			}
		}
		all = append(all, c)
		return nil
	})
	return all, explain(err)
}

// Component is a package of the dictionary.
type Component struct {
	ID       exposure.ComponentID
	Purl     string
	Concerns string // JSON of who matched it; empty: it never was, or nothing is said of it
}

// Components calls f with all packages, in order of their numbers.
func (db *DB) Components(ctx context.Context, f func(*Component) error) error {
	return explain(each(ctx, db.read, "SELECT id, purl, concerns FROM component ORDER BY id", nil, func(rows *sql.Rows) error {
		var c Component
		if err := rows.Scan(&c.ID, &c.Purl, &c.Concerns); err != nil {
			return err
		}
		return f(&c)
	}))
}

// PutConcerns records what is said of packages.
func (tx *Tx) PutConcerns(ctx context.Context, all []Component) error {
	for i := range all {
		if _, err := tx.tx.ExecContext(ctx, "UPDATE component SET concerns = $1 WHERE id = $2", all[i].Concerns, int64(all[i].ID)); err != nil {
			return err
		}
	}
	return nil
}

// AssetMatch is how far an asset is matched.
type AssetMatch struct {
	Asset   exposure.AssetID
	Due     int64  // 0: it is; else it counts the changes since
	Classes string // JSON of who matched it
}

// AssetMatches calls f with all assets that were matched, or are due to be.
func (db *DB) AssetMatches(ctx context.Context, f func(*AssetMatch) error) error {
	return explain(each(ctx, db.read, "SELECT asset, due, classes FROM asset_match ORDER BY asset", nil, func(rows *sql.Rows) error {
		var m AssetMatch
		if err := rows.Scan(&m.Asset, &m.Due, &m.Classes); err != nil {
			return err
		}
		return f(&m)
	}))
}

// MatchDue reports whether the packages of any asset are to be matched.
func (db *DB) MatchDue(ctx context.Context) (due bool, err error) {
	var n int
	err = db.read.QueryRowContext(ctx, "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT asset FROM asset_match WHERE due <> 0 LIMIT 1) AS one").Scan(&n)
	return n > 0, explain(err)
}

// PutAssetMatches records that assets were matched. One whose inventory changed
// meanwhile stays due.
func (tx *Tx) PutAssetMatches(ctx context.Context, all []AssetMatch) error {
	for _, m := range all {
		const statement = "INSERT INTO asset_match (asset, due, classes) VALUES ($1, 0, $3) ON CONFLICT (asset) DO UPDATE SET" +
			" due = CASE WHEN asset_match.due = $2 THEN 0 ELSE asset_match.due END, classes = excluded.classes"
		if _, err := tx.tx.ExecContext(ctx, statement, int64(m.Asset), m.Due, m.Classes); err != nil {
			return err
		}
	}
	return nil
}
