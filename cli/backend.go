package cli

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// Assets answers an asset query, the greatest expected loss first.
func (a *app) Assets(ctx context.Context, q server.AssetQuery) (server.AssetPage, error) {
	v := a.ix.View()
	groups := v.ByAsset(exposure.Filter{}, a.today())
	text := strings.ToLower(q.Text)
	var all []server.AssetRow
	for id := exposure.AssetID(1); ; id++ {
		asset, more := v.AssetAt(id)
		if !more {
			break
		}
		if asset == nil || text != "" && !v.AssetMatches(id, text) {
			continue
		}
		row := server.AssetRow{Asset: *asset}
		if g := groups[id]; g != nil {
			row.Open, row.Risk, row.Loss, row.KEV, row.Late = g.Count, g.Worst.Points(), g.Loss, g.KEV, g.Overdue
		}
		all = append(all, row)
	}
	slices.SortStableFunc(all, func(x, y server.AssetRow) int {
		return cmp.Or(cmp.Compare(y.Loss, x.Loss), cmp.Compare(y.Open, x.Open), strings.Compare(x.Name, y.Name))
	})
	page := server.AssetPage{Total: len(all), Rows: []server.AssetRow{}}
	start := min(int(q.After), len(all))
	end := min(start+max(1, q.Limit), len(all))
	page.Rows = append(page.Rows, all[start:end]...)
	if end < len(all) {
		page.Next = uint32(end)
	}
	return page, nil
}

// Groups counts findings by properties.
func (a *app) Groups(ctx context.Context, filter string, by []string) ([]server.GroupRow, error) {
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return nil, err
	}
	groups, err := a.ix.View().Group(f, a.today(), by...)
	if err != nil {
		return nil, err
	}
	rows := make([]server.GroupRow, len(groups))
	for i, g := range groups {
		rows[i] = server.GroupRow{Keys: g.Keys, Count: g.Count, Loss: g.Loss, Risk: g.Worst.Points(), KEV: g.KEV, Overdue: g.Overdue}
	}
	return rows, nil
}

// Move moves findings through their life on a person's word.
func (a *app) Move(ctx context.Context, m server.MoveRequest) (int, error) {
	var cause exposure.Cause
	if err := cause.UnmarshalText([]byte(m.Cause)); err != nil {
		return 0, err
	}
	if cause != exposure.CauseTriage && cause != exposure.CauseClaim {
		return 0, exposure.Errorf(exposure.Invalid, "a person may triage findings or claim them fixed; %s is for scans and approvals", cause)
	}
	var ids []exposure.FindingID
	for _, s := range m.IDs {
		id, err := exposure.ParseFindingID(s)
		if err != nil {
			return 0, err
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		if m.Filter == "" {
			return 0, exposure.Errorf(exposure.Invalid, "name findings by ids or by a filter")
		}
		f, err := exposure.ParseFilter(m.Filter)
		if err != nil {
			return 0, err
		}
		err = a.ix.View().All(f, a.today(), func(r index.Row) bool { ids = append(ids, r.ID); return true })
		if err != nil {
			return 0, err
		}
	}
	moved := 0
	for part := range slices.Chunk(ids, 5000) {
		err := a.db.Write(ctx, func(tx *store.Tx) error {
			n, err := tx.Move(ctx, part, cause, m.Actor, m.Reason, a.now().UnixMilli())
			moved += n
			return err
		})
		if err != nil {
			return moved, err
		}
	}
	return moved, a.ix.CatchUp(ctx, a.db)
}

// Import imports a report.
func (a *app) Import(ctx context.Context, req discover.Request, r io.Reader) ([]discover.Result, error) {
	return a.im.Import(ctx, req, r)
}

// Scans lists imported reports, newest first.
func (a *app) Scans(ctx context.Context, limit int) ([]exposure.Scan, error) {
	return a.db.Scans(ctx, limit)
}

// Ready reports whether the database answers.
func (a *app) Ready(ctx context.Context) error {
	_, err := a.db.Head(ctx)
	return err
}
