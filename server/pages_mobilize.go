package server

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// laneRows is how many fixes a lane of the board shows.
const laneRows = 10

// boardPage shows fixes by how far their findings are.
func (s *Server) boardPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, q := r.Context(), r.URL.Query()
	p := web.BoardPage{Shell: s.shell(ctx, "Board", web.StageMobilize), Query: q.Get("q")}
	all, err := s.Backend.Remediations(ctx, p.Query)
	if err != nil {
		if exposure.KindOf(err) != exposure.Invalid {
			return nil, err
		}
		p.FilterError = public(err)
	}
	p.Total, p.Nothing = len(all), len(all) == 0 && p.Query == ""
	p.Lanes = []web.Lane{
		{ID: "new", Name: "To do", Help: "Nobody took it up yet."},
		{ID: "work", Name: "In work", Help: "Somebody took up or claimed some of its findings."},
		{ID: "claimed", Name: "Awaiting a retest", Help: "All is claimed as fixed: the next complete scan decides."},
	}
	for i := range all {
		m, lane := &all[i], &p.Lanes[0]
		switch {
		case m.Claimed == m.Findings:
			lane = &p.Lanes[2]
		case m.Claimed+m.Triaged > 0:
			lane = &p.Lanes[1]
		}
		lane.Total++
		lane.Loss += m.Loss
		if len(lane.Rows) < laneRows {
			lane.Rows = append(lane.Rows, remediationRow(m, s.bandOf))
		}
	}
	return web.Board(p), nil
}

func (s *Server) exceptionsPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	p := web.ExceptionsPage{Shell: s.shell(ctx, "Exceptions", web.StageMobilize), All: r.URL.Query().Get("all") == "true", CanApprove: can(ctx, Operator), CanEnd: can(ctx, Owner)}
	var err error
	if p.Rows, err = s.Backend.Exceptions(ctx, p.All); err != nil {
		return nil, err
	}
	return web.Exceptions(p), nil
}

func (s *Server) outboxPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	p := web.OutboxPage{Shell: s.shell(ctx, "Outbox", web.StageMobilize), CanResend: can(ctx, Operator)}
	var err error
	if p.Rows, err = s.Backend.Outbox(ctx, 200); err != nil {
		return nil, err
	}
	return web.Outbox(p), nil
}

func (s *Server) resendForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	if err := s.Backend.Resend(r.Context(), number(r, "id")); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.OutboxURL, "The message is tried again within a minute.")
}
