package store

import (
	"context"
	"database/sql"

	"github.com/leeward-ctem/leeward/exposure"
)

const outboxColumns = "id, key, connector, target, body, state, attempts, next_at, leased, error, created"

func scanMessage(rows *sql.Rows) (m exposure.OutboxMessage, err error) {
	var body []byte
	err = rows.Scan(&m.ID, &m.Key, &m.Connector, &m.Target, &body, &m.State, &m.Attempts, &m.NextAt, &m.LeaseAt, &m.LastError, &m.CreatedAt)
	m.Body = string(body)
	return m, err
}

// Post puts messages into the outbox, in the transaction of the change they
// speak of. A message whose key was posted before is left out.
func (tx *Tx) Post(ctx context.Context, messages ...exposure.OutboxMessage) error {
	next, err := tx.next(ctx, "outbox", "id")
	if err != nil {
		return err
	}
	for _, m := range messages {
		r, err := tx.tx.ExecContext(ctx, "INSERT INTO outbox ("+outboxColumns+") VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, '', $8) ON CONFLICT (key) DO NOTHING",
			next, m.Key, m.Connector, m.Target, []byte(m.Body), exposure.OutboxWaiting, m.NextAt, m.CreatedAt)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			next++
		}
	}
	return nil
}

// Due takes up to limit messages that are to be sent by now, the oldest first,
// and leases each until the given time, so that nobody else sends it meanwhile.
func (db *DB) Due(ctx context.Context, now, lease int64, limit int) ([]exposure.OutboxMessage, error) {
	var due []exposure.OutboxMessage
	err := db.Write(ctx, func(tx *Tx) error {
		due = nil
		err := each(ctx, tx.tx, "SELECT "+outboxColumns+" FROM outbox WHERE state = $1 AND next_at <= $2 AND leased <= $3 ORDER BY next_at, id LIMIT $4",
			[]any{exposure.OutboxWaiting, now, now, limit}, func(rows *sql.Rows) error {
				m, err := scanMessage(rows)
				m.LeaseAt = lease
				due = append(due, m)
				return err
			})
		for i := 0; err == nil && i < len(due); i++ {
			_, err = tx.tx.ExecContext(ctx, "UPDATE outbox SET leased = $1 WHERE id = $2", lease, due[i].ID)
		}
		return err
	})
	return due, err
}

// Settle records what became of a message and gives up its lease. A message
// that another sender has leased since is left to that one.
func (db *DB) Settle(ctx context.Context, m exposure.OutboxMessage) error {
	return db.Write(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, "UPDATE outbox SET state = $1, attempts = $2, next_at = $3, leased = 0, error = $4 WHERE id = $5 AND leased = $6 AND state = $7",
			m.State, m.Attempts, m.NextAt, m.LastError, m.ID, m.LeaseAt, exposure.OutboxWaiting)
		return err
	})
}

// Resend lets a message that was given up be tried again, as often as a new one.
func (db *DB) Resend(ctx context.Context, id, now int64) error {
	return db.Write(ctx, func(tx *Tx) error {
		r, err := tx.tx.ExecContext(ctx, "UPDATE outbox SET state = $1, attempts = 0, next_at = $2, leased = 0 WHERE id = $3 AND state = $4", exposure.OutboxWaiting, now, id, exposure.OutboxFailed)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return exposure.Errorf(exposure.Conflict, "message %d is not one that was given up", id)
	})
}

// Messages lists the newest messages of the outbox.
func (db *DB) Messages(ctx context.Context, limit int) ([]exposure.OutboxMessage, error) {
	var all []exposure.OutboxMessage
	err := each(ctx, db.read, "SELECT "+outboxColumns+" FROM outbox ORDER BY id DESC LIMIT $1", []any{limit}, func(rows *sql.Rows) error {
		m, err := scanMessage(rows)
		all = append(all, m)
		return err
	})
	return all, explain(err)
}
