package store

import (
	"context"
	"database/sql"
)

// PutRollup records the figures of a day (days since 1970-01-01 UTC), a JSON
// text that the store does not look into. The same day again replaces them.
func (db *DB) PutRollup(ctx context.Context, day int, body []byte) error {
	return db.Write(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, "INSERT INTO rollup (day, body) VALUES ($1, $2) ON CONFLICT (day) DO UPDATE SET body = excluded.body", day, string(body))
		return err
	})
}

// Rollups calls f with the figures of each recorded day from first on, oldest first.
func (db *DB) Rollups(ctx context.Context, first int, f func(day int, body []byte) error) error {
	return explain(each(ctx, db.read, "SELECT day, body FROM rollup WHERE day >= $1 ORDER BY day", []any{first}, func(rows *sql.Rows) error {
		var day int
		var body string
		if err := rows.Scan(&day, &body); err != nil {
			return err
		}
		return f(day, []byte(body))
	}))
}

// RemoveRollups removes the figures of all days before a day.
func (tx *Tx) RemoveRollups(ctx context.Context, before int) error {
	_, err := tx.tx.ExecContext(ctx, "DELETE FROM rollup WHERE day < $1", before)
	return err
}
