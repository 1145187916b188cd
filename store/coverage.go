package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/leeward-ctem/leeward/exposure"
)

// NewestLooks calls f with each class of checks and each asset that it looked
// at completely: when it did last, in unix milliseconds. Classes come one after
// the other.
func (db *DB) NewestLooks(ctx context.Context, f func(class string, asset exposure.AssetID, newest int64) error) error {
	const query = `SELECT s.class, c.asset, CAST(MAX(c.at) AS BIGINT)
		FROM coverage c JOIN source s ON s.id = c.source GROUP BY s.class, c.asset ORDER BY s.class, c.asset`
	return explain(each(ctx, db.read, query, nil, func(rows *sql.Rows) error {
		var class string
		var asset exposure.AssetID
		var newest int64
		if err := rows.Scan(&class, &asset, &newest); err != nil {
			return err
		}
		return f(class, asset, newest)
	}))
}

// LookedAt calls f with each asset that was looked at completely since a time.
func (db *DB) LookedAt(ctx context.Context, since int64, f func(exposure.AssetID)) error {
	return explain(each(ctx, db.read, "SELECT DISTINCT asset FROM coverage WHERE at >= $1", []any{since}, func(rows *sql.Rows) error {
		var id exposure.AssetID
		err := rows.Scan(&id)
		f(id)
		return err
	}))
}

// Look is one scan's complete look at an asset.
type Look struct {
	Scan   exposure.ScanID
	Source exposure.SourceID
	At     int64 // unix milliseconds
}

// Looks returns the newest complete looks at an asset.
func (db *DB) Looks(ctx context.Context, asset exposure.AssetID, limit int) ([]Look, error) {
	var all []Look
	err := each(ctx, db.read, "SELECT scan, source, at FROM coverage WHERE asset = $1 ORDER BY at DESC, scan DESC, source LIMIT $2", []any{int64(asset), limit}, func(rows *sql.Rows) error {
		var l Look
		err := rows.Scan(&l.Scan, &l.Source, &l.At)
		all = append(all, l)
		return err
	})
	return all, explain(err)
}

// LastLooks returns when each asset was last looked at completely, in unix
// milliseconds; assets that never were are left out.
func (db *DB) LastLooks(ctx context.Context, assets []exposure.AssetID) (map[exposure.AssetID]int64, error) {
	found := map[exposure.AssetID]int64{}
	err := chunks(assets, 500, func(_ []exposure.AssetID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.AssetID))
		}
		return each(ctx, db.read, "SELECT asset, CAST(MAX(at) AS BIGINT) FROM coverage WHERE asset IN ("+params+") GROUP BY asset", args, func(rows *sql.Rows) error {
			var id exposure.AssetID
			var at int64
			err := rows.Scan(&id, &at)
			found[id] = at
			return err
		})
	})
	return found, explain(err)
}

// NewestCovered returns the newest complete look of every source at each of the
// assets.
func (tx *Tx) NewestCovered(ctx context.Context, assets []exposure.AssetID) ([]exposure.Covered, error) {
	var all []exposure.Covered
	bodies := map[int64]coverageBody{}
	err := chunks(assets, 500, func(_ []exposure.AssetID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.AssetID))
		}
		query := `SELECT c.asset, c.source, c.scan, c.at, c.checkset, s.body FROM
			(SELECT asset, source, MAX(at) AS newest FROM coverage WHERE asset IN (` + params + `) GROUP BY asset, source) m
			JOIN coverage c ON c.asset = m.asset AND c.source = m.source AND c.at = m.newest
			JOIN checkset s ON s.id = c.checkset ORDER BY c.asset, c.source, c.scan`
		return each(ctx, tx.tx, query, args, func(rows *sql.Rows) error {
			var c exposure.Covered
			var checkset int64
			var body sql.RawBytes
			if err := rows.Scan(&c.Asset, &c.Source, &c.Scan, &c.At, &checkset, &body); err != nil {
				return err
			}
			b, ok := bodies[checkset] // many assets share one
			if !ok {
				text, err := decompress(body)
				if err != nil {
					return err
				}
				if err := json.Unmarshal(text, &b); err != nil {
					return err
				}
				bodies[checkset] = b
			}
			c.What = exposure.Coverage{Rules: b.Rules, Ports: b.Ports}
			if n := len(all); n > 0 && all[n-1].Asset == c.Asset && all[n-1].Source == c.Source {
				all[n-1] = c // two scans at one moment: the later number counts
				return nil
			}
			all = append(all, c)
			return nil
		})
	})
	return all, err
}
