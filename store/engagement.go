package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxEngagement bounds rules of engagement as JSON.
const maxEngagement = 4 << 20

// Engagement is rules of engagement as they are kept.
type Engagement struct {
	exposure.Engagement
	Version int64
	Author  string // who last wrote the rules
}

// EngagementChange is one change of rules of engagement.
type EngagementChange struct {
	Version int64
	At      int64 // unix milliseconds
	Actor   string
	What    string
}

const selectEngagement = "SELECT id, version, author, body FROM engagement"

func scanEngagement(row interface{ Scan(...any) error }) (e Engagement, err error) {
	var id int64
	var packed []byte
	if err := row.Scan(&id, &e.Version, &e.Author, &packed); err != nil {
		return e, err
	}
	body, err := decompress(packed)
	if err == nil {
		err = json.Unmarshal(body, &e.Engagement)
	}
	if err != nil {
		return e, fmt.Errorf("read engagement %d: %w", id, err)
	}
	e.ID = id
	return e, nil
}

// Engagements returns all rules of engagement, newest first.
func (db *DB) Engagements(ctx context.Context) ([]Engagement, error) {
	var all []Engagement
	err := each(ctx, db.read, selectEngagement+" ORDER BY id DESC", nil, func(rows *sql.Rows) error {
		e, err := scanEngagement(rows)
		all = append(all, e)
		return err
	})
	return all, explain(err)
}

// LiveEngagements returns those that were not withdrawn and did not end before
// a time.
func (db *DB) LiveEngagements(ctx context.Context, now time.Time) ([]exposure.Engagement, error) {
	var all []exposure.Engagement
	err := each(ctx, db.read, selectEngagement+" WHERE withdrawn = 0 AND expires > $1 ORDER BY id", []any{now.UnixMilli()}, func(rows *sql.Rows) error {
		e, err := scanEngagement(rows)
		all = append(all, e.Engagement)
		return err
	})
	return all, explain(err)
}

// Engagement returns one engagement.
func (db *DB) Engagement(ctx context.Context, id int64) (Engagement, error) {
	e, err := engagement(ctx, db.read, id)
	return e, explain(err)
}

func engagement(ctx context.Context, q querier, id int64) (Engagement, error) {
	e, err := scanEngagement(q.QueryRowContext(ctx, selectEngagement+" WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, exposure.Errorf(exposure.NotFound, "there is no engagement %d", id)
	}
	return e, err
}

// Engagement returns one engagement as this transaction sees it.
func (tx *Tx) Engagement(ctx context.Context, id int64) (Engagement, error) {
	return engagement(ctx, tx.tx, id)
}

// EngagementChanges returns who changed what of an engagement, newest first.
func (db *DB) EngagementChanges(ctx context.Context, id int64, limit int) ([]EngagementChange, error) {
	var all []EngagementChange
	err := each(ctx, db.read, "SELECT version, at, actor, what FROM engagement_change WHERE engagement = $1 ORDER BY version DESC LIMIT $2", []any{id, limit}, func(rows *sql.Rows) error {
		var c EngagementChange
		err := rows.Scan(&c.Version, &c.At, &c.Actor, &c.What)
		all = append(all, c)
		return err
	})
	return all, explain(err)
}

// PutEngagement keeps an engagement as its next version, and what changed. One
// without a number is new and gets one.
func (tx *Tx) PutEngagement(ctx context.Context, e *Engagement, at int64, actor, what string) error {
	fresh := e.ID == 0
	if fresh {
		id, err := tx.next(ctx, "engagement", "id")
		if err != nil {
			return err
		}
		e.ID = id
	}
	body, err := json.Marshal(&e.Engagement)
	if err != nil {
		return err
	}
	if len(body) > maxEngagement {
		return exposure.Errorf(exposure.Invalid, "the rules of engagement have %d bytes, and at most %d are kept: name networks instead of single hosts", len(body), maxEngagement)
	}
	body = compress(body)
	e.Version++
	withdrawn := int64(0)
	if !e.Withdrawn.IsZero() {
		withdrawn = e.Withdrawn.UnixMilli()
	}
	if fresh {
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO engagement (id, version, author, expires, withdrawn, body) VALUES ($1, $2, $3, $4, $5, $6)",
			e.ID, e.Version, e.Author, e.Expires.UnixMilli(), withdrawn, body)
	} else {
		_, err = tx.tx.ExecContext(ctx, "UPDATE engagement SET version = $1, author = $2, expires = $3, withdrawn = $4, body = $5 WHERE id = $6",
			e.Version, e.Author, e.Expires.UnixMilli(), withdrawn, body, e.ID)
	}
	if err != nil {
		return err
	}
	_, err = tx.tx.ExecContext(ctx, "INSERT INTO engagement_change (engagement, version, at, actor, what, body) VALUES ($1, $2, $3, $4, $5, $6)", e.ID, e.Version, at, actor, what, body)
	return err
}

// Halt is a stop: while it holds, nothing is sent.
type Halt struct {
	ID         int64
	Engagement int64 // 0: all
	At         int64 // unix milliseconds
	Actor      string
	Why        string
	Lifted     int64 // 0: it holds
	LiftedBy   string
}

// Halts returns the stops that hold.
func (db *DB) Halts(ctx context.Context) ([]Halt, error) {
	var all []Halt
	err := each(ctx, db.read, "SELECT id, engagement, at, actor, why FROM halt WHERE lifted = 0 ORDER BY engagement", nil, func(rows *sql.Rows) error {
		var h Halt
		err := rows.Scan(&h.ID, &h.Engagement, &h.At, &h.Actor, &h.Why)
		all = append(all, h)
		return err
	})
	return all, explain(err)
}

// LeaveState is a word that is another after any change of engagements or
// stops. Every process asks for it twice a second.
func (db *DB) LeaveState(ctx context.Context) (string, error) {
	var changes, stops, lifted int64
	err := db.read.QueryRowContext(ctx, "SELECT (SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM engagement), (SELECT COALESCE(MAX(id), 0) FROM halt), (SELECT COUNT(*) FROM halt WHERE lifted = 0)").Scan(&changes, &stops, &lifted)
	return fmt.Sprintf("%d/%d/%d", changes, stops, lifted), explain(err)
}

// Halt stops an engagement, or with 0 all of them. It reports whether that is
// new: a stop that holds already stays as it is.
func (tx *Tx) Halt(ctx context.Context, h *Halt) (stopped bool, err error) {
	id, err := tx.next(ctx, "halt", "id")
	if err != nil {
		return false, err
	}
	r, err := tx.tx.ExecContext(ctx, "INSERT INTO halt (id, engagement, at, actor, why, lifted, lifted_by) VALUES ($1, $2, $3, $4, $5, 0, '') ON CONFLICT DO NOTHING", id, h.Engagement, h.At, h.Actor, h.Why)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	if h.ID = id; n == 0 {
		h.ID = 0
	}
	return n > 0, err
}

// Resume lifts the stop of an engagement, or with 0 that of all of them; stops
// of single ones stay.
func (tx *Tx) Resume(ctx context.Context, engagement int64, actor string, at int64) (lifted bool, err error) {
	r, err := tx.tx.ExecContext(ctx, "UPDATE halt SET lifted = $1, lifted_by = $2 WHERE engagement = $3 AND lifted = 0", at, actor, engagement)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}
