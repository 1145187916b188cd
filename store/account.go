package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

const selectAccount = "SELECT id, name, password, role, created, disabled, seen, valid_from FROM account"

func scanAccount(row interface{ Scan(...any) error }) (exposure.Account, error) {
	var a exposure.Account
	var disabled int64
	err := row.Scan(&a.ID, &a.Name, &a.Password, &a.Role, &a.Created, &disabled, &a.Seen, &a.ValidFrom)
	a.Disabled = disabled != 0
	return a, err
}

// AddAccount makes an account; a name that is taken is a Conflict.
func (db *DB) AddAccount(ctx context.Context, a *exposure.Account) error {
	return db.Write(ctx, func(tx *Tx) error {
		var n int
		if err := tx.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM account WHERE name = $1", a.Name).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return exposure.Errorf(exposure.Conflict, "there is an account %q already", a.Name)
		}
		id, err := tx.next(ctx, "account", "id")
		if err != nil {
			return err
		}
		a.ID = id
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO account (id, name, password, role, created, disabled) VALUES ($1, $2, $3, $4, $5, $6)", id, a.Name, a.Password, a.Role, a.Created, truth(a.Disabled))
		return err
	})
}

// SetPassword changes an account's password, and ends a link that would have.
func (db *DB) SetPassword(ctx context.Context, id int64, password string) error {
	return db.Write(ctx, func(tx *Tx) error {
		return tx.changeAccount(ctx, id, "password = $1, reset = '', reset_until = 0", password)
	})
}

// SetAccess changes an account's role and whether it is locked. That somebody
// of the role keep stays who is not locked is seen to in the same transaction:
// else it is a Conflict.
func (db *DB) SetAccess(ctx context.Context, id int64, role string, disabled bool, keep string) error {
	return db.Write(ctx, func(tx *Tx) error {
		if err := tx.changeAccount(ctx, id, "role = $1, disabled = $2", role, truth(disabled)); err != nil {
			return err
		}
		var left int
		if err := tx.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM account WHERE role = $1 AND disabled = 0", keep).Scan(&left); err != nil {
			return err
		}
		if left == 0 {
			return exposure.Errorf(exposure.Conflict, "this is the last %s who can sign in: make somebody else one first", keep)
		}
		return nil
	})
}

// SignedIn records when an account was last signed in to.
func (db *DB) SignedIn(ctx context.Context, id, at int64) error {
	return db.Write(ctx, func(tx *Tx) error { return tx.changeAccount(ctx, id, "seen = $1", at) })
}

// EndSessions makes sessions that were opened before a time worth nothing.
func (db *DB) EndSessions(ctx context.Context, id, at int64) error {
	return db.Write(ctx, func(tx *Tx) error { return tx.changeAccount(ctx, id, "valid_from = $1", at) })
}

// AllowReset lets the link of a digest set a new password until a time. A link
// that was made before ends.
func (db *DB) AllowReset(ctx context.Context, id int64, digest string, until int64) error {
	return db.Write(ctx, func(tx *Tx) error {
		return tx.changeAccount(ctx, id, "reset = $1, reset_until = $2", digest, until)
	})
}

// ResetAllowed returns the account whose password a link may set at a time.
func (db *DB) ResetAllowed(ctx context.Context, digest string, now int64) (exposure.Account, error) {
	return account(db.read.QueryRowContext(ctx, selectAccount+resetable, digest, now))
}

// resetable selects the account of a link that is still good.
const resetable = " WHERE reset = $1 AND reset <> '' AND reset_until > $2 AND disabled = 0"

// ResetPassword sets a password by the link of a digest, once.
func (db *DB) ResetPassword(ctx context.Context, digest, password string, now int64) (a exposure.Account, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		if a, err = account(tx.tx.QueryRowContext(ctx, selectAccount+resetable, digest, now)); err != nil {
			return err
		}
		a.Password = password
		return tx.changeAccount(ctx, a.ID, "password = $1, reset = '', reset_until = 0", password)
	})
	return a, err
}

// changeAccount sets columns of one account.
func (tx *Tx) changeAccount(ctx context.Context, id int64, set string, values ...any) error {
	r, err := tx.tx.ExecContext(ctx, fmt.Sprintf("UPDATE account SET %s WHERE id = $%d", set, len(values)+1), append(values, id)...)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return exposure.Errorf(exposure.NotFound, "there is no account %d", id)
}

// Account returns the account with the name.
func (db *DB) Account(ctx context.Context, name string) (exposure.Account, error) {
	return account(db.read.QueryRowContext(ctx, selectAccount+" WHERE name = $1", name))
}

// AccountByID returns an account by its number.
func (db *DB) AccountByID(ctx context.Context, id int64) (exposure.Account, error) {
	return account(db.read.QueryRowContext(ctx, selectAccount+" WHERE id = $1", id))
}

func account(row *sql.Row) (exposure.Account, error) {
	a, err := scanAccount(row)
	if errors.Is(err, sql.ErrNoRows) {
		return a, exposure.Errorf(exposure.NotFound, "there is no such account")
	}
	return a, explain(err)
}

// Accounts returns all accounts by name.
func (db *DB) Accounts(ctx context.Context) ([]exposure.Account, error) {
	var all []exposure.Account
	err := each(ctx, db.read, selectAccount+" ORDER BY name", nil, func(rows *sql.Rows) error {
		a, err := scanAccount(rows)
		all = append(all, a)
		return err
	})
	return all, explain(err)
}

const selectToken = "SELECT id, account, name, digest, scopes, created, expires, used FROM token"

func scanToken(row interface{ Scan(...any) error }) (exposure.Token, error) {
	var t exposure.Token
	var scopes string
	err := row.Scan(&t.ID, &t.Account, &t.Name, &t.Digest, &scopes, &t.Created, &t.Expires, &t.Used)
	t.Scopes = strings.Fields(scopes)
	return t, err
}

// AddToken records an API token by its digest; the token itself is never kept.
func (db *DB) AddToken(ctx context.Context, t *exposure.Token) error {
	return db.Write(ctx, func(tx *Tx) error {
		id, err := tx.next(ctx, "token", "id")
		if err != nil {
			return err
		}
		t.ID = id
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO token (id, account, name, digest, scopes, created, expires, used) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
			id, t.Account, t.Name, t.Digest, strings.Join(t.Scopes, " "), t.Created, t.Expires)
		return err
	})
}

// TokenByDigest returns the token with the digest.
func (db *DB) TokenByDigest(ctx context.Context, digest string) (exposure.Token, error) {
	t, err := scanToken(db.read.QueryRowContext(ctx, selectToken+" WHERE digest = $1", digest))
	if errors.Is(err, sql.ErrNoRows) {
		return t, exposure.Errorf(exposure.NotFound, "there is no such token")
	}
	return t, explain(err)
}

// Tokens returns the tokens of an account.
func (db *DB) Tokens(ctx context.Context, account int64) ([]exposure.Token, error) {
	var all []exposure.Token
	err := each(ctx, db.read, selectToken+" WHERE account = $1 ORDER BY id", []any{account}, func(rows *sql.Rows) error {
		t, err := scanToken(rows)
		all = append(all, t)
		return err
	})
	return all, explain(err)
}

// TouchToken records when a token was used, at most once a minute.
func (db *DB) TouchToken(ctx context.Context, id, at int64) error {
	return db.Write(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, "UPDATE token SET used = $1 WHERE id = $2 AND used < $3", at, id, at-60_000)
		return err
	})
}

// RemoveToken ends a token of an account.
func (db *DB) RemoveToken(ctx context.Context, account, id int64) error {
	return db.Write(ctx, func(tx *Tx) error {
		if err := tx.keepFloor(ctx, "token", "id"); err != nil {
			return err
		}
		_, err := tx.tx.ExecContext(ctx, "DELETE FROM token WHERE id = $1 AND account = $2", id, account)
		return err
	})
}
