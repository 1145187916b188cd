package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// registerAccounts adds what has to do with signing in. Pages send forms and
// programs JSON to the same addresses; a form that is refused shows again with
// what is wrong.
func (s *Server) registerAccounts(mux *routes) {
	mux.Handle("POST "+web.SetupURL, s.page(func(w http.ResponseWriter, r *http.Request) error {
		f, err := form(w, r)
		if err == nil {
			err = validName(f["name"])
		}
		if err == nil {
			err = s.gate.firstAccount(r.Context(), f["link"], f["name"], f["password"])
		}
		if err != nil {
			return s.again(w, r, err, func(text string) templ.Component {
				return web.Setup(web.SetupPage{Shell: s.shell(r.Context(), "Welcome", ""), Link: f["link"], Name: f["name"], Error: text})
			})
		}
		return s.done(w, r, web.WelcomeURL)
	}))
	mux.Handle("POST "+web.SignInURL, s.page(func(w http.ResponseWriter, r *http.Request) error {
		f, err := form(w, r)
		if err == nil {
			_, err = s.gate.signIn(r.Context(), f["name"], f["password"])
		}
		if err != nil {
			return s.again(w, r, err, func(text string) templ.Component {
				return web.SignIn(web.SignInPage{Shell: s.shell(r.Context(), "Sign in", ""), Name: f["name"], Next: f["next"], Error: text})
			})
		}
		return s.done(w, r, localPath(f["next"]))
	}))
	mux.Handle("POST "+web.ResetURL, s.page(func(w http.ResponseWriter, r *http.Request) error {
		f, err := form(w, r)
		if err == nil {
			_, err = s.gate.resetPassword(r.Context(), f["link"], f["password"])
		}
		if err != nil {
			return s.again(w, r, err, func(text string) templ.Component {
				link := f["link"]
				if exposure.KindOf(err) == exposure.Forbidden {
					link = ""
				}
				return web.Reset(web.ResetPage{Shell: s.shell(r.Context(), "New password", ""), Link: link, Error: text})
			})
		}
		return s.done(w, r, web.OverviewURL)
	}))
	mux.Handle("POST "+web.SignOutURL, s.page(func(w http.ResponseWriter, r *http.Request) error {
		if err := s.gate.sessions.Destroy(r.Context()); err != nil {
			return err
		}
		return s.done(w, r, web.SignInURL)
	}))
	mux.Handle("POST /api/v1/tokens", s.require(Viewer, s.page(s.postToken)))
	mux.Handle("POST /api/v1/accounts", s.require(Admin, s.page(s.postAccount)))
}

// again shows a form once more with what is wrong; a program gets the error.
func (s *Server) again(w http.ResponseWriter, r *http.Request, err error, draw func(text string) templ.Component) error {
	if isJSON(r) || status(err) == http.StatusInternalServerError {
		return err
	}
	s.draw(w, r, status(err), draw(public(err)))
	return nil
}

func isJSON(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
}

// done answers a form with a redirect and a program with nothing.
func (s *Server) done(w http.ResponseWriter, r *http.Request, to string) error {
	if isJSON(r) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// localPath keeps a redirect on this server. Browsers take \ for / and leave
// tabs and line ends out, so a path with such characters is none.
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsFunc(p, func(c rune) bool { return c == '\\' || c <= ' ' || c == 0x7f }) {
		return "/"
	}
	return p
}

// form reads a small form or JSON object of strings.
func form(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	out := map[string]string{}
	if isJSON(r) {
		if err := json.NewDecoder(r.Body).Decode(&out); err != nil && err != io.EOF {
			return nil, exposure.Errorf(exposure.Invalid, "the request is not a JSON object of texts")
		}
		return out, nil
	}
	if err := r.ParseForm(); err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "the form cannot be read")
	}
	for k, v := range r.PostForm {
		out[k] = v[0]
	}
	return out, nil
}

func validName(name string) error {
	if len(name) < 1 || len(name) > 64 || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }) || strings.TrimSpace(name) != name {
		return exposure.Errorf(exposure.Invalid, "the name must have 1 to 64 characters and no spaces around it")
	}
	if strings.EqualFold(name, exposure.CommandLine) { // decisions are taken back by the name of who made them
		return exposure.Errorf(exposure.Invalid, "%q is who commands act as: choose another name", exposure.CommandLine)
	}
	return nil
}

// postToken makes an API token and shows it this once.
func (s *Server) postToken(w http.ResponseWriter, r *http.Request) error {
	var in tokenRequest
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return exposure.Errorf(exposure.Invalid, "the request is not a JSON object with name, scopes and days")
	}
	t, secret, err := s.makeToken(r.Context(), in)
	if err != nil {
		return err
	}
	return writeJSON(w, struct {
		exposure.Token
		Secret string `json:"secret"`
	}{t, secret})
}

type tokenRequest struct {
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
	Days   int      `json:"days"`
}

// makeToken makes a token of the actor's account.
func (s *Server) makeToken(ctx context.Context, in tokenRequest) (t exposure.Token, secret string, err error) {
	actor := ActorOf(ctx)
	if actor.ID == 0 {
		return t, "", exposure.Errorf(exposure.Forbidden, "tokens are made by accounts: sign in first")
	}
	if err := validName(in.Name); err != nil {
		return t, "", err
	}
	if in.Days < 1 || in.Days > 366 {
		return t, "", exposure.Errorf(exposure.Invalid, "a token lives 1 to 366 days")
	}
	if len(in.Scopes) > len(scopes) || scopeRole(in.Scopes) == Nobody {
		return t, "", exposure.Errorf(exposure.Invalid, "a token needs scopes: %s", strings.Join(scopes, ", "))
	}
	for _, scope := range in.Scopes {
		if !slices.Contains(scopes, scope) {
			return t, "", exposure.Errorf(exposure.Invalid, "there is no scope %q: use %s", scope, strings.Join(scopes, ", "))
		}
	}
	secret, digest := newSecret(tokenPrefix)
	now := s.Now().UnixMilli()
	t = exposure.Token{Account: actor.ID, Name: in.Name, Digest: digest, Scopes: in.Scopes, Created: now, Expires: now + int64(in.Days)*86400_000}
	return t, secret, s.Accounts.AddToken(ctx, &t)
}

// postAccount makes an account.
func (s *Server) postAccount(w http.ResponseWriter, r *http.Request) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	a, err := s.makeAccount(r.Context(), f["name"], f["password"], f["role"])
	if err != nil {
		return err
	}
	return writeJSON(w, a)
}

func (s *Server) makeAccount(ctx context.Context, name, password, role string) (a exposure.Account, err error) {
	if err := validName(name); err != nil {
		return a, err
	}
	parsed, err := ParseRole(role)
	if err != nil {
		return a, err
	}
	hash, err := hashPassword(password)
	if err != nil {
		return a, err
	}
	a = exposure.Account{Name: name, Password: hash, Role: parsed.String(), Created: s.Now().UnixMilli()}
	return a, s.Accounts.AddAccount(ctx, &a)
}
