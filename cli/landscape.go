package cli

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/server"
)

// Bounds of what is told of the landscape at one place.
const (
	maxAgainst      = 12  // of what stands against a technique
	maxExploits     = 200 // weaknesses of an actor
	maxTechnologies = 12  // of each kind
)

// ground is what answers about the landscape are made of: what the feeds say,
// what that means for us, and what is open.
type ground struct {
	a  *app
	v  *index.View
	f  exposure.Filter
	s  *intel.Snapshot
	l  *intel.Landscape
	us *intel.Tailor
}

func (a *app) ground(ctx context.Context, filter string) (*ground, error) {
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return nil, err
	}
	s, err := a.feeds.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return &ground{a: a, v: a.ix.View(), f: f, s: s, l: s.Landscape(), us: a.tailored(s)}, nil
}

// Landscape tells who targets us, with what, and where we are open to it.
func (a *app) Landscape(ctx context.Context, filter string) (server.LandscapeReport, error) {
	g, err := a.ground(ctx, filter)
	if err != nil {
		return server.LandscapeReport{}, err
	}
	p, _ := a.inForce()
	r := server.LandscapeReport{Profile: p.Profile, Feeds: g.feeds(), Actors: []server.ActorRow{}, Technologies: []server.TechnologyCount{}}
	for range g.l.All(intel.KindActor) {
		r.Known++
	}
	if r.Actors, err = g.actors(); err != nil {
		return r, err
	}
	ids := map[string]bool{}
	for _, t := range g.us.Actors() {
		for _, id := range t.Arsenal.Techniques {
			ids[id] = true
		}
	}
	open, err := a.concerning(g.v, g.f)
	if err != nil {
		return r, err
	}
	for _, of := range open {
		for id := range strings.FieldsSeq(g.v.Advisory(of.ID).Threat.Techniques) {
			ids[id] = true
		}
	}
	if r.Techniques, err = g.techniques(slices.Sorted(maps.Keys(ids))); err != nil {
		return r, err
	}
	g.total(&r, open)
	found, err := g.v.Technologies(g.f, a.today(), maxTechnologies)
	for _, t := range found {
		kind := "os"
		if t.Package {
			kind = "package"
		}
		r.Technologies = append(r.Technologies, server.TechnologyCount{Kind: kind, Name: t.Name, Count: t.Count})
	}
	return r, err
}

// total counts what is open to any of those who target us. open is what is open,
// the most expected loss first.
func (g *ground) total(r *server.LandscapeReport, open []index.AdvisoryGroup) {
	for _, of := range open {
		adv := g.v.Advisory(of.ID)
		used := false
		for id := range strings.FieldsSeq(adv.Threat.Techniques) {
			used = used || g.us.Users(id) > 0
		}
		exploited := len(g.us.Exploiters(namesOf(adv))) > 0
		if used {
			r.ByTechnique += of.Count
		}
		if exploited {
			r.ByExploit += of.Count
			if len(r.Exploited) < maxExploits {
				r.Exploited = append(r.Exploited, adv.Key)
			}
		}
		if used || exploited {
			r.Loss += of.Loss
		}
	}
}

// feeds are those that tell of the landscape, with what is owed to them.
func (g *ground) feeds() []server.LandscapeFeed {
	rows := []server.LandscapeFeed{}
	for _, f := range g.a.feeds.Registered {
		if src := f.Source(); slices.Contains(g.l.Feeds(), src.Name) {
			rows = append(rows, server.LandscapeFeed{Name: src.Name, Title: src.Title, Licence: src.Licence, Attribution: src.Attribution})
		}
	}
	return rows
}

// actors are those that target us, the most expected loss open to them first.
func (g *ground) actors() ([]server.ActorRow, error) {
	rows := []server.ActorRow{}
	for _, t := range g.us.Actors() {
		rows = append(rows, targeterRow(&t))
	}
	if len(rows) == 0 {
		return rows, nil
	}
	open, err := g.a.concerning(g.v, g.f)
	if err != nil {
		return nil, err
	}
	for _, of := range open {
		adv := g.v.Advisory(of.ID)
		ids := namesOf(adv)
		for _, n := range g.us.Exploiters(ids) {
			rows[n].Exploited++
		}
		for _, n := range g.us.Concerned(ids, &adv.Threat.Tailored) {
			row := &rows[n]
			row.Open, row.Loss, row.Risk = row.Open+of.Count, row.Loss+of.Loss, max(row.Risk, of.Worst.Points())
		}
	}
	slices.SortStableFunc(rows, func(x, y server.ActorRow) int { return cmp.Compare(y.Loss, x.Loss) })
	return rows, nil
}

func targeterRow(t *intel.Targeter) server.ActorRow {
	row := actorRow(&t.Named)
	row.Sectors, row.Countries, row.Techniques = t.Sectors, t.Countries, len(t.Arsenal.Techniques)
	return row
}

func actorRow(e *intel.Named) server.ActorRow {
	return server.ActorRow{
		ID: e.ID, Name: e.Name, Names: e.Names, Origin: e.Origin, Inferred: e.Inferred, Ransomware: e.Ransomware,
		First: dayText(uint16(min(e.FirstDay, exposure.NoDue))), Last: dayText(uint16(min(e.LastDay, exposure.NoDue))),
	}
}

// techniques are rows of techniques, the most expected loss open to them first,
// then the most used.
func (g *ground) techniques(ids []string) ([]server.TechniqueRow, error) {
	open, err := g.openTo(ids, 0, nil)
	if err != nil {
		return nil, err
	}
	rows := []server.TechniqueRow{}
	for i, id := range ids {
		row := server.TechniqueRow{ID: id, Users: g.us.Users(id), Findings: open[i].Findings, Assets: open[i].Assets, Loss: open[i].Loss, Risk: open[i].Worst.Points()}
		if e, ok := g.l.Find(id); ok {
			row.Name = e.Name
		}
		for _, tactic := range g.l.Linked(id, intel.Serves) {
			if e, ok := g.l.Find(tactic); ok {
				row.Tactics = append(row.Tactics, e.Name)
			}
		}
		row.Mitigations = g.things(g.l.Linking(id, intel.Mitigates), maxAgainst)
		row.Countermeasures = g.things(g.l.Linking(id, intel.Counters), maxAgainst)
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(x, y server.TechniqueRow) int {
		return cmp.Or(cmp.Compare(y.Loss, x.Loss), cmp.Compare(y.Users, x.Users))
	})
	return rows, nil
}

// openTo counts what is open to techniques, and to so many more sets that also
// tells the numbers of, from 0.
func (g *ground) openTo(ids []string, more int, also func(a *exposure.Advisory, techniques []int) []int) ([]index.Open, error) {
	at := make(map[string]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	return g.v.OpenOf(g.f, g.a.today(), len(ids)+more, func(a *exposure.Advisory) []int {
		var in []int
		for id := range strings.FieldsSeq(a.Threat.Techniques) {
			if n, ok := at[id]; ok {
				in = append(in, n)
			}
		}
		if also != nil {
			for _, n := range also(a, in) {
				in = append(in, len(ids)+n)
			}
		}
		return in
	})
}

// things are entries by name; what nobody describes is left out.
func (g *ground) things(ids []string, most int) []server.Thing {
	var all []server.Thing
	for _, id := range ids {
		if e, ok := g.l.Find(id); ok && len(all) < most {
			all = append(all, server.Thing{ID: e.ID, Name: e.Name, URL: e.URL})
		}
	}
	return all
}

// Actor answers with one actor.
func (a *app) Actor(ctx context.Context, id, filter string) (server.ActorDetail, error) {
	d := server.ActorDetail{Uses: []server.TechniqueRow{}, Exploits: []server.ExploitRow{}}
	g, err := a.ground(ctx, filter)
	if err != nil {
		return d, err
	}
	e, ok := g.actor(id)
	if !ok {
		return d, exposure.Errorf(exposure.NotFound, "no feed tells of an actor %q", id)
	}
	p, _ := a.inForce()
	arsenal := g.l.Arsenal(e.ID)
	d.ActorRow, d.Feeds = actorRow(&e), g.feeds()
	d.Profile = p.Profile
	d.Sectors, d.Countries, d.Targets = e.Targets(p.Profile)
	d.ActorRow.Techniques = len(arsenal.Techniques)
	d.AllSectors, d.AllCountries, d.Summary, d.URL = e.Sectors, e.Countries, e.Summary, e.URL
	d.Software, d.Campaigns = g.things(arsenal.Software, maxExploits), g.things(arsenal.Campaigns, maxExploits)
	known := g.l.Wider(arsenal.Techniques)
	if d.Uses, err = g.techniques(known); err != nil {
		return d, err
	}
	// All of what is open to it: findings of several techniques count once.
	exploits := map[string]string{}
	for _, x := range arsenal.Exploits {
		exploits[x.ID] = x.By
	}
	open, err := g.openTo(known, 3, func(a *exposure.Advisory, techniques []int) []int {
		var in []int
		if len(techniques) > 0 {
			in = append(in, 0)
		}
		if slices.ContainsFunc(namesOf(a), func(id string) bool { _, does := exploits[g.s.Canonical(id)]; return does }) {
			in = append(in, 1)
		}
		if len(in) > 0 {
			in = append(in, 2)
		}
		return in
	})
	if err != nil {
		return d, err
	}
	all := open[len(known)+2]
	d.ByTechnique, d.ByExploit = open[len(known)].Findings, open[len(known)+1].Findings
	d.Open, d.Loss, d.Risk = all.Findings, all.Loss, all.Worst.Points()
	return d, g.exploits(arsenal.Exploits, &d)
}

// actor finds one by its id, or else by a name.
func (g *ground) actor(id string) (intel.Named, bool) {
	if e, ok := g.l.Find(id); ok && e.Kind == intel.KindActor {
		return e, true
	}
	for _, whole := range []bool{true, false} { // the name of the whole before others
		for e := range g.l.All(intel.KindActor) {
			if whole && strings.EqualFold(e.Name, id) || !whole && slices.ContainsFunc(e.Names, func(n string) bool { return strings.EqualFold(n, id) }) {
				return e, true
			}
		}
	}
	return intel.Named{}, false
}

// exploits fills in the weaknesses that an actor exploits, those that are open
// first.
func (g *ground) exploits(all []intel.Exploit, d *server.ActorDetail) error {
	names := make([]string, len(all))
	for i, x := range all {
		names[i] = x.ID
	}
	found, err := g.v.Spreads(g.f, names, g.a.today())
	if err != nil {
		return err
	}
	for i, x := range all {
		row := server.ExploitRow{ID: x.ID, Findings: found[i].Findings, Assets: found[i].Assets}
		if e, ok := g.l.Find(x.By); ok {
			row.By = e.Name
		}
		if row.Findings > 0 {
			d.Exploited++
		}
		d.Exploits = append(d.Exploits, row)
	}
	slices.SortStableFunc(d.Exploits, func(x, y server.ExploitRow) int {
		return cmp.Or(cmp.Compare(y.Findings, x.Findings), strings.Compare(y.ID, x.ID))
	})
	d.ExploitsTotal = len(d.Exploits)
	d.Exploits = d.Exploits[:min(len(d.Exploits), maxExploits)]
	return nil
}

// Technique answers with one technique.
func (a *app) Technique(ctx context.Context, id, filter string) (server.TechniqueDetail, error) {
	d := server.TechniqueDetail{UsedBy: []server.ActorRow{}, On: []server.AssetRow{}}
	g, err := a.ground(ctx, filter)
	if err != nil {
		return d, err
	}
	e, known := g.l.Find(id)
	if known && e.Kind == intel.KindTechnique {
		id, d.Summary, d.URL = e.ID, e.Summary, e.URL
	}
	rows, err := g.techniques([]string{id})
	if err != nil {
		return d, err
	}
	if known = known && e.Kind == intel.KindTechnique; !known && rows[0].Findings == 0 {
		return d, exposure.Errorf(exposure.NotFound, "no feed tells of a technique %q", id)
	}
	d.TechniqueRow, d.Targeters, d.Feeds = rows[0], len(g.us.Actors()), g.feeds()
	for _, n := range g.us.UsedBy(id) {
		d.UsedBy = append(d.UsedBy, targeterRow(&g.us.Actors()[n]))
	}
	d.On = g.assets(exposure.Term{Field: exposure.FieldTechnique, Values: []string{strings.ToLower(id)}})
	return d, a.lookedAt(ctx, d.On)
}

// assets are the 50 with the greatest expected loss by what a term selects.
func (g *ground) assets(t exposure.Term) []server.AssetRow {
	rows := []server.AssetRow{}
	for id, open := range g.v.ByAsset(g.f.With(t), g.a.today()) {
		if known := g.v.Asset(id); known != nil {
			rows = append(rows, assetRow(known, open))
		}
	}
	sortAssets(rows)
	return rows[:min(len(rows), 50)]
}
