package cli

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/store"
)

// app is the house put together over one database: what the server serves and
// what commands use when no server runs.
type app struct {
	db  *store.DB
	ix  *index.Index
	im  *discover.Importer
	log *slog.Logger
	now func() time.Time
	dir string // where the snapshot is kept; empty: nowhere

	cycle *cycle.Cycle // while it serves

	mu    sync.Mutex // what follows changes with a programme or a day
	model *prioritize.Model
}

// openApp opens the database and brings the index up to date.
func (r *run) openApp(ctx context.Context) (*app, error) {
	db, err := r.database(ctx)
	if err != nil {
		return nil, err
	}
	a := &app{db: db, now: r.Now, log: slog.New(slog.NewTextHandler(r.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if !db.Postgres() {
		a.dir = r.dir()
	}
	if err := a.start(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return a, nil
}

func (a *app) start(ctx context.Context) error {
	var err error
	if a.model, err = prioritize.New(prioritize.Config{}, a.now()); err != nil {
		return err
	}
	a.ix = index.New(a.model, unscoped{})
	a.im = &discover.Importer{
		Readers: builtin.Reports(), Store: importStore{a.db}, Index: importIndex{a.ix, a.db}, Intel: ignorant{},
		Redact: func(s string) string { return s }, Now: a.now,
	}
	identity, err := a.db.Identity(ctx)
	if err != nil {
		return err
	}
	if a.dir != "" {
		if _, err := a.ix.Restore(ctx, a.snapshotFile(), identity, a.db); err != nil {
			return err
		}
	}
	return a.ix.CatchUp(ctx, a.db)
}

func (a *app) snapshotFile() string { return filepath.Join(a.dir, "index.snapshot") }

// close saves the index for the next start and closes the database.
func (a *app) close(ctx context.Context) error {
	if a.dir != "" && a.ix.View().Len() > 20_000 { // less is read faster than saved
		if identity, err := a.db.Identity(ctx); err == nil {
			if err := a.ix.Save(a.snapshotFile(), identity); err != nil {
				a.log.Warn("the index was not saved", slog.Any("err", err))
			}
		}
	}
	return a.db.Close()
}

// today is the day that ages and due dates count from.
func (a *app) today() uint16 { return index.DayOf(a.now().UnixMilli()) }

// unscoped is a house without a programme.
type unscoped struct{}

func (unscoped) Context(*exposure.Asset) exposure.Context { return exposure.Context{} }

// ignorant is a house without intelligence.
type ignorant struct{}

func (ignorant) Canonical(id string) string      { return id }
func (ignorant) Threat([]string) exposure.Threat { return exposure.Threat{} }

// dayText is a day as an RFC 3339 date, "" for none.
func dayText(day uint16) string {
	if day == 0 || day == exposure.NoDue {
		return ""
	}
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

func baseTitle(a *exposure.Advisory) string {
	if a.Title != "" {
		return a.Title
	}
	return strings.TrimSpace(a.Key)
}
