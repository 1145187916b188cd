package cli

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/mobilize"
	"github.com/leeward-ctem/leeward/mobilize/export"
	"github.com/leeward-ctem/leeward/server"
)

// remediationCache keeps the fixes of all open findings. When the index has
// moved they are grouped anew; with very many findings that takes seconds,
// and pages show what was known until it is done.
type remediationCache struct {
	mu      sync.Mutex
	view    *index.View
	all     []exposure.Remediation
	took    time.Duration
	err     error
	running chan struct{} // closed when the grouping that runs is done; nil: none does
	behind  bool          // somebody was shown what was known before, and hears when it is done
}

// When some fixes of many findings are known already, nobody waits longer than
// patience for them to be grouped anew, and only briefly when the last time took
// longer anyway.
const (
	patience = time.Second
	briefly  = 50 * time.Millisecond
)

// Remediations groups the findings of a filter into fixes, most loss removed
// per effort first.
func (a *app) Remediations(ctx context.Context, filter string) ([]exposure.Remediation, error) {
	v := a.ix.View()
	f, err := a.filter(ctx, v, filter)
	if err != nil {
		return nil, err
	}
	if len(f.Terms) > 0 {
		return a.group(ctx, v, f)
	}
	c := &a.grouped
	for range 2 { // what runs may have begun before the index moved last
		c.mu.Lock()
		if c.view == v {
			defer c.mu.Unlock()
			return c.all, nil
		}
		if c.running == nil {
			c.running = make(chan struct{})
			go a.regroup(context.WithoutCancel(ctx), v)
		}
		done, known, all, took := c.running, c.view != nil, c.all, c.took
		c.mu.Unlock()
		var late <-chan time.Time
		switch {
		case !known || !a.many(v):
		case took > patience:
			late = time.After(briefly)
		default:
			late = time.After(patience)
		}
		select {
		case <-done:
		case <-late:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.behind = c.view != v
			return all, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all, c.err
}

// regroup groups the open findings of a view into fixes.
func (a *app) regroup(ctx context.Context, v *index.View) {
	start := a.now()
	all, err := a.group(ctx, v, exposure.Filter{})
	c := &a.grouped
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err = err; err == nil {
		c.view, c.all, c.took = v, all, a.now().Sub(start)
	}
	if c.behind {
		c.behind = false
		a.tell("grouped", len(c.all))
	}
	close(c.running)
	c.running = nil
}

func (a *app) group(ctx context.Context, v *index.View, f exposure.Filter) ([]exposure.Remediation, error) {
	return a.groupRows(ctx, v, func(yield func(index.Row) bool) error { return v.All(f, a.today(), yield) })
}

// groupRows groups findings into fixes. It goes through them twice.
func (a *app) groupRows(ctx context.Context, v *index.View, all func(yield func(index.Row) bool) error) ([]exposure.Remediation, error) {
	places := map[exposure.LocationID]*exposure.Place{}
	err := all(func(r index.Row) bool {
		places[r.Location] = nil
		return true
	})
	if err != nil {
		return nil, err
	}
	if len(places)*4 > v.Len() {
		err = a.db.Places(ctx, 1, math.MaxUint32, func(p *exposure.Place) error {
			if _, ok := places[p.ID]; ok {
				kept := *p
				places[p.ID] = &kept
			}
			return nil
		})
	} else {
		ids := make([]exposure.LocationID, 0, len(places))
		for id := range places {
			ids = append(ids, id)
		}
		var found map[exposure.LocationID]exposure.Place
		found, err = a.db.PlacesByID(ctx, ids)
		for id, p := range found {
			places[id] = &p
		}
	}
	if err != nil {
		return nil, err
	}
	curve := v.Model().Curve()
	return mobilize.Group(func(yield func(mobilize.Item) bool) {
		all(func(r index.Row) bool {
			place := places[r.Location]
			if place == nil {
				place = &exposure.Place{}
			}
			it := mobilize.Item{Finding: r.ID, Asset: r.Asset, Advisory: v.Advisory(r.Advisory), Place: place, Status: r.Status, Risk: r.Risk, Loss: curve.ExpectedLoss(r.Risk)}
			if r.Due != exposure.NoDue {
				it.DueDay, it.DueRule = int(r.Due), r.DueRule
			}
			if asset := v.Asset(r.Asset); asset != nil {
				it.Owner = asset.Context.Owner
			}
			return yield(it)
		})
	}), nil
}

// Remediation answers with one fix and what it closes.
func (a *app) Remediation(ctx context.Context, key string) (server.RemediationDetail, error) {
	return a.RemediationOf(ctx, key, "")
}

// RemediationOf answers with the part of a fix that a filter selects.
func (a *app) RemediationOf(ctx context.Context, key, filter string) (server.RemediationDetail, error) {
	var d server.RemediationDetail
	all, err := a.Remediations(ctx, filter)
	if err != nil {
		return d, err
	}
	var ok bool
	if d.Remediation, ok = mobilize.Find(all, key); !ok {
		return d, exposure.Errorf(exposure.NotFound, "there is no open fix %q: everything it was for may be closed", key)
	}
	v := a.ix.View()
	var rows []index.Row
	on := map[exposure.AssetID]bool{}
	for _, id := range d.IDs {
		if r, ok := v.Row(id); ok {
			rows = append(rows, r)
			on[r.Asset] = true
		}
	}
	slices.SortStableFunc(rows, func(x, y index.Row) int { return cmp.Compare(y.Risk, x.Risk) })
	if len(rows) > 0 {
		adv, err := a.db.Advisory(ctx, rows[0].Advisory)
		if err != nil {
			return d, err
		}
		d.Solution = adv.Solution
	}
	if d.Rows, err = a.rows(ctx, v, rows[:min(len(rows), 200)]); err != nil {
		return d, err
	}
	groups := v.ByAsset(exposure.Filter{}, a.today())
	for id := range on {
		if asset := v.Asset(id); asset != nil {
			d.On = append(d.On, assetRow(asset, groups[id]))
		}
	}
	sortAssets(d.On)
	d.On = d.On[:min(len(d.On), 200)]
	return d, a.lookedAt(ctx, d.On)
}

// remediationOf is the key of the fix that a finding is in, "" when none is open.
func (a *app) remediationOf(ctx context.Context, id exposure.FindingID) (string, error) {
	all, err := a.Remediations(ctx, "")
	if err != nil {
		return "", err
	}
	for i := range all {
		if _, ok := slices.BinarySearch(all[i].IDs, id); ok {
			return all[i].Key, nil
		}
	}
	return "", nil
}

// Export writes all findings of a filter in full, the riskiest first.
func (a *app) Export(ctx context.Context, format, filter string, w io.Writer) error {
	v := a.ix.View()
	f, err := a.filter(ctx, v, filter)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	err = export.Write(buffered, export.Format(format), export.Tool{Name: "Leeward", Version: version, URI: "https://github.com/leeward-ctem/leeward"}, a.exportRows(ctx, v, f))
	if err != nil {
		return err
	}
	return buffered.Flush()
}

// exportRows reads a page at a time, so that an export of everything needs no
// more memory than one of little.
func (a *app) exportRows(ctx context.Context, v *index.View, f exposure.Filter) iter.Seq2[export.Row, error] {
	return func(yield func(export.Row, error) bool) {
		q := index.Query{Filter: f, Limit: 1000, Today: a.today()}
		for {
			p, err := v.Page(q)
			if err != nil {
				yield(export.Row{}, err)
				return
			}
			rows, err := a.rows(ctx, v, p.Rows)
			if err != nil {
				yield(export.Row{}, err)
				return
			}
			places, err := a.db.PlacesByID(ctx, locations(p.Rows))
			if err != nil {
				yield(export.Row{}, err)
				return
			}
			prints := map[exposure.FindingID]string{}
			err = a.db.FindingsByID(ctx, findingIDs(p.Rows), func(f *exposure.Finding) error {
				prints[f.ID] = f.Fingerprint.String()
				return nil
			})
			if err != nil {
				yield(export.Row{}, err)
				return
			}
			for i, r := range rows {
				row := exportRow(&r, v.Advisory(p.Rows[i].Advisory), places[p.Rows[i].Location])
				row.Fingerprint = prints[p.Rows[i].ID]
				if !yield(row, nil) {
					return
				}
			}
			if q.After = p.Next; p.Next == "" {
				return
			}
		}
	}
}

func locations(rows []index.Row) []exposure.LocationID {
	ids := make([]exposure.LocationID, len(rows))
	for i := range rows {
		ids[i] = rows[i].Location
	}
	return ids
}

func findingIDs(rows []index.Row) []exposure.FindingID {
	ids := make([]exposure.FindingID, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids
}

func exportRow(r *server.FindingRow, adv *exposure.Advisory, p exposure.Place) export.Row {
	return export.Row{
		ID: r.ID, Title: r.Title, Severity: r.Severity, Risk: r.Risk, Band: r.Band, Due: r.Due, KEV: r.KEV, EPSS: r.EPSS, CVEs: r.CVEs,
		Asset: r.Asset, Location: r.Location, Status: r.Status, Tools: r.Tools, FirstSeen: r.FirstSeen,
		Rule: adv.Key, File: p.Location.File, URI: p.Location.Path,
	}
}
