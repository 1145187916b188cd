// Package store is the only place with SQL. It keeps assets, findings, scans
// and events in SQLite (one file, the default) or PostgreSQL, by the same
// tables and mostly the same statements.
//
// Writers take turns: [DB.Write] holds the one write lock of the database, in
// whichever process, from its begin to its commit. Event numbers are therefore
// in commit order and finding numbers dense, which the index relies on.
// Readers never wait for writers.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the "sqlite" driver

	"github.com/leeward-ctem/leeward/exposure"
)

// DB is an open database.
type DB struct {
	engine engine
	write  *sql.DB       // SQLite: one connection; PostgreSQL: the pool
	read   *sql.DB       // SQLite: several read-only connections; PostgreSQL: the pool
	pool   *pgxpool.Pool // PostgreSQL only
	file   string        // SQLite only
}

type engine uint8

const (
	engineSQLite engine = iota
	enginePostgres
)

// FileName is the name of the database file in a data directory.
const FileName = "leeward.db"

// Open opens the SQLite database in the directory dir, creating both when
// they do not exist, and brings the schema up to date.
func Open(ctx context.Context, dir string) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, exposure.Errorf(exposure.Unavailable, "cannot make the data directory %s: %w: choose another with --data", dir, err)
	}
	return openFile(ctx, filepath.Join(dir, FileName))
}

func openFile(ctx context.Context, file string) (*DB, error) {
	if f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, exposure.Errorf(exposure.Unavailable, "cannot open the database %s: %w: check its owner and permissions, or choose another directory with --data", file, err)
	} else {
		f.Close()
	}
	dsn := func(extra ...string) string {
		q := url.Values{"_pragma": append([]string{
			"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(NORMAL)",
			"temp_store(MEMORY)",
		}, extra...), "_txlock": {"immediate"}}
		return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode()
	}
	db := &DB{engine: engineSQLite, file: file}
	var err error
	// A large cache keeps the upper pages of the indexes in memory during bulk
	// imports. It costs about twice its size. A page of an index changes again
	// and again meanwhile, so it is written back rarely: at 128 MiB of log.
	if db.write, err = sql.Open("sqlite", dsn("cache_size(-16384)", "wal_autocheckpoint(32000)")); err != nil {
		return nil, err
	}
	db.write.SetMaxOpenConns(1)
	if db.read, err = sql.Open("sqlite", strings.Replace(dsn("query_only(1)", "mmap_size(67108864)"), "_txlock=immediate", "_txlock=deferred", 1)); err != nil {
		return nil, err
	}
	db.read.SetMaxOpenConns(max(4, runtime.NumCPU()))
	if err := db.migrateFile(ctx); err != nil {
		db.Close()
		return nil, explain(err)
	}
	return db, nil
}

// OpenPostgres opens a PostgreSQL database by its connection string and
// brings the schema up to date.
func OpenPostgres(ctx context.Context, dsn string) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The parser's message may quote the password.
		return nil, exposure.Errorf(exposure.Invalid, "the database address is not understood: use postgres://user:password@host:port/name")
	}
	cfg.MaxConns = max(cfg.MaxConns, 8)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, exposure.Errorf(exposure.Unavailable, "cannot reach PostgreSQL at %s:%d, database %q: check that it runs and that the address is right (%w)", cfg.ConnConfig.Host, cfg.ConnConfig.Port, cfg.ConnConfig.Database, err)
	}
	db := &DB{engine: enginePostgres, pool: pool}
	db.write = stdlib.OpenDBFromPool(pool)
	db.read = db.write
	var version int
	if err := db.read.QueryRowContext(ctx, "SHOW server_version_num").Scan(&version); err != nil {
		db.Close()
		return nil, err
	}
	if version < 150000 {
		db.Close()
		return nil, exposure.Errorf(exposure.Unsupported, "this PostgreSQL is version %d: Leeward needs 15 or newer", version/10000)
	}
	if err := db.Migrate(ctx); err != nil {
		db.Close()
		return nil, explain(err)
	}
	return db, nil
}

// Close closes all connections.
func (db *DB) Close() error {
	var errs []error
	if db.read != nil && db.read != db.write {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	if db.pool != nil {
		db.pool.Close()
	}
	return errors.Join(errs...)
}

// Postgres reports whether the engine is PostgreSQL.
func (db *DB) Postgres() bool { return db.engine == enginePostgres }

// SQL gives the job queue its way into the same database.
func (db *DB) SQL() (write *sql.DB, pool *pgxpool.Pool) { return db.write, db.pool }

// writeLock is the advisory lock that makes PostgreSQL writers take turns.
const writeLock = 0x1EE3A2D

// Tx is one write transaction. It is valid until the function it was passed
// to returns.
type Tx struct {
	db   *DB
	conn *sql.Conn
	tx   *sql.Tx
	seq  int64 // last event written or read
	rows *statements
}

// SQL returns the transaction for the job queue, which enqueues in it.
func (tx *Tx) SQL() *sql.Tx { return tx.tx }

// Write runs f in a transaction that holds the write lock of the database.
// When f fails, or the commit does, nothing of it happened.
func (db *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return explain(err)
	}
	defer conn.Close()
	sqlTx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return explain(err)
	}
	defer sqlTx.Rollback()
	if db.engine == enginePostgres {
		if _, err := sqlTx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", writeLock); err != nil {
			return explain(err)
		}
	}
	if err := f(&Tx{db: db, conn: conn, tx: sqlTx}); err != nil {
		return explain(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return explain(sqlTx.Commit())
}

// explain turns the faults of the environment into sentences with a way out.
func explain(err error) error {
	if err == nil {
		return nil
	}
	var known *exposure.Error
	if errors.As(err, &known) {
		return err
	}
	text := err.Error()
	var remote *pgconn.PgError
	errors.As(err, &remote)
	switch {
	case remote != nil && remote.Code == "53100", strings.Contains(text, "database or disk is full"), strings.Contains(text, "SQLITE_FULL"), strings.Contains(text, "no space left on device"), strings.Contains(text, "could not extend file"):
		return exposure.Errorf(exposure.Unavailable, "the disk of the database is full: free some space and run it again; nothing was lost (%w)", err)
	case strings.Contains(text, "SQLITE_BUSY"), strings.Contains(text, "database is locked"):
		return exposure.Errorf(exposure.Unavailable, "another process is writing to the database for more than 30 seconds: try again when it is done (%w)", err)
	case strings.Contains(text, "file is not a database"), strings.Contains(text, "disk image is malformed"), strings.Contains(text, "malformed database schema"):
		return exposure.Errorf(exposure.Unavailable, "the database file is damaged: restore the last backup with `leeward restore` (%w)", err)
	case strings.Contains(text, "attempt to write a readonly database"), errors.Is(err, fs.ErrPermission):
		return exposure.Errorf(exposure.Unavailable, "the database cannot be written: check the owner and permissions of the data directory (%w)", err)
	}
	return fmt.Errorf("database: %w", err)
}
