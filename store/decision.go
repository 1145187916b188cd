package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// DecideMove moves findings as d says, and notes in d which events that made,
// so that it can be taken back. A decision may be made in several parts, each
// in a transaction of its own. One that moves nothing is not kept.
func (tx *Tx) DecideMove(ctx context.Context, d *exposure.Decision, ids []exposure.FindingID, reason string) (moved int, err error) {
	cause := exposure.CauseTriage
	if d.Kind == exposure.DecisionClaim {
		cause = exposure.CauseClaim
	}
	events, err := tx.move(ctx, ids, cause, d.Actor, reason, d.At)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	for _, e := range events {
		d.Parts = append(d.Parts, exposure.DecisionPart{Event: e.Seq})
	}
	return count(events), tx.keepDecision(ctx, d)
}

// Assign gives assets the owner of d, over whatever the programme says; an
// empty one leaves them to the programme. Assets that have it already, or are
// part of others, are left alone. It may be called several times for parts of
// one decision.
func (tx *Tx) Assign(ctx context.Context, d *exposure.Decision, ids []exposure.AssetID, reason string) (assigned int, err error) {
	before := map[string][]uint32{}
	var changed []exposure.AssetID
	now, err := tx.owners(ctx, ids)
	if err != nil {
		return 0, err
	}
	for id, owner := range now {
		if owner != d.Owner {
			before[owner] = append(before[owner], uint32(id))
			changed = append(changed, id)
		}
	}
	if len(changed) == 0 {
		return 0, nil
	}
	for _, list := range before {
		slices.Sort(list)
	}
	seq, err := tx.assign(ctx, changed, d.Owner, d.Actor, reason, d.At)
	if err != nil {
		return 0, err
	}
	d.Parts = append(d.Parts, exposure.DecisionPart{Event: seq, Before: before})
	return len(changed), tx.keepDecision(ctx, d)
}

// owners returns the owners that people named for assets, "" for none. Assets
// that are part of others are left out.
func (tx *Tx) owners(ctx context.Context, ids []exposure.AssetID) (map[exposure.AssetID]string, error) {
	now := make(map[exposure.AssetID]string, len(ids))
	return now, chunks(ids, 500, func(_ []exposure.AssetID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.AssetID))
		}
		return each(ctx, tx.tx, "SELECT id, owner FROM asset WHERE merged = 0 AND id IN ("+params+")", args, func(rows *sql.Rows) error {
			var id exposure.AssetID
			var owner string
			err := rows.Scan(&id, &owner)
			now[id] = owner
			return err
		})
	})
}

// assign writes the owner of assets and the event that says so.
func (tx *Tx) assign(ctx context.Context, ids []exposure.AssetID, owner, actor, reason string, at int64) (seq int64, err error) {
	slices.Sort(ids)
	err = chunks(ids, 500, func(part []exposure.AssetID, params string, args []any) error {
		for i := range args {
			args[i] = int64(args[i].(exposure.AssetID))
		}
		_, err := tx.tx.ExecContext(ctx, fmt.Sprintf("UPDATE asset SET owner = $%d WHERE id IN (%s)", len(args)+1, params), append(args, owner)...)
		return err
	})
	if err != nil {
		return 0, err
	}
	text := "back to the programme"
	if owner != "" {
		text = "to " + owner
	}
	if reason != "" {
		text += ": " + reason
	}
	numbers := make([]uint32, len(ids))
	for i, id := range ids {
		numbers[i] = uint32(id)
	}
	e := exposure.Event{At: at, Kind: exposure.EventAssigned, IDs: numbers, First: numbers[0], Last: numbers[len(numbers)-1], Actor: actor, Reason: text}
	err = tx.Append(ctx, &e)
	return e.Seq, err
}

// DecideException is [Tx.AddException] as a decision that can be taken back
// while nobody approved it.
func (tx *Tx) DecideException(ctx context.Context, d *exposure.Decision, e *exposure.Exception) error {
	if err := tx.AddException(ctx, e); err != nil {
		return err
	}
	d.Exception = e.ID
	text := fmt.Sprintf("asked for an exception until %s: %s", time.UnixMilli(e.Expires).UTC().Format(time.DateOnly), e.Reason)
	if err := tx.remark(ctx, e.Findings, d.Actor, text, d.At); err != nil {
		return err
	}
	return tx.keepDecision(ctx, d)
}

// DecideEnd is [Tx.EndException] as a decision that can be taken back while
// the exception would still be in force.
func (tx *Tx) DecideEnd(ctx context.Context, d *exposure.Decision, reason string) (moved int, err error) {
	e, err := tx.exception(ctx, d.Exception)
	if err != nil || e.Ended != 0 {
		return 0, err
	}
	events, err := tx.endException(ctx, &e, d.Actor, reason, d.At)
	if err != nil {
		return 0, err
	}
	for _, e := range events {
		d.Parts = append(d.Parts, exposure.DecisionPart{Event: e.Seq})
	}
	if e.Approved == 0 {
		text := "an exception that was asked for is refused or withdrawn"
		if reason != "" {
			text += ": " + reason
		}
		if err := tx.remark(ctx, e.Findings, d.Actor, text, d.At); err != nil {
			return 0, err
		}
	}
	return count(events), tx.keepDecision(ctx, d)
}

// remark writes into the history of findings what moves none of them.
func (tx *Tx) remark(ctx context.Context, ids []exposure.FindingID, actor, text string, at int64) error {
	if len(ids) == 0 {
		return nil
	}
	numbers := make([]uint32, len(ids))
	for i, id := range ids {
		numbers[i] = uint32(id)
	}
	slices.Sort(numbers)
	return tx.Append(ctx, &exposure.Event{At: at, Kind: exposure.EventNote, IDs: numbers, First: numbers[0], Last: numbers[len(numbers)-1], Actor: actor, Reason: text})
}

// decided is what the body of a decision's row holds.
type decided struct {
	Owner     string                  `json:"owner,omitempty"`
	Exception int64                   `json:"exception,omitempty"`
	Parts     []exposure.DecisionPart `json:"parts,omitempty"`
}

// keepDecision writes a decision, and numbers it when it is new.
func (tx *Tx) keepDecision(ctx context.Context, d *exposure.Decision) error {
	body, err := json.Marshal(decided{d.Owner, d.Exception, d.Parts})
	if err != nil {
		return err
	}
	body = compress(body)
	if d.ID != 0 {
		_, err := tx.tx.ExecContext(ctx, "UPDATE decision SET undone = $1, body = $2 WHERE id = $3", d.Undone, body, d.ID)
		return err
	}
	id, err := tx.next(ctx, "decision", "id")
	if err != nil {
		return err
	}
	if _, err := tx.tx.ExecContext(ctx, "INSERT INTO decision (id, at, actor, kind, undone, body) VALUES ($1, $2, $3, $4, $5, $6)", id, d.At, d.Actor, int64(d.Kind), d.Undone, body); err != nil {
		return err
	}
	d.ID = id
	return nil
}

// Decision returns a decision.
func (db *DB) Decision(ctx context.Context, id int64) (exposure.Decision, error) {
	d, err := decision(ctx, db.read, id)
	return d, explain(err)
}

func decision(ctx context.Context, q querier, id int64) (exposure.Decision, error) {
	d := exposure.Decision{ID: id}
	var packed []byte
	err := q.QueryRowContext(ctx, "SELECT at, actor, kind, undone, body FROM decision WHERE id = $1", id).Scan(&d.At, &d.Actor, &d.Kind, &d.Undone, &packed)
	if errors.Is(err, sql.ErrNoRows) {
		return d, exposure.Errorf(exposure.NotFound, "there is no decision %d", id)
	}
	if err != nil {
		return d, err
	}
	text, err := decompress(packed)
	if err != nil {
		return d, fmt.Errorf("read decision %d: %w", id, err)
	}
	var body decided
	if err := json.Unmarshal(text, &body); err != nil {
		return d, fmt.Errorf("read decision %d: %w", id, err)
	}
	d.Owner, d.Exception, d.Parts = body.Owner, body.Exception, body.Parts
	return d, nil
}
