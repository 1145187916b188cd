package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// Undone is how far taking a decision back has come.
type Undone struct {
	Back int  // findings or assets that are as they were before
	Of   int  // that the decision changed
	More bool // another step is needed
}

// Undo takes back a part of what a person decided, and says whether there is
// more: the write lock is not held for all of a large decision. Only the one
// who decided may, and only once. Nothing is deleted: what goes back does so by
// events of its own. What something or somebody changed since stays as it is.
func (tx *Tx) Undo(ctx context.Context, id int64, actor string, at int64) (Undone, error) {
	var u Undone
	d, err := decision(ctx, tx.tx, id)
	switch {
	case err != nil:
		return u, err
	case d.Actor != actor:
		return u, exposure.Errorf(exposure.Forbidden, "only %s can take this back", d.Actor)
	case d.Undone != 0:
		return u, exposure.Errorf(exposure.Conflict, "this was taken back already")
	}
	switch d.Kind {
	case exposure.DecisionExcept:
		u, err = tx.withdraw(ctx, &d, at)
	case exposure.DecisionEnd:
		u, err = tx.resume(ctx, &d, at)
	default:
		if last := len(d.Parts) - 1; last >= 0 {
			u, err = tx.undoPart(ctx, &d, &d.Parts[last], at)
			d.Parts = d.Parts[:last]
			u.More = last > 0
		}
	}
	if err != nil {
		return u, err
	}
	if !u.More {
		d.Undone = at
	}
	return u, tx.keepDecision(ctx, &d)
}

func (tx *Tx) undoPart(ctx context.Context, d *exposure.Decision, p *exposure.DecisionPart, at int64) (u Undone, err error) {
	var made *exposure.Event
	err = eachEvent(ctx, tx.tx, " WHERE seq = $1", []any{p.Event}, func(e *exposure.Event) error { made = e; return nil })
	if err != nil {
		return u, err
	}
	if made == nil {
		return u, fmt.Errorf("decision %d speaks of event %d, which is not there", d.ID, p.Event)
	}
	u.Of = len(made.IDs)
	if d.Kind == exposure.DecisionAssign {
		u.Back, err = tx.undoAssign(ctx, d, p, at)
	} else {
		u.Back, err = tx.undoMove(ctx, d, made, at)
	}
	return u, err
}

// undoMove brings the findings of an event back to the status they had. A
// finding that still is what the event made it, since that very moment, was
// not moved by anything else.
func (tx *Tx) undoMove(ctx context.Context, d *exposure.Decision, made *exposure.Event, at int64) (back int, err error) {
	to, ok := exposure.Undo(made.Cause, made.From, made.To)
	if !ok {
		return 0, exposure.Errorf(exposure.Conflict, "a move by %v cannot be taken back", made.Cause)
	}
	ids := make([]exposure.FindingID, len(made.IDs))
	for i, id := range made.IDs {
		ids[i] = exposure.FindingID(id)
	}
	if ids, err = tx.numbersNow(ctx, ids); err != nil { // one may be part of another since, and pass its status on
		return 0, err
	}
	var changed []exposure.Finding
	var numbers []uint32
	err = tx.FindingsByID(ctx, ids, func(f *exposure.Finding) error {
		if f.Status == made.To && f.Since == made.At {
			f.Status, f.Since = to, at
			changed, numbers = append(changed, *f), append(numbers, uint32(f.ID))
		}
		return nil
	})
	if err != nil || len(changed) == 0 {
		return 0, err
	}
	if err := tx.UpdateFindings(ctx, changed); err != nil {
		return 0, err
	}
	slices.Sort(numbers)
	return len(changed), tx.Append(ctx, &exposure.Event{
		At: at, Kind: exposure.EventMoved, Cause: exposure.CauseUndo, From: made.To, To: to,
		IDs: numbers, First: numbers[0], Last: numbers[len(numbers)-1], Actor: d.Actor, Reason: d.Undoing(),
	})
}

// undoAssign gives assets the owner back that they had, unless somebody
// assigned them since.
func (tx *Tx) undoAssign(ctx context.Context, d *exposure.Decision, p *exposure.DecisionPart, at int64) (back int, err error) {
	since := map[uint32]bool{}
	err = eachEvent(ctx, tx.tx, " WHERE seq > $1 AND kind = $2", []any{p.Event, int64(exposure.EventAssigned)}, func(e *exposure.Event) error {
		for _, id := range e.IDs {
			since[id] = true
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	names := make([]string, 0, len(p.Before))
	for owner := range p.Before {
		names = append(names, owner)
	}
	slices.Sort(names)
	for _, owner := range names {
		var ids []exposure.AssetID
		for _, id := range p.Before[owner] {
			if !since[id] {
				ids = append(ids, exposure.AssetID(id))
			}
		}
		now, err := tx.owners(ctx, ids)
		if err != nil {
			return back, err
		}
		ids = slices.DeleteFunc(ids, func(id exposure.AssetID) bool {
			has, known := now[id]
			return !known || has != d.Owner
		})
		if len(ids) == 0 {
			continue
		}
		if _, err := tx.assign(ctx, ids, owner, d.Actor, d.Undoing(), at); err != nil {
			return back, err
		}
		back += len(ids)
	}
	return back, nil
}

// withdraw ends an exception that was asked for and that nobody decided on.
func (tx *Tx) withdraw(ctx context.Context, d *exposure.Decision, at int64) (u Undone, err error) {
	e, err := tx.exception(ctx, d.Exception)
	switch {
	case err != nil:
		return u, err
	case e.Ended != 0:
		return u, exposure.Errorf(exposure.Conflict, "exception %d has ended already", e.ID)
	case e.Approved != 0:
		return u, exposure.Errorf(exposure.Conflict, "exception %d was approved by %s since: end it instead", e.ID, e.Approver)
	}
	if _, err := tx.endException(ctx, &e, d.Actor, d.Undoing(), at); err != nil {
		return u, err
	}
	return Undone{Back: len(e.Findings), Of: len(e.Findings)}, tx.remark(ctx, e.Findings, d.Actor, d.Undoing(), at)
}

// resume puts an exception that was ended back to what it was.
func (tx *Tx) resume(ctx context.Context, d *exposure.Decision, at int64) (u Undone, err error) {
	e, err := tx.exception(ctx, d.Exception)
	switch {
	case err != nil:
		return u, err
	case e.Ended != d.At:
		return u, exposure.Errorf(exposure.Conflict, "exception %d was decided on again since", e.ID)
	case e.Expires <= at:
		return u, exposure.Errorf(exposure.Conflict, "exception %d has expired since", e.ID)
	}
	if _, err := tx.tx.ExecContext(ctx, "UPDATE exception SET ended = 0 WHERE id = $1", e.ID); err != nil {
		return u, err
	}
	if e.Approved == 0 {
		return Undone{Back: len(e.Findings), Of: len(e.Findings)}, tx.remark(ctx, e.Findings, d.Actor, d.Undoing(), at)
	}
	for i := range d.Parts {
		part, err := tx.undoPart(ctx, d, &d.Parts[i], at)
		if err != nil {
			return u, err
		}
		u.Back, u.Of = u.Back+part.Back, u.Of+part.Of
	}
	d.Parts = nil
	return u, nil
}
