package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds of saved views.
const (
	maxOwnViews    = 100 // an account may keep
	maxSharedViews = 500 // of others are shown to it, the newest
)

// The command line is no account, and keeps its views under none.
const selectView = "SELECT v.id, v.account, COALESCE(a.name, '" + exposure.CommandLine + "') AS owner, v.name, v.query, v.sort, v.reverse, v.columns, v.shared, v.created FROM saved_view v LEFT JOIN account a ON a.id = v.account"

func scanView(row interface{ Scan(...any) error }) (exposure.SavedView, error) {
	var v exposure.SavedView
	var columns string
	var reverse, shared int64
	err := row.Scan(&v.ID, &v.Account, &v.Owner, &v.Name, &v.Query, &v.Sort, &reverse, &columns, &shared, &v.Created)
	v.Reverse, v.Shared = reverse != 0, shared != 0
	if columns != "" {
		v.Columns = strings.Fields(columns)
	}
	return v, err
}

// SaveView keeps a view of an account, in place of the one of the same name.
// Too many are a Conflict.
func (db *DB) SaveView(ctx context.Context, v *exposure.SavedView) error {
	return db.Write(ctx, func(tx *Tx) error {
		columns := strings.Join(v.Columns, " ")
		err := tx.tx.QueryRowContext(ctx, "SELECT id FROM saved_view WHERE account = $1 AND name = $2", v.Account, v.Name).Scan(&v.ID)
		if err == nil {
			_, err = tx.tx.ExecContext(ctx, "UPDATE saved_view SET query = $1, sort = $2, reverse = $3, columns = $4, shared = $5, created = $6 WHERE id = $7",
				v.Query, v.Sort, truth(v.Reverse), columns, truth(v.Shared), v.Created, v.ID)
			return err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var n int
		if err := tx.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM saved_view WHERE account = $1", v.Account).Scan(&n); err != nil {
			return err
		}
		if n >= maxOwnViews {
			return exposure.Errorf(exposure.Conflict, "you have %d saved views, and that is the limit: remove one first", n)
		}
		if v.ID, err = tx.next(ctx, "saved_view", "id"); err != nil {
			return err
		}
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO saved_view (id, account, name, query, sort, reverse, columns, shared, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			v.ID, v.Account, v.Name, v.Query, v.Sort, truth(v.Reverse), columns, truth(v.Shared), v.Created)
		return err
	})
}

// Views returns the views that an account sees: its own, then what others
// share, each by name.
func (db *DB) Views(ctx context.Context, account int64) ([]exposure.SavedView, error) {
	var all []exposure.SavedView
	for _, part := range []string{
		selectView + " WHERE v.account = $1 ORDER BY v.name, v.id",
		"SELECT * FROM (" + selectView + " WHERE v.shared <> 0 AND v.account <> $1 ORDER BY v.id DESC LIMIT $2) AS s ORDER BY 4, 1",
	} {
		args := []any{account, maxSharedViews}
		err := each(ctx, db.read, part, args[:strings.Count(part, "$")], func(rows *sql.Rows) error {
			v, err := scanView(rows)
			all = append(all, v)
			return err
		})
		if err != nil {
			return nil, explain(err)
		}
	}
	return all, nil
}

// RemoveView ends a view of an account, or, with others, one that somebody else
// shares, and returns it. What the account does not see is not found.
func (db *DB) RemoveView(ctx context.Context, id, account int64, others bool) (v exposure.SavedView, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		v, err = scanView(tx.tx.QueryRowContext(ctx, selectView+" WHERE v.id = $1", id))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		switch {
		case err != nil, v.Account != account && !v.Shared:
			return exposure.Errorf(exposure.NotFound, "there is no saved view %d", id)
		case v.Account != account && !others:
			return exposure.Errorf(exposure.Forbidden, "this view is shared by %s: only its owner or an administrator removes it", v.Owner)
		}
		if err := tx.keepFloor(ctx, "saved_view", "id"); err != nil {
			return err
		}
		_, err := tx.tx.ExecContext(ctx, "DELETE FROM saved_view WHERE id = $1", id)
		return err
	})
	if err != nil {
		return exposure.SavedView{}, err
	}
	return v, nil
}
