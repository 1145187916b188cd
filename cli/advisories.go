package cli

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// advisoryCache keeps the advisories with open findings, most expected loss
// first, until the index moves or the day ends.
type advisoryCache struct {
	mu   sync.Mutex
	view *index.View
	day  uint16
	of   map[string][]index.AdvisoryGroup // by filter
}

// concerning are the advisories with open findings on the assets that a filter
// selects, most expected loss first.
func (a *app) concerning(v *index.View, f exposure.Filter) ([]index.AdvisoryGroup, error) {
	if _, err := onlyOn(v, f); err != nil { // the rest of the filter language is about findings
		return nil, err
	}
	c := &a.ranked
	c.mu.Lock()
	defer c.mu.Unlock()
	key, today := f.String(), a.today()
	if c.view != v || c.day != today {
		c.view, c.day, c.of = v, today, map[string][]index.AdvisoryGroup{}
	}
	if all, ok := c.of[key]; ok {
		return all, nil
	}
	all, err := v.ByAdvisory(f, today)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(x, y index.AdvisoryGroup) int { return place(x).compare(place(y)) })
	if len(c.of) > maxNarrowed {
		clear(c.of)
	}
	c.of[key] = all
	return all, nil
}

// advisoryPlace is where an advisory stands in the list. It is the cursor of a
// page too, so that rows that come or go in between hide no others.
type advisoryPlace struct {
	loss float64
	id   exposure.AdvisoryID
}

func place(g index.AdvisoryGroup) advisoryPlace { return advisoryPlace{g.Loss, g.ID} }

func (p advisoryPlace) compare(q advisoryPlace) int {
	return cmp.Or(cmp.Compare(q.loss, p.loss), cmp.Compare(p.id, q.id))
}

func (p advisoryPlace) String() string { return fmt.Sprintf("%x.%d", math.Float64bits(p.loss), p.id) }

func parseAdvisoryPlace(s string) (p advisoryPlace, err error) {
	loss, id, _ := strings.Cut(s, ".")
	bits, err := strconv.ParseUint(loss, 16, 64)
	if err == nil {
		var n uint64
		n, err = strconv.ParseUint(id, 10, 32)
		p = advisoryPlace{math.Float64frombits(bits), exposure.AdvisoryID(n)}
	}
	if err != nil {
		return p, exposure.Errorf(exposure.Invalid, "the cursor %q is none of ours: begin with the first page", s)
	}
	return p, nil
}

// Advisories lists the advisories that concern us.
func (a *app) Advisories(ctx context.Context, q server.AdvisoryQuery) (server.AdvisoryPage, error) {
	p := server.AdvisoryPage{Rows: []server.AdvisoryRow{}}
	var after *advisoryPlace
	if q.After != "" {
		at, err := parseAdvisoryPlace(q.After)
		if err != nil {
			return p, err
		}
		after = &at
	}
	f, err := exposure.ParseFilter(q.Filter)
	if err != nil {
		return p, err
	}
	v := a.ix.View()
	all, err := a.concerning(v, f)
	if err != nil {
		return p, err
	}
	rises, err := a.rises(ctx, q.Days)
	if err != nil {
		return p, err
	}
	text, limit := strings.ToLower(strings.TrimSpace(q.Text)), max(1, q.Limit)
	var page []index.AdvisoryGroup
	for _, g := range all {
		if text != "" && !v.AdvisoryMatches(g.ID, text) || q.Days > 0 && len(a.news(v, g.ID, g.FirstSeen, q.Days, rises)) == 0 {
			continue
		}
		p.Total++
		if after == nil || place(g).compare(*after) > 0 {
			if len(page) <= limit {
				page = append(page, g)
			}
		}
	}
	if len(page) > limit {
		page = page[:limit]
		p.Next = place(page[limit-1]).String()
	}
	for _, g := range page {
		row := a.advisoryRow(v, g)
		if q.Days > 0 {
			row.News = a.news(v, g.ID, g.FirstSeen, q.Days, rises)
		}
		p.Rows = append(p.Rows, row)
	}
	return p, a.spread(v, f, p.Rows)
}

// rises are the sudden rises of scores within some days, the last of each
// advisory.
func (a *app) rises(ctx context.Context, days int) (map[exposure.AdvisoryID]store.Rise, error) {
	found := map[exposure.AdvisoryID]store.Rise{}
	if days == 0 {
		return found, nil
	}
	all, err := a.db.Rises(ctx, a.now().AddDate(0, 0, -days).UnixMilli())
	for _, r := range all {
		found[r.Advisory] = r
	}
	return found, err
}

// news is what happened to an advisory within some days.
func (a *app) news(v *index.View, id exposure.AdvisoryID, firstSeen uint16, days int, rises map[exposure.AdvisoryID]store.Rise) []server.AdvisoryNews {
	since := int(a.today()) - days
	var news []server.AdvisoryNews
	if listed := v.Advisory(id).Threat.KEVDay; listed != 0 && listed >= since {
		news = append(news, server.AdvisoryNews{Kind: "exploited", Day: dayText(uint16(min(listed, exposure.NoDue-1)))})
	}
	if r, ok := rises[id]; ok {
		news = append(news, server.AdvisoryNews{Kind: "epss", Day: dayText(index.DayOf(r.At)), Earlier: r.Earlier, Later: r.Later})
	}
	if firstSeen != exposure.NoDue && int(firstSeen) >= since {
		news = append(news, server.AdvisoryNews{Kind: "seen", Day: dayText(firstSeen)})
	}
	return news
}

// advisoryRow is an advisory and what is open of it, without its spread.
func (a *app) advisoryRow(v *index.View, g index.AdvisoryGroup) server.AdvisoryRow {
	adv := v.Advisory(g.ID)
	row := server.AdvisoryRow{
		ID: g.ID, Key: adv.Key, Title: baseTitle(adv), Type: adv.Type.String(), Risk: g.Worst.Points(), Loss: g.Loss, Overdue: g.Overdue,
		Ransomware: adv.Threat.Ransomware, FirstSeen: dayText(g.FirstSeen),
	}
	bands := a.Bands()
	row.Band = bands.Of(g.Worst).String()
	if adv.Threat.KEV() {
		row.KEV = dayText(uint16(min(adv.Threat.KEVDay, exposure.NoDue-1)))
	}
	if adv.Threat.Scored() {
		epss, percentile := adv.Threat.EPSS, adv.Threat.Percentile
		row.EPSS, row.Percentile = &epss, &percentile
	}
	return row
}

// spread fills in how many findings and assets rows have within a filter,
// counted as the lists count that they lead to.
func (a *app) spread(v *index.View, f exposure.Filter, rows []server.AdvisoryRow) error {
	names := make([]string, len(rows))
	for i := range rows {
		names[i] = rows[i].Key
	}
	found, err := v.Spreads(f, names, a.today())
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Findings, rows[i].Assets = found[i].Findings, found[i].Assets
	}
	return nil
}

// Advisory answers with everything about one advisory, and with what is open of
// it on the assets that a filter selects.
func (a *app) Advisory(ctx context.Context, name, within string) (server.AdvisoryDetail, error) {
	d := server.AdvisoryDetail{On: []server.AssetRow{}, Fixes: []server.FixVersion{}}
	part, err := exposure.ParseFilter(within)
	if err != nil {
		return d, err
	}
	v := a.ix.View()
	id := exposure.AdvisoryID(0)
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		id = exposure.AdvisoryID(n)
	} else {
		id = v.AdvisoryNamed(name)
	}
	if adv := v.Advisory(id); adv == nil || adv.Key == "" {
		return d, exposure.Errorf(exposure.NotFound, "no report spoke of %q yet", name)
	}
	if d.Info, err = a.db.Advisory(ctx, id); err != nil {
		return d, err
	}
	d.Info.Threat = v.Advisory(id).Threat
	group := index.AdvisoryGroup{ID: id, FirstSeen: exposure.NoDue}
	all, err := a.concerning(v, part)
	if err != nil {
		return d, err
	}
	for _, g := range all {
		if g.ID == id {
			group = g
		}
	}
	rises, err := a.rises(ctx, newsDays)
	if err != nil {
		return d, err
	}
	d.AdvisoryRow = a.advisoryRow(v, group)
	d.News = a.news(v, id, group.FirstSeen, newsDays, rises)
	filter := part.With(exposure.Term{Field: exposure.FieldAdvisory, Values: []string{strings.ToLower(d.Key)}})
	for asset, g := range v.ByAsset(filter, a.today()) {
		d.Assets++
		d.Findings += g.Count
		if known := v.Asset(asset); known != nil {
			d.On = append(d.On, assetRow(known, g))
		}
	}
	sortAssets(d.On)
	d.On = d.On[:min(len(d.On), 50)]
	if err := a.lookedAt(ctx, d.On); err != nil {
		return d, err
	}
	if d.EPSS, err = a.pastScores(ctx, &d.Info); err != nil {
		return d, err
	}
	return d, a.fixes(ctx, v, filter, &d)
}

// newsDays is how far back the page of one advisory tells what is new.
const newsDays = 30

// fixes fills in the versions that fix an advisory.
func (a *app) fixes(ctx context.Context, v *index.View, filter exposure.Filter, d *server.AdvisoryDetail) error {
	const most = 5000 // places looked at: more of them name no other versions
	counts := map[exposure.LocationID]int{}
	err := v.All(filter, a.today(), func(r index.Row) bool {
		if counts[r.Location] > 0 || len(counts) < most {
			counts[r.Location]++
		}
		return true
	})
	if err != nil {
		return err
	}
	ids := make([]exposure.LocationID, 0, len(counts))
	for id := range counts {
		ids = append(ids, id)
	}
	places, err := a.db.PlacesByID(ctx, ids)
	if err != nil {
		return err
	}
	type fix struct{ component, versions string }
	found := map[fix]int{}
	for id, p := range places {
		if p.Component.Fixed != "" {
			found[fix{cmp.Or(p.Component.Name, p.Component.Purl), p.Component.Fixed}] += counts[id]
		}
	}
	for f, n := range found {
		d.Fixes = append(d.Fixes, server.FixVersion{Component: f.component, Versions: f.versions, Findings: n})
	}
	slices.SortFunc(d.Fixes, func(x, y server.FixVersion) int {
		return cmp.Or(cmp.Compare(y.Findings, x.Findings), strings.Compare(x.Component, y.Component), strings.Compare(x.Versions, y.Versions))
	})
	d.Fixes = d.Fixes[:min(len(d.Fixes), 50)]
	return nil
}
