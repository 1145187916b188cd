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
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/server"
)

type serveCmd struct {
	Addr   string `help:"Address to listen on." default:"127.0.0.1:8080" env:"LEEWARD_ADDR"`
	Secure bool   `help:"Mark cookies as https only: set it behind a TLS proxy." env:"LEEWARD_SECURE"`
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
	a.log = slog.New(slog.NewTextHandler(r.Err, nil))
	if err := a.startCycle(ctx); err != nil {
		return err
	}
	defer a.stopCycle(ctx)
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
		LocalToken: token, Secure: c.Secure, Metrics: metrics,
	})
	if err != nil {
		return err
	}
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
	file := filepath.Join(r.dir(), "server.json")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return "", nil, exposure.Errorf(exposure.Unavailable, "cannot write %s: %w", file, err)
	}
	return token, func() { os.Remove(file) }, nil
}

// startCycle begins to run the loop's tasks.
func (a *app) startCycle(ctx context.Context) error {
	conn, pool := a.db.SQL()
	var err error
	a.cycle, err = cycle.New(ctx, conn, pool, a.log,
		cycle.Task{Name: "rescore", Title: "Score everything for the new day", Every: time.Hour, Do: a.rescore},
		cycle.Task{Name: "follow", Title: "Take up what other processes wrote", Every: 10 * time.Second, Do: func(ctx context.Context) error { return a.ix.CatchUp(ctx, a.db) }},
		cycle.Task{Name: "snapshot", Title: "Save the index for a fast start", Every: 15 * time.Minute, Do: a.saveIndex},
		cycle.Task{Name: "exceptions", Title: "End exceptions that ran out", Every: time.Minute, Do: a.expire},
	)
	if err != nil {
		return err
	}
	return a.cycle.Start(context.WithoutCancel(ctx))
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
	m, err := prioritize.New(prioritize.Config{}, a.now())
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.model != nil && m.Today() == a.model.Today() && m.Version() == a.model.Version() {
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
