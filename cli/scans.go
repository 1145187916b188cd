package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/server"
)

// Scans lists imported reports, newest first.
func (a *app) Scans(ctx context.Context, q server.ScanQuery) (server.ScanPage, error) {
	before := q.After
	if before == 0 {
		before = math.MaxUint32
	}
	limit := max(1, q.Limit)
	rows, err := a.db.ScansBefore(ctx, before, q.Tool, limit+1)
	p := server.ScanPage{Rows: rows, Tools: []string{}}
	for _, src := range a.ix.View().Sources()[1:] {
		p.Tools = append(p.Tools, src.Tool)
	}
	slices.Sort(p.Tools)
	p.Tools = slices.Compact(p.Tools)
	if len(rows) > limit {
		p.Rows = rows[:limit]
		p.Next = rows[limit-1].ID
	}
	if p.Rows == nil {
		p.Rows = []exposure.Scan{}
	}
	return p, err
}

// Scan answers with everything about one imported report, of the assets that a
// filter selects.
func (a *app) Scan(ctx context.Context, id exposure.ScanID, filter string) (server.ScanDetail, error) {
	d := server.ScanDetail{Classes: []server.CoveredClass{}, Assets: []server.AssetRow{}}
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return d, err
	}
	if d.Scan, err = a.db.Scan(ctx, id); err != nil {
		return d, err
	}
	v := a.ix.View()
	if len(f.Terms) == 0 {
		err = a.covered(ctx, v, &d)
	} else {
		err = a.coveredOf(ctx, v, f, &d)
	}
	if err != nil {
		return d, err
	}
	// What the page calls its own is what the list that it links to shows.
	own, err := a.filter(ctx, v, fmt.Sprintf("%s is:any opened_by:%d", filter, id))
	if err != nil {
		return d, err
	}
	opened, err := v.Page(index.Query{Filter: own, Limit: 50, Today: a.today()})
	if err != nil {
		return d, err
	}
	d.Opened = opened.Total
	d.Findings, err = a.rows(ctx, v, opened.Rows)
	return d, err
}

// maxCovered is how many of the assets that a scan covered are named.
const maxCovered = 100

// covered fills in what a scan looked at completely.
func (a *app) covered(ctx context.Context, v *index.View, d *server.ScanDetail) error {
	sources := v.Sources()
	err := a.db.CoveredClasses(ctx, d.ID, func(source exposure.SourceID, assets int) error {
		if int(source) < len(sources) {
			d.Classes = append(d.Classes, server.CoveredClass{Tool: sources[source].Tool, Class: sources[source].Class, Assets: assets})
		}
		return nil
	})
	if err != nil {
		return err
	}
	ids, covered, err := a.db.CoveredAssets(ctx, d.ID, maxCovered)
	d.Covered = covered
	for _, id := range ids {
		if asset := v.Asset(id); asset != nil {
			d.Assets = append(d.Assets, server.AssetRow{Asset: *asset})
		}
	}
	return err
}

// coveredOf is covered of the assets that a filter selects.
func (a *app) coveredOf(ctx context.Context, v *index.View, f exposure.Filter, d *server.ScanDetail) error {
	on, err := onlyOn(v, f)
	if err != nil {
		return err
	}
	sources, last := v.Sources(), exposure.SourceID(0)
	seen := map[exposure.AssetID]bool{}
	err = a.db.Covered(ctx, d.ID, func(source exposure.SourceID, id exposure.AssetID) error {
		if int(source) >= len(sources) || !on(id) {
			return nil
		}
		if source != last {
			last = source
			d.Classes = append(d.Classes, server.CoveredClass{Tool: sources[source].Tool, Class: sources[source].Class})
		}
		d.Classes[len(d.Classes)-1].Assets++
		seen[id] = true
		return nil
	})
	d.Covered = len(seen)
	for _, id := range slices.Sorted(maps.Keys(seen))[:min(len(seen), maxCovered)] {
		d.Assets = append(d.Assets, server.AssetRow{Asset: *v.Asset(id)})
	}
	return err
}

// ScanErrors lists the broken records of a report in its order.
func (a *app) ScanErrors(ctx context.Context, id exposure.ScanID, q server.BrokenQuery) (server.BrokenPage, error) {
	p := server.BrokenPage{Rows: []server.BrokenRecord{}}
	var after exposure.RecordError
	if q.After != "" {
		if _, err := fmt.Sscanf(q.After, "%d.%d", &after.Record, &after.Offset); err != nil {
			return p, exposure.Errorf(exposure.Invalid, "the cursor %q is none of ours: begin with the first page", q.After)
		}
	}
	if _, err := a.db.Scan(ctx, id); err != nil {
		return p, err
	}
	limit := max(1, q.Limit)
	rows, err := a.db.ScanErrors(ctx, id, after, limit+1)
	for i, e := range rows {
		if i == limit {
			p.Next = fmt.Sprintf("%d.%d", rows[i-1].Record, rows[i-1].Offset)
			break
		}
		p.Rows = append(p.Rows, server.BrokenRecord{Record: e.Record, Offset: e.Offset, Message: e.Err.Error()})
	}
	return p, err
}

// sourceCache keeps what sources contribute until the index moves or a minute
// has passed: who shares a finding with whom is asked of the database.
type sourceCache struct {
	mu   sync.Mutex
	view *index.View
	of   map[string]heardOf // by filter
}

type heardOf struct {
	at   time.Time
	rows []server.SourceStatus
}

// sourcesFor is how old what is not in the index may be.
const sourcesFor = time.Minute

// Sources answers with what each tool's class of checks contributes to the
// assets that a filter selects.
func (a *app) Sources(ctx context.Context, filter string) ([]server.SourceStatus, error) {
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return nil, err
	}
	c := &a.heard
	c.mu.Lock()
	defer c.mu.Unlock()
	v, now, key := a.ix.View(), a.now(), f.String()
	if c.view != v || len(c.of) > maxNarrowed {
		c.view, c.of = v, map[string]heardOf{}
	}
	if kept, ok := c.of[key]; ok && now.Sub(kept.at) < sourcesFor {
		return kept.rows, nil
	}
	rows, err := a.sources(ctx, v, now, f)
	if err == nil {
		c.of[key] = heardOf{now, rows}
	}
	return rows, err
}

// sources tells of each source what it contributes to some assets. How often it
// runs, and what of its reports was broken, is the same whatever they are.
func (a *app) sources(ctx context.Context, v *index.View, now time.Time, f exposure.Filter) ([]server.SourceStatus, error) {
	type reports struct {
		runs                   []time.Time
		count, records, broken int
	}
	tools := map[string]*reports{}
	err := a.db.Reports(ctx, func(tool string, at int64, records, broken int) error {
		r := tools[tool]
		if r == nil {
			r = &reports{}
			tools[tool] = r
		}
		r.count, r.records, r.broken = r.count+1, r.records+records, r.broken+broken
		r.runs = append(r.runs, time.UnixMilli(at))
		return nil
	})
	if err != nil {
		return nil, err
	}
	words, err := storedSets{a.db, &a.stored, now}.Assertions(ctx, v)
	if err != nil {
		return nil, err
	}
	alone, shared, err := words.Count(v, f, a.today())
	if err != nil {
		return nil, err
	}
	since := now.AddDate(0, 0, -30).UnixMilli()
	var part map[exposure.SourceID]lookedOn // nil: everything
	if len(f.Terms) > 0 {
		if part, err = a.lookedOn(ctx, v, f, since); err != nil {
			return nil, err
		}
	}
	rows := []server.SourceStatus{}
	for _, src := range v.Sources()[1:] {
		row := server.SourceStatus{Tool: src.Tool, Class: src.Class, Alone: alone[src.ID], Shared: shared[src.ID]}
		if part != nil && row.Alone+row.Shared+part[src.ID].ever == 0 {
			continue // it has nothing to do with them
		}
		looks, err := a.db.LookedOn(ctx, src.ID, runsOfRhythm)
		if err != nil {
			return nil, err
		}
		var runs []time.Time
		for _, at := range looks {
			runs = append(runs, time.UnixMilli(at))
		}
		row.Proved = len(runs) > 0
		if r := tools[src.Tool]; r != nil {
			row.Reports, row.Records, row.Broken = r.count, r.records, r.broken
			if !row.Proved {
				runs = r.runs[max(0, len(r.runs)-maxRuns):]
			}
		}
		rhythm := discover.RhythmOf(runs)
		if !rhythm.Newest.IsZero() {
			row.Last = rhythm.Newest.UnixMilli()
		}
		row.Every, row.Quiet = rhythm.Every.Hours()/24, rhythm.Quiet(now)
		if part != nil {
			row.Assets = part[src.ID].lately
		} else if row.Assets, err = a.db.AssetsLookedAt(ctx, src.ID, since); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	// What never covered anything and asserts nothing is but the name of a tool
	// that has other classes, or what was removed.
	rows = slices.DeleteFunc(rows, func(r server.SourceStatus) bool {
		return !r.Proved && r.Alone+r.Shared == 0 && (r.Last == 0 || slices.ContainsFunc(rows, func(o server.SourceStatus) bool { return o.Tool == r.Tool && (o.Proved || o.Alone+o.Shared > 0) }))
	})
	slices.SortStableFunc(rows, func(x, y server.SourceStatus) int {
		return cmp.Or(strings.Compare(x.Tool, y.Tool), strings.Compare(x.Class, y.Class))
	})
	return rows, nil
}

// A rhythm is that of the last days on which a source ran; without coverage,
// that of the last reports of its tool.
const (
	runsOfRhythm = 12
	maxRuns      = 400
)

// lookedOn is how many of some assets a source looked at completely.
type lookedOn struct{ ever, lately int }

// lookedOn counts, by source, the assets of a filter that it looked at.
func (a *app) lookedOn(ctx context.Context, v *index.View, f exposure.Filter, since int64) (map[exposure.SourceID]lookedOn, error) {
	on, err := onlyOn(v, f)
	if err != nil {
		return nil, err
	}
	counts := map[exposure.SourceID]lookedOn{}
	err = a.db.SourceLooks(ctx, func(source exposure.SourceID, id exposure.AssetID, newest int64) error {
		if on(id) {
			n := counts[source]
			n.ever++
			if newest >= since {
				n.lately++
			}
			counts[source] = n
		}
		return nil
	})
	return counts, err
}

// components fills in the components of an asset that have open findings,
// counted by place.
func (a *app) components(ctx context.Context, d *server.AssetDetail, counts map[exposure.LocationID]*server.ComponentRow) error {
	ids := make([]exposure.LocationID, 0, len(counts))
	for id := range counts {
		ids = append(ids, id)
	}
	places, err := a.db.PlacesByID(ctx, ids)
	if err != nil {
		return err
	}
	found := map[exposure.Component]*server.ComponentRow{}
	for id, p := range places {
		key := exposure.Component{Purl: p.Component.Purl, Name: p.Component.Name, Version: p.Component.Version}
		if key == (exposure.Component{}) {
			continue
		}
		row := found[key]
		if row == nil {
			row = &server.ComponentRow{Name: cmp.Or(key.Name, key.Purl), Version: key.Version, Purl: key.Purl}
			found[key] = row
		}
		row.Findings += counts[id].Findings
		row.Risk = max(row.Risk, counts[id].Risk)
	}
	d.Components = []server.ComponentRow{}
	for _, row := range found {
		d.Components = append(d.Components, *row)
	}
	slices.SortFunc(d.Components, func(x, y server.ComponentRow) int {
		return cmp.Or(cmp.Compare(y.Risk, x.Risk), cmp.Compare(y.Findings, x.Findings), strings.Compare(x.Name, y.Name), strings.Compare(x.Version, y.Version), strings.Compare(x.Purl, y.Purl))
	})
	d.Parts = len(d.Components)
	d.Components = d.Components[:min(d.Parts, 50)]
	return nil
}
