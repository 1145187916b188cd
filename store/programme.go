package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/leeward-ctem/leeward/exposure"
)

// PutProgramme records a new version of the programme file and tells the feed
// that contexts changed. The same text again changes nothing.
func (tx *Tx) PutProgramme(ctx context.Context, body, actor string, at int64) (changed bool, err error) {
	var last string
	var version int64
	err = tx.tx.QueryRowContext(ctx, "SELECT version, body FROM programme ORDER BY version DESC LIMIT 1").Scan(&version, &last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if err == nil && last == body {
		return false, nil
	}
	if _, err := tx.tx.ExecContext(ctx, "INSERT INTO programme (version, at, actor, body) VALUES ($1, $2, $3, $4)", version+1, at, actor, body); err != nil {
		return false, err
	}
	return true, tx.Append(ctx, &exposure.Event{At: at, Kind: exposure.EventContext, Actor: actor, Reason: "programme applied"})
}

// ProgrammeVersion returns the number of the newest programme file; 0 when none
// was applied.
func (tx *Tx) ProgrammeVersion(ctx context.Context) (version int64, err error) {
	err = tx.tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM programme").Scan(&version)
	return version, err
}

// Programme returns the newest programme file; empty when none was applied.
func (db *DB) Programme(ctx context.Context) (body string, version int64, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT version, body FROM programme ORDER BY version DESC LIMIT 1").Scan(&version, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil
	}
	return body, version, explain(err)
}

// ProgrammeBy returns when and by whom a version was applied.
func (db *DB) ProgrammeBy(ctx context.Context, version int64) (at int64, actor string, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT at, actor FROM programme WHERE version = $1", version).Scan(&at, &actor)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", exposure.Errorf(exposure.NotFound, "there is no version %d of the programme", version)
	}
	return at, actor, explain(err)
}

// ProgrammeTimes returns when each version was applied, oldest first.
func (db *DB) ProgrammeTimes(ctx context.Context) (versions, at []int64, err error) {
	err = each(ctx, db.read, "SELECT version, at FROM programme ORDER BY version", nil, func(rows *sql.Rows) error {
		var v, t int64
		err := rows.Scan(&v, &t)
		versions, at = append(versions, v), append(at, t)
		return err
	})
	return versions, at, explain(err)
}

// ProgrammeOf returns the file of a version.
func (db *DB) ProgrammeOf(ctx context.Context, version int64) (body string, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT body FROM programme WHERE version = $1", version).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return "", exposure.Errorf(exposure.NotFound, "there is no version %d of the programme", version)
	}
	return body, explain(err)
}
