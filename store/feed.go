package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/leeward-ctem/leeward/exposure"
)

// Feeds returns the state of every feed that is kept, by name.
func (db *DB) Feeds(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := each(ctx, db.read, "SELECT name, status FROM feed", nil, func(rows *sql.Rows) error {
		var name, state string
		if err := rows.Scan(&name, &state); err != nil {
			return err
		}
		all[name] = []byte(state)
		return nil
	})
	return all, explain(err)
}

// FeedBody returns the kept copy of a feed.
func (db *DB) FeedBody(ctx context.Context, name string) ([]byte, error) {
	var body []byte
	err := db.read.QueryRowContext(ctx, "SELECT body FROM feed WHERE name = $1", name).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) || err == nil && body == nil {
		return nil, exposure.Errorf(exposure.NotFound, "the feed %s was never fetched: run `leeward feeds update %s`", name, name)
	}
	return body, explain(err)
}

// PutFeed replaces the state of a feed and its copy; a nil body leaves the
// kept one.
func (db *DB) PutFeed(ctx context.Context, name string, state, body []byte) error {
	return db.Write(ctx, func(tx *Tx) error {
		const upsert = "INSERT INTO feed (name, status, copy, body) VALUES ($1, $2, '', $3) ON CONFLICT (name) DO UPDATE SET status = excluded.status"
		if body != nil {
			_, err := tx.tx.ExecContext(ctx, upsert+", body = excluded.body", name, string(state), body)
			return err
		}
		_, err := tx.tx.ExecContext(ctx, upsert, name, string(state), body)
		return err
	})
}
