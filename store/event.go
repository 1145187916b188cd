package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
)

// Append adds events to the feed and numbers them in order of commit.
func (tx *Tx) Append(ctx context.Context, events ...*exposure.Event) error {
	for _, e := range events {
		if tx.seq == 0 {
			next, err := tx.next(ctx, "event", "seq")
			if err != nil {
				return err
			}
			tx.seq = next - 1
		}
		tx.seq++
		e.Seq = tx.seq
		var ids []byte
		if e.IDs != nil {
			var err error
			if ids, err = packIDs(e.IDs); err != nil {
				return err
			}
		}
		_, err := tx.tx.ExecContext(ctx, `INSERT INTO event (seq, at, kind, cause, "from", "to", first, last, ids, scan, actor, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			e.Seq, e.At, int64(e.Kind), int64(e.Cause), int64(e.From), int64(e.To), int64(e.First), int64(e.Last), ids, int64(e.Scan), e.Actor, e.Reason)
		if err != nil {
			return err
		}
	}
	return nil
}

func packIDs(ids []uint32) ([]byte, error) {
	b := roaring.BitmapOf(ids...)
	b.RunOptimize()
	return b.ToBytes()
}

func unpackIDs(data []byte) ([]uint32, error) {
	b := roaring.New()
	if err := b.UnmarshalBinary(data); err != nil {
		return nil, err
	}
	return b.ToArray(), nil
}

const selectEvent = `SELECT seq, at, kind, cause, "from", "to", first, last, ids, scan, actor, reason FROM event`

func eachEvent(ctx context.Context, q querier, where string, args []any, f func(*exposure.Event) error) error {
	return each(ctx, q, selectEvent+where, args, func(rows *sql.Rows) error {
		var e exposure.Event
		var ids []byte
		if err := rows.Scan(&e.Seq, &e.At, &e.Kind, &e.Cause, &e.From, &e.To, &e.First, &e.Last, &ids, &e.Scan, &e.Actor, &e.Reason); err != nil {
			return err
		}
		if ids != nil {
			var err error
			if e.IDs, err = unpackIDs(ids); err != nil {
				return err
			}
		}
		return f(&e)
	})
}

// Events calls f with the events after seq, in order.
func (db *DB) Events(ctx context.Context, after int64, f func(*exposure.Event) error) error {
	return explain(eachEvent(ctx, db.read, " WHERE seq > $1 ORDER BY seq", []any{after}, f))
}

// Events is [DB.Events] within the transaction: with the write lock held
// nothing can come after what it returns.
func (tx *Tx) Events(ctx context.Context, after int64, f func(*exposure.Event) error) error {
	return eachEvent(ctx, tx.tx, " WHERE seq > $1 ORDER BY seq", []any{after}, f)
}

// Head returns the number of the last event.
func (db *DB) Head(ctx context.Context) (int64, error) {
	var n int64
	err := db.read.QueryRowContext(ctx, "SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM event").Scan(&n)
	return n, explain(err)
}

// Timeline returns the events that speak of one finding, oldest first, also
// under numbers that it had before, and those that gave its asset to somebody.
func (db *DB) Timeline(ctx context.Context, id exposure.FindingID) ([]exposure.Event, error) {
	former, err := formerNumbers(ctx, db.read, id)
	if err != nil {
		return nil, explain(err)
	}
	var out []exposure.Event
	for _, n := range append(former, id) {
		err := eachEvent(ctx, db.read, " WHERE first <= $1 AND last >= $1 AND kind NOT IN (4, 5, 7, 8, 12) ORDER BY seq", []any{int64(n)}, func(e *exposure.Event) error {
			if e.IDs == nil || slices.Contains(e.IDs, uint32(n)) {
				out = append(out, *e)
			}
			return nil
		})
		if err != nil {
			return nil, explain(err)
		}
	}
	assets, err := assetsOf(ctx, db.read, id)
	if err != nil {
		return nil, explain(err)
	}
	for _, n := range assets {
		err := eachEvent(ctx, db.read, " WHERE first <= $1 AND last >= $1 AND kind = 12 ORDER BY seq", []any{int64(n)}, func(e *exposure.Event) error {
			if slices.Contains(e.IDs, n) {
				out = append(out, *e)
			}
			return nil
		})
		if err != nil {
			return nil, explain(err)
		}
	}
	slices.SortStableFunc(out, func(a, b exposure.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return out, nil
}

// assetsOf returns the numbers that the asset of a finding has and had.
func assetsOf(ctx context.Context, q querier, id exposure.FindingID) ([]uint32, error) {
	var all []uint32
	err := each(ctx, q, "SELECT asset FROM finding WHERE id = $1 UNION SELECT a.id FROM asset a JOIN finding f ON a.merged = f.asset AND a.merged <> 0 WHERE f.id = $1", []any{int64(id)}, func(rows *sql.Rows) error {
		var n uint32
		err := rows.Scan(&n)
		all = append(all, n)
		return err
	})
	return all, err
}
