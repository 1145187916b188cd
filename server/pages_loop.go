package server

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/measure"
	"github.com/leeward-ctem/leeward/validate"
	"github.com/leeward-ctem/leeward/web"
)

func (s *Server) scopePage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	report, err := s.Backend.Scope(ctx, "")
	if err != nil {
		return nil, err
	}
	programme, err := s.Backend.Programme(ctx)
	if err != nil {
		return nil, err
	}
	p := web.ScopePage{Shell: s.shell(ctx, "Scope", web.StageScope), NoTier: report.NoTier, NoReach: report.NoReach, Unowned: report.NoOwner, Unseen: report.Unseen, Unspoken: report.Coverage.Unspoken, IdleCount: report.Coverage.IdleCount, CanApply: can(ctx, Operator)}
	whole := scopeOf(ctx) == ""
	// Whether an entry is of use is a question to all assets, not to those of a scope.
	if whole {
		for _, e := range report.Coverage.Idle {
			p.Idle = append(p.Idle, web.IdleRow{Line: e.Line, Text: e.Text})
		}
	}
	if programme.Version > 0 {
		p.Programme, p.Applied, p.AppliedBy = programme.Body, millis(programme.At), programme.Actor
	}
	for _, v := range report.Services {
		if v.Assets == 0 && !whole {
			continue // it has nothing to do with the chosen scope
		}
		p.Services = append(p.Services, web.ServiceRow{Name: v.Name, Tier: v.Tier, Owner: v.Owner, Impact: v.Impact, Loss: v.Loss, Assets: v.Assets, Open: v.Open, Risk: v.Risk, Band: s.bandOf(v.Risk)})
	}
	for _, v := range report.Scopes {
		if v.Assets == 0 && !whole {
			continue
		}
		p.Scopes = append(p.Scopes, web.ScopeRow{Name: v.Name, Objective: v.Objective, Owner: v.Owner, Assets: v.Assets, Open: v.Open})
	}
	for _, v := range report.Owners {
		if v.Name == "" {
			continue
		}
		p.Owners = append(p.Owners, web.OwnerRow{Name: v.Name, Assets: v.Assets, Open: v.Open, Overdue: v.Overdue})
	}
	for _, v := range report.Tags {
		p.Tags = append(p.Tags, web.Count{Value: v.Name, Count: v.Assets})
	}
	slices.SortStableFunc(p.Tags, func(a, b web.Count) int { return cmp.Compare(b.Count, a.Count) })
	for _, v := range report.Scanned {
		p.Coverage = append(p.Coverage, web.CoverageRow{Class: v.Class, Covered: v.Covered, Total: v.Total, Newest: millis(v.Newest)})
	}
	return web.Scope(p), nil
}

// millis is a moment in unix milliseconds; 0 is never.
func millis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func (s *Server) feedsPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	rows, err := s.Backend.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	p := web.FeedsPage{Shell: s.shell(ctx, "Intel", web.StageIntel), CanUpdate: can(ctx, Operator)}
	for _, f := range rows {
		row := web.FeedRow{
			Name: f.Name, Title: f.Title, License: f.Licence, Attribution: f.Attribution, Records: f.Records,
			Model: f.Version, Every: time.Duration(f.Every * float64(time.Hour)), Stale: f.Stale, Error: f.Error, OnRequest: f.OnRequest,
		}
		if len(f.Locations) > 0 {
			row.Location = f.Locations[0]
			if more := len(f.Locations) - 1; more > 0 {
				row.Location = fmt.Sprintf("%s and %d more", row.Location, more)
			}
		}
		row.Data, _ = time.Parse(time.RFC3339, f.Date)
		row.Fetched, _ = time.Parse(time.RFC3339, f.Fetched)
		p.Rows = append(p.Rows, row)
	}
	return web.Feeds(p), nil
}

// feedsForm asks for an update in the background: a browser does not wait for
// downloads.
func (s *Server) feedsForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	var names []string
	if name := f.Get("name"); name != "" {
		names = []string{name}
	}
	if err := s.Backend.RequestFeeds(r.Context(), names); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.FeedsURL, "The update runs; this page follows it.")
}

func (s *Server) validatePage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	p := web.ValidatePage{Shell: s.shell(ctx, "Validate", web.StageValidate)}
	list, err := s.Backend.Findings(ctx, FindingQuery{Filter: "status:fix_claimed", Limit: 100})
	if err != nil {
		return nil, err
	}
	p.Total = list.Total
	claims, err := s.Backend.Claims(ctx, list.Rows)
	if err != nil {
		return nil, err
	}
	for i := range list.Rows {
		c := claims[i]
		p.Awaiting = append(p.Awaiting, web.Claim{
			FindingRow: findingRow(&list.Rows[i]), By: c.By, At: millis(c.At), Reason: c.Reason, Needs: validate.Decides(list.Rows[i].Tools, c.Kind),
		})
	}
	verdicts, err := s.Backend.Verdicts(ctx, "", 50)
	if err != nil {
		return nil, err
	}
	for _, v := range verdicts {
		row := web.VerdictRow{Title: v.Title, Asset: v.Asset, By: v.By, At: millis(v.At), Until: millis(v.Until), Note: v.Note}
		row.Finding, _ = exposure.ParseFindingID(v.Finding) // our own words, read back
		row.Kind.UnmarshalText([]byte(v.Kind))
		p.Verdicts = append(p.Verdicts, row)
	}
	return web.Validate(p), nil
}

func (s *Server) jobsPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	jobs, err := s.Backend.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	p := web.JobsPage{Shell: s.shell(ctx, "Jobs", web.StageJobs), CanRetry: can(ctx, Operator)}
	for _, j := range jobs {
		p.Rows = append(p.Rows, web.JobRow{ID: j.ID, Title: j.Title, Task: j.Task, State: j.State, Attempt: j.Attempt, Attempts: j.Attempts, At: j.At, Ended: j.Ended, Error: j.Error})
	}
	return web.Jobs(p), nil
}

func (s *Server) retryForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	if err := s.Backend.RetryJob(r.Context(), number(r, "id")); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.JobsURL, "The job runs again.")
}

func (s *Server) loadDemoForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	if err := s.Backend.LoadDemo(r.Context()); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.OverviewURL, "The demo company is here.")
}

func (s *Server) removeDemoForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	n, err := s.Backend.RemoveDemo(r.Context(), ActorOf(r.Context()).Name)
	if err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.OverviewURL, fmt.Sprintf("The demo is gone, and %d findings with it.", n))
}

// trendDays is how far back the charts of the overview go.
const trendDays = 90

func (s *Server) overviewPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	sum, err := s.Backend.Summary(ctx)
	if err != nil {
		return nil, err
	}
	p := web.OverviewPage{Shell: s.shell(ctx, "Exposure", web.StageOverview), Scope: sum.Name, LastImport: millis(sum.LastImport)}
	if p.LastImport.IsZero() {
		return web.Overview(p), nil
	}
	m, err := s.Backend.Measures(ctx, "")
	if err != nil {
		return nil, err
	}
	p.Tiles = tiles(&sum.Figures, m.History[max(0, len(m.History)-trendDays):])
	if m.Filter != "" {
		tilesOfPart(p.Tiles, m.Days)
	}
	p.Trend = trendOf(&m, sum.Currency)
	if p.Teams, err = teams(sum.Teams); err != nil {
		return nil, err
	}
	month := m.Periods[slices.IndexFunc(m.Periods, func(p Period) bool { return p.Days == 30 })]
	p.SLA = web.SLA{Period: "of the last 30 days", Due: fellDue(&month.SLA), OnTime: month.SLA.Met - month.SLA.Ahead, Late: sum.Figures.Late}
	p.Changes = changeRows(&m.Periods[0])
	fixes, err := s.Backend.Remediations(ctx, "")
	if err != nil {
		return nil, err
	}
	removed := 0.0
	for i := range fixes[:min(len(fixes), 5)] {
		p.Fixes = append(p.Fixes, remediationRow(&fixes[i], s.bandOf))
		removed += fixes[i].Loss
	}
	if sum.Figures.Loss > 0 {
		part := min(1, removed/sum.Figures.Loss)
		p.FixShare = &part
	}
	latest, err := s.Backend.Scans(ctx, ScanQuery{Limit: 6})
	p.Imports = latest.Rows
	return web.Overview(p), err
}

// tiles are the key figures, each with the list it counts and its past.
func tiles(now *Rollup, history []Rollup) []web.Tile {
	var tiles []web.Tile
	for _, t := range []struct {
		label, filter string
		of            func(*Rollup) int
	}{
		{"Open findings", "", func(d *Rollup) int { return d.Open }},
		{"Critical risk", "band:critical", func(d *Rollup) int { return d.Bands["critical"] }},
		{"Known exploited", "kev:true", func(d *Rollup) int { return d.KEV }},
		{"Overdue", "is:overdue", func(d *Rollup) int { return d.Late }},
	} {
		tile := web.Tile{Label: t.label, Value: t.of(now), Link: web.Find(t.filter)}
		for i := range history {
			tile.History = append(tile.History, float64(t.of(&history[i])))
		}
		if n := len(history); n > 30 {
			tile.Delta, tile.Tone = delta(tile.Value, t.of(&history[n-30]))
		}
		tiles = append(tiles, tile)
	}
	return tiles
}

// tilesOfPart gives the tiles of a part the past that there is: how many findings
// were open is told by the flow, and all else was recorded of everything alone.
func tilesOfPart(tiles []web.Tile, days []measure.Day) {
	for i := range tiles[1:] {
		tiles[1+i].Delta, tiles[1+i].Tone = "before: not measurable in a scope", web.Plain
	}
	begun := slices.IndexFunc(days, func(d measure.Day) bool { return d.Open+d.Closed > 0 })
	if begun < 0 {
		return
	}
	for _, d := range days[max(begun, len(days)-trendDays):] {
		tiles[0].History = append(tiles[0].History, float64(d.Open))
	}
	if before := len(days) - 1 - 30; before >= begun {
		tiles[0].Delta, tiles[0].Tone = delta(tiles[0].Value, days[before].Open)
	}
}

// delta is how a number of bad things changed within 30 days.
func delta(now, before int) (text string, tone web.Tone) {
	switch {
	case now == before:
		return "as 30 days ago", web.Plain
	case before == 0:
		return fmt.Sprintf("+%d in 30 days", now), web.Bad
	}
	change := 100 * float64(now-before) / float64(before)
	if change < 0 {
		return fmt.Sprintf("−%.1f%% in 30 days", -change), web.Good
	}
	return fmt.Sprintf("+%.1f%% in 30 days", change), web.Bad
}

// teams are the open findings by team and band, the team with the most
// critical ones first.
func teams(groups []GroupRow) ([]web.TeamRisk, error) {
	var teams []web.TeamRisk
	at := map[string]int{}
	for _, g := range groups { // the greatest loss comes first
		i, ok := at[g.Keys[0]]
		if !ok {
			i = len(teams)
			at[g.Keys[0]] = i
			teams = append(teams, web.TeamRisk{Team: g.Keys[0], Counts: map[exposure.Band]int{}})
		}
		var b exposure.Band
		if err := b.UnmarshalText([]byte(g.Keys[1])); err != nil {
			return nil, err
		}
		teams[i].Counts[b] += g.Count
	}
	return teams[:min(len(teams), 12)], nil
}
