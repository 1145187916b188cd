package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxAlertBody bounds one alert as JSON. Names come from reports.
const maxAlertBody = 64 << 10

// AddAlerts keeps alerts, in the transaction of the change that they tell of,
// and returns those that were not told before, with their numbers. The greatest
// expected loss gets the highest number, so it comes first among equally new.
func (tx *Tx) AddAlerts(ctx context.Context, alerts []exposure.Alert) (added []exposure.Alert, err error) {
	next, err := tx.next(ctx, "alert", "id")
	if err != nil {
		return nil, err
	}
	alerts = slices.Clone(alerts)
	slices.SortStableFunc(alerts, func(a, b exposure.Alert) int {
		if a.Kind.Notice() != b.Kind.Notice() {
			return int(truth(b.Kind.Notice()) - truth(a.Kind.Notice()))
		}
		return cmp.Compare(a.Loss, b.Loss)
	})
	for _, a := range alerts {
		body, err := json.Marshal(a)
		if err != nil {
			return nil, err
		}
		if len(body) > maxAlertBody {
			return nil, fmt.Errorf("the alert %q has %d bytes", a.Key, len(body))
		}
		r, err := tx.tx.ExecContext(ctx, "INSERT INTO alert (id, key, at, kind, advisory, body, acked, acked_by) VALUES ($1, $2, $3, $4, $5, $6, 0, '') ON CONFLICT (key) DO NOTHING",
			next, a.Key, a.At, string(a.Kind), int64(a.Advisory), compress(body))
		if err != nil {
			return nil, err
		}
		if n, err := r.RowsAffected(); err != nil {
			return nil, err
		} else if n > 0 {
			a.ID = next
			added = append(added, a)
			next++
		}
	}
	return added, nil
}

// AlertQuery selects alerts. What is zero does not matter.
type AlertQuery struct {
	Kinds    []exposure.AlertKind
	Since    int64 // unix milliseconds
	Unseen   bool  // nobody took note of them
	Advisory exposure.AdvisoryID
	Before   int64 // number of the last of the page before
	Limit    int
}

func (q *AlertQuery) where() (string, []any) {
	parts, args := []string{"1 = 1"}, []any{}
	add := func(format string, value any) {
		args = append(args, value)
		parts = append(parts, fmt.Sprintf(format, len(args)))
	}
	if len(q.Kinds) > 0 {
		var places []string
		for _, k := range q.Kinds {
			args = append(args, string(k))
			places = append(places, fmt.Sprintf("$%d", len(args)))
		}
		parts = append(parts, "kind IN ("+strings.Join(places, ", ")+")")
	}
	if q.Since > 0 {
		add("at >= $%d", q.Since)
	}
	if q.Unseen {
		parts = append(parts, "acked = 0")
	}
	if q.Advisory != 0 {
		add("advisory <> 0 AND advisory = $%d", int64(q.Advisory))
	}
	return strings.Join(parts, " AND "), args
}

// Alerts returns the alerts of a query, newest first, and of those equally new
// the greatest expected loss first.
func (db *DB) Alerts(ctx context.Context, q AlertQuery) ([]exposure.Alert, error) {
	where, args := q.where()
	if q.Before > 0 {
		args = append(args, q.Before)
		where += fmt.Sprintf(" AND id < $%d", len(args))
	}
	args = append(args, q.Limit)
	var all []exposure.Alert
	err := each(ctx, db.read, fmt.Sprintf("SELECT id, body, acked, acked_by FROM alert WHERE %s ORDER BY id DESC LIMIT $%d", where, len(args)), args, func(rows *sql.Rows) error {
		var id, acked int64
		var packed []byte
		var by string
		if err := rows.Scan(&id, &packed, &acked, &by); err != nil {
			return err
		}
		body, err := decompress(packed)
		if err != nil {
			return err
		}
		var a exposure.Alert
		if err := json.Unmarshal(body, &a); err != nil {
			return err
		}
		a.ID, a.AckedAt, a.AckedBy = id, acked, by
		all = append(all, a)
		return nil
	})
	return all, explain(err)
}

// CountAlerts counts the alerts of a query.
func (db *DB) CountAlerts(ctx context.Context, q AlertQuery) (n int, err error) {
	where, args := q.where()
	err = db.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM alert WHERE "+where, args...).Scan(&n)
	return n, explain(err)
}

// Acknowledge notes that somebody took note of an alert, or, with upTo, of all
// up to it that nobody took note of. The first to do so stays. An alert that is
// not there is NotFound.
func (db *DB) Acknowledge(ctx context.Context, id int64, upTo bool, actor string, at int64) (n int, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		compare := "="
		if upTo {
			compare = "<="
		}
		r, err := tx.tx.ExecContext(ctx, "UPDATE alert SET acked = $1, acked_by = $2 WHERE id "+compare+" $3 AND acked = 0", at, actor, id)
		if err != nil {
			return err
		}
		changed, err := r.RowsAffected()
		if n = int(changed); err != nil || n > 0 || upTo {
			return err
		}
		var known int
		if err := tx.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM alert WHERE id = $1", id).Scan(&known); err != nil || known > 0 {
			return err
		}
		return exposure.Errorf(exposure.NotFound, "there is no alert %d", id)
	})
	return n, err
}

// PruneAlerts removes alerts from before a time. What they told of is stored
// with the advisories, so it is not told again.
func (tx *Tx) PruneAlerts(ctx context.Context, before int64) error {
	if err := tx.keepFloor(ctx, "alert", "id"); err != nil {
		return err
	}
	_, err := tx.tx.ExecContext(ctx, "DELETE FROM alert WHERE at < $1", before)
	return err
}
