package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Sessions keeps the sessions of the web UI in the database, so that they
// survive a restart and several servers share them. It is the store that
// github.com/alexedwards/scs asks for.
type Sessions struct {
	db  *DB
	now func() time.Time
}

// Sessions returns the session store.
func (db *DB) Sessions(now func() time.Time) *Sessions { return &Sessions{db, now} }

// FindCtx returns the data of a session that has not expired.
func (s *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = s.db.read.QueryRowContext(ctx, "SELECT data FROM session WHERE token = $1 AND expiry > $2", token, s.now().UnixMilli()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, explain(err)
}

// CommitCtx adds or replaces a session, and forgets those that expired.
func (s *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if _, err := tx.tx.ExecContext(ctx, "DELETE FROM session WHERE expiry <= $1", s.now().UnixMilli()); err != nil {
			return err
		}
		_, err := tx.tx.ExecContext(ctx, "INSERT INTO session (token, data, expiry) VALUES ($1, $2, $3) ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry", token, data, expiry.UnixMilli())
		return err
	})
}

// DeleteCtx ends a session.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, "DELETE FROM session WHERE token = $1", token)
		return err
	})
}

// AllCtx returns the data of all sessions that have not expired, by token.
func (s *Sessions) AllCtx(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := each(ctx, s.db.read, "SELECT token, data FROM session WHERE expiry > $1", []any{s.now().UnixMilli()}, func(rows *sql.Rows) error {
		var token string
		var data []byte
		err := rows.Scan(&token, &data)
		all[token] = data
		return err
	})
	return all, explain(err)
}

// Find, Commit and Delete exist because scs asks for them; the forms with a
// context are the ones it calls.
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context.
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
