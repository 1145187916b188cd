package server

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/web"
)

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	next := localPath(r.URL.Query().Get("next"))
	if ActorOf(r.Context()).Role > Nobody {
		return s.redirect(w, r, next, "")
	}
	return web.SignIn(web.SignInPage{Shell: s.shell(r.Context(), "Sign in", ""), Next: next}), nil
}

func (s *Server) setupPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	link := r.URL.Query().Get("link")
	if !s.gate.linkFits(link) {
		link = ""
	}
	return web.Setup(web.SetupPage{Shell: s.shell(r.Context(), "Welcome", ""), Link: link}), nil
}

func (s *Server) accountPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	p, err := s.accountView(r)
	return web.Account(p), err
}

func (s *Server) accountView(r *http.Request) (web.AccountPage, error) {
	ctx := r.Context()
	actor := ActorOf(ctx)
	p := web.AccountPage{Shell: s.shell(ctx, "Account", web.StageAccount)}
	for _, scope := range scopes {
		if scopeRole([]string{scope}) <= max(actor.Role, Viewer) {
			p.Scopes = append(p.Scopes, scope)
		}
	}
	var err error
	if p.Tokens, err = s.Accounts.Tokens(ctx, actor.ID); err != nil || actor.Role < Admin {
		return p, err
	}
	for role := Viewer; role <= Admin; role++ {
		p.Roles = append(p.Roles, role.String())
	}
	p.Accounts, err = s.Accounts.Accounts(ctx)
	return p, err
}

// accountAgain shows the account page with what is wrong.
func (s *Server) accountAgain(w http.ResponseWriter, r *http.Request, cause error) (templ.Component, error) {
	if status(cause) == http.StatusInternalServerError {
		return nil, cause
	}
	p, err := s.accountView(r)
	if err != nil {
		return nil, err
	}
	p.Error = public(cause)
	s.draw(w, r, status(cause), web.Account(p))
	return nil, nil
}

// tokenForm makes a token and shows its secret this once.
func (s *Server) tokenForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	days, err := strconv.Atoi(f.Get("days"))
	if err != nil {
		days = 0
	}
	_, secret, err := s.makeToken(r.Context(), tokenRequest{Name: f.Get("name"), Scopes: f["scope"], Days: days})
	if err != nil {
		return s.accountAgain(w, r, err)
	}
	p, err := s.accountView(r)
	p.Secret = secret
	return web.Account(p), err
}

func (s *Server) removeTokenForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	if err := s.Accounts.RemoveToken(r.Context(), ActorOf(r.Context()).ID, number(r, "id")); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.AccountURL, "The token is gone.")
}

func (s *Server) accountForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	a, err := s.makeAccount(r.Context(), f.Get("name"), f.Get("password"), f.Get("role"))
	if err != nil {
		return s.accountAgain(w, r, err)
	}
	return s.redirect(w, r, web.AccountURL, a.Name+" may sign in now.")
}

// passwordForm changes one's own password. Every other session of the account
// ends with it.
func (s *Server) passwordForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx := r.Context()
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	a, err := s.Accounts.AccountByID(ctx, ActorOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	if err := s.gate.check(&a, f.Get("old")); err != nil {
		return s.accountAgain(w, r, err)
	}
	if a.Password, err = hashPassword(f.Get("new")); err != nil {
		return s.accountAgain(w, r, err)
	}
	if err := s.Accounts.UpdateAccount(ctx, &a); err != nil {
		return nil, err
	}
	if err := s.gate.open(ctx, &a); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.AccountURL, "The password is changed; other sessions have ended.")
}
