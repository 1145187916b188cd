package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// AssetsByIdentifier returns which assets carry each identifier, in the form
// "kind:value", lowest number first. Merged assets are resolved.
func (tx *Tx) AssetsByIdentifier(ctx context.Context, identifiers []string) (map[string][]exposure.AssetID, error) {
	found := map[string][]exposure.AssetID{}
	err := chunks(identifiers, 500, func(_ []string, params string, args []any) error {
		return each(ctx, tx.tx, "SELECT identifier, asset FROM asset_identifier WHERE identifier IN ("+params+") ORDER BY identifier, asset", args, func(rows *sql.Rows) error {
			var ident string
			var id exposure.AssetID
			if err := rows.Scan(&ident, &id); err != nil {
				return err
			}
			found[ident] = append(found[ident], id)
			return nil
		})
	})
	return found, err
}

// InsertAssets adds assets, numbers them and records their identifiers.
func (tx *Tx) InsertAssets(ctx context.Context, assets []exposure.Asset) error {
	next, err := tx.next(ctx, "asset", "id")
	if err != nil {
		return err
	}
	err = tx.insert(ctx, "asset", []string{"id", "key", "kind", "name", "os", "first_seen", "demo", "merged"}, len(assets), func(i int) []any {
		a := &assets[i]
		a.ID = exposure.AssetID(next + int64(i))
		return []any{int64(a.ID), a.Key, int64(a.Kind), a.Name, a.OS, a.FirstSeen, truth(a.Demo), int64(0)}
	})
	if err != nil {
		return err
	}
	for i := range assets {
		if err := tx.AddIdentifiers(ctx, assets[i].ID, assets[i].Identifiers); err != nil {
			return err
		}
	}
	return nil
}

// AddIdentifiers records more names of an asset; known ones are left alone.
func (tx *Tx) AddIdentifiers(ctx context.Context, id exposure.AssetID, identifiers []exposure.Identifier) error {
	for _, i := range identifiers {
		if _, err := tx.tx.ExecContext(ctx, "INSERT INTO asset_identifier (identifier, asset) VALUES ($1, $2) ON CONFLICT DO NOTHING", i.String(), int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// AssetsByKey returns the assets that have the keys.
func (tx *Tx) AssetsByKey(ctx context.Context, keys []string) (map[string]exposure.AssetID, error) {
	found := map[string]exposure.AssetID{}
	err := chunks(keys, 500, func(_ []string, params string, args []any) error {
		return each(ctx, tx.tx, "SELECT key, id, merged FROM asset WHERE key IN ("+params+")", args, func(rows *sql.Rows) error {
			var key string
			var id, merged exposure.AssetID
			if err := rows.Scan(&key, &id, &merged); err != nil {
				return err
			}
			if merged != 0 {
				id = merged
			}
			found[key] = id
			return nil
		})
	})
	return found, err
}

// Assets calls f with the assets first … last that are not part of another.
// Context is the programme's and not filled in here.
func (db *DB) Assets(ctx context.Context, first, last exposure.AssetID, f func(*exposure.Asset) error) error {
	return explain(eachAsset(ctx, db.read, first, last, f))
}

// Assets is [DB.Assets] within the transaction.
func (tx *Tx) Assets(ctx context.Context, first, last exposure.AssetID, f func(*exposure.Asset) error) error {
	return eachAsset(ctx, tx.tx, first, last, f)
}

func eachAsset(ctx context.Context, q querier, first, last exposure.AssetID, f func(*exposure.Asset) error) error {
	identifiers := map[exposure.AssetID][]exposure.Identifier{}
	args := []any{int64(first), int64(last)}
	err := each(ctx, q, "SELECT asset, identifier FROM asset_identifier WHERE asset BETWEEN $1 AND $2 ORDER BY asset, identifier", args, func(rows *sql.Rows) error {
		var id exposure.AssetID
		var ident string
		if err := rows.Scan(&id, &ident); err != nil {
			return err
		}
		kind, value, _ := strings.Cut(ident, ":")
		identifiers[id] = append(identifiers[id], exposure.Identifier{Kind: exposure.IdentifierKind(kind), Value: value})
		return nil
	})
	if err != nil {
		return err
	}
	var all []exposure.Asset
	err = each(ctx, q, "SELECT id, key, kind, name, os, first_seen, demo FROM asset WHERE id BETWEEN $1 AND $2 AND merged = 0 ORDER BY id", args, func(rows *sql.Rows) error {
		var a exposure.Asset
		var demo int64
		if err := rows.Scan(&a.ID, &a.Key, &a.Kind, &a.Name, &a.OS, &a.FirstSeen, &demo); err != nil {
			return err
		}
		a.Demo = demo != 0
		a.Identifiers = identifiers[a.ID]
		all = append(all, a)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range all {
		if err := f(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
