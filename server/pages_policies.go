package server

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/web"
)

func (s *Server) policiesPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	all, err := s.Backend.Policies(ctx)
	if err != nil {
		return nil, err
	}
	p := web.PoliciesPage{Shell: s.shell(ctx, "Policies", web.StagePrioritize)}
	for _, x := range all {
		p.Rows = append(p.Rows, policyRow(x))
	}
	return web.Policies(p), nil
}

func (s *Server) policyPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	all, err := s.Backend.Policies(ctx)
	if err != nil {
		return nil, err
	}
	x, err := PolicyNamed(all, r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return web.Policy(web.PolicyPage{Shell: s.shell(ctx, x.Name, web.StagePrioritize), Row: policyRow(x), Text: x.Text}), nil
}

func policyRow(x PolicyStatus) web.PolicyRow {
	return web.PolicyRow{Policy: x.Policy, InForce: x.InForce, Own: x.Own, Dated: x.Dated}
}
