package cli

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"

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
	m, err := prioritize.New(riskConfig(p), a.now())
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.programme, a.version, a.model = p, version, m
	return nil
}

// riskConfig is what a programme overrides of the risk model.
func riskConfig(p *scope.Programme) prioritize.Config {
	if p.Risk == nil {
		return prioritize.Config{}
	}
	return prioritize.Config(*p.Risk)
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
	next, err := scope.Parse(orElse(r.File, "programme"), []byte(r.Body))
	if err != nil {
		return res, err
	}
	if _, err := prioritize.New(riskConfig(next), a.now()); err != nil {
		return res, err
	}
	old, _ := a.inForce()
	res.Changes = scope.Compare(old, next, a.assets())
	res.Summary = res.Changes.String()
	if r.DryRun {
		return res, nil
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		res.Changed, err = tx.PutProgramme(ctx, r.Body, orElse(r.Actor, "command line"), a.now().UnixMilli())
		return err
	})
	if err != nil || !res.Changed {
		return res, err
	}
	if err := a.reload(ctx); err != nil {
		return res, err
	}
	a.tell("programme", res)
	return res, a.ix.CatchUp(ctx, a.db)
}

// assets are all assets that the index knows, without those merged into others.
func (a *app) assets() iter.Seq[*exposure.Asset] {
	v := a.ix.View()
	return func(yield func(*exposure.Asset) bool) {
		for id := exposure.AssetID(1); ; id++ {
			asset, more := v.AssetAt(id)
			if !more || asset != nil && !yield(asset) {
				return
			}
		}
	}
}

// Scope reports what counts, whose it is and what is seen of it.
func (a *app) Scope(ctx context.Context) (server.ScopeReport, error) {
	p, _ := a.inForce()
	v := a.ix.View()
	groups := v.ByAsset(exposure.Filter{}, a.today())
	services, scopes := map[string]*server.ServiceRow{}, map[string]*server.ScopeRow{}
	owners, tags := map[string]*server.OwnerRow{}, map[string]*server.TagRow{}
	for _, s := range p.Services {
		services[s.Name] = &server.ServiceRow{Name: s.Name, Tier: s.Tier, Owner: s.Owner}
	}
	for _, s := range p.Scopes {
		scopes[s.Name] = &server.ScopeRow{Name: s.Name, Objective: s.Objective, Owner: s.Owner}
	}
	report := server.ScopeReport{Coverage: p.Coverage(a.assets()), Services: []server.ServiceRow{}, Scopes: []server.ScopeRow{}, Owners: []server.OwnerRow{}, Tags: []server.TagRow{}}
	for asset := range a.assets() {
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
	var err error
	report.Scanned, err = a.scanned(ctx, v.Assets())
	return report, err
}

// scanned says how much of the estate each class of scans looked at within 30 days.
func (a *app) scanned(ctx context.Context, total int) ([]server.ScannedRow, error) {
	since := a.now().AddDate(0, 0, -30).UnixMilli()
	rows := []server.ScannedRow{}
	err := a.db.CoverageByClass(ctx, since, func(class string, assets int, newest int64) error {
		rows = append(rows, server.ScannedRow{Class: class, Covered: assets, Total: total, Newest: newest})
		return nil
	})
	return rows, err
}
