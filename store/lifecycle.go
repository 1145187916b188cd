package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// Move applies a cause to findings, as the lifecycle table allows, and records
// who and why. Findings that the table does not let move stay as they are; how
// many moved is returned.
func (tx *Tx) Move(ctx context.Context, ids []exposure.FindingID, cause exposure.Cause, actor, reason string, at int64) (moved int, err error) {
	events, err := tx.move(ctx, ids, cause, actor, reason, at)
	return count(events), err
}

func count(events []*exposure.Event) (n int) {
	for _, e := range events {
		n += len(e.IDs)
	}
	return n
}

// move is [Tx.Move] that returns what it wrote into the log.
func (tx *Tx) move(ctx context.Context, ids []exposure.FindingID, cause exposure.Cause, actor, reason string, at int64) (events []*exposure.Event, err error) {
	type step struct{ from, to exposure.Status }
	groups := map[step][]uint32{}
	var changed []exposure.Finding
	// Each once: a finding that is listed twice moves once.
	err = tx.FindingsByID(ctx, slices.Compact(slices.Sorted(slices.Values(ids))), func(f *exposure.Finding) error {
		to, ok := f.Status.Move(cause)
		if !ok {
			return nil
		}
		groups[step{f.Status, to}] = append(groups[step{f.Status, to}], uint32(f.ID))
		f.Status, f.Since = to, at
		changed = append(changed, *f)
		return nil
	})
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	if err := tx.UpdateFindings(ctx, changed); err != nil {
		return nil, err
	}
	steps := make([]step, 0, len(groups))
	for s := range groups {
		steps = append(steps, s)
	}
	slices.SortFunc(steps, func(a, b step) int { return int(a.from)*16 + int(a.to) - int(b.from)*16 - int(b.to) })
	for _, s := range steps {
		list := groups[s]
		slices.Sort(list)
		events = append(events, &exposure.Event{At: at, Kind: exposure.EventMoved, Cause: cause, From: s.from, To: s.to, IDs: list, First: list[0], Last: list[len(list)-1], Actor: actor, Reason: reason})
	}
	return events, tx.Append(ctx, events...)
}

// AddException records a wish to live with findings. It has no effect until
// somebody else approves it.
func (tx *Tx) AddException(ctx context.Context, e *exposure.Exception) error {
	id, err := tx.next(ctx, "exception", "id")
	if err != nil {
		return err
	}
	e.ID, e.Count = id, len(e.Findings)
	ids := make([]uint32, len(e.Findings))
	for i, f := range e.Findings {
		ids[i] = uint32(f)
	}
	body, err := packIDs(ids)
	if err != nil {
		return err
	}
	_, err = tx.tx.ExecContext(ctx, "INSERT INTO exception (id, reason, requester, approver, created, approved, expires, ended, findings) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		id, e.Reason, e.Requester, e.Approver, e.Created, e.Approved, e.Expires, e.Ended, body)
	return err
}

const selectException = "SELECT id, reason, requester, approver, created, approved, expires, ended, findings FROM exception"

func scanException(row interface{ Scan(...any) error }) (exposure.Exception, error) {
	var e exposure.Exception
	var body []byte
	if err := row.Scan(&e.ID, &e.Reason, &e.Requester, &e.Approver, &e.Created, &e.Approved, &e.Expires, &e.Ended, &body); err != nil {
		return e, err
	}
	ids, err := unpackIDs(body)
	for _, id := range ids {
		e.Findings = append(e.Findings, exposure.FindingID(id))
	}
	e.Count = len(e.Findings)
	return e, err
}

func (tx *Tx) exception(ctx context.Context, id int64) (exposure.Exception, error) {
	e, err := scanException(tx.tx.QueryRowContext(ctx, selectException+" WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, exposure.Errorf(exposure.NotFound, "there is no exception %d", id)
	}
	return e, err
}

// Exceptions returns the exceptions, newest first; ended ones only when all.
func (db *DB) Exceptions(ctx context.Context, all bool) ([]exposure.Exception, error) {
	var out []exposure.Exception
	where := " WHERE ended = 0"
	if all {
		where = ""
	}
	err := each(ctx, db.read, selectException+where+" ORDER BY id DESC", nil, func(rows *sql.Rows) error {
		e, err := scanException(rows)
		out = append(out, e)
		return err
	})
	return out, explain(err)
}

// ApproveException puts an exception in force. The approver is not the one who asked.
func (tx *Tx) ApproveException(ctx context.Context, id int64, approver string, at int64) (moved int, err error) {
	e, err := tx.exception(ctx, id)
	switch {
	case err != nil:
		return 0, err
	case e.Approved != 0 || e.Ended != 0:
		return 0, exposure.Errorf(exposure.Conflict, "exception %d is decided already", id)
	case e.Requester == approver:
		return 0, exposure.Errorf(exposure.Forbidden, "exception %d was requested by %s: somebody else must approve it", id, approver)
	case e.Expires <= at:
		return 0, exposure.Errorf(exposure.Conflict, "exception %d has expired before it was approved", id)
	}
	if _, err := tx.tx.ExecContext(ctx, "UPDATE exception SET approver = $1, approved = $2 WHERE id = $3", approver, at, id); err != nil {
		return 0, err
	}
	ids, err := tx.numbersNow(ctx, e.Findings)
	if err != nil {
		return 0, err
	}
	return tx.Move(ctx, ids, exposure.CauseExcept, approver, e.Reason, at)
}

// EndException withdraws an exception, or lets it expire; its findings are
// open again, but for those that another exception covers that is in force.
func (tx *Tx) EndException(ctx context.Context, id int64, actor, reason string, at int64) (moved int, err error) {
	e, err := tx.exception(ctx, id)
	if err != nil || e.Ended != 0 {
		return 0, err
	}
	events, err := tx.endException(ctx, &e, actor, reason, at)
	return count(events), err
}

// endException ends an exception that has not ended.
func (tx *Tx) endException(ctx context.Context, e *exposure.Exception, actor, reason string, at int64) ([]*exposure.Event, error) {
	if _, err := tx.tx.ExecContext(ctx, "UPDATE exception SET ended = $1 WHERE id = $2", at, e.ID); err != nil {
		return nil, err
	}
	if e.Approved == 0 {
		return nil, nil
	}
	ids, err := tx.numbersNow(ctx, e.Findings)
	if err != nil {
		return nil, err
	}
	covered, err := tx.excepted(ctx, at)
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(ids, func(id exposure.FindingID) bool { return covered[id] })
	return tx.move(ctx, ids, exposure.CauseExpiry, actor, reason, at)
}

// excepted returns the findings of the exceptions that are in force.
func (tx *Tx) excepted(ctx context.Context, at int64) (map[exposure.FindingID]bool, error) {
	var all []exposure.FindingID
	err := each(ctx, tx.tx, selectException+" WHERE ended = 0 AND approved <> 0 AND expires > $1", []any{at}, func(rows *sql.Rows) error {
		e, err := scanException(rows)
		all = append(all, e.Findings...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if all, err = tx.numbersNow(ctx, all); err != nil {
		return nil, err
	}
	covered := make(map[exposure.FindingID]bool, len(all))
	for _, id := range all {
		covered[id] = true
	}
	return covered, nil
}

// ExpireExceptions ends the exceptions whose time is over and returns how many
// findings are open again.
func (db *DB) ExpireExceptions(ctx context.Context, now int64) (moved int, err error) {
	var due []int64
	err = each(ctx, db.read, "SELECT id FROM exception WHERE ended = 0 AND expires <= $1 ORDER BY id", []any{now}, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		due = append(due, id)
		return err
	})
	if err != nil {
		return 0, explain(err)
	}
	for _, id := range due {
		n := 0
		err := db.Write(ctx, func(tx *Tx) (err error) {
			n, err = tx.EndException(ctx, id, "cycle", "the exception expired", now)
			return err
		})
		if err != nil {
			return moved, err
		}
		moved += n
	}
	return moved, nil
}
