package server

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
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
	if p.Tokens, err = s.Accounts.Tokens(ctx, actor.ID); err != nil {
		return p, err
	}
	p.CanManage = actor.Role >= Admin
	sessions, err := s.ownSessions(ctx)
	for _, row := range sessions {
		p.Sessions = append(p.Sessions, web.Session{Agent: row.Agent, Since: millis(row.Since), Current: row.Current})
	}
	return p, err
}

func (s *Server) endSessionsForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	n, err := s.endOwnSessions(r.Context())
	if err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.AccountURL, fmt.Sprintf("Signed out elsewhere: %d sessions have ended.", n))
}

// peoplePage lists who may sign in.
func (s *Server) peoplePage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	p, err := s.peopleView(r.Context())
	return web.People(p), err
}

func (s *Server) peopleView(ctx context.Context) (web.PeoplePage, error) {
	p := web.PeoplePage{Shell: s.shell(ctx, "People", web.StageAccount), Self: ActorOf(ctx).ID}
	for role := Viewer; role <= Admin; role++ {
		p.Roles = append(p.Roles, role.String())
	}
	rows, err := s.accountRows(ctx)
	for _, row := range rows {
		p.Rows = append(p.Rows, web.Person{Account: row.Account, Tokens: row.Tokens})
	}
	return p, err
}

// peopleAgain shows the page with what is wrong.
func (s *Server) peopleAgain(w http.ResponseWriter, r *http.Request, cause error) (templ.Component, error) {
	if status(cause) == http.StatusInternalServerError {
		return nil, cause
	}
	p, err := s.peopleView(r.Context())
	if err != nil {
		return nil, err
	}
	p.Error = public(cause)
	s.draw(w, r, status(cause), web.People(p))
	return nil, nil
}

// accessForm changes a role, or locks or unlocks an account.
func (s *Server) accessForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	f, err := values(w, r)
	if err != nil {
		return nil, err
	}
	req := AccessRequest{Role: f.Get("role")}
	if lock := f.Get("disabled"); lock != "" {
		locked := lock == "true"
		req.Disabled = &locked
	}
	a, err := s.setAccess(r.Context(), number(r, "id"), req)
	if err != nil {
		return s.peopleAgain(w, r, err)
	}
	text := a.Name + " has the role " + a.Role + " now."
	switch {
	case req.Disabled != nil && a.Disabled:
		text = a.Name + " is locked out and signed out everywhere."
	case req.Disabled != nil:
		text = a.Name + " may sign in again."
	}
	to := web.AccountsURL
	if a.ID == ActorOf(r.Context()).ID && (a.Disabled || a.Role != Admin.String()) {
		to = web.OverviewURL
	}
	return s.redirect(w, r, to, text)
}

// allowResetForm makes a link for a new password and shows it this once.
func (s *Server) allowResetForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	ctx, id := r.Context(), number(r, "id")
	link, err := s.allowReset(ctx, id)
	if err != nil {
		return s.peopleAgain(w, r, err)
	}
	p, err := s.peopleView(ctx)
	if err != nil {
		return nil, err
	}
	p.Link, p.LinkEnds = s.addressOf(r)+link.Link, millis(link.Expires)
	for _, row := range p.Rows {
		if row.ID == id {
			p.LinkFor = row.Name
		}
	}
	return web.People(p), nil
}

// addressOf is this server as the browser reached it.
func (s *Server) addressOf(r *http.Request) string {
	if s.Secure || r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Server) removeOtherTokenForm(w http.ResponseWriter, r *http.Request) (templ.Component, error) {
	if err := s.Accounts.RemoveToken(r.Context(), number(r, "id"), number(r, "token")); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.AccountsURL, "The token is gone.")
}

// resetPage asks for a new password, by a link that is good once.
func (s *Server) resetPage(_ http.ResponseWriter, r *http.Request) (templ.Component, error) {
	link := r.URL.Query().Get("link")
	_, err := s.Accounts.ResetAllowed(r.Context(), digestOf(link), s.Now().UnixMilli())
	if err != nil && exposure.KindOf(err) != exposure.NotFound {
		return nil, err
	}
	if err != nil {
		link = ""
	}
	return web.Reset(web.ResetPage{Shell: s.shell(r.Context(), "New password", ""), Link: link}), nil
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
		return s.peopleAgain(w, r, err)
	}
	return s.redirect(w, r, web.AccountsURL, a.Name+" may sign in now.")
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
	if err := s.Accounts.SetPassword(ctx, a.ID, a.Password); err != nil {
		return nil, err
	}
	if err := s.gate.open(ctx, &a); err != nil {
		return nil, err
	}
	return s.redirect(w, r, web.AccountURL, "The password is changed; other sessions have ended.")
}
