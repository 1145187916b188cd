package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// MergedKeys returns the identities that assets took over from others that
// became part of them. It is empty in almost every database.
func (tx *Tx) MergedKeys(ctx context.Context) (map[exposure.AssetID][]string, error) {
	keys := map[exposure.AssetID][]string{}
	err := each(ctx, tx.tx, "SELECT merged, key FROM asset WHERE merged <> 0", nil, func(rows *sql.Rows) error {
		var id exposure.AssetID
		var key string
		err := rows.Scan(&id, &key)
		keys[id] = append(keys[id], key)
		return err
	})
	return keys, err
}

// MergeAsset makes one asset part of another: its names and what scans covered
// of it are the other's from now on. Its row stays, so that the merge can be
// undone. The owner that a person named stays, else it is the other's. Findings
// are moved by [Tx.MoveFindings] and [Tx.FoldFindings].
func (tx *Tx) MergeAsset(ctx context.Context, from, to exposure.AssetID) error {
	for _, statement := range []string{
		"INSERT INTO asset_identifier (identifier, asset) SELECT identifier, CAST($1 AS BIGINT) FROM asset_identifier WHERE asset = $2 ON CONFLICT DO NOTHING",
		"INSERT INTO coverage (scan, source, asset, checkset, at) SELECT scan, source, CAST($1 AS BIGINT), checkset, at FROM coverage WHERE asset = $2 ON CONFLICT DO NOTHING",
		"UPDATE asset SET owner = (SELECT other.owner FROM asset other WHERE other.id = $2) WHERE id = $1 AND owner = ''",
		"UPDATE asset SET merged = $1 WHERE merged = $2 OR id = $2",
	} {
		if _, err := tx.tx.ExecContext(ctx, statement, int64(to), int64(from)); err != nil {
			return fmt.Errorf("merge asset %d into %d: %w", from, to, err)
		}
	}
	if _, err := tx.tx.ExecContext(ctx, "DELETE FROM coverage WHERE asset = $1", int64(from)); err != nil {
		return err
	}
	return tx.mergeInventory(ctx, from, to)
}

// MoveFindings puts findings on another asset. Their fingerprints stay.
func (tx *Tx) MoveFindings(ctx context.Context, ids []exposure.FindingID, to exposure.AssetID) error {
	return chunks(ids, 500, func(_ []exposure.FindingID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.FindingID))
		}
		_, err := tx.tx.ExecContext(ctx, fmt.Sprintf("UPDATE finding SET asset = %d WHERE id IN (%s)", to, params), args...)
		return err
	})
}

// FoldFindings makes each finding of the map part of another, the one that it
// turned out to be: its fingerprint and verdicts lead there and its number is
// not used again. The words of its sources are the caller's to carry over. A
// finding may become part of one that becomes part of a third.
func (tx *Tx) FoldFindings(ctx context.Context, into map[exposure.FindingID]exposure.FindingID) error {
	if err := tx.keepFloor(ctx, "finding", "id"); err != nil {
		return err
	}
	for _, old := range slices.Sorted(maps.Keys(into)) {
		kept := into[old]
		for steps := 0; into[kept] != 0; steps++ {
			if kept = into[kept]; steps > len(into) {
				return fmt.Errorf("fold finding %d: it would become part of itself", old)
			}
		}
		for _, statement := range []string{
			"INSERT INTO finding_alias (fingerprint, finding, old) SELECT fingerprint, CAST($1 AS BIGINT), id FROM finding WHERE id = $2",
			"UPDATE finding_alias SET finding = $1 WHERE finding = $2",
			"UPDATE verdict SET finding = $1 WHERE finding = $2",
		} {
			if _, err := tx.tx.ExecContext(ctx, statement, int64(kept), int64(old)); err != nil {
				return fmt.Errorf("fold finding %d into %d: %w", old, kept, err)
			}
		}
		for _, statement := range []string{"DELETE FROM finding_source WHERE finding = $1", "DELETE FROM finding WHERE id = $1"} {
			if _, err := tx.tx.ExecContext(ctx, statement, int64(old)); err != nil {
				return fmt.Errorf("fold finding %d into %d: %w", old, kept, err)
			}
		}
	}
	return nil
}

// FormerNumbers returns the numbers of the findings that became part of the
// given one.
func (tx *Tx) FormerNumbers(ctx context.Context, id exposure.FindingID) ([]exposure.FindingID, error) {
	return formerNumbers(ctx, tx.tx, id)
}

func formerNumbers(ctx context.Context, q querier, id exposure.FindingID) ([]exposure.FindingID, error) {
	var all []exposure.FindingID
	err := each(ctx, q, "SELECT old FROM finding_alias WHERE finding = $1 AND old <> 0 ORDER BY old", []any{int64(id)}, func(rows *sql.Rows) error {
		var old exposure.FindingID
		err := rows.Scan(&old)
		all = append(all, old)
		return err
	})
	return all, err
}

// FindingNow returns the number that a finding has now: its own, or that of
// the one it became part of.
func (db *DB) FindingNow(ctx context.Context, id exposure.FindingID) (exposure.FindingID, error) {
	var now exposure.FindingID
	err := db.read.QueryRowContext(ctx, "SELECT finding FROM finding_alias WHERE old = $1", int64(id)).Scan(&now)
	if errors.Is(err, sql.ErrNoRows) {
		return id, nil
	}
	return now, explain(err)
}

// numbersNow returns the numbers that findings have now, sorted and each once.
func (tx *Tx) numbersNow(ctx context.Context, ids []exposure.FindingID) ([]exposure.FindingID, error) {
	now := map[exposure.FindingID]exposure.FindingID{}
	err := chunks(ids, 500, func(_ []exposure.FindingID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.FindingID))
		}
		return each(ctx, tx.tx, "SELECT old, finding FROM finding_alias WHERE old IN ("+params+")", args, func(rows *sql.Rows) error {
			var old, id exposure.FindingID
			err := rows.Scan(&old, &id)
			now[old] = id
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	out := make([]exposure.FindingID, len(ids))
	for i, id := range ids {
		out[i] = id
		if n, moved := now[id]; moved {
			out[i] = n
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
