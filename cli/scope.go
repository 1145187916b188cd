package cli

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/prioritize"
	"github.com/leeward-ctem/leeward/scope"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// loadProgramme takes the programme in force from the database and makes the
// risk model that it asks for.
func (a *app) loadProgramme(ctx context.Context) error {
	body, version, err := a.db.Programme(ctx)
	if err != nil {
		return err
	}
	p := &scope.Programme{}
	if version > 0 {
		if p, err = scope.Parse("programme", []byte(body)); err != nil {
			return exposure.Errorf(exposure.Internal, "the stored programme cannot be read: %w", err)
		}
	}
	m, err := modelOf(p, a.now())
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.programme, a.version, a.model = p, version, m
	return nil
}

// modelOf is the risk model that a programme asks for, with its policies.
func modelOf(p *scope.Programme, day time.Time) (*prioritize.Model, error) {
	m, err := prioritize.New(riskConfig(p), day, p.Policies...)
	if err != nil {
		return nil, err
	}
	return m.For(p.Profile)
}

// riskConfig is what a programme overrides of the risk model.
func riskConfig(p *scope.Programme) prioritize.Config {
	r := p.Risk
	if r == nil {
		return prioritize.Config{}
	}
	c := prioritize.Config{Targeted: r.Targeted, Actors: r.Actors, LossMin: r.LossMin, LossMax: r.LossMax, Loss: r.Loss, Bands: r.Bands, SLA: r.SLA, Policies: r.Policies}
	if w := r.Weights; w != nil {
		c.Weights = &prioritize.Weights{Intercept: w.Intercept, Signals: w.Signals, Horizon: w.Horizon, Fit: prioritize.Fit(w.Fit)}
	}
	return c
}

// readProgramme reads a programme and makes the risk model that it asks for, of
// a day. What the model finds wrong is told with its line, as all else.
func readProgramme(file, body string, day time.Time) (*scope.Programme, *prioritize.Model, error) {
	file = orElse(file, "programme")
	p, err := scope.Parse(file, []byte(body))
	if err != nil {
		return nil, nil, err
	}
	m, err := modelOf(p, day)
	var wrong prioritize.Problems
	if !errors.As(err, &wrong) {
		return p, m, err
	}
	var keys, texts []string
	for _, w := range wrong {
		keys, texts = append(keys, w.Key), append(texts, w.Text)
	}
	return nil, nil, p.Complain(file, keys, texts)
}

// inForce returns the programme and the model.
func (a *app) inForce() (*scope.Programme, *prioritize.Model) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.programme, a.model
}

// follow takes up what other processes wrote: events, and a programme.
func (a *app) follow(ctx context.Context) error {
	_, version, err := a.db.Programme(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	known := a.version
	a.mu.Unlock()
	if version != known {
		if err := a.reload(ctx); err != nil {
			return err
		}
	}
	return a.ix.CatchUp(ctx, a.db)
}

// reload puts the stored programme into force.
func (a *app) reload(ctx context.Context) error {
	if err := a.loadProgramme(ctx); err != nil {
		return err
	}
	p, m := a.inForce()
	a.ix.SetContexts(p)
	if m.Version() != a.ix.View().Model().Version() {
		a.ix.SetModel(m)
	}
	return nil
}

// Programme answers with the programme in force, or a template to begin with.
func (a *app) Programme(ctx context.Context) (server.Programme, error) {
	body, version, err := a.db.Programme(ctx)
	if err != nil {
		return server.Programme{}, err
	}
	if version == 0 {
		return server.Programme{Body: string(scope.Template())}, nil
	}
	at, actor, err := a.db.ProgrammeBy(ctx, version)
	return server.Programme{Body: body, Version: version, At: at, Actor: actor}, err
}

// Apply puts a programme file into force, or says what it would change.
func (a *app) Apply(ctx context.Context, r server.ApplyRequest) (server.ApplyResult, error) {
	var res server.ApplyResult
	old, live := a.inForce()
	next, m, err := readProgramme(r.File, r.Body, modelDay(live))
	if err != nil {
		return res, err
	}
	res.Changes = scope.Compare(old, next, a.assets())
	res.Summary = res.Changes.String()
	if r.DryRun {
		res.BandChanges, err = a.bandChanges(ctx, next, m)
		return res, err
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		if version, err := tx.ProgrammeVersion(ctx); err != nil {
			return err
		} else if r.Base != 0 && r.Base != version {
			return exposure.Errorf(exposure.Conflict, "somebody applied version %d of the programme meanwhile, and this was made from %d: take up what they changed first", version, r.Base)
		}
		res.Changed, err = tx.PutProgramme(ctx, r.Body, orElse(r.Actor, exposure.CommandLine), a.now().UnixMilli())
		return err
	})
	if err != nil || !res.Changed {
		return res, err
	}
	if err := a.reload(ctx); err != nil {
		return res, err
	}
	if !reflect.DeepEqual(old.Profile, next.Profile) {
		if _, err := a.enrich(context.WithoutCancel(ctx)); err != nil {
			return res, err
		}
	}
	a.tell("programme", res)
	return res, a.ix.CatchUp(ctx, a.db)
}

// assets are all assets that the index knows, without those merged into others.
func (a *app) assets() iter.Seq[*exposure.Asset] {
	return assetsOf(a.ix.View())
}

func assetsOf(v *index.View) iter.Seq[*exposure.Asset] {
	return func(yield func(*exposure.Asset) bool) {
		for id := exposure.AssetID(1); ; id++ {
			asset, more := v.AssetAt(id)
			if !more || asset != nil && !yield(asset) {
				return
			}
		}
	}
}

// Scope reports what counts, whose it is and what is seen of it, of the assets
// that a filter selects.
func (a *app) Scope(ctx context.Context, filter string) (server.ScopeReport, error) {
	p, _ := a.inForce()
	v := a.ix.View()
	assets, err := a.filtered(v, filter)
	if err != nil {
		return server.ScopeReport{}, err
	}
	groups := v.ByAsset(exposure.Filter{}, a.today())
	services, scopes := map[string]*server.ServiceRow{}, map[string]*server.ScopeRow{}
	owners, tags := map[string]*server.OwnerRow{}, map[string]*server.TagRow{}
	for _, s := range p.Services {
		services[s.Name] = &server.ServiceRow{Name: s.Name, Tier: s.Tier, Owner: s.Owner, Impact: p.Loss(&s)}
	}
	for _, s := range p.Scopes {
		scopes[s.Name] = &server.ScopeRow{Name: s.Name, Objective: s.Objective, Owner: s.Owner}
	}
	report := server.ScopeReport{Coverage: p.Coverage(assets), Services: []server.ServiceRow{}, Scopes: []server.ScopeRow{}, Owners: []server.OwnerRow{}, Tags: []server.TagRow{}}
	total := 0
	for asset := range assets {
		total++
		c, g := asset.Context, groups[asset.ID]
		if g == nil {
			g = &index.Group{}
		}
		if c.Tier == 0 {
			report.NoTier++
		}
		if c.Reach == exposure.ReachUnknown {
			report.NoReach++
		}
		if c.Owner == "" {
			report.NoOwner++
		}
		for _, name := range c.Services {
			if s := services[name]; s != nil {
				s.Assets, s.Open, s.Loss, s.Risk = s.Assets+1, s.Open+g.Count, s.Loss+g.Loss, max(s.Risk, g.Worst.Points())
			}
		}
		for _, name := range c.Scopes {
			if s := scopes[name]; s != nil {
				s.Assets, s.Open = s.Assets+1, s.Open+g.Count
			}
		}
		if owners[c.Owner] == nil {
			owners[c.Owner] = &server.OwnerRow{Name: c.Owner}
		}
		o := owners[c.Owner]
		o.Assets, o.Open, o.Overdue = o.Assets+1, o.Open+g.Count, o.Overdue+g.Overdue
		for _, t := range c.Tags {
			if tags[t] == nil {
				tags[t] = &server.TagRow{Name: t}
			}
			tags[t].Assets++
		}
	}
	for _, s := range p.Services {
		report.Services = append(report.Services, *services[s.Name])
	}
	for _, s := range p.Scopes {
		report.Scopes = append(report.Scopes, *scopes[s.Name])
	}
	for _, name := range slices.Sorted(maps.Keys(owners)) {
		report.Owners = append(report.Owners, *owners[name])
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		report.Tags = append(report.Tags, *tags[name])
	}
	slices.SortStableFunc(report.Services, func(x, y server.ServiceRow) int { return cmp.Compare(y.Loss, x.Loss) })
	report.Scanned, report.Unseen, err = a.scanned(ctx, assets, total)
	return report, err
}

// filtered are the assets that a filter selects.
func (a *app) filtered(v *index.View, filter string) (iter.Seq[*exposure.Asset], error) {
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return nil, err
	}
	matches, err := v.AssetFilter(f)
	if err != nil {
		return nil, err
	}
	return func(yield func(*exposure.Asset) bool) {
		for asset := range assetsOf(v) {
			if matches(asset.ID) && !yield(asset) {
				return
			}
		}
	}, nil
}

// unseenDays is after how long without a complete look an asset counts as unseen.
const unseenDays = 30

// scanned says how much of the assets each class of scans looked at within 30
// days, and how many of those in scope none of them did.
func (a *app) scanned(ctx context.Context, assets iter.Seq[*exposure.Asset], total int) (rows []server.ScannedRow, unseen int, err error) {
	since := a.now().AddDate(0, 0, -unseenDays).UnixMilli()
	seen := map[exposure.AssetID]bool{}
	for asset := range assets {
		seen[asset.ID] = asset.Context.Excluded
	}
	rows = []server.ScannedRow{}
	err = a.db.NewestLooks(ctx, func(class string, id exposure.AssetID, newest int64) error {
		if _, ours := seen[id]; !ours {
			return nil
		}
		if len(rows) == 0 || rows[len(rows)-1].Class != class {
			rows = append(rows, server.ScannedRow{Class: class, Total: total})
		}
		row := &rows[len(rows)-1]
		row.Newest = max(row.Newest, newest)
		if newest >= since {
			row.Covered++
			seen[id] = true
		}
		return nil
	})
	for _, yes := range seen {
		if !yes {
			unseen++
		}
	}
	return rows, unseen, err
}

// Choices are the business services, scopes and owners whose names hold a
// text. Those that begin with it come first.
func (a *app) Choices(_ context.Context, text string, limit int) ([]server.ScopeChoice, error) {
	p, _ := a.inForce()
	services, scopes, teams := map[string]int{}, map[string]int{}, map[string]int{}
	for asset := range a.assets() {
		for _, name := range asset.Context.Services {
			services[name]++
		}
		for _, name := range asset.Context.Scopes {
			scopes[name]++
		}
		if asset.Context.Owner != "" {
			teams[asset.Context.Owner]++
		}
	}
	all := []server.ScopeChoice{}
	text = strings.ToLower(strings.TrimSpace(text))
	add := func(kind string, field exposure.Field, name string, assets int) {
		if strings.Contains(strings.ToLower(name), text) {
			all = append(all, server.ScopeChoice{Term: exposure.Term{Field: field, Values: []string{name}}.String(), Kind: kind, Name: name, Assets: assets})
		}
	}
	for _, s := range p.Services {
		add("service", exposure.FieldService, s.Name, services[s.Name])
	}
	for _, s := range p.Scopes {
		add("scope", exposure.FieldScope, s.Name, scopes[s.Name])
	}
	for _, name := range slices.Sorted(maps.Keys(teams)) {
		add("team", exposure.FieldOwner, name, teams[name])
	}
	begins := func(c server.ScopeChoice) int {
		if strings.HasPrefix(strings.ToLower(c.Name), text) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(x, y server.ScopeChoice) int { return cmp.Compare(begins(x), begins(y)) })
	return all[:min(len(all), limit)], nil
}
