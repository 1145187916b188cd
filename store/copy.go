package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// copyOut writes the whole PostgreSQL database into a SQLite file in dir, from
// one consistent state.
func (db *DB) copyOut(ctx context.Context, dir string) error {
	to, err := openFile(ctx, filepath.Join(dir, FileName))
	if err != nil {
		return err
	}
	if err := copyTables(ctx, db, to); err != nil {
		to.Close()
		return err
	}
	// One file, without a log beside it.
	if _, err := to.write.ExecContext(ctx, "PRAGMA journal_mode = DELETE"); err != nil {
		to.Close()
		return err
	}
	return to.Close()
}

// copyTables copies every table of ours between engines. No findings, events or
// accounts may be in to; what else a server that ran there once left behind is
// replaced.
// The job queue's own tables are not copied: its periodic jobs come by
// themselves, and work that waits is in our tables.
func copyTables(ctx context.Context, from, to *DB) error {
	tables, err := from.tables(ctx)
	if err != nil {
		return err
	}
	src, err := from.read.BeginTx(ctx, &sql.TxOptions{Isolation: isolation(from), ReadOnly: true})
	if err != nil {
		return err
	}
	defer src.Rollback()
	return to.Write(ctx, func(tx *Tx) error {
		var n int64
		if err := tx.tx.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM finding) + (SELECT COUNT(*) FROM event) + (SELECT COUNT(*) FROM account)").Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return exposure.Errorf(exposure.Conflict, "the database to restore into is not empty: create a new one and name it with --database")
		}
		for _, t := range tables {
			if _, err := tx.tx.ExecContext(ctx, "DELETE FROM "+t); err != nil {
				return err
			}
			if err := copyTable(ctx, src, tx, t); err != nil {
				return fmt.Errorf("copy table %s: %w", t, err)
			}
		}
		return nil
	})
}

// isolation is what reads one state throughout. SQLite's transactions do by nature.
func isolation(db *DB) sql.IsolationLevel {
	if db.engine == enginePostgres {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}

func copyTable(ctx context.Context, src querier, tx *Tx, table string) error {
	var columns []string
	var batch [][]any
	flush := func() error {
		err := tx.insert(ctx, table, columns, len(batch), func(i int) []any { return batch[i] })
		batch = batch[:0]
		return err
	}
	err := each(ctx, src, "SELECT * FROM "+table, nil, func(rows *sql.Rows) error {
		if columns == nil {
			names, err := rows.Columns()
			if err != nil {
				return err
			}
			for _, n := range names {
				columns = append(columns, `"`+n+`"`)
			}
		}
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if batch = append(batch, values); len(batch) == batchRows {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// batchRows bounds the memory of a copy; an evidence block is up to 256 KiB.
const batchRows = 500

// tables lists our tables.
func (db *DB) tables(ctx context.Context) ([]string, error) {
	query := "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
	if db.engine == enginePostgres {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
	}
	var all []string
	err := each(ctx, db.read, query, nil, func(rows *sql.Rows) error {
		var t string
		err := rows.Scan(&t)
		if t != "schema_version" && !strings.HasPrefix(t, "sqlite_") && !strings.HasPrefix(t, "river_") && t != "notification" {
			all = append(all, t)
		}
		return err
	})
	return all, err
}
