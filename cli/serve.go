package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/server"
)

type serveCmd struct {
	Addr    string `help:"Address to listen on." default:"127.0.0.1:8080" env:"LEEWARD_ADDR"`
	Demo    bool   `help:"Load an invented company first, to look around; one click removes it."`
	Offline bool   `help:"Never fetch anything; bring feeds with leeward feeds import." env:"LEEWARD_OFFLINE"`
	Trust   string `help:"Take only bundles of feeds that one of these keys signed: a public key, or a directory of them (*.pub)." env:"LEEWARD_FEEDS_TRUST" placeholder:"FILE|DIR" type:"path"`
	Workers int    `help:"How many scans the server runs itself at once; 0: none." default:"2" env:"LEEWARD_WORKERS"`
	Secure  bool   `help:"Mark cookies as https only: set it behind a TLS proxy." env:"LEEWARD_SECURE"`
}

func (c *serveCmd) Run(ctx context.Context, r *run) error {
	l, err := net.Listen("tcp", c.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return exposure.Errorf(exposure.Unavailable, "%s is in use: stop what listens there or choose another address with --addr", c.Addr)
	} else if err != nil {
		return exposure.Errorf(exposure.Unavailable, "cannot listen on %s: %w", c.Addr, err)
	}
	defer l.Close()
	a, err := r.openApp(ctx)
	if err != nil {
		return err
	}
	defer a.close(context.WithoutCancel(ctx))
	a.log, a.trust = slog.New(slog.NewTextHandler(r.Err, nil)), c.Trust
	if _, err := trustedKeys(a.trust); err != nil {
		return err
	}
	if c.Demo {
		fmt.Fprintln(r.Err, "Loading the demo: 120 days of an invented company …")
		if err := a.LoadDemo(ctx); err != nil {
			return err
		}
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "leeward_findings", Help: "Findings in the index, open or not."}, func() float64 { return float64(a.ix.View().Len()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "leeward_assets", Help: "Assets in the index."}, func() float64 { return float64(a.ix.View().Assets()) }))
	token, removeNote, err := r.leaveNote(l.Addr().String())
	if err != nil {
		return err
	}
	defer removeNote()
	srv, err := server.New(server.Config{
		Backend: a, Accounts: a.db, Sessions: a.db.Sessions(r.Now), Log: a.log, Now: r.Now, Version: version,
		LocalToken: token, Secure: c.Secure, Metrics: metrics, Formats: formatTitles(),
	})
	if err != nil {
		return err
	}
	a.publish, a.offline, a.ending = srv.Publish, c.Offline, ctx.Done()
	// The demo brings its own knowledge: who only looks around downloads nothing.
	if err := a.startCycle(ctx, !c.Offline && !c.Demo); err != nil {
		return err
	}
	defer a.stopCycle(ctx)
	defer a.startWorkers(ctx, c.Workers, r.Env)()
	go a.keepLeave(ctx, "")
	// The first page is not the one to wait for it.
	go func() {
		a.Remediations(context.WithoutCancel(ctx), "")
		a.Measures(context.WithoutCancel(ctx), "")
	}()
	link, err := srv.SetupLink(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.Err, "Leeward serves on http://%s\n", l.Addr())
	if link != "" {
		fmt.Fprintf(r.Err, "Make the first account here, once: http://%s%s\n", l.Addr(), link)
	}
	return srv.Serve(ctx, l)
}

// noteName is the file that tells local commands where the server is.
const noteName = "server.json"

// note tells commands on the same machine where the server of a data directory is.
type note struct {
	Addr  string `json:"addr"`
	Token string `json:"token"`
	PID   int    `json:"pid"`
}

// leaveNote writes the note for local commands, readable by the owner only.
func (r *run) leaveNote(addr string) (token string, remove func(), err error) {
	if r.Database != "" {
		return "", func() {}, nil // several servers share the database
	}
	token = server.NewToken()
	body, err := json.Marshal(note{addr, token, os.Getpid()})
	if err != nil {
		return "", nil, err
	}
	file := filepath.Join(r.dir(), noteName)
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return "", nil, exposure.Errorf(exposure.Unavailable, "cannot write %s: %w", file, err)
	}
	return token, func() { os.Remove(file) }, nil
}

// startCycle begins to run the loop's tasks. Feeds are fetched on their
// schedules only when fetch says so.
func (a *app) startCycle(ctx context.Context, fetch bool) error {
	conn, pool := a.db.SQL()
	tasks := []cycle.Task{
		{Name: "rescore", Title: "Score everything for the new day", Every: time.Hour, Do: a.rescore},
		{Name: "follow", Title: "Take up what other processes wrote", Every: 10 * time.Second, Do: a.follow},
		{Name: "intel", Title: "Take up what feeds brought", Every: 30 * time.Second, Do: a.keepUp},
		{Name: rematchTask, Title: "Match the kept inventory against the advisories", Every: 30 * time.Second, Limit: time.Hour, Do: a.rematch},
		{Name: "snapshot", Title: "Save the index for a fast start", Every: 15 * time.Minute, Do: a.saveIndex},
		{Name: "verdicts", Title: "Let go of verdicts that ran out", Every: 10 * time.Minute, Do: a.expireVerdicts},
		{Name: "exceptions", Title: "End exceptions that ran out", Every: time.Minute, Do: a.expire},
		{Name: "rollup", Title: "Record the figures of the day", Every: time.Hour, Do: func(ctx context.Context) error { return a.rollup(ctx, a.now()) }},
		{Name: "notice", Title: "Tell receivers what happened", Every: 30 * time.Second, Do: a.notice},
		{Name: "overdue", Title: "Tell receivers what is overdue", Every: 6 * time.Hour, Do: a.overdue},
		{Name: "plans", Title: "Start scans that are due", Every: 15 * time.Second, Do: a.runPlans},
		{Name: "outbox", Title: "Send what waits in the outbox", Every: 15 * time.Second, Do: a.deliver},
	}
	tasks = append(tasks, a.feedTasks(fetch)...)
	var err error
	if a.cycle, err = cycle.New(ctx, conn, pool, a.log, tasks...); err != nil {
		return err
	}
	return a.cycle.Start(context.WithoutCancel(ctx))
}

// feedTasks are the tasks that fetch feeds, one a feed: one that fails holds up
// no other. A feed on request has one, too, and it does nothing until somebody
// asked.
func (a *app) feedTasks(fetch bool) (tasks []cycle.Task) {
	for _, f := range a.feeds.Registered {
		src := f.Source()
		t := cycle.Task{Name: feedTask(src.Name), Title: "Fetch " + src.Title, Limit: time.Hour, Do: func(ctx context.Context) error { return a.fetchFeed(ctx, src.Name) }}
		if fetch {
			t.Every = src.Every
		}
		tasks = append(tasks, t)
	}
	return tasks
}

func feedTask(name string) string { return "feed." + name }

// fetchFeed updates one feed. The job fails when it did not work, so that
// people see it and it is tried again; the last good copy is kept.
func (a *app) fetchFeed(ctx context.Context, name string) error {
	states, err := a.updateFeeds(ctx, []string{name}, intel.Options{Scheduled: true})
	if err != nil {
		return err
	}
	for _, s := range states {
		if s.Error != "" {
			return errors.New(s.Error)
		}
	}
	return nil
}

// RequestFeeds asks for feeds to be fetched in the background.
func (a *app) RequestFeeds(ctx context.Context, names []string) error {
	if a.offline {
		return exposure.Errorf(exposure.Unsupported, "this server was started with --offline and fetches nothing: bring feeds with `leeward feeds import`")
	}
	if err := a.feeds.Want(ctx, names); err != nil {
		return err
	}
	for _, f := range a.feeds.Registered {
		if name := f.Source().Name; len(names) == 0 || slices.Contains(names, name) {
			if err := a.cycle.Request(ctx, feedTask(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *app) stopCycle(ctx context.Context) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := a.cycle.Stop(grace); err != nil {
		a.log.Warn("jobs did not stop in time", slog.Any("err", err))
	}
}

// rescore moves the model to today: ages and the decay of evidence change
// scores without any event.
func (a *app) rescore(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, err := modelOf(a.programme, a.now())
	if err != nil {
		return err
	}
	if m.Today() == a.model.Today() && m.Version() == a.model.Version() {
		return nil
	}
	a.model = m
	a.ix.SetModel(m)
	return nil
}

func (a *app) saveIndex(ctx context.Context) error {
	if a.dir == "" {
		return nil
	}
	identity, err := a.db.Identity(ctx)
	if err != nil {
		return err
	}
	return a.ix.Save(a.snapshotFile(), identity)
}

// expire ends exceptions whose time is over.
func (a *app) expire(ctx context.Context) error {
	n, err := a.db.ExpireExceptions(ctx, a.now().UnixMilli())
	if err != nil || n == 0 {
		return err
	}
	return a.ix.CatchUp(ctx, a.db)
}

// Jobs lists the newest jobs.
func (a *app) Jobs(ctx context.Context) ([]cycle.Job, error) { return a.cycle.Jobs(ctx, 200) }

// RetryJob runs a job again.
func (a *app) RetryJob(ctx context.Context, id int64) error { return a.cycle.Retry(ctx, id) }
