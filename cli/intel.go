package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/server"
)

// knowledge is the feeds' snapshot as the import asks it, with the demo's
// invented facts while demo data is present.
type knowledge struct{ a *app }

// snapshot is what the feeds know together. When the kept copies cannot be
// read, reports are taken in all the same and scored when they can: the job
// that updates the feeds says what is wrong.
func (k knowledge) snapshot() *intel.Snapshot {
	s, err := k.a.feeds.Snapshot(context.Background())
	if err != nil {
		k.a.blind.Do(func() { k.a.log.Warn("reports are read without threat intelligence", slog.Any("err", err)) })
		return &intel.Snapshot{}
	}
	return s
}

// Canonical resolves an alias.
func (k knowledge) Canonical(id string) string { return k.snapshot().Canonical(id) }

// Threat returns the worst of what is known about several ids.
func (k knowledge) Threat(ids []string) exposure.Threat { return k.threat(k.snapshot(), ids) }

func (k knowledge) threat(s *intel.Snapshot, ids []string) exposure.Threat {
	t := s.Threat(ids)
	if demo := k.a.demo.Load(); demo != nil {
		for _, id := range ids {
			if known, ok := (*demo)[id]; ok && !t.Scored() && !t.KEV() {
				intel.Merge(&t, &known)
			}
		}
	}
	return t
}

// Feeds answers with the state of every feed.
func (a *app) Feeds(ctx context.Context) ([]server.FeedStatus, error) {
	states, err := a.feeds.States(ctx)
	if err != nil {
		return nil, err
	}
	return a.describe(states), nil
}

// UpdateFeeds fetches feeds and scores by what is new.
func (a *app) UpdateFeeds(ctx context.Context, r server.FeedsRequest) ([]server.FeedStatus, error) {
	states, changed, err := a.feeds.Update(ctx, r.Names, intel.Options{
		Locations: r.Locations, Force: r.Force,
		Progress: func(feed, doing string) { a.tell("feed", map[string]string{"feed": feed, "doing": doing}) },
	})
	if changed { // also when a later feed was cut off
		if _, err := a.enrich(context.WithoutCancel(ctx)); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	a.tell("feeds", nil)
	return a.describe(states), nil
}

// ImportFeeds takes a bundle of feeds.
func (a *app) ImportFeeds(ctx context.Context, bundle io.Reader, force bool) ([]server.FeedStatus, error) {
	f, err := os.CreateTemp("", "leeward-bundle-*")
	if err != nil {
		return nil, exposure.Errorf(exposure.Unavailable, "cannot write a temporary file: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	size, err := io.Copy(f, io.LimitReader(bundle, maxBundle+1))
	if err != nil {
		return nil, err
	}
	if size > maxBundle {
		return nil, exposure.Errorf(exposure.Invalid, "the bundle has more than %d bytes, so it is none of ours", int64(maxBundle))
	}
	states, changed, err := a.feeds.Import(ctx, io.NewSectionReader(f, 0, size), force)
	if err != nil {
		return nil, err
	}
	if changed {
		if _, err := a.enrich(ctx); err != nil {
			return nil, err
		}
	}
	return a.describe(states), nil
}

const maxBundle = 4 << 30

// ExportFeeds writes a bundle of the kept feeds.
func (a *app) ExportFeeds(ctx context.Context, w io.Writer) error {
	_, err := a.feeds.Export(ctx, w)
	return err
}

// describe puts states and their sources together.
func (a *app) describe(states []intel.State) []server.FeedStatus {
	rows := []server.FeedStatus{}
	for _, s := range states {
		for _, f := range a.feeds.Registered {
			src := f.Source()
			if src.Name != s.Name {
				continue
			}
			row := server.FeedStatus{
				Name: s.Name, Title: src.Title, Locations: s.Locations, Licence: src.Licence, Attribution: src.Attribution,
				Records: s.Facts(), Version: s.Version(), Date: stamp(s.Date()), Fetched: stamp(s.Fetched()),
				Every: src.Every.Hours(), Stale: s.Stale(src, a.now()), Error: s.Error,
			}
			if len(row.Locations) == 0 {
				row.Locations = src.URLs
			}
			if len(s.Parts) == 1 {
				row.SHA256 = s.Parts[0].SHA256
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
