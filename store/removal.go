package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
)

// HasDemo reports whether demo data is present.
func (db *DB) HasDemo(ctx context.Context) (bool, error) {
	var n int
	err := db.read.QueryRowContext(ctx, "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT id FROM scan WHERE demo = 1 LIMIT 1) AS one").Scan(&n)
	return n > 0, explain(err)
}

// RemoveDemo removes the demo scans, and the findings and assets that no other
// scan ever saw. What a real scan saw too stays and is no demo any more. The
// event log keeps its entries and ends with one that names what went.
func (tx *Tx) RemoveDemo(ctx context.Context, actor string, at int64) (removed int, err error) {
	real, err := tx.realSightings(ctx)
	if err != nil {
		return 0, err
	}
	for _, t := range []string{"finding", "asset", "scan", "verdict"} {
		if err := tx.keepFloor(ctx, t, "id"); err != nil {
			return 0, err
		}
	}
	gone := roaring.New()
	err = each(ctx, tx.tx, "SELECT f.id FROM finding f JOIN scan s ON s.id = f.scan WHERE s.demo = 1 ORDER BY f.id", nil, func(rows *sql.Rows) error {
		var id uint32
		err := rows.Scan(&id)
		if err == nil && !real.Contains(id) {
			gone.Add(id)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	ids := gone.ToArray()
	err = chunks(ids, 500, func(_ []uint32, params string, args []any) error {
		for _, d := range [][2]string{{"finding_source", "finding"}, {"finding_alias", "finding"}, {"verdict", "finding"}, {"finding", "id"}} {
			if _, err := tx.tx.ExecContext(ctx, "DELETE FROM "+d[0]+" WHERE "+d[1]+" IN ("+params+")", args...); err != nil {
				return fmt.Errorf("remove from %s: %w", d[0], err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var first, last int64
	if err := tx.tx.QueryRowContext(ctx, "SELECT CAST(COALESCE(MIN(id), 0) AS BIGINT), CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM asset WHERE demo = 1").Scan(&first, &last); err != nil {
		return 0, err
	}
	for _, statement := range []string{
		"DELETE FROM coverage WHERE scan IN (SELECT id FROM scan WHERE demo = 1)",
		"DELETE FROM asset_match WHERE asset IN (SELECT asset FROM asset_inventory WHERE scan IN (SELECT id FROM scan WHERE demo = 1))",
		"DELETE FROM asset_inventory WHERE scan IN (SELECT id FROM scan WHERE demo = 1)",
		"DELETE FROM surface_change WHERE scan IN (SELECT id FROM scan WHERE demo = 1)",
		"DELETE FROM scan_error WHERE scan IN (SELECT id FROM scan WHERE demo = 1)",
		"DELETE FROM evidence WHERE scan IN (SELECT id FROM scan WHERE demo = 1) AND NOT EXISTS (SELECT 1 FROM finding WHERE finding.scan = evidence.scan)",
		"DELETE FROM scan WHERE demo = 1 AND NOT EXISTS (SELECT 1 FROM finding WHERE finding.scan = scan.id) AND NOT EXISTS (SELECT 1 FROM finding_source WHERE finding_source.scan = scan.id)",
		"UPDATE scan SET demo = 0 WHERE demo = 1",
		"DELETE FROM asset_identifier WHERE asset IN (" + unseenDemoAssets + ")",
		"DELETE FROM asset WHERE id IN (" + unseenDemoAssets + ")",
		"UPDATE asset SET demo = 0 WHERE demo = 1",
	} {
		if _, err := tx.tx.ExecContext(ctx, statement); err != nil {
			return 0, err
		}
	}
	if last > 0 {
		if err := tx.Append(ctx, &exposure.Event{At: at, Kind: exposure.EventAsset, First: uint32(first), Last: uint32(last), Actor: actor, Reason: "demo data removed"}); err != nil {
			return 0, err
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	return len(ids), tx.Append(ctx, &exposure.Event{At: at, Kind: exposure.EventRemoved, IDs: ids, First: ids[0], Last: ids[len(ids)-1], Actor: actor, Reason: "demo data removed"})
}

const unseenDemoAssets = `SELECT id FROM asset WHERE demo = 1
	AND NOT EXISTS (SELECT 1 FROM finding WHERE finding.asset = asset.id)
	AND NOT EXISTS (SELECT 1 FROM coverage WHERE coverage.asset = asset.id)`

// realSightings are the findings that a scan other than the demo's saw, also
// under numbers that they had before.
func (tx *Tx) realSightings(ctx context.Context) (*roaring.Bitmap, error) {
	all := roaring.New()
	err := each(ctx, tx.tx, "SELECT seen FROM scan WHERE demo = 0 AND seen IS NOT NULL", nil, func(rows *sql.Rows) error {
		var seen []byte
		if err := rows.Scan(&seen); err != nil {
			return err
		}
		one := roaring.New()
		if _, err := one.FromBuffer(seen); err != nil {
			return err
		}
		all.Or(one)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx.tx, "SELECT s.finding FROM finding_source s JOIN scan c ON c.id = s.scan WHERE c.demo = 0", nil, func(rows *sql.Rows) error {
		var id uint32
		err := rows.Scan(&id)
		all.Add(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, each(ctx, tx.tx, "SELECT old, finding FROM finding_alias WHERE old <> 0", nil, func(rows *sql.Rows) error {
		var old, id uint32
		err := rows.Scan(&old, &id)
		if all.Contains(old) {
			all.Add(id)
		}
		return err
	})
}
