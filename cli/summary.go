package cli

import (
	"context"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/server"
)

// summaryCache keeps the numbers that stand on every page until the index
// moves or a few seconds pass.
type summaryCache struct {
	mu   sync.Mutex
	view *index.View
	day  uint16
	at   time.Time
	sum  server.Summary
}

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
	} else if sum.Figures, sum.Teams, err = figures(v, a.today()); err != nil {
		return sum, err
	}
	c.view, c.day, c.at, c.sum = v, a.today(), now, sum
	return sum, nil
}

// figures are what is open, in all and by team and band.
func figures(v *index.View, today uint16) (server.Rollup, []server.GroupRow, error) {
	r := server.Rollup{Day: int(today), Bands: map[string]int{}}
	groups, err := v.Group(exposure.Filter{}, today, "team", "band")
	rows := make([]server.GroupRow, len(groups))
	for i, g := range groups {
		r.Open, r.KEV, r.Late, r.Loss = r.Open+g.Count, r.KEV+g.KEV, r.Late+g.Overdue, r.Loss+g.Loss
		r.Bands[g.Keys[1]] += g.Count
		rows[i] = server.GroupRow{Keys: g.Keys, Count: g.Count, Loss: g.Loss, Risk: g.Worst.Points(), KEV: g.KEV, Overdue: g.Overdue}
	}
	return r, rows, err
}

func (a *app) summary(ctx context.Context, v *index.View) (sum server.Summary, err error) {
	p, _ := a.inForce()
	sum.Currency, sum.Name = p.Currency, p.Name
	sum.Counts.Services, sum.Counts.Assets = len(p.Services), v.Assets()
	groups, err := v.Group(exposure.Filter{}, a.today(), "status")
	if err != nil {
		return sum, err
	}
	for _, g := range groups {
		sum.Counts.Findings += g.Count
		if g.Keys[0] == exposure.StatusFixClaimed.String() {
			sum.Counts.Awaiting = g.Count
		}
	}
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
