package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Audited is one entry of the audit log. What it says, and how entries are
// chained, is for package guard to know: here they are kept in order.
type Audited struct {
	ID         int64 // in the order in which entries came here, of all chains
	Chain      string
	Seq        int64 // within the chain, from 1
	At         int64 // unix milliseconds
	Engagement int64
	Refused    bool
	Prev, Hash string
	Body       []byte // JSON, as it was hashed
}

// AuditHead is where a chain ends.
type AuditHead struct {
	Chain string
	Seq   int64
	Hash  string
}

// AuditHead returns the end of a chain; its number is 0 when nothing is in it.
func (db *DB) AuditHead(ctx context.Context, chain string) (AuditHead, error) {
	h, err := auditHead(ctx, db.read, chain)
	return h, explain(err)
}

func auditHead(ctx context.Context, q querier, chain string) (AuditHead, error) {
	h := AuditHead{Chain: chain}
	err := q.QueryRowContext(ctx, "SELECT seq, hash FROM audit WHERE chain = $1 ORDER BY seq DESC LIMIT 1", chain).Scan(&h.Seq, &h.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return h, err
}

// AuditChains returns the ends of all chains.
func (db *DB) AuditChains(ctx context.Context) ([]AuditHead, error) {
	var all []AuditHead
	err := each(ctx, db.read, "SELECT a.chain, a.seq, a.hash FROM audit a JOIN (SELECT chain, MAX(seq) AS seq FROM audit GROUP BY chain) h ON h.chain = a.chain AND h.seq = a.seq ORDER BY a.chain", nil, func(rows *sql.Rows) error {
		var h AuditHead
		err := rows.Scan(&h.Chain, &h.Seq, &h.Hash)
		all = append(all, h)
		return err
	})
	return all, explain(err)
}

// AppendAudit puts entries at the end of a chain. next makes them from where the
// chain ends now; nobody else can append meanwhile.
func (tx *Tx) AppendAudit(ctx context.Context, chain string, next func(AuditHead) ([]Audited, error)) error {
	head, err := auditHead(ctx, tx.tx, chain)
	if err != nil {
		return err
	}
	entries, err := next(head)
	if err != nil || len(entries) == 0 {
		return err
	}
	id, err := tx.next(ctx, "audit", "id")
	if err != nil {
		return err
	}
	for i := range entries {
		e := &entries[i]
		if e.Seq != head.Seq+1 || e.Prev != head.Hash {
			return exposure.Errorf(exposure.Conflict, "audit entry %d does not follow entry %d of the chain %s", e.Seq, head.Seq, chain)
		}
		e.ID, e.Chain = id+int64(i), chain
		head.Seq, head.Hash = e.Seq, e.Hash
	}
	const columns = 9
	for len(entries) > 0 {
		part := entries[:min(len(entries), 100)]
		entries = entries[len(part):]
		var values strings.Builder
		args := make([]any, 0, len(part)*columns)
		for i := range part {
			e := &part[i]
			if i > 0 {
				values.WriteByte(',')
			}
			n := len(args)
			fmt.Fprintf(&values, "($%d,$%d,$%d,$%d,$%d,$%d,$%d,$%d,$%d)", n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8, n+9)
			args = append(args, e.ID, e.Chain, e.Seq, e.At, e.Engagement, truth(e.Refused), e.Prev, e.Hash, e.Body)
		}
		if _, err := tx.tx.ExecContext(ctx, "INSERT INTO audit (id, chain, seq, at, engagement, refused, prev, hash, body) VALUES "+values.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

// AuditChain calls f with the entries of a chain, from its first.
func (db *DB) AuditChain(ctx context.Context, chain string, f func(*Audited) error) error {
	return explain(each(ctx, db.read, "SELECT id, chain, seq, at, engagement, refused, prev, hash, body FROM audit WHERE chain = $1 ORDER BY seq", []any{chain}, func(rows *sql.Rows) error {
		e, err := scanAudited(rows)
		if err != nil {
			return err
		}
		return f(&e)
	}))
}

func scanAudited(rows *sql.Rows) (e Audited, err error) {
	var refused int64
	err = rows.Scan(&e.ID, &e.Chain, &e.Seq, &e.At, &e.Engagement, &refused, &e.Prev, &e.Hash, &e.Body)
	e.Refused = refused != 0
	return e, err
}

// AuditQuery selects audit entries. What is zero does not matter.
type AuditQuery struct {
	Engagement int64
	Refused    bool
	Before     int64 // number of the last of the page before
	Limit      int
}

// Audit returns the entries of a query, newest first.
func (db *DB) Audit(ctx context.Context, q AuditQuery) ([]Audited, error) {
	parts, args := []string{"1 = 1"}, []any{}
	add := func(format string, value any) {
		args = append(args, value)
		parts = append(parts, fmt.Sprintf(format, len(args)))
	}
	if q.Engagement != 0 {
		add("engagement = $%d", q.Engagement)
	}
	if q.Refused {
		parts = append(parts, "refused = 1")
	}
	if q.Before > 0 {
		add("id < $%d", q.Before)
	}
	args = append(args, q.Limit)
	var all []Audited
	err := each(ctx, db.read, fmt.Sprintf("SELECT id, chain, seq, at, engagement, refused, prev, hash, body FROM audit WHERE %s ORDER BY id DESC LIMIT $%d", strings.Join(parts, " AND "), len(args)), args, func(rows *sql.Rows) error {
		e, err := scanAudited(rows)
		all = append(all, e)
		return err
	})
	return all, explain(err)
}
