package store

import (
	"context"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/leeward-ctem/leeward/exposure"
)

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
