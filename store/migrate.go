package store

import (
	"context"
	"embed"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/leeward-ctem/leeward/exposure"
)

// migrateTries bounds how often a SQLite database is looked at again while
// another process makes its schema: for about four seconds.
const migrateTries = 20

// migrateFile is Migrate for SQLite, which has no lock that holds over the look
// at the version and the migration: of two processes that start at once, one
// finds the file locked, or tables or columns that were not there a moment ago.
// When the other is done there is nothing left to do.
func (db *DB) migrateFile(ctx context.Context) error {
	for try := 1; ; try++ {
		err := db.Migrate(ctx)
		if err == nil || try == migrateTries {
			return err
		}
		text := err.Error()
		if !strings.Contains(text, "SQLITE_BUSY") && !strings.Contains(text, "database is locked") && !strings.Contains(text, "already exists") && !strings.Contains(text, "duplicate column") {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 20 * time.Millisecond):
		}
	}
}

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema up to date, and refuses a database that a newer
// binary made: an old one could misread what it does not know.
func (db *DB) Migrate(ctx context.Context) error {
	folder, dialect := "migrations/sqlite", database.DialectSQLite3
	if db.engine == enginePostgres {
		folder, dialect = "migrations/postgres", database.DialectPostgres
	}
	sub, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db.write, sub, goose.WithTableName("schema_version"))
	if err != nil {
		return err
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	if db.engine == enginePostgres {
		// Two servers that start at once migrate one after the other.
		conn, err := db.write.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", writeLock); err != nil {
			return err
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", writeLock)
	}
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	if version > newest {
		return exposure.Errorf(exposure.Unsupported, "this database has schema version %d and this binary knows only %d: run a newer leeward, or restore a backup made by this one", version, newest)
	}
	if version < newest {
		if _, err := p.Up(ctx); err != nil {
			return err
		}
	}
	return nil
}

// newestSchema is the version that the migrations lead to: the number at the
// beginning of the last file, on both engines.
func newestSchema() (int64, error) {
	files, err := fs.ReadDir(migrations, "migrations/sqlite")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, f := range files {
		n, err := goose.NumericComponent(f.Name())
		if err != nil {
			return 0, err
		}
		newest = max(newest, n)
	}
	return newest, nil
}
