package store

import (
	"context"
	"database/sql"
)

// PastScores are the scores of EPSS of the CVEs of one year as they were on a
// day. The store does not look into the body.
type PastScores struct {
	Day   int // since 1970-01-01
	Model string
	Body  []byte
}

// PutPastScores keeps the scores of a day, by the year of the CVE ids. The same
// day again replaces them.
func (tx *Tx) PutPastScores(ctx context.Context, day int, model string, bodies map[int][]byte) error {
	for year, body := range bodies {
		const put = "INSERT INTO epss_history (year, day, model, body) VALUES ($1, $2, $3, $4) ON CONFLICT (year, day) DO UPDATE SET model = excluded.model, body = excluded.body"
		if _, err := tx.tx.ExecContext(ctx, put, year, day, model, body); err != nil {
			return err
		}
	}
	return nil
}

// RemovePastScores removes the scores of all days before a day.
func (tx *Tx) RemovePastScores(ctx context.Context, before int) error {
	_, err := tx.tx.ExecContext(ctx, "DELETE FROM epss_history WHERE day < $1", before)
	return err
}

// NewestPastScores is the last day that is kept and the model that made its
// scores; 0 when there is none.
func (db *DB) NewestPastScores(ctx context.Context) (day int, model string, err error) {
	err = each(ctx, db.read, "SELECT day, model FROM epss_history ORDER BY day DESC LIMIT 1", nil, func(rows *sql.Rows) error { return rows.Scan(&day, &model) })
	return day, model, explain(err)
}

// PastScores returns what is kept of the CVEs of a year, oldest first.
func (db *DB) PastScores(ctx context.Context, year int) ([]PastScores, error) {
	var all []PastScores
	err := each(ctx, db.read, "SELECT day, model, body FROM epss_history WHERE year = $1 ORDER BY day", []any{year}, func(rows *sql.Rows) error {
		var p PastScores
		err := rows.Scan(&p.Day, &p.Model, &p.Body)
		all = append(all, p)
		return err
	})
	return all, explain(err)
}
