package server

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/web"
)

// savedViews are the views that the actor sees, for the page.
func (s *Server) savedViews(ctx context.Context) ([]web.SavedView, error) {
	actor := ActorOf(ctx)
	rows, err := s.Backend.Views(ctx, actor.ID)
	all := make([]web.SavedView, len(rows))
	for i, v := range rows {
		own := v.Account == actor.ID
		all[i] = web.SavedView{SavedView: v, Own: own, CanRemove: own || actor.Role >= Admin}
	}
	return all, err
}

// saveViewForm keeps a view and opens it.
func (s *Server) saveViewForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	v, err := s.saveView(r.Context(), ViewRequest{
		Name: f.Get("name"), Filter: f.Get("q"), Sort: f.Get("sort"), Reverse: f.Get("reverse") == "true", Columns: f["cols"], Shared: f.Get("shared") == "true",
	})
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("The view “%s” is saved.", v.Name)
	if v.Shared {
		text = fmt.Sprintf("The view “%s” is saved, and everybody sees it.", v.Name)
	}
	return s.redirect(w, r, web.SavedView{SavedView: v}.Link(), text)
}

// removeViewForm ends a view. One's own can be had back.
func (s *Server) removeViewForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	v, err := s.removeView(ctx, number(r, "id"))
	if err != nil {
		return nil, err
	}
	s.flash(ctx, fmt.Sprintf("The view “%s” is removed.", v.Name))
	if v.Account == ActorOf(ctx).ID {
		undo := web.Form{Action: web.ViewsURL, Label: "Undo", Fields: []web.Field{{Name: "name", Value: v.Name}, {Name: "q", Value: v.Query}, {Name: "sort", Value: v.Sort}}}
		undo.Fields = append(undo.Fields, web.Field{Name: "reverse", Value: strconv.FormatBool(v.Reverse)}, web.Field{Name: "shared", Value: strconv.FormatBool(v.Shared)},
			web.Field{Name: "cols", Value: strings.Join(v.Columns, ",")})
		if err := s.offerUndo(ctx, undo); err != nil {
			return nil, err
		}
	}
	return s.redirect(w, r, back(r, web.FindingsURL), "")
}

// completeFragment suggests what may be written in the filter.
func (s *Server) completeFragment(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	q := r.URL.Query()
	at, err := strconv.Atoi(q.Get("at"))
	if err != nil {
		at = unitsOf(q.Get("q")) // somebody types at the end
	}
	c, err := s.complete(r.Context(), q.Get("q"), at)
	if err != nil {
		return nil, err
	}
	return web.FilterChoices(web.FilterCompletion{Query: q.Get("q"), From: c.From, To: c.To, Choices: c.Rows}), nil
}
