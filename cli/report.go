package cli

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/server"
)

// looksCount is for how many days a look at an asset counts.
const looksCount = 30

// inScope are the assets that the programme speaks of: those in a scope, or
// all when it has none, and never the excluded ones.
func (a *app) inScope(yield func(*exposure.Asset) bool) {
	p, _ := a.inForce()
	for asset := range a.assets() {
		if asset.Context.Excluded || len(p.Scopes) > 0 && len(asset.Context.Scopes) == 0 {
			continue
		}
		if !yield(asset) {
			return
		}
	}
}

// lookedLately are the assets that a scan looked at completely of late.
func (a *app) lookedLately(ctx context.Context) (map[exposure.AssetID]bool, error) {
	seen := map[exposure.AssetID]bool{}
	err := a.db.LookedAt(ctx, a.now().AddDate(0, 0, -looksCount).UnixMilli(), func(id exposure.AssetID) { seen[id] = true })
	return seen, err
}

// looks counts what is in scope and was looked at, of the assets that are asked about.
func (a *app) looks(ctx context.Context, on func(exposure.AssetID) bool) (server.Looks, error) {
	l := server.Looks{Days: looksCount, Cells: []server.LookCell{}}
	seen, err := a.lookedLately(ctx)
	if err != nil {
		return l, err
	}
	type key struct{ kind, team string }
	at := map[key]int{}
	for asset := range a.inScope {
		if !on(asset.ID) {
			continue
		}
		k := key{asset.Kind.String(), orElse(asset.Context.Owner, "none")}
		i, ok := at[k]
		if !ok {
			i = len(l.Cells)
			at[k] = i
			l.Cells = append(l.Cells, server.LookCell{Kind: k.kind, Team: k.team})
		}
		l.Assets++
		l.Cells[i].Assets++
		if seen[asset.ID] {
			l.Seen++
			l.Cells[i].Seen++
		}
	}
	slices.SortFunc(l.Cells, func(x, y server.LookCell) int {
		return cmp.Or(cmp.Compare(y.Assets-y.Seen, x.Assets-x.Seen), cmp.Compare(y.Assets, x.Assets), strings.Compare(x.Kind, y.Kind), strings.Compare(x.Team, y.Team))
	})
	return l, nil
}

// Unseen answers with the assets in scope that nobody looked at of late.
func (a *app) Unseen(ctx context.Context, q server.UnseenQuery) (server.AssetPage, error) {
	page := server.AssetPage{Rows: []server.AssetRow{}}
	f, err := exposure.ParseFilter(q.Filter)
	if err != nil {
		return page, err
	}
	v := a.ix.View()
	on, err := onlyOn(v, f)
	if err != nil {
		return page, err
	}
	seen, err := a.lookedLately(ctx)
	if err != nil {
		return page, err
	}
	groups := v.ByAsset(exposure.Filter{}, a.today())
	var all []server.AssetRow
	for asset := range a.inScope {
		switch {
		case seen[asset.ID] || !on(asset.ID):
		case q.Kind != "" && asset.Kind.String() != q.Kind:
		case q.Team != "" && orElse(asset.Context.Owner, "none") != q.Team:
		default:
			all = append(all, assetRow(asset, groups[asset.ID]))
		}
	}
	sortAssets(all)
	page.Total = len(all)
	page.Rows = append(page.Rows, all[:min(max(1, q.Limit), len(all))]...)
	return page, a.lookedAt(ctx, page.Rows)
}

// reportFixes is how many fixes a report names.
const reportFixes = 5

// Report answers with the state of the programme for those who answer for it, of
// the assets that a filter selects. Everything that reads the whole estate is
// kept, see [lasting].
func (a *app) Report(ctx context.Context, filter string, days int) (server.Report, error) {
	var r server.Report
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return r, err
	}
	m, err := a.Measures(ctx, filter)
	if err != nil {
		return r, err
	}
	at := slices.IndexFunc(m.Periods, func(p server.Period) bool { return p.Days == days })
	if at < 0 {
		return r, exposure.Errorf(exposure.Invalid, "a report is over 7, 30 or 90 days, not over %d", days)
	}
	p, _ := a.inForce()
	r = server.Report{
		Name: p.Name, Currency: p.Currency, Filter: m.Filter, At: m.At, Days: days, Now: m.Now, Period: m.Periods[at], Flow: []measure.Day{}, History: []server.Rollup{},
		Fixes: []exposure.Remediation{}, Services: []server.ServiceRow{}, Looks: m.Looks, Forecast: m.Forecast, HalfLife: m.Repair.HalfLife,
	}
	for _, d := range m.Days {
		if d.Day >= r.Period.First {
			r.Flow = append(r.Flow, d)
		}
	}
	for _, h := range m.History {
		if h.Day >= r.Period.First {
			r.History = append(r.History, h)
		}
	}
	fixes, err := a.Remediations(ctx, filter)
	if err != nil {
		return r, err
	}
	r.Fixes = append(r.Fixes, mostLoss(fixes, reportFixes)...)
	for i := range r.Fixes {
		r.FixesLoss += r.Fixes[i].Loss
	}
	scope, err := a.scoped.of(f).get(ctx, a, func(ctx context.Context, _ *index.View, _ int) (server.ScopeReport, error) {
		return a.Scope(ctx, filter)
	})
	if err != nil {
		return r, err
	}
	for _, s := range scope.Services {
		if s.Open > 0 {
			r.Services = append(r.Services, s)
		}
	}
	slices.SortStableFunc(r.Services, func(x, y server.ServiceRow) int {
		return cmp.Or(cmp.Compare(jewel(x.Tier), jewel(y.Tier)), cmp.Compare(y.Loss, x.Loss))
	})
	r.Asks, err = a.asks(ctx, &m, scope.Owners)
	return r, err
}

// jewel puts crown jewels before everything else, by which tier alone counts.
func jewel(tier int) int {
	if tier == 1 {
		return 0
	}
	return 1
}

// mostLoss are the n fixes that remove the most expected loss, whatever effort
// they take.
func mostLoss(all []exposure.Remediation, n int) []exposure.Remediation {
	var top []exposure.Remediation
	for i := range all {
		if len(top) == n && all[i].Loss <= top[n-1].Loss {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, all[i].Loss, func(r exposure.Remediation, loss float64) int {
			if r.Loss >= loss { // of equal ones the earlier stays first
				return -1
			}
			return 1
		})
		top = slices.Insert(top, at, all[i])
		top = top[:min(n, len(top))]
	}
	return top
}

// asks are what the programme needs others to do.
func (a *app) asks(ctx context.Context, m *server.Measures, owners []server.OwnerRow) (server.Asks, error) {
	k := server.Asks{Overdue: []server.OwnerRow{}, Stale: []string{}, Unseen: m.Looks.Assets - m.Looks.Seen}
	for _, c := range m.Looks.Cells {
		if c.Team == "none" {
			k.Unowned += c.Assets
		}
	}
	for _, o := range owners {
		if o.Overdue > 0 {
			o.Name = orElse(o.Name, "none")
			k.Overdue = append(k.Overdue, o)
		}
	}
	slices.SortStableFunc(k.Overdue, func(x, y server.OwnerRow) int { return cmp.Compare(y.Overdue, x.Overdue) })
	feeds, err := a.Feeds(ctx)
	for _, f := range feeds {
		if f.Stale {
			k.Stale = append(k.Stale, f.Title)
		}
	}
	return k, err
}
