package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// rowsPerInsert is how many rows one INSERT carries on SQLite: most of the
// cost of a row in this driver is the call, not the row.
const rowsPerInsert = 250

// statements keeps the prepared bulk INSERTs of a transaction's connection.
type statements struct {
	prepared map[string]*sql.Stmt
}

// insert adds n rows; row(i) returns the values of row i in the order of
// columns and may reuse its slice.
func (tx *Tx) insert(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	if n == 0 {
		return nil
	}
	if tx.db.engine == enginePostgres && n > 20 {
		return tx.copyIn(ctx, table, columns, n, row)
	}
	size := rowsPerInsert
	args := make([]any, 0, size*len(columns))
	for at := 0; at < n; {
		for size > n-at {
			if size = size / 2; size < 16 {
				size = 1
			}
		}
		args = args[:0]
		for i := range size {
			args = append(args, row(at+i)...)
		}
		stmt, err := tx.prepareInsert(ctx, table, columns, size)
		if err != nil {
			return err
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
		at += size
	}
	return nil
}

func (tx *Tx) prepareInsert(ctx context.Context, table string, columns []string, rows int) (*sql.Stmt, error) {
	key := fmt.Sprintf("%s/%d", table, rows)
	if tx.rows == nil {
		tx.rows = &statements{prepared: map[string]*sql.Stmt{}}
	}
	if s := tx.rows.prepared[key]; s != nil {
		return s, nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, strings.Join(columns, ", "))
	// SQLite's driver looks named parameters up one by one, so thousands of $N
	// cost more than the rows; ? has no name.
	p := 1
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for j := range columns {
			if j > 0 {
				b.WriteByte(',')
			}
			if tx.db.engine == enginePostgres {
				fmt.Fprintf(&b, "$%d", p)
				p++
			} else {
				b.WriteByte('?')
			}
		}
		b.WriteByte(')')
	}
	s, err := tx.tx.PrepareContext(ctx, b.String())
	if err == nil {
		tx.rows.prepared[key] = s
	}
	return s, err
}

// copyIn is PostgreSQL's bulk path.
func (tx *Tx) copyIn(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = strings.Trim(c, `"`)
	}
	return tx.conn.Raw(func(driver any) error {
		c := driver.(*stdlib.Conn).Conn()
		_, err := c.CopyFrom(ctx, pgx.Identifier{table}, names, pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			return append([]any(nil), row(i)...), nil
		}))
		if err != nil {
			return fmt.Errorf("copy into %s: %w", table, err)
		}
		return nil
	})
}

// each runs a query and calls scan for every row.
func each(ctx context.Context, q querier, query string, args []any, scan func(rows *sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// querier is what *sql.DB, *sql.Tx and *sql.Conn have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// chunks calls f with at most size keys at a time and the text of as many
// parameters: "$1,$2,$3".
func chunks[T any](keys []T, size int, f func(part []T, params string, args []any) error) error {
	for len(keys) > 0 {
		part := keys[:min(size, len(keys))]
		keys = keys[len(part):]
		var b strings.Builder
		args := make([]any, len(part))
		for i, k := range part {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "$%d", i+1)
			args[i] = k
		}
		if err := f(part, b.String(), args); err != nil {
			return err
		}
	}
	return nil
}

// next returns the number after the highest ever used. The write lock makes it
// ours. Rows that were removed leave a floor behind, for a number that once
// meant something else would falsify history and seen-sets.
func (tx *Tx) next(ctx context.Context, table, column string) (int64, error) {
	var n int64
	err := tx.tx.QueryRowContext(ctx, "SELECT CAST(COALESCE(MAX(n), 0) AS BIGINT) FROM (SELECT MAX("+column+") AS n FROM "+table+
		" UNION ALL SELECT CAST(value AS BIGINT) FROM meta WHERE key = $1) AS used", floorKey+table).Scan(&n)
	return n + 1, err
}

const floorKey = "floor."

// keepFloor makes sure that the numbers in use are not given again after rows
// of the table are removed.
func (tx *Tx) keepFloor(ctx context.Context, table, column string) error {
	next, err := tx.next(ctx, table, column)
	if err != nil {
		return err
	}
	_, err = tx.tx.ExecContext(ctx, "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value", floorKey+table, fmt.Sprint(next-1))
	return err
}
