package cli

import (
	"context"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// summaryCache keeps the numbers that stand on every page until the index
// moves or a few seconds pass.
type summaryCache struct {
	mu   sync.Mutex
	view *index.View
	day  uint16
	at   time.Time
	sum  server.Summary
	of   map[string]server.Summary // by filter, of the same view
}

// forget lets the numbers from outside the index be read again.
func (c *summaryCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.Time{}
}

// maxSummaries bounds the filters whose numbers are kept.
const maxSummaries = 64

// summaryFor is how old the numbers from outside the index may be.
const summaryFor = 3 * time.Second

// Summary answers with the whole in a few numbers.
func (a *app) Summary(ctx context.Context) (server.Summary, error) {
	c := &a.summed
	c.mu.Lock()
	defer c.mu.Unlock()
	v, now := a.ix.View(), a.now()
	same := c.view == v && c.day == a.today()
	if same && now.Sub(c.at) < summaryFor {
		return c.sum, nil
	}
	sum, err := a.summary(ctx, v)
	if err != nil {
		return sum, err
	}
	if same {
		sum.Figures, sum.Teams = c.sum.Figures, c.sum.Teams
	} else if sum.Figures, sum.Teams, err = figures(v, exposure.Filter{}, a.today()); err != nil {
		return sum, err
	} else {
		c.of = nil
	}
	c.view, c.day, c.at, c.sum = v, a.today(), now, sum
	return sum, nil
}

// figures are what is open of a filter, in all and by team and band.
func figures(v *index.View, f exposure.Filter, today uint16) (server.Rollup, []server.GroupRow, error) {
	r := server.Rollup{Day: int(today), Bands: map[string]int{}}
	groups, err := v.Group(f, today, "team", "band")
	rows := make([]server.GroupRow, len(groups))
	for i, g := range groups {
		r.Open, r.KEV, r.Late, r.Loss = r.Open+g.Count, r.KEV+g.KEV, r.Late+g.Overdue, r.Loss+g.Loss
		r.Bands[g.Keys[1]] += g.Count
		rows[i] = server.GroupRow{Keys: g.Keys, Count: g.Count, Loss: g.Loss, Risk: g.Worst.Points(), KEV: g.KEV, Overdue: g.Overdue}
	}
	return r, rows, err
}

// SummaryOf is the summary with the numbers of what a filter selects.
func (a *app) SummaryOf(ctx context.Context, filter string) (server.Summary, error) {
	sum, err := a.Summary(ctx)
	if err != nil || filter == "" {
		return sum, err
	}
	v := a.ix.View()
	c := &a.summed
	c.mu.Lock()
	known, ok := c.of[filter]
	ok = ok && c.view == v
	c.mu.Unlock()
	if !ok {
		if known, err = a.summaryOf(ctx, v, filter); err != nil {
			return sum, err
		}
		c.mu.Lock()
		if c.view == v && len(c.of) < maxSummaries {
			if c.of == nil {
				c.of = map[string]server.Summary{}
			}
			c.of[filter] = known
		}
		c.mu.Unlock()
	}
	n := &known.Counts
	sum.Counts.Assets, sum.Counts.Findings, sum.Counts.Awaiting, sum.Counts.Remediations = n.Assets, n.Findings, n.Awaiting, n.Remediations
	sum.Figures, sum.Teams = known.Figures, known.Teams
	return sum, nil
}

// summaryOf has only what depends on the filter.
func (a *app) summaryOf(ctx context.Context, v *index.View, filter string) (sum server.Summary, err error) {
	n := &sum.Counts
	assets, err := a.filtered(v, filter)
	if err != nil {
		return sum, err
	}
	for range assets {
		n.Assets++
	}
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return sum, err
	}
	groups, err := v.Group(f, a.today(), "status")
	if err != nil {
		return sum, err
	}
	n.Findings, n.Awaiting = open(groups)
	if sum.Figures, sum.Teams, err = figures(v, f, a.today()); err != nil {
		return sum, err
	}
	fixes, err := a.group(ctx, v, f)
	n.Remediations = len(fixes)
	return sum, err
}

// open counts open findings and, of these, the fixes claimed.
func open(byStatus []index.Group) (findings, awaiting int) {
	for _, g := range byStatus {
		findings += g.Count
		if g.Keys[0] == exposure.StatusFixClaimed.String() {
			awaiting = g.Count
		}
	}
	return findings, awaiting
}

func (a *app) summary(ctx context.Context, v *index.View) (sum server.Summary, err error) {
	p, _ := a.inForce()
	sum.Currency, sum.Name = p.Currency, p.Name
	sum.Counts.Services, sum.Counts.Assets = len(p.Services), v.Assets()
	groups, err := v.Group(exposure.Filter{}, a.today(), "status")
	if err != nil {
		return sum, err
	}
	sum.Counts.Findings, sum.Counts.Awaiting = open(groups)
	if sum.Demo, err = a.db.HasDemo(ctx); err != nil {
		return sum, err
	}
	states, err := a.feeds.States(ctx)
	if err != nil {
		return sum, err
	}
	for _, f := range a.feeds.Registered {
		src := f.Source()
		for i := range states {
			if states[i].Name == src.Name && states[i].Stale(src, a.now()) {
				sum.Counts.StaleFeeds++
				sum.Stale = append(sum.Stale, server.StaleFeed{Title: src.Title, Date: stamp(states[i].Date())})
			}
		}
	}
	scans, err := a.db.Scans(ctx, 1)
	if err != nil {
		return sum, err
	}
	if len(scans) > 0 {
		sum.LastImport = scans[0].Received
	}
	fixes, err := a.Remediations(ctx, "")
	if err != nil {
		return sum, err
	}
	sum.Counts.Remediations = len(fixes)
	if sum.Counts.Alerts, err = a.db.CountAlerts(ctx, store.AlertQuery{Unseen: true}); err != nil {
		return sum, err
	}
	if a.cycle != nil {
		sum.Counts.FailedJobs, err = a.cycle.Failed(ctx)
	}
	return sum, err
}

// Bands are the limits of the risk bands by the model in force.
func (a *app) Bands() exposure.Bands {
	_, m := a.inForce()
	return *m.Bands()
}
