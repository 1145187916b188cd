package cli

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"sync"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// serverChain is the chain of what this installation itself decided and sent.
// Agents and runs of the command line have chains of their own.
const serverChain = "server"

// auditLog is a chain of the audit log in the database. Those who append at the
// same time share a transaction.
type auditLog struct {
	db    *store.DB
	chain string
	turn  chan struct{} // held while a transaction is made

	mu      sync.Mutex
	pending []*auditPart
}

// auditPart is what one caller appends.
type auditPart struct {
	entries []guard.Entry
	done    bool // its transaction ended
	err     error
}

func newAuditLog(db *store.DB, chain string) *auditLog {
	return &auditLog{db: db, chain: chain, turn: make(chan struct{}, 1)}
}

// Append implements [guard.Auditor]. It does not end before its time: what waits
// is of others, too.
func (l *auditLog) Append(ctx context.Context, entries ...guard.Entry) error {
	mine := &auditPart{entries: entries}
	l.mu.Lock()
	l.pending = append(l.pending, mine)
	l.mu.Unlock()
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if mine.done {
		return mine.err
	}
	l.mu.Lock()
	parts := l.pending
	l.pending = nil
	l.mu.Unlock()
	var all []guard.Entry
	for _, p := range parts {
		all = append(all, p.entries...)
	}
	ctx = context.WithoutCancel(ctx)
	err := l.db.Write(ctx, func(tx *store.Tx) error { return appendAudit(ctx, tx, l.chain, all) })
	for _, p := range parts {
		p.done, p.err = true, err
	}
	return err
}

// appendAudit puts entries at the end of a chain, in a transaction.
func appendAudit(ctx context.Context, tx *store.Tx, chain string, entries []guard.Entry) error {
	return tx.AppendAudit(ctx, chain, func(head store.AuditHead) ([]store.Audited, error) {
		rows := make([]store.Audited, len(entries))
		for i := range entries {
			e := entries[i]
			e.Link(head.Seq, head.Hash)
			head.Seq, head.Hash = e.Seq, e.Hash
			var err error
			if rows[i], err = audited(&e); err != nil {
				return nil, err
			}
		}
		return rows, nil
	})
}

// audited is an entry as it is kept.
func audited(e *guard.Entry) (store.Audited, error) {
	body, err := json.Marshal(e)
	return store.Audited{Seq: e.Seq, At: e.At.UnixMilli(), Engagement: e.Engagement, Refused: !e.Allowed && e.Kind == guard.Decided, Prev: e.Prev, Hash: e.Hash, Body: body}, err
}

// entryOf reads an entry that was kept. What stands beside it must say the same.
func entryOf(row *store.Audited) (guard.Entry, error) {
	var e guard.Entry
	if err := json.Unmarshal(row.Body, &e); err != nil {
		return e, exposure.Errorf(exposure.Conflict, "it cannot be read: %w", err)
	}
	again, err := audited(&e)
	if err != nil {
		return e, err
	}
	again.ID, again.Chain, again.Body = row.ID, row.Chain, row.Body
	if again.Seq != row.Seq || again.At != row.At || again.Engagement != row.Engagement || again.Refused != row.Refused || again.Prev != row.Prev || again.Hash != row.Hash {
		return e, exposure.Errorf(exposure.Conflict, "what it is found by was changed")
	}
	return e, nil
}

// chainEntries reads a chain from its first entry.
func (a *app) chainEntries(ctx context.Context, chain string) iter.Seq2[guard.Entry, error] {
	return func(yield func(guard.Entry, error) bool) {
		stopped := false
		err := a.db.AuditChain(ctx, chain, func(row *store.Audited) error {
			e, err := entryOf(row)
			if stopped = !yield(e, err) || err != nil; stopped {
				return errors.New("enough was read")
			}
			return nil
		})
		if err != nil && !stopped {
			yield(guard.Entry{}, err)
		}
	}
}

// Audit lists what was decided and sent.
func (a *app) Audit(ctx context.Context, q server.AuditQuery) (server.AuditPage, error) {
	p := server.AuditPage{Rows: []server.AuditRow{}}
	limit := min(max(1, q.Limit), 1000)
	rows, err := a.db.Audit(ctx, store.AuditQuery{Engagement: q.Engagement, Refused: q.Refused, Before: q.After, Limit: limit + 1})
	if err != nil {
		return p, err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		p.Next = rows[limit-1].ID
	}
	for i := range rows {
		e, err := entryOf(&rows[i])
		if err != nil { // shown all the same: whoever changed it must not hide it so
			e.Seq, e.Hash, e.Reasons = rows[i].Seq, rows[i].Hash, append(e.Reasons, "this entry does not hold: "+err.Error())
		}
		p.Rows = append(p.Rows, server.AuditRow{ID: rows[i].ID, Chain: rows[i].Chain, Entry: e})
	}
	return p, nil
}

// VerifyAudit reads all chains and says whether they hold.
func (a *app) VerifyAudit(ctx context.Context) ([]server.AuditChain, error) {
	heads, err := a.db.AuditChains(ctx)
	all := []server.AuditChain{}
	for _, h := range heads {
		c := server.AuditChain{Chain: h.Chain}
		n, head, err := guard.Verify(a.chainEntries(ctx, h.Chain))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if c.Entries, c.Head = n, head; err != nil {
			c.Error = err.Error()
		}
		all = append(all, c)
	}
	return all, err
}
