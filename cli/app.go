package cli

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/internal/safehttp"
	"github.com/leeward-ctem/leeward/internal/secret"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// app is the house put together over one database: what the server serves and
// what commands use when no server runs.
type app struct {
	db    *store.DB
	ix    *index.Index
	im    *discover.Importer
	feeds *intel.Keeper
	http  *safehttp.Client
	log   *slog.Logger
	now   func() time.Time
	env   func(string) string
	dir   string // where the snapshot is kept; empty: nowhere
	trust string // where the keys are whose bundles are taken; empty: anybody's are

	cycle   *cycle.Cycle             // while it serves
	publish func(kind string, v any) // tells who watches; nil: nobody does
	ending  <-chan struct{}          // closed when the server is to stop; nil: never

	demo      atomic.Pointer[map[string]exposure.Threat] // invented knowledge, while demo data is present
	measured  narrowing[lasting[server.Measures]]
	scoped    narrowing[lasting[server.ScopeReport]]
	grouped   remediationCache
	summed    summaryCache
	heard     sourceCache
	ranked    advisoryCache
	tailors   tailorCache
	faceted   facetCache
	stored    storedCache
	moves     chan struct{} // held while what a programme would move is computed; one at a time
	offline   bool
	few       int                               // findings of which nobody is shown an old answer; 0: fewFindings
	blind     sync.Once                         // said that the feeds cannot be read
	enriching sync.Mutex                        // one enrichment at a time
	merged    atomic.Pointer[map[string]string] // the copies of feeds that the snapshot in memory is made of
	mu        sync.Mutex                        // what follows changes with a programme or a day
	model     *prioritize.Model
	programme *scope.Programme
	version   int64 // of the programme
	past      map[int64]pastProgramme
}

// openApp opens the database and brings the index up to date.
func (r *run) openApp(ctx context.Context) (*app, error) {
	db, err := r.database(ctx)
	if err != nil {
		return nil, err
	}
	a := &app{moves: make(chan struct{}, 1), db: db, now: r.Now, env: r.Env, trust: r.Env(trustVariable), log: slog.New(slog.NewTextHandler(r.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	// The directory is there with SQLite. With PostgreSQL it need not be, and
	// where none can be made there is only no fast start.
	if err := os.MkdirAll(r.dir(), 0o700); err == nil {
		a.dir = r.dir()
	}
	if err := a.start(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return a, nil
}

func (a *app) start(ctx context.Context) error {
	a.http = safehttp.New("leeward/" + version)
	a.feeds = &intel.Keeper{Registered: builtin.Feeds(), Store: a.db, Fetcher: a.http, Now: a.now, Patience: intel.Patient(), Env: a.env}
	if err := a.loadProgramme(ctx); err != nil {
		return err
	}
	a.ix = index.New(a.model, a.programme)
	a.im = &discover.Importer{
		Readers: builtin.Reports(), Store: importStore{a.db}, Index: importIndex{a.ix, a.db}, Intel: knowledge{a},
		Redact: func(s string) string { return secret.Text(s, 0) }, Now: a.now,
	}
	if err := a.recallDemo(ctx); err != nil {
		return err
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

// tell lets those who watch know that something changed.
func (a *app) tell(kind string, v any) {
	if a.publish != nil {
		a.publish(kind, v)
	}
}

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
