package server

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// whatIf shows what a text would move, in the editor.
func (s *Server) whatIf(w http.ResponseWriter, r *http.Request, body string, version int64) (templ.Component, error) {
	moves, err := s.Backend.WhatIf(r.Context(), WhatIfRequest{File: programmeName, Body: body, Base: version})
	if err != nil {
		return s.refusedText(w, r, body, version, err)
	}
	p, err := s.programmeView(r.Context())
	if err != nil {
		return nil, err
	}
	p.Edit, p.Body, p.Version, p.Moves = true, body, version, movementOf(&moves)
	return web.Programme(p), nil
}

func movementOf(w *WhatIf) *web.Movement {
	m := &web.Movement{
		Summary: w.Summary, Currency: w.Currency, Moved: w.Moved,
		Before: web.MovementTotals(w.Before), After: web.MovementTotals(w.After), BandUp: w.BandUp, BandDown: w.BandDown,
		NewlyOverdue: w.NewlyOverdue, NoLongerOverdue: w.NoLongerOverdue, OwnersMore: w.OwnersMore, HandedMore: w.HandedMore,
		Top: findingMoves(w.Top), Dropped: findingMoves(w.Dropped), Farthest: findingMoves(w.Farthest),
	}
	if w.Outdated {
		m.Version = w.Version
	}
	for _, b := range w.Bands {
		m.Bands = append(m.Bands, web.BandMove{From: bandOf(b.From), To: bandOf(b.To), Findings: b.Findings})
	}
	for _, o := range w.Owners {
		m.Owners = append(m.Owners, web.OwnerMove{
			Owner: o.Owner, Moved: o.Moved, Up: o.Up, Down: o.Down, Earlier: o.DueEarlier, Later: o.DueLater, NewlyOverdue: o.NewlyOverdue,
			Before: web.MovementTotals(o.Before), After: web.MovementTotals(o.After),
		})
	}
	for _, h := range w.Handed {
		m.Handed = append(m.Handed, web.Handed(h))
	}
	for _, r := range w.Rules {
		m.Rules = append(m.Rules, web.RuleMove(r))
	}
	return m
}

func findingMoves(rows []WhatIfFinding) []web.FindingMove {
	all := make([]web.FindingMove, 0, len(rows))
	for _, f := range rows {
		id, err := exposure.ParseFindingID(f.ID)
		if err != nil {
			continue
		}
		all = append(all, web.FindingMove{ID: id, Title: f.Title, Advisory: f.Advisory, Asset: f.Asset, AssetID: f.AssetID, Before: standingOf(f.Before), After: standingOf(f.After)})
	}
	return all
}

func standingOf(s WhatIfStanding) web.FindingStanding {
	return web.FindingStanding{Risk: s.Risk, Band: bandOf(s.Band), Due: day(s.Due), Owner: s.Owner, Rank: s.Rank}
}

// bandOf is a band by its name; what is none is outside.
func bandOf(name string) exposure.Band {
	var b exposure.Band
	if err := b.UnmarshalText([]byte(name)); err != nil {
		return web.OutsideBand
	}
	return b
}
