package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
)

// ScanErrors returns the broken records of a report in the order of their
// places, beginning after one; the zero error begins at the first.
func (db *DB) ScanErrors(ctx context.Context, id exposure.ScanID, after exposure.RecordError, limit int) ([]exposure.RecordError, error) {
	if after == (exposure.RecordError{}) {
		after = exposure.RecordError{Record: -1, Offset: -1}
	}
	var all []exposure.RecordError
	const query = "SELECT record, place, message FROM scan_error WHERE scan = $1 AND (record > $2 OR record = $2 AND place > $3) ORDER BY record, place LIMIT $4"
	err := each(ctx, db.read, query, []any{int64(id), int64(after.Record), after.Offset, limit}, func(rows *sql.Rows) error {
		var e exposure.RecordError
		var message string
		err := rows.Scan(&e.Record, &e.Offset, &message)
		e.Err = errors.New(message)
		all = append(all, e)
		return err
	})
	return all, explain(err)
}

// CoveredClasses calls f with each source of a scan and the number of assets
// it looked at completely.
func (db *DB) CoveredClasses(ctx context.Context, id exposure.ScanID, f func(source exposure.SourceID, assets int) error) error {
	const query = "SELECT source, CAST(COUNT(DISTINCT asset) AS BIGINT) FROM coverage WHERE scan = $1 GROUP BY source ORDER BY source"
	return explain(each(ctx, db.read, query, []any{int64(id)}, func(rows *sql.Rows) error {
		var source exposure.SourceID
		var assets int
		if err := rows.Scan(&source, &assets); err != nil {
			return err
		}
		return f(source, assets)
	}))
}

// CoveredAssets returns assets that a scan looked at completely, lowest number
// first, and how many there are.
func (db *DB) CoveredAssets(ctx context.Context, id exposure.ScanID, limit int) (ids []exposure.AssetID, total int, err error) {
	err = each(ctx, db.read, "SELECT DISTINCT asset FROM coverage WHERE scan = $1 ORDER BY asset LIMIT $2", []any{int64(id), limit}, func(rows *sql.Rows) error {
		var asset exposure.AssetID
		err := rows.Scan(&asset)
		ids = append(ids, asset)
		return err
	})
	if err == nil {
		err = db.read.QueryRowContext(ctx, "SELECT CAST(COUNT(DISTINCT asset) AS BIGINT) FROM coverage WHERE scan = $1", int64(id)).Scan(&total)
	}
	return ids, total, explain(err)
}

// Covered calls f with each source of a scan and each asset that it looked at
// completely, source by source.
func (db *DB) Covered(ctx context.Context, id exposure.ScanID, f func(exposure.SourceID, exposure.AssetID) error) error {
	return explain(each(ctx, db.read, "SELECT DISTINCT source, asset FROM coverage WHERE scan = $1 ORDER BY source, asset", []any{int64(id)}, func(rows *sql.Rows) error {
		var source exposure.SourceID
		var asset exposure.AssetID
		if err := rows.Scan(&source, &asset); err != nil {
			return err
		}
		return f(source, asset)
	}))
}

// Reported returns the findings that any of the scans saw, opened, closed or
// reopened, as field says, by the numbers that they have now. Some of the
// numbers may not be in use any more. A scan that is not known, or whose import
// did not end, saw nothing.
func (db *DB) Reported(ctx context.Context, field exposure.Field, scans []exposure.ScanID) (*roaring.Bitmap, error) {
	all := roaring.New()
	err := chunks(scans, 500, func(_ []exposure.ScanID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.ScanID))
		}
		switch field {
		case exposure.FieldScan:
			return each(ctx, db.read, "SELECT id, seen FROM scan WHERE seen IS NOT NULL AND id IN ("+params+")", args, func(rows *sql.Rows) error {
				var id exposure.ScanID
				var seen []byte
				if err := rows.Scan(&id, &seen); err != nil {
					return err
				}
				one := roaring.New()
				if err := one.UnmarshalBinary(seen); err != nil {
					return fmt.Errorf("what scan %d saw: %w", id, err)
				}
				all.Or(one)
				return nil
			})
		case exposure.FieldOpenedBy:
			return each(ctx, db.read, "SELECT first, last FROM event WHERE kind = 0 AND scan IN ("+params+")", args, func(rows *sql.Rows) error {
				var first, last uint32
				err := rows.Scan(&first, &last)
				all.AddRange(uint64(first), uint64(last)+1)
				return err
			})
		case exposure.FieldClosedBy, exposure.FieldReopenedBy:
			return eachEvent(ctx, db.read, " WHERE kind = 1 AND scan IN ("+params+")", args, func(e *exposure.Event) error {
				if field == exposure.FieldClosedBy && e.Closes() || field == exposure.FieldReopenedBy && e.Reopens() {
					all.AddMany(e.IDs)
				}
				return nil
			})
		}
		return fmt.Errorf("the field %d does not speak of reports", field)
	})
	if err != nil || all.IsEmpty() {
		return all, explain(err)
	}
	// There are few that became part of others, so all of them are looked at.
	return all, explain(each(ctx, db.read, "SELECT old, finding FROM finding_alias WHERE old <> 0", nil, func(rows *sql.Rows) error {
		var old, now uint32
		err := rows.Scan(&old, &now)
		if all.CheckedRemove(old) {
			all.Add(now)
		}
		return err
	}))
}

// Reports calls f with every finished scan, oldest first: which tool made it
// when, what it stated and how much of it was broken.
func (db *DB) Reports(ctx context.Context, f func(tool string, at int64, records, broken int) error) error {
	return explain(each(ctx, db.read, "SELECT tool, CASE WHEN at > 0 THEN at ELSE received END AS moment, records, errors FROM scan WHERE finished > 0 ORDER BY moment, id", nil, func(rows *sql.Rows) error {
		var tool string
		var at int64
		var records, broken int
		if err := rows.Scan(&tool, &at, &records, &broken); err != nil {
			return err
		}
		return f(tool, at, records, broken)
	}))
}

// LookedOn returns the newest moments at which a source looked at any asset
// completely, one a day (UTC), newest first.
func (db *DB) LookedOn(ctx context.Context, source exposure.SourceID, days int) ([]int64, error) {
	const day = int64(24 * time.Hour / time.Millisecond)
	var all []int64
	end := int64(1) << 62
	for len(all) < days {
		var at sql.NullInt64
		err := db.read.QueryRowContext(ctx, "SELECT CAST(MAX(at) AS BIGINT) FROM coverage WHERE source = $1 AND at < $2", int64(source), end).Scan(&at)
		if err != nil || !at.Valid {
			return all, explain(err)
		}
		all, end = append(all, at.Int64), at.Int64-at.Int64%day
	}
	return all, nil
}

// AssetsLookedAt is how many assets a source looked at completely since a time.
func (db *DB) AssetsLookedAt(ctx context.Context, source exposure.SourceID, since int64) (assets int, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT CAST(COUNT(DISTINCT asset) AS BIGINT) FROM coverage WHERE source = $1 AND at >= $2", int64(source), since).Scan(&assets)
	return assets, explain(err)
}

// SourceLooks calls f with each source and each asset that it looked at
// completely: when it did last, in unix milliseconds.
func (db *DB) SourceLooks(ctx context.Context, f func(source exposure.SourceID, asset exposure.AssetID, newest int64) error) error {
	return explain(each(ctx, db.read, "SELECT source, asset, CAST(MAX(at) AS BIGINT) FROM coverage GROUP BY source, asset", nil, func(rows *sql.Rows) error {
		var source exposure.SourceID
		var asset exposure.AssetID
		var newest int64
		if err := rows.Scan(&source, &asset, &newest); err != nil {
			return err
		}
		return f(source, asset, newest)
	}))
}

// Words calls f with every recorded word of a source on a finding, in order of
// the findings. Who saw a finding first and never changed his mind has none: the
// finding names him, and he asserts it.
func (db *DB) Words(ctx context.Context, f func(finding exposure.FindingID, source exposure.SourceID, asserts bool) error) error {
	return explain(each(ctx, db.read, "SELECT finding, source, CASE WHEN state = '' THEN 1 ELSE 0 END FROM finding_source ORDER BY finding", nil, func(rows *sql.Rows) error {
		var finding, source, asserts any // anything else is converted by way of a text
		if err := rows.Scan(&finding, &source, &asserts); err != nil {
			return err
		}
		return f(exposure.FindingID(finding.(int64)), exposure.SourceID(source.(int64)), asserts.(int64) == 1)
	}))
}

// MergedNames returns the names of the records that were recognised as an
// asset, at most limit.
func (db *DB) MergedNames(ctx context.Context, id exposure.AssetID, limit int) ([]string, error) {
	var names []string
	err := each(ctx, db.read, "SELECT name FROM asset WHERE merged = $1 AND merged <> 0 ORDER BY id LIMIT $2", []any{int64(id), limit}, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, explain(err)
}

// Rise is a sudden rise of an advisory's EPSS score.
type Rise struct {
	Advisory exposure.AdvisoryID
	At       int64   // when it was learnt, unix milliseconds
	Earlier  float64 // the score of the edition before, 0…1
	Later    float64
}

// millionths is the unit that rises are stored in.
const millionths = 1e6

// AddRises records rises. The first word of a moment counts.
func (tx *Tx) AddRises(ctx context.Context, rises []Rise) error {
	for _, r := range rises {
		_, err := tx.tx.ExecContext(ctx, "INSERT INTO epss_rise (advisory, at, earlier, later) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			int64(r.Advisory), r.At, int64(r.Earlier*millionths+0.5), int64(r.Later*millionths+0.5))
		if err != nil {
			return err
		}
	}
	return nil
}

// Rises returns the rises since a time, oldest first.
func (db *DB) Rises(ctx context.Context, since int64) ([]Rise, error) {
	var all []Rise
	err := each(ctx, db.read, "SELECT advisory, at, earlier, later FROM epss_rise WHERE at >= $1 ORDER BY at, advisory", []any{since}, func(rows *sql.Rows) error {
		var r Rise
		var earlier, later int64
		err := rows.Scan(&r.Advisory, &r.At, &earlier, &later)
		r.Earlier, r.Later = float64(earlier)/millionths, float64(later)/millionths
		all = append(all, r)
		return err
	})
	return all, explain(err)
}
