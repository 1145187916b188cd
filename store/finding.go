package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/leeward-ctem/leeward/exposure"
)

var findingColumns = []string{"id", "fingerprint", "asset", "advisory", "location", "source", "scan", "first_seen", "since", "flags"}

// InsertFindings adds new findings and numbers them, in the order given. The
// caller made sure, under the write lock, that their fingerprints are new.
// The fingerprint index is most of the cost, so sort by fingerprint before:
// neighbours in the index then go in together.
func (tx *Tx) InsertFindings(ctx context.Context, fs []exposure.Finding) error {
	next, err := tx.next(ctx, "finding", "id")
	if err != nil {
		return err
	}
	for i := range fs {
		fs[i].ID = exposure.FindingID(next + int64(i))
	}
	row := make([]any, len(findingColumns))
	return tx.insert(ctx, "finding", findingColumns, len(fs), func(i int) []any {
		f := &fs[i]
		row[0], row[1] = int64(f.ID), f.Fingerprint[:]
		row[2], row[3], row[4] = int64(f.Asset), int64(f.Advisory), int64(f.Location)
		row[5], row[6], row[7] = int64(f.Source), int64(f.Scan), f.FirstSeen
		row[8], row[9] = sinceColumn(f), packFlags(f)
		return row
	})
}

// sinceColumn is 0, which takes no room, while a finding has not moved.
func sinceColumn(f *exposure.Finding) int64 {
	if f.Since == f.FirstSeen {
		return 0
	}
	return f.Since
}

// UpdateFindings writes the mutable part of findings: status, severity,
// detection, verdict, shared, since and first seen.
func (tx *Tx) UpdateFindings(ctx context.Context, fs []exposure.Finding) error {
	if len(fs) == 0 {
		return nil
	}
	stmt, err := tx.tx.PrepareContext(ctx, "UPDATE finding SET flags = $1, since = $2, first_seen = $3 WHERE id = $4 AND (flags <> $1 OR since <> $2 OR first_seen <> $3)")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i := range fs {
		f := &fs[i]
		if _, err := stmt.ExecContext(ctx, packFlags(f), sinceColumn(f), f.FirstSeen, int64(f.ID)); err != nil {
			return err
		}
	}
	return nil
}

func scanFinding(rows *sql.Rows, f *exposure.Finding, fp *sql.RawBytes) error {
	var flags int64
	if err := rows.Scan(&f.ID, fp, &f.Asset, &f.Advisory, &f.Location, &f.Source, &f.Scan, &f.FirstSeen, &f.Since, &flags); err != nil {
		return err
	}
	if copy(f.Fingerprint[:], *fp) != len(f.Fingerprint) {
		return fmt.Errorf("finding %d has a fingerprint of %d bytes", f.ID, len(*fp))
	}
	unpackFlags(flags, f)
	if f.Since == 0 {
		f.Since = f.FirstSeen
	}
	return nil
}

const selectFinding = "SELECT id, fingerprint, asset, advisory, location, source, scan, first_seen, since, flags FROM finding"

func eachFinding(ctx context.Context, q querier, where string, args []any, f func(*exposure.Finding) error) error {
	var row exposure.Finding
	var fp sql.RawBytes
	return each(ctx, q, selectFinding+where, args, func(rows *sql.Rows) error {
		if err := scanFinding(rows, &row, &fp); err != nil {
			return err
		}
		return f(&row)
	})
}

// Findings calls f with the findings first … last in order of their numbers.
// The pointer is valid until f returns.
func (db *DB) Findings(ctx context.Context, first, last exposure.FindingID, f func(*exposure.Finding) error) error {
	return explain(eachFinding(ctx, db.read, " WHERE id BETWEEN $1 AND $2 ORDER BY id", []any{int64(first), int64(last)}, f))
}

// Findings is [DB.Findings] within the transaction.
func (tx *Tx) Findings(ctx context.Context, first, last exposure.FindingID, f func(*exposure.Finding) error) error {
	return eachFinding(ctx, tx.tx, " WHERE id BETWEEN $1 AND $2 ORDER BY id", []any{int64(first), int64(last)}, f)
}

// FindingsByID calls f with the listed findings, in no particular order.
func (db *DB) FindingsByID(ctx context.Context, ids []exposure.FindingID, f func(*exposure.Finding) error) error {
	return explain(findingsByID(ctx, db.read, ids, f))
}

// FindingsByID is [DB.FindingsByID] within the transaction.
func (tx *Tx) FindingsByID(ctx context.Context, ids []exposure.FindingID, f func(*exposure.Finding) error) error {
	return findingsByID(ctx, tx.tx, ids, f)
}

func findingsByID(ctx context.Context, q querier, ids []exposure.FindingID, f func(*exposure.Finding) error) error {
	return chunks(ids, 500, func(_ []exposure.FindingID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.FindingID))
		}
		return eachFinding(ctx, q, " WHERE id IN ("+params+")", args, f)
	})
}

// AliasedFindings returns the findings that old fingerprints became.
func (tx *Tx) AliasedFindings(ctx context.Context, fps []exposure.Fingerprint) (map[exposure.Fingerprint]exposure.FindingID, error) {
	found := map[exposure.Fingerprint]exposure.FindingID{}
	var some bool
	if err := tx.tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM finding_alias)").Scan(&some); err != nil || !some {
		return found, err
	}
	err := chunks(fps, 500, func(_ []exposure.Fingerprint, params string, args []any) error {
		for i := range args {
			fp := args[i].(exposure.Fingerprint)
			args[i] = fp[:]
		}
		return each(ctx, tx.tx, "SELECT fingerprint, finding FROM finding_alias WHERE fingerprint IN ("+params+")", args, func(rows *sql.Rows) error {
			var fp []byte
			var id int64
			if err := rows.Scan(&fp, &id); err != nil {
				return err
			}
			found[exposure.Fingerprint(fp)] = exposure.FindingID(id)
			return nil
		})
	})
	return found, err
}

// FindingCount returns how many findings there are; they are numbered 1 … n.
func (db *DB) FindingCount(ctx context.Context) (exposure.FindingID, error) {
	var n int64
	err := db.read.QueryRowContext(ctx, "SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM finding").Scan(&n)
	return exposure.FindingID(n), explain(err)
}
