package cli

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// Assets answers an asset query, the greatest expected loss first.
func (a *app) Assets(ctx context.Context, q server.AssetQuery) (server.AssetPage, error) {
	v := a.ix.View()
	matches, err := a.selectsAsset(ctx, v, q)
	if err != nil {
		return server.AssetPage{}, err
	}
	groups := v.ByAsset(exposure.Filter{}, a.today())
	var all []server.AssetRow
	for asset := range assetsOf(v) {
		if matches(asset) {
			all = append(all, assetRow(asset, groups[asset.ID]))
		}
	}
	sortAssets(all)
	page := server.AssetPage{Total: len(all), Rows: []server.AssetRow{}}
	start := min(int(q.After), len(all))
	end := min(start+max(1, q.Limit), len(all))
	page.Rows = append(page.Rows, all[start:end]...)
	if end < len(all) {
		page.Next = uint32(end)
	}
	return page, a.lookedAt(ctx, page.Rows)
}

// selectsAsset is the test of an asset that a query asks for.
func (a *app) selectsAsset(ctx context.Context, v *index.View, q server.AssetQuery) (func(*exposure.Asset) bool, error) {
	f, err := exposure.ParseFilter(q.Filter)
	if err != nil {
		return nil, err
	}
	fits, err := v.AssetFilter(f)
	if err != nil {
		return nil, err
	}
	text := strings.ToLower(q.Text)
	p, _ := a.inForce()
	var seen map[exposure.AssetID]bool
	if q.Unseen > 0 {
		if seen, err = a.seenSince(ctx, q.Unseen); err != nil {
			return nil, err
		}
	}
	return func(asset *exposure.Asset) bool {
		return fits(asset.ID) && (text == "" || v.AssetMatches(asset.ID, text)) &&
			(!q.Unspoken || !p.Speaks(asset)) &&
			// What is excluded is left alone on purpose: nobody misses a look at it.
			(q.Unseen == 0 || !asset.Context.Excluded && !seen[asset.ID])
	}, nil
}

// seenSince are the assets that a scan looked at completely within some days.
func (a *app) seenSince(ctx context.Context, days int) (map[exposure.AssetID]bool, error) {
	since := a.now().AddDate(0, 0, -days).UnixMilli()
	seen := map[exposure.AssetID]bool{}
	err := a.db.NewestLooks(ctx, func(_ string, id exposure.AssetID, newest int64) error {
		if newest >= since {
			seen[id] = true
		}
		return nil
	})
	return seen, err
}

// lookedAt fills in when assets were last looked at.
func (a *app) lookedAt(ctx context.Context, rows []server.AssetRow) error {
	ids := make([]exposure.AssetID, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	last, err := a.db.LastLooks(ctx, ids)
	for i := range rows {
		rows[i].LastScan = last[rows[i].ID]
	}
	return err
}

func assetRow(asset *exposure.Asset, g *index.Group) server.AssetRow {
	row := server.AssetRow{Asset: *asset}
	if g != nil {
		row.Open, row.Risk, row.Loss, row.KEV, row.Late = g.Count, g.Worst.Points(), g.Loss, g.KEV, g.Overdue
	}
	return row
}

// sortAssets puts the greatest expected loss first.
func sortAssets(all []server.AssetRow) {
	// A row is large: they are put in order by where they are, and moved once.
	order := make([]*server.AssetRow, len(all))
	for i := range all {
		order[i] = &all[i]
	}
	slices.SortFunc(order, func(x, y *server.AssetRow) int {
		return cmp.Or(cmp.Compare(y.Loss, x.Loss), cmp.Compare(y.Open, x.Open), strings.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
	sorted := make([]server.AssetRow, len(all))
	for i, row := range order {
		sorted[i] = *row
	}
	copy(all, sorted)
}

// Asset answers with everything about one asset.
func (a *app) Asset(ctx context.Context, id exposure.AssetID) (server.AssetDetail, error) {
	var d server.AssetDetail
	v := a.ix.View()
	asset := v.Asset(id)
	if asset == nil {
		return d, exposure.Errorf(exposure.NotFound, "there is no asset %d", id)
	}
	var group index.Group
	var worst []index.Row
	d.Bands = map[string]int{}
	parts := map[exposure.LocationID]*server.ComponentRow{}
	v.OnAssets(func(other exposure.AssetID) bool { return other == id }, func(f exposure.FindingID, _ exposure.AssetID) {
		r, ok := v.Row(f)
		if !ok || !r.Status.Open() {
			return
		}
		group.Count++
		group.Worst = max(group.Worst, r.Risk)
		group.Loss += v.Model().Curve().ExpectedLoss(r.Risk)
		if v.Advisory(r.Advisory).Threat.KEV() {
			group.KEV++
		}
		if r.Due < a.today() {
			group.Overdue++
		}
		d.Bands[r.Band.String()]++
		worst = append(worst, r)
		part := parts[r.Location]
		if part == nil {
			part = &server.ComponentRow{}
			parts[r.Location] = part
		}
		part.Findings++
		part.Risk = max(part.Risk, r.Risk.Points())
	})
	d.AssetRow = assetRow(asset, &group)
	slices.SortStableFunc(worst, func(x, y index.Row) int { return cmp.Or(cmp.Compare(y.Risk, x.Risk), cmp.Compare(x.ID, y.ID)) })
	var err error
	if d.Findings, err = a.rows(ctx, v, worst[:min(len(worst), 50)]); err != nil {
		return d, err
	}
	looks, err := a.db.Looks(ctx, id, 50)
	sources := v.Sources()
	for _, l := range looks {
		d.Scans = append(d.Scans, server.AssetScan{Scan: l.Scan, Tool: sources[l.Source].Tool, Class: sources[l.Source].Class, At: l.At})
	}
	if err != nil {
		return d, err
	}
	if d.Merged, err = a.db.MergedNames(ctx, id, 50); err != nil {
		return d, err
	}
	return d, a.components(ctx, &d, parts)
}

// Groups counts findings by properties.
func (a *app) Groups(ctx context.Context, filter string, by []string) ([]server.GroupRow, error) {
	v := a.ix.View()
	f, err := a.filter(ctx, v, filter)
	if err != nil {
		return nil, err
	}
	groups, err := v.Group(f, a.today(), by...)
	if err != nil {
		return nil, err
	}
	rows := make([]server.GroupRow, len(groups))
	for i, g := range groups {
		rows[i] = server.GroupRow{Keys: g.Keys, Count: g.Count, Loss: g.Loss, Risk: g.Worst.Points(), KEV: g.KEV, Overdue: g.Overdue}
	}
	return rows, nil
}

// named are the findings that ids name, or a filter selects.
func (a *app) named(ctx context.Context, texts []string, filter string) (ids []exposure.FindingID, err error) {
	for _, s := range texts {
		id, err := exposure.ParseFindingID(s)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(ids) > 0 {
		slices.Sort(ids)
		return slices.Compact(ids), nil
	}
	if strings.TrimSpace(filter) == "" {
		return nil, exposure.Errorf(exposure.Invalid, "name findings by ids or by a filter; is:open means all that are open")
	}
	v := a.ix.View()
	f, err := a.filter(ctx, v, filter)
	if err != nil {
		return nil, err
	}
	err = v.All(f, a.today(), func(r index.Row) bool { ids = append(ids, r.ID); return true })
	return ids, err
}

// maxException is the longest that anybody may decide to live with a finding.
const maxException = 366 * 24 * time.Hour

// RequestException records the wish to live with findings for a while.
func (a *app) RequestException(ctx context.Context, r server.ExceptionRequest) (server.Requested, error) {
	var e server.Requested
	ids, err := a.named(ctx, r.IDs, r.Filter)
	if err != nil {
		return e, err
	}
	now := a.now()
	until, err := exceptionEnd(r.Expires, now)
	if err != nil {
		return e, err
	}
	reason := a.im.Redact(r.Reason)
	if strings.TrimSpace(reason) == "" || len(ids) == 0 {
		return e, exposure.Errorf(exposure.Invalid, "an exception needs a reason and at least one finding")
	}
	e.Exception = exposure.Exception{Reason: reason, Requester: r.Actor, Created: now.UnixMilli(), Expires: until.UnixMilli(), Findings: ids}
	d := exposure.Decision{At: now.UnixMilli(), Actor: r.Actor, Kind: exposure.DecisionExcept}
	err = a.db.Write(ctx, func(tx *store.Tx) error { return tx.DecideException(ctx, &d, &e.Exception) })
	e.Undo = d.ID
	return e, err
}

// exceptionEnd reads the day on which an exception ends.
func exceptionEnd(day string, now time.Time) (time.Time, error) {
	until, err := time.Parse(time.DateOnly, day)
	if err != nil || !until.After(now) || until.Sub(now) > maxException {
		return until, exposure.Errorf(exposure.Invalid, "an exception ends on a day within the next year: give it as in %s", now.AddDate(0, 3, 0).Format(time.DateOnly))
	}
	return until, nil
}

// Exceptions lists exceptions, newest first.
func (a *app) Exceptions(ctx context.Context, all bool) ([]exposure.Exception, error) {
	return a.db.Exceptions(ctx, all)
}

// ApproveException puts an exception into force.
func (a *app) ApproveException(ctx context.Context, id int64, actor string) error {
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ApproveException(ctx, id, actor, a.now().UnixMilli())
		return err
	})
	if err != nil {
		return err
	}
	return a.ix.CatchUp(ctx, a.db)
}

// EndException refuses or withdraws an exception.
func (a *app) EndException(ctx context.Context, id int64, actor, reason string) (server.Ended, error) {
	var done server.Ended
	d := exposure.Decision{At: a.now().UnixMilli(), Actor: actor, Kind: exposure.DecisionEnd, Exception: id}
	err := a.db.Write(ctx, func(tx *store.Tx) (err error) {
		done.Moved, err = tx.DecideEnd(ctx, &d, a.im.Redact(reason))
		return err
	})
	if err != nil {
		return server.Ended{}, err
	}
	done.Undo = d.ID
	return done, a.ix.CatchUp(ctx, a.db)
}

// Import imports a report.
func (a *app) Import(ctx context.Context, req discover.Request, r io.Reader) ([]discover.Result, error) {
	results, err := a.im.Import(ctx, req, r)
	if a.cycle != nil {
		// What is due is marked in the database, and the task comes by itself: this
		// only makes it soon.
		if err := a.cycle.Request(ctx, rematchTask); err != nil {
			a.log.Warn("matching the inventory was not asked for", slog.Any("err", err))
		}
	}
	return results, err
}

// Ready reports whether the database answers.
func (a *app) Ready(ctx context.Context) error {
	_, err := a.db.Head(ctx)
	return err
}
