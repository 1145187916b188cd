package server

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/web"
)

func (s *Server) actorsPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	l, err := s.Backend.Landscape(ctx, "")
	if err != nil {
		return nil, err
	}
	p := web.ActorsPage{
		Shell: s.shell(ctx, "Who targets you", web.StageIntel), Profile: l.Profile, Known: l.Known, Feeds: noticesOf(l.Feeds), ByTechnique: l.ByTechnique, ByExploit: l.ByExploit,
		Exploited: l.Exploited, Loss: l.Loss, All: r.URL.Query().Get("all") == "true", CanApply: can(ctx, Operator), Techniques: s.techniqueRows(l.Techniques),
	}
	for i := range l.Actors {
		p.Actors = append(p.Actors, s.actorRow(&l.Actors[i]))
	}
	for _, t := range l.Technologies {
		p.Technologies = append(p.Technologies, web.TechnologyCount{Package: t.Kind == "package", Name: t.Name, Count: t.Count})
	}
	return web.Actors(p), nil
}

func (s *Server) actorPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	d, err := s.Backend.Actor(ctx, r.PathValue("id"), "")
	if err != nil {
		return nil, err
	}
	p := web.ActorPage{
		Shell: s.shell(ctx, d.Name, web.StageIntel), Row: s.actorRow(&d.ActorRow), Targets: d.Targets, Profile: d.Profile, AllSectors: d.AllSectors, AllCountries: d.AllCountries,
		Summary: d.Summary, URL: d.URL, Uses: s.techniqueRows(d.Uses), Software: thingsOf(d.Software), Campaigns: thingsOf(d.Campaigns), ByTechnique: d.ByTechnique, ByExploit: d.ByExploit,
		ExploitsTotal: d.ExploitsTotal, Feeds: noticesOf(d.Feeds), All: r.URL.Query().Get("all") == "true",
	}
	for _, x := range d.Exploits {
		p.Exploits = append(p.Exploits, web.ExploitRow(x))
	}
	return web.Actor(p), nil
}

func (s *Server) techniquePage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	d, err := s.Backend.Technique(ctx, r.PathValue("id"), "")
	if err != nil {
		return nil, err
	}
	p := web.TechniquePage{
		Shell: s.shell(ctx, d.ID, web.StageIntel), Row: s.techniqueRows([]TechniqueRow{d.TechniqueRow})[0], Targeters: d.Targeters, Summary: d.Summary, URL: d.URL,
		Assets: s.assetRows(d.On), Feeds: noticesOf(d.Feeds),
	}
	for i := range d.UsedBy {
		p.UsedBy = append(p.UsedBy, s.actorRow(&d.UsedBy[i]))
	}
	return web.Technique(p), nil
}

func (s *Server) actorRow(a *ActorRow) web.ActorRow {
	return web.ActorRow{
		ID: a.ID, Name: a.Name, Names: a.Names, Origin: a.Origin, Sectors: a.Sectors, Countries: a.Countries, Inferred: a.Inferred, Ransomware: a.Ransomware, First: day(a.First), Last: day(a.Last),
		Techniques: a.Techniques, Exploited: a.Exploited, Open: a.Open, Loss: a.Loss, Risk: a.Risk, Band: s.bandOf(a.Risk),
	}
}

func (s *Server) techniqueRows(all []TechniqueRow) []web.TechniqueRow {
	var rows []web.TechniqueRow
	for _, t := range all {
		rows = append(rows, web.TechniqueRow{
			ID: t.ID, Name: t.Name, Tactics: t.Tactics, Users: t.Users, Findings: t.Findings, Assets: t.Assets, Loss: t.Loss, Risk: t.Risk, Band: s.bandOf(t.Risk),
			Mitigations: thingsOf(t.Mitigations), Countermeasures: thingsOf(t.Countermeasures),
		})
	}
	return rows
}

func thingsOf(all []Thing) []web.Thing {
	var rows []web.Thing
	for _, t := range all {
		rows = append(rows, web.Thing(t))
	}
	return rows
}

// noticesOf are what is owed to the publishers of feeds.
func noticesOf(feeds []LandscapeFeed) []web.Notice {
	var rows []web.Notice
	for _, f := range feeds {
		rows = append(rows, web.Notice{Title: f.Title, License: f.Licence, Attribution: f.Attribution})
	}
	return rows
}
