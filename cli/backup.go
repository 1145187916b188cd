package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/store"
)

type backupCmd struct {
	File string `arg:"" help:"Backup to write."`
}

func (c *backupCmd) Run(ctx context.Context, r *run) error {
	db, err := r.database(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	f, err := os.CreateTemp(filepath.Dir(c.File), ".backup-*")
	if err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot write beside %s: %w", c.File, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	m, err := db.Backup(ctx, f, r.Now())
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	// Only a complete backup gets the name.
	if err := os.Rename(f.Name(), c.File); err != nil {
		return err
	}
	fmt.Fprintf(r.Err, "%s: %d findings, database sha256 %s\n", c.File, m.Findings, m.SHA256)
	return nil
}

type restoreCmd struct {
	File  string `arg:"" help:"Backup to read." type:"existingfile"`
	Force bool   `help:"Replace the database that is there; it is kept beside the new one."`
}

func (c *restoreCmd) Run(ctx context.Context, r *run) error {
	if r.running(ctx) != nil {
		return exposure.Errorf(exposure.Conflict, "a server is running on this data directory: stop it, then restore")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	var m store.Manifest
	where := r.dir()
	if r.Database != "" {
		where = "PostgreSQL"
		m, err = store.RestorePostgres(ctx, r.Database, f)
	} else {
		m, err = store.Restore(ctx, where, f, c.Force, r.Now())
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(r.Err, "restored %d findings into %s\n", m.Findings, where)
	return nil
}

// database opens the database that the flags name.
func (r *run) database(ctx context.Context) (*store.DB, error) {
	if r.Database != "" {
		return store.OpenPostgres(ctx, r.Database)
	}
	return store.Open(ctx, r.dir())
}
