package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

type inventoryCmd struct {
	Purl  string `arg:"" optional:"" help:"Part of a package URL, as in log4j-core or pkg:npm/lodash@4.17.20."`
	Asset uint32 `help:"Only this asset, with its services: its number." placeholder:"N"`
	Limit int    `help:"Rows; 0 prints all." default:"50"`
}

// Run says which packages are where.
func (c *inventoryCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.Asset != 0 {
		return c.ofAsset(ctx, r, h)
	}
	t := r.table("PACKAGE\tASSETS\tADVISORIES\tON")
	q := server.ComponentQuery{Purl: c.Purl}
	for shown := 0; ; {
		q.Limit = c.page(shown)
		p, err := h.Components(ctx, q)
		if err != nil {
			return err
		}
		for i := range p.Rows {
			row := &p.Rows[i]
			var names []string
			for _, a := range row.Assets[:min(len(row.Assets), 3)] {
				names = append(names, a.Name)
			}
			if row.Count > len(names) {
				names = append(names, "…")
			}
			if err := t.row(row, "%s\t%d\t%d\t%s\n", clip(row.Purl, 70), row.Count, len(row.Advisories), clip(strings.Join(names, ", "), 60)); err != nil {
				return err
			}
		}
		shown += len(p.Rows)
		if q.After = p.Next; p.Next == 0 || c.Limit > 0 && shown >= c.Limit {
			return t.end("No kept inventory has such a package. Reports that list packages bring them, such as a CycloneDX document: `leeward import FILE`.", "%d of %d packages\n", shown, p.Total)
		}
	}
}

// page is how many rows are asked for next.
func (c *inventoryCmd) page(shown int) int {
	if c.Limit > 0 {
		return min(1000, c.Limit-shown)
	}
	return 1000
}

func (c *inventoryCmd) ofAsset(ctx context.Context, r *run, h house) error {
	t := r.table("WHAT\tADVISORIES\tSEEN BY\tON")
	by := func(all ...server.KeptBy) (tools, day string) {
		var names []string
		at := int64(0)
		for _, s := range all {
			if !slices.Contains(names, s.Tool) {
				names = append(names, s.Tool)
			}
			at = max(at, s.At)
		}
		return clip(strings.Join(names, ", "), 30), time.UnixMilli(at).UTC().Format(time.DateOnly)
	}
	q := server.InventoryQuery{Text: c.Purl}
	for shown := 0; ; {
		q.Limit = c.page(shown)
		p, err := h.Inventory(ctx, exposure.AssetID(c.Asset), q)
		if err != nil {
			return err
		}
		for i := 0; i < len(p.Services) && q.After == 0 && c.Purl == ""; i++ {
			tools, day := by(p.Services[i].Source)
			if err := t.row(p.Services[i], "%s\t%s\t%s\t%s\n", clip(p.Services[i].String(), 70), "–", tools, day); err != nil {
				return err
			}
		}
		for i := range p.Packages {
			row := &p.Packages[i]
			tools, day := by(row.Sources...)
			if err := t.row(row, "%s\t%d\t%s\t%s\n", clip(row.Purl, 70), len(row.Advisories), tools, day); err != nil {
				return err
			}
		}
		shown += len(p.Packages)
		if q.After = p.Next; p.Next == 0 || c.Limit > 0 && shown >= c.Limit {
			return t.end("Nothing is kept of this asset. Reports that list packages or ports bring them: `leeward import FILE`.", "%d of %d packages, %d services\n", shown, p.Total, len(p.Services))
		}
	}
}

// Inventory is what is kept of one asset.
func (a *app) Inventory(ctx context.Context, id exposure.AssetID, q server.InventoryQuery) (server.InventoryPage, error) {
	p := server.InventoryPage{Packages: []server.PackageRow{}, Services: []server.OpenPortRow{}}
	if a.ix.View().Asset(id) == nil {
		return p, exposure.Errorf(exposure.NotFound, "there is no asset %d", id)
	}
	stocks, err := a.db.Inventory(ctx, id)
	if err != nil || len(stocks) == 0 {
		return p, err
	}
	tools, err := a.toolsOf(ctx)
	if err != nil {
		return p, err
	}
	holders := map[exposure.ComponentID][]server.KeptBy{}
	for i := range stocks {
		s := &stocks[i]
		by := server.KeptBy{Tool: tools[s.Source], Scan: s.Scan, At: s.At}
		for _, service := range s.Services {
			p.Services = append(p.Services, server.OpenPortRow{Service: service, Source: by})
		}
		bits, err := bitsOf(s)
		if err != nil {
			return p, err
		}
		for _, n := range bits.ToArray() {
			holders[exposure.ComponentID(n)] = append(holders[exposure.ComponentID(n)], by)
		}
	}
	slices.SortStableFunc(p.Services, func(x, y server.OpenPortRow) int { return x.Compare(y.Service) })
	var rows []server.PackageRow
	text := strings.ToLower(q.Text)
	err = a.db.Components(ctx, func(c *store.Component) error {
		if by := holders[c.ID]; by != nil && strings.Contains(strings.ToLower(c.Purl), text) {
			ids, err := concernIDs(c)
			rows = append(rows, server.PackageRow{Purl: c.Purl, Advisories: ids, Sources: by})
			return err
		}
		return nil
	})
	slices.SortFunc(rows, func(x, y server.PackageRow) int { return strings.Compare(x.Purl, y.Purl) })
	p.Total = len(rows)
	var some []server.PackageRow
	some, p.Next = cutPage(rows, q.After, q.Limit)
	p.Packages = append(p.Packages, some...)
	return p, err
}

// cutPage is a part of rows, and where the next begins; 0: there is none.
func cutPage[T any](rows []T, after uint32, limit int) (page []T, next uint32) {
	start := min(int(after), len(rows))
	end := min(start+max(1, limit), len(rows))
	if end < len(rows) {
		next = uint32(end)
	}
	return rows[start:end], next
}

func bitsOf(i *exposure.Inventory) (*roaring.Bitmap, error) {
	bits := roaring.New()
	if err := bits.UnmarshalBinary(i.Packages); err != nil {
		return nil, fmt.Errorf("the packages of asset %d: %w", i.Asset, err)
	}
	return bits, nil
}

// concernIDs are the advisories about a package.
func concernIDs(c *store.Component) ([]string, error) {
	ids := []string{}
	if c.Concerns == "" {
		return ids, nil
	}
	var all []concern
	if err := json.Unmarshal([]byte(c.Concerns), &all); err != nil {
		return nil, fmt.Errorf("what was said of %s: %w", c.Purl, err)
	}
	for _, one := range all {
		ids = append(ids, one.ID)
	}
	return ids, nil
}

func (a *app) toolsOf(ctx context.Context) (map[exposure.SourceID]string, error) {
	sources, err := a.db.Sources(ctx)
	tools := make(map[exposure.SourceID]string, len(sources))
	for _, s := range sources {
		tools[s.ID] = s.Tool
	}
	return tools, err
}

// componentAssets is how many assets are named of a package.
const componentAssets = 50

// Components are the packages that are somewhere, those on most assets first.
func (a *app) Components(ctx context.Context, q server.ComponentQuery) (server.ComponentPage, error) {
	p := server.ComponentPage{Rows: []server.KeptComponent{}}
	v := a.ix.View()
	fits, err := a.selectsAsset(ctx, v, server.AssetQuery{Filter: q.Filter})
	if err != nil {
		return p, err
	}
	wanted := roaring.New()
	var rows []server.KeptComponent
	at := map[uint32]int{}
	text := strings.ToLower(q.Purl)
	err = a.db.Components(ctx, func(c *store.Component) error {
		if !strings.Contains(strings.ToLower(c.Purl), text) {
			return nil
		}
		ids, err := concernIDs(c)
		wanted.Add(uint32(c.ID))
		at[uint32(c.ID)] = len(rows)
		rows = append(rows, server.KeptComponent{ID: c.ID, Purl: c.Purl, Advisories: ids, Assets: []server.ComponentAsset{}})
		return err
	})
	if err != nil || len(rows) == 0 {
		return p, err
	}
	err = a.eachStock(ctx, func(id exposure.AssetID, bits *roaring.Bitmap) {
		asset := v.Asset(id)
		if asset == nil || !bits.Intersects(wanted) || !fits(asset) {
			return
		}
		bits.And(wanted)
		for _, n := range bits.ToArray() {
			row := &rows[at[n]]
			if row.Count++; row.Count <= componentAssets {
				row.Assets = append(row.Assets, server.ComponentAsset{ID: id, Name: asset.Name})
			}
		}
	})
	rows = slices.DeleteFunc(rows, func(c server.KeptComponent) bool { return c.Count == 0 })
	slices.SortFunc(rows, func(x, y server.KeptComponent) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Purl, y.Purl))
	})
	p.Total = len(rows)
	var some []server.KeptComponent
	some, p.Next = cutPage(rows, q.After, q.Limit)
	p.Rows = append(p.Rows, some...)
	return p, err
}

// eachStock calls f with each asset and the packages that any source saw there.
func (a *app) eachStock(ctx context.Context, f func(exposure.AssetID, *roaring.Bitmap)) error {
	var asset exposure.AssetID
	all := roaring.New()
	err := a.db.Inventories(ctx, func(i *exposure.Inventory) error {
		bits, err := bitsOf(i)
		if err != nil {
			return err
		}
		if i.Asset != asset {
			if asset != 0 {
				f(asset, all)
			}
			asset, all = i.Asset, roaring.New()
		}
		all.Or(bits)
		return nil
	})
	if err == nil && asset != 0 {
		f(asset, all)
	}
	return err
}

// Bounds of what is told of the surface.
const (
	surfaceRows  = 1000
	surfaceSince = 7 * 24 * time.Hour
)

// Surface is what changed of what can be reached since a time.
func (a *app) Surface(ctx context.Context, q server.SurfaceQuery) (server.SurfaceReport, error) {
	if q.Since.IsZero() {
		q.Since = a.now().Add(-surfaceSince)
	}
	r := server.SurfaceReport{Since: q.Since.UnixMilli(), Rows: []server.SurfaceRow{}}
	v := a.ix.View()
	fits, err := a.selectsAsset(ctx, v, server.AssetQuery{Filter: q.Filter})
	if err != nil {
		return r, err
	}
	// What a filter leaves out is read, too.
	changes, err := a.db.SurfaceChanges(ctx, r.Since, 100*surfaceRows)
	if err != nil {
		return r, err
	}
	for _, c := range changes {
		asset := v.Asset(c.Asset)
		if asset == nil || !fits(asset) {
			continue
		}
		row := server.SurfaceRow{At: c.At, Kind: string(c.Kind), Asset: c.Asset, Name: asset.Name, Scan: c.Scan}
		if c.Was != (exposure.Service{}) {
			row.Was = &c.Was
		}
		if c.Now != (exposure.Service{}) {
			row.Now = &c.Now
		}
		r.Rows = append(r.Rows, row)
	}
	for asset := range assetsOf(v) {
		if asset.FirstSeen >= r.Since && fits(asset) {
			r.Rows = append(r.Rows, server.SurfaceRow{At: asset.FirstSeen, Kind: "appeared", Asset: asset.ID, Name: asset.Name})
		}
	}
	slices.SortStableFunc(r.Rows, func(x, y server.SurfaceRow) int {
		return cmp.Or(cmp.Compare(y.At, x.At), cmp.Compare(x.Asset, y.Asset))
	})
	if r.More = len(r.Rows) > surfaceRows; r.More {
		r.Rows = r.Rows[:surfaceRows]
	}
	return r, nil
}

func (c *client) Inventory(ctx context.Context, id exposure.AssetID, q server.InventoryQuery) (p server.InventoryPage, err error) {
	v := url.Values{"q": {q.Text}, "after": {strconv.FormatUint(uint64(q.After), 10)}, "limit": {strconv.Itoa(q.Limit)}}
	return p, c.get(ctx, fmt.Sprintf("/api/v1/assets/%d/inventory?%s", id, v.Encode()), &p)
}

func (c *client) Components(ctx context.Context, q server.ComponentQuery) (p server.ComponentPage, err error) {
	v := url.Values{"purl": {q.Purl}, "filter": {q.Filter}, "after": {strconv.FormatUint(uint64(q.After), 10)}, "limit": {strconv.Itoa(q.Limit)}}
	return p, c.get(ctx, "/api/v1/components?"+v.Encode(), &p)
}
