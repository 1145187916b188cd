package store

import (
	"context"

	"github.com/leeward-ctem/leeward/exposure"
)

// InsertUnindexed writes n rows as wide as findings into a scratch table
// without any index: the limit that imports are measured against.
func (db *DB) InsertUnindexed(ctx context.Context, n int) error {
	return db.Write(ctx, func(tx *Tx) error {
		if _, err := tx.tx.ExecContext(ctx, "CREATE TABLE scratch (id BIGINT, fingerprint BLOB, asset BIGINT, advisory BIGINT, location BIGINT, source BIGINT, scan BIGINT, first_seen BIGINT, since BIGINT, flags BIGINT)"); err != nil {
			return err
		}
		fp := exposure.NewFingerprint("raw", "insert", "")
		row := make([]any, len(findingColumns))
		err := tx.insert(ctx, "scratch", findingColumns, n, func(i int) []any {
			row[0], row[1] = int64(i), fp[:]
			for c := 2; c < len(row); c++ {
				row[c] = int64(i % (c * 1000))
			}
			return row
		})
		if err != nil {
			return err
		}
		_, err = tx.tx.ExecContext(ctx, "DROP TABLE scratch")
		return err
	})
}

// DiskBytes returns the size of the SQLite database, and how much of it is evidence.
func (db *DB) DiskBytes(ctx context.Context) (total, evidence int64, err error) {
	if _, err := db.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return 0, 0, explain(err)
	}
	err = db.read.QueryRowContext(ctx, "SELECT (SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count) * (SELECT page_size FROM pragma_page_size), COALESCE((SELECT SUM(LENGTH(body) + 24) FROM evidence), 0)").Scan(&total, &evidence)
	return total, evidence, explain(err)
}
