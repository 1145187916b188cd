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
		// What was merged keeps its identifiers, so that it can be undone.
		const query = "SELECT DISTINCT i.identifier, CASE WHEN a.merged <> 0 THEN a.merged ELSE a.id END AS now FROM asset_identifier i JOIN asset a ON a.id = i.asset WHERE i.identifier IN ("
		return each(ctx, tx.tx, query+params+") ORDER BY i.identifier, now", args, func(rows *sql.Rows) error {
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

// NextAsset returns the number that the next new asset gets. The write lock
// makes it, and those after it, the caller's.
func (tx *Tx) NextAsset(ctx context.Context) (exposure.AssetID, error) {
	next, err := tx.next(ctx, "asset", "id")
	return exposure.AssetID(next), err
}

// InsertAssets adds assets and records their identifiers. Those without a
// number are numbered; others have theirs by [Tx.NextAsset].
func (tx *Tx) InsertAssets(ctx context.Context, assets []exposure.Asset) error {
	if len(assets) == 0 {
		return nil
	}
	if assets[0].ID == 0 {
		next, err := tx.NextAsset(ctx)
		if err != nil {
			return err
		}
		for i := range assets {
			assets[i].ID = next + exposure.AssetID(i)
		}
	}
	type name struct {
		identifier string
		asset      exposure.AssetID
	}
	var names []name
	err := tx.insert(ctx, "asset", []string{"id", "key", "kind", "name", "os", "first_seen", "demo", "merged", "owner"}, len(assets), func(i int) []any {
		a := &assets[i]
		for _, id := range a.Identifiers {
			names = append(names, name{id.String(), a.ID})
		}
		return []any{int64(a.ID), a.Key, int64(a.Kind), a.Name, a.OS, a.FirstSeen, truth(a.Demo), int64(0), a.Assigned}
	})
	if err != nil {
		return err
	}
	return tx.insert(ctx, "asset_identifier", []string{"identifier", "asset"}, len(names), func(i int) []any {
		return []any{names[i].identifier, int64(names[i].asset)}
	})
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

// AssetsByID calls f with the listed assets that are not part of another.
func (tx *Tx) AssetsByID(ctx context.Context, ids []exposure.AssetID, f func(*exposure.Asset) error) error {
	return chunks(ids, 500, func(_ []exposure.AssetID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.AssetID))
		}
		return assetsWhere(ctx, tx.tx, "IN ("+params+")", args, f)
	})
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
	return assetsWhere(ctx, q, "BETWEEN $1 AND $2", []any{int64(first), int64(last)}, f)
}

// assetsWhere calls f with the assets whose number meets a condition.
func assetsWhere(ctx context.Context, q querier, condition string, args []any, f func(*exposure.Asset) error) error {
	identifiers := map[exposure.AssetID][]exposure.Identifier{}
	err := each(ctx, q, "SELECT asset, identifier FROM asset_identifier WHERE asset "+condition+" ORDER BY asset, identifier", args, func(rows *sql.Rows) error {
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
	err = each(ctx, q, "SELECT id, key, kind, name, os, first_seen, demo, owner FROM asset WHERE id "+condition+" AND merged = 0 ORDER BY id", args, func(rows *sql.Rows) error {
		var a exposure.Asset
		var demo int64
		if err := rows.Scan(&a.ID, &a.Key, &a.Kind, &a.Name, &a.OS, &a.FirstSeen, &demo, &a.Assigned); err != nil {
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
