package server

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// registerAccounts adds what has to do with signing in. The forms of the pages
// and programs use the same routes; both send JSON or a form.
func (s *Server) registerAccounts(mux *http.ServeMux) {
	mux.Handle("POST /setup", s.page(func(w http.ResponseWriter, r *http.Request) error {
		f, err := form(w, r)
		if err != nil {
			return err
		}
		if err := validName(f["name"]); err != nil {
			return err
		}
		if err := s.gate.firstAccount(r.Context(), f["link"], f["name"], f["password"]); err != nil {
			return err
		}
		return s.done(w, r, "/")
	}))
	mux.Handle("POST /sign-in", s.page(func(w http.ResponseWriter, r *http.Request) error {
		f, err := form(w, r)
		if err != nil {
			return err
		}
		if _, err := s.gate.signIn(r.Context(), f["name"], f["password"]); err != nil {
			return err
		}
		return s.done(w, r, localPath(f["next"]))
	}))
	mux.Handle("POST /sign-out", s.page(func(w http.ResponseWriter, r *http.Request) error {
		if err := s.gate.sessions.Destroy(r.Context()); err != nil {
			return err
		}
		return s.done(w, r, "/sign-in")
	}))
	mux.Handle("POST /api/v1/tokens", s.require(Viewer, s.page(s.postToken)))
	mux.Handle("POST /api/v1/accounts", s.require(Admin, s.page(s.postAccount)))
}

// done answers a form with a redirect and a program with nothing.
func (s *Server) done(w http.ResponseWriter, r *http.Request, to string) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// localPath keeps a redirect on this server.
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n") {
		return "/"
	}
	return p
}

// form reads a small form or JSON object of strings.
func form(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	out := map[string]string{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
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
	return nil
}

// postToken makes an API token and shows it this once.
func (s *Server) postToken(w http.ResponseWriter, r *http.Request) error {
	actor := ActorOf(r.Context())
	if actor.ID == 0 {
		return exposure.Errorf(exposure.Forbidden, "tokens are made by accounts: sign in first")
	}
	var in struct {
		Name   string   `json:"name"`
		Scopes []string `json:"scopes"`
		Days   int      `json:"days"`
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return exposure.Errorf(exposure.Invalid, "the request is not a JSON object with name, scopes and days")
	}
	if err := validName(in.Name); err != nil {
		return err
	}
	if in.Days < 1 || in.Days > 366 {
		return exposure.Errorf(exposure.Invalid, "a token lives 1 to 366 days")
	}
	if scopeRole(in.Scopes) == Nobody {
		return exposure.Errorf(exposure.Invalid, "a token needs scopes: read, import, write or admin")
	}
	secret, digest := newSecret(tokenPrefix)
	now := s.Now().UnixMilli()
	t := exposure.Token{Account: actor.ID, Name: in.Name, Digest: digest, Scopes: in.Scopes, Created: now, Expires: now + int64(in.Days)*86400_000}
	if err := s.Accounts.AddToken(r.Context(), &t); err != nil {
		return err
	}
	return writeJSON(w, struct {
		exposure.Token
		Secret string `json:"secret"`
	}{t, secret})
}

// postAccount makes an account.
func (s *Server) postAccount(w http.ResponseWriter, r *http.Request) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	if err := validName(f["name"]); err != nil {
		return err
	}
	role, err := ParseRole(f["role"])
	if err != nil {
		return err
	}
	hash, err := hashPassword(f["password"])
	if err != nil {
		return err
	}
	a := exposure.Account{Name: f["name"], Password: hash, Role: role.String(), Created: s.Now().UnixMilli()}
	if err := s.Accounts.AddAccount(r.Context(), &a); err != nil {
		return err
	}
	return writeJSON(w, a)
}
