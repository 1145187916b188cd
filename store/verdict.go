package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

const selectVerdict = "SELECT id, finding, kind, confidence, at, until, evidence, actor FROM verdict"

func scanVerdict(rows *sql.Rows) (v exposure.Verdict, err error) {
	err = rows.Scan(&v.ID, &v.Finding, &v.Kind, &v.Confidence, &v.At, &v.Until, &v.Evidence, &v.Actor)
	return v, err
}

// AddVerdicts records verdicts and numbers them. Which of them counts is told
// by [Tx.SetVerdicts].
func (tx *Tx) AddVerdicts(ctx context.Context, all []exposure.Verdict) error {
	next, err := tx.next(ctx, "verdict", "id")
	if err != nil {
		return err
	}
	return tx.insert(ctx, "verdict", []string{"id", "finding", "kind", "confidence", "at", "until", "evidence", "actor"}, len(all), func(i int) []any {
		v := &all[i]
		v.ID = next + int64(i)
		return []any{v.ID, int64(v.Finding), int64(v.Kind), v.Confidence, v.At, v.Until, v.Evidence, v.Actor}
	})
}

// VerdictsOf returns all verdicts on findings, oldest first.
func (tx *Tx) VerdictsOf(ctx context.Context, ids []exposure.FindingID) (map[exposure.FindingID][]exposure.Verdict, error) {
	return verdictsOf(ctx, tx.tx, ids)
}

// VerdictsOf is [Tx.VerdictsOf] outside a transaction.
func (db *DB) VerdictsOf(ctx context.Context, ids []exposure.FindingID) (map[exposure.FindingID][]exposure.Verdict, error) {
	m, err := verdictsOf(ctx, db.read, ids)
	return m, explain(err)
}

func verdictsOf(ctx context.Context, q querier, ids []exposure.FindingID) (map[exposure.FindingID][]exposure.Verdict, error) {
	out := map[exposure.FindingID][]exposure.Verdict{}
	err := chunks(ids, 500, func(_ []exposure.FindingID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.FindingID))
		}
		return each(ctx, q, selectVerdict+" WHERE finding IN ("+params+") ORDER BY id", args, func(rows *sql.Rows) error {
			v, err := scanVerdict(rows)
			out[v.Finding] = append(out[v.Finding], v)
			return err
		})
	})
	return out, err
}

// SetVerdicts makes the given kinds the ones that count for findings, and says
// so in the feed. Findings that carry them already stay as they are; how many
// changed is returned.
func (tx *Tx) SetVerdicts(ctx context.Context, kinds map[exposure.FindingID]exposure.VerdictKind, actor, reason string, at int64) (changed int, err error) {
	ids := make([]exposure.FindingID, 0, len(kinds))
	for id := range kinds {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var rows []exposure.Finding
	var touched []uint32
	err = tx.FindingsByID(ctx, ids, func(f *exposure.Finding) error {
		if f.Verdict != kinds[f.ID] {
			f.Verdict = kinds[f.ID]
			rows, touched = append(rows, *f), append(touched, uint32(f.ID))
		}
		return nil
	})
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	if err := tx.UpdateFindings(ctx, rows); err != nil {
		return 0, err
	}
	slices.Sort(touched)
	return len(rows), tx.Append(ctx, &exposure.Event{At: at, Kind: exposure.EventVerdict, IDs: touched, First: touched[0], Last: touched[len(touched)-1], Actor: actor, Reason: reason})
}

// Verdicts returns the newest verdicts.
func (db *DB) Verdicts(ctx context.Context, limit int) ([]exposure.Verdict, error) {
	return db.VerdictsBefore(ctx, math.MaxInt64, limit)
}

// VerdictsBefore returns the newest verdicts whose number is smaller than one,
// newest first.
func (db *DB) VerdictsBefore(ctx context.Context, before int64, limit int) ([]exposure.Verdict, error) {
	var all []exposure.Verdict
	err := each(ctx, db.read, selectVerdict+" WHERE id < $1 ORDER BY id DESC LIMIT $2", []any{before, limit}, func(rows *sql.Rows) error {
		v, err := scanVerdict(rows)
		all = append(all, v)
		return err
	})
	return all, explain(err)
}

// VerdictsEnding returns the findings that have a verdict whose time ends
// after one moment and not after another.
func (db *DB) VerdictsEnding(ctx context.Context, after, until int64) ([]exposure.FindingID, error) {
	var ids []exposure.FindingID
	err := each(ctx, db.read, "SELECT DISTINCT finding FROM verdict WHERE until > $1 AND until <= $2 ORDER BY finding", []any{after, until}, func(rows *sql.Rows) error {
		var id exposure.FindingID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, explain(err)
}

// EventsOf calls f with the newest events of the given causes that moved
// findings, newest first and at most limit. No cause has no events.
func (db *DB) EventsOf(ctx context.Context, limit int, f func(*exposure.Event) error, causes ...exposure.Cause) error {
	if len(causes) == 0 {
		return nil
	}
	args := []any{int64(exposure.EventMoved)}
	var params []string
	for _, c := range causes {
		args = append(args, int64(c))
		params = append(params, fmt.Sprintf("$%d", len(args)))
	}
	args = append(args, limit)
	where := fmt.Sprintf(" WHERE kind = $1 AND cause IN (%s) ORDER BY seq DESC LIMIT $%d", strings.Join(params, ","), len(args))
	return explain(eachEvent(ctx, db.read, where, args, f))
}
