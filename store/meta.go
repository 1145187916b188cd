package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
)

// Identity names this database, so that a cache of another is not mistaken for
// its own. It is made when first asked for.
func (db *DB) Identity(ctx context.Context) (string, error) {
	id, err := db.meta(ctx, "identity")
	if err != nil || id != "" {
		return id, err
	}
	err = db.Write(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, "INSERT INTO meta (key, value) VALUES ('identity', $1) ON CONFLICT DO NOTHING", rand.Text())
		return err
	})
	if err != nil {
		return "", err
	}
	return db.meta(ctx, "identity")
}

// Meta returns a small text kept by its key, "" when there is none.
func (db *DB) Meta(ctx context.Context, key string) (string, error) { return db.meta(ctx, key) }

// SetMeta keeps a small text by its key.
func (tx *Tx) SetMeta(ctx context.Context, key, value string) error {
	_, err := tx.tx.ExecContext(ctx, "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}

func (db *DB) meta(ctx context.Context, key string) (string, error) {
	var v string
	err := db.read.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = $1", key).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, explain(err)
}

// KeepMeta keeps a small text by its key, unless there is one already.
func (tx *Tx) KeepMeta(ctx context.Context, key, value string) error {
	_, err := tx.tx.ExecContext(ctx, "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", key, value)
	return err
}
