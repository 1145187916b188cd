package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
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

// Threat returns the worst of what is known about several ids, and what that
// is to us.
func (k knowledge) Threat(ids []string, cwes []int) exposure.Threat {
	s := k.snapshot()
	return k.threat(s, k.a.tailored(s), ids, cwes)
}

func (k knowledge) threat(s *intel.Snapshot, us *intel.Tailor, ids []string, cwes []int) exposure.Threat {
	t := s.Threat(ids)
	t.Tailored = us.Of(ids, cwes)
	if demo := k.a.demo.Load(); demo != nil {
		for _, id := range ids {
			if known, ok := (*demo)[id]; ok && !t.Scored() && !t.KEV() {
				intel.Merge(&t, &known)
			}
		}
	}
	return t
}

// tailorCache keeps what the landscape means for the profile in force until
// either changes.
type tailorCache struct {
	mu      sync.Mutex
	of      *intel.Snapshot
	profile string // as it is written
	is      *intel.Tailor
}

// tailored is what a snapshot means for us.
func (a *app) tailored(s *intel.Snapshot) *intel.Tailor {
	p, _ := a.inForce()
	key := a.profileKey()
	c := &a.tailors
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.is == nil || c.of != s || c.profile != key {
		c.of, c.profile, c.is = s, key, s.Tailor(p.Profile)
	}
	return c.is
}

// profileKey is the profile in force in one text, empty for none.
func (a *app) profileKey() string {
	p, _ := a.inForce()
	if p == nil || p.Profile.Empty() {
		return ""
	}
	return fmt.Sprintf("%q %q", p.Profile.Sectors, p.Profile.Countries)
}

// namesOf are the names by which the feeds know an advisory.
func namesOf(a *exposure.Advisory) []string { return append(a.CVEs[:len(a.CVEs):len(a.CVEs)], a.Key) }

// Why what is known of advisories changed.
const (
	feedsChanged   = "intelligence changed"
	profileChanged = "the profile of the programme changed"
)

// learn takes up what feeds brought that changed.
func (a *app) learn(ctx context.Context) error {
	if _, err := a.enrich(ctx); err != nil {
		return err
	}
	return a.keepScores(ctx)
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
	return a.updateFeeds(ctx, r.Names, intel.Options{Locations: r.Locations, Force: r.Force})
}

func (a *app) updateFeeds(ctx context.Context, names []string, o intel.Options) ([]server.FeedStatus, error) {
	o.Progress = func(feed, doing string) { a.tell("feed", map[string]string{"feed": feed, "doing": doing}) }
	states, changed, err := a.feeds.Update(ctx, names, o)
	if changed { // also when a later feed was cut off
		if err := a.learn(context.WithoutCancel(ctx)); err != nil {
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
	trusted, err := trustedKeys(a.trust)
	if err != nil {
		return nil, err
	}
	file := io.NewSectionReader(f, 0, size)
	seal, err := intel.CheckBundle(file, trusted...)
	if err != nil {
		return nil, err
	}
	states, changed, err := a.feeds.Import(ctx, file, force, trusted...)
	if err != nil {
		return nil, err
	}
	a.log.Info("a bundle of feeds was taken", slog.String("signed_by", orElse(seal.Signer, "nobody")), slog.Bool("trusted", seal.Trusted))
	if changed {
		if err := a.learn(ctx); err != nil {
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
				Every: src.Every.Hours(), Stale: s.Stale(src, a.now()), OnRequest: src.OnRequest && !s.Wanted(src), Notice: s.Notice(), Error: s.Error,
			}
			if len(row.Locations) == 0 {
				row.Locations = append([]string{}, src.URLs...)
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
