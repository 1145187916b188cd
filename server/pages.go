package server

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// view answers a request for a page with what to draw.
type view func(w http.ResponseWriter, r *http.Request) (templ.Component, error)

// registerPages adds the pages. They ask the same backend as the API; what
// they may show and do depends on the same roles.
func (s *Server) registerPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /static/{name}", s.static)
	mux.Handle("GET /favicon.ico", http.RedirectHandler(s.files.URL("icon.svg"), http.StatusFound))
	page := func(pattern string, least Role, v view) { mux.Handle(pattern, s.show(least, v)) }
	page("GET "+web.SignInURL, Nobody, s.signInPage)
	page("GET "+web.SetupURL, Nobody, s.setupPage)

	page("GET /{$}", Viewer, s.overviewPage)
	page("GET "+web.ScopeURL, Viewer, s.scopePage)
	page("GET "+web.AssetsURL, Viewer, s.assetsPage)
	page("GET "+web.AssetsURL+"/{id}", Viewer, s.assetPage)
	page("GET "+web.ImportURL, Viewer, s.importPage)
	page("POST "+web.ImportURL, Analyst, s.importForm)
	page("GET "+web.FeedsURL, Viewer, s.feedsPage)
	page("GET "+web.FindingsURL, Viewer, s.findingsPage)
	page("GET "+web.FindingsURL+"/{id}", Viewer, s.findingPage)
	page("GET "+web.ValidateURL, Viewer, s.validatePage)
	page("GET "+web.RemediationsURL, Viewer, s.remediationsPage)
	page("GET "+web.RemediationsURL+"/{key}", Viewer, s.remediationPage)
	page("GET "+web.MeasureURL, Viewer, s.measurePage)
	page("GET "+web.UnseenURL, Viewer, s.unseenPage)
	page("GET "+web.ReportURL, Viewer, s.reportPage)
	page("GET "+web.JobsURL, Viewer, s.jobsPage)
	page("GET "+web.AccountURL, Viewer, s.accountPage)
	page("GET "+web.PaletteURL, Viewer, s.palette)

	page("POST "+web.MoveURL, Analyst, s.moveForm)
	page("POST "+web.ExceptURL, Owner, s.exceptForm)
	page("POST /exceptions/{id}/approve", Operator, s.approveForm)
	page("POST /exceptions/{id}/end", Owner, s.endForm)
	page("POST "+web.UpdateFeedsURL, Operator, s.feedsForm)
	page("POST "+web.LoadDemoURL, Operator, s.loadDemoForm)
	page("POST "+web.RemoveDemoURL, Operator, s.removeDemoForm)
	page("POST "+web.JobsURL+"/{id}/retry", Operator, s.retryForm)
	page("POST "+web.FindingsURL+"/{id}/verdict", Analyst, s.verdictForm)
	page("POST "+web.PasswordURL, Viewer, s.passwordForm)
	page("POST "+web.TokensURL, Viewer, s.tokenForm)
	page("POST "+web.TokensURL+"/{id}/remove", Viewer, s.removeTokenForm)
	page("POST "+web.AccountsURL, Admin, s.accountForm)
	page("/", Nobody, func(http.ResponseWriter, *http.Request) (templ.Component, error) {
		return nil, exposure.Errorf(exposure.NotFound, "there is no such page")
	})
}

// show draws what v answers, sends strangers to sign in, and turns errors into
// a page that says what to do.
func (s *Server) show(least Role, v view) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		actor := ActorOf(r.Context())
		if actor.Role == Nobody && least > Nobody {
			to := web.SignInURL
			if r.Method == http.MethodGet && r.URL.Path != "/" {
				to += "?next=" + url.QueryEscape(r.URL.RequestURI())
			}
			if r.Header.Get("HX-Request") != "" {
				w.Header().Set("HX-Redirect", to)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		var page templ.Component
		err := error(nil)
		if actor.Role < least {
			err = exposure.Errorf(exposure.Forbidden, "this needs the role %s, and yours is %s: ask an administrator", least, actor.Role)
		} else {
			page, err = v(w, r)
		}
		code := http.StatusOK
		if err != nil {
			if code = status(err); code == http.StatusInternalServerError && r.Context().Err() == nil {
				s.Log.Error("page failed", slog.Any("err", err), slog.String("path", r.URL.Path))
			}
			page = web.Error(web.ErrorPage{Shell: s.shell(r.Context(), "Error", ""), Status: code, Message: public(err)})
		}
		if page == nil {
			return // answered already
		}
		s.draw(w, r, code, page)
	})
}

// draw answers with a page.
func (s *Server) draw(w http.ResponseWriter, r *http.Request, code int, page templ.Component) {
	var b bytes.Buffer
	if err := page.Render(r.Context(), &b); err != nil {
		s.Log.Error("page was not drawn", slog.Any("err", err), slog.String("path", r.URL.Path))
		http.Error(w, "something went wrong on our side; the server's log has the details", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	w.Write(b.Bytes())
}

// static answers with a built-in file. Its name holds the hash of its content,
// so browsers may keep it forever.
func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files.Get(r.PathValue("name"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.Type)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Write(f.Body)
}

// shell is what surrounds a page. Numbers that cannot be had are left out: the
// page itself matters more.
func (s *Server) shell(ctx context.Context, title string, stage web.Stage) web.Shell {
	actor := ActorOf(ctx)
	sh := web.Shell{Title: title, Static: s.files, Now: s.Now(), Stage: stage, Version: s.Version}
	if actor.Role == Nobody {
		return sh
	}
	sh.User = web.User{Name: actor.Name, Role: actor.Role.String()}
	sum, err := s.Backend.Summary(ctx)
	if err != nil {
		s.Log.Warn("the navigation has no numbers", slog.Any("err", err))
	}
	sh.Counts, sh.Demo, sh.Currency = web.Counts(sum.Counts), sum.Demo, sum.Currency
	sh.Flashes = s.takeFlashes(ctx)
	return sh
}

// sessionFlash is the message that the next page shows, kept in the session.
const sessionFlash = "flash"

func (s *Server) flash(ctx context.Context, text string) {
	s.gate.sessions.Put(ctx, sessionFlash, text)
}

func (s *Server) takeFlashes(ctx context.Context) []web.Flash {
	if text := s.gate.sessions.PopString(ctx, sessionFlash); text != "" {
		return []web.Flash{{Text: text}}
	}
	return nil
}

// redirect answers a form that was taken: the browser goes on to a page that
// can be reloaded.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, to, text string) (templ.Component, error) {
	if text != "" {
		s.flash(r.Context(), text)
	}
	http.Redirect(w, r, localPath(to), http.StatusSeeOther)
	return nil, nil
}

// back is the page a form was sent from, on this server, or another.
func back(r *http.Request, other string) string {
	u, err := url.Parse(r.Header.Get("Referer"))
	if err != nil || u.Path == "" || u.Host != r.Host || strings.HasPrefix(u.Path, web.SetupURL) {
		return other
	}
	return u.RequestURI()
}

// values reads a small form.
func values(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<20)
	if err := r.ParseForm(); err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "the form cannot be read")
	}
	return r.PostForm, nil
}

func can(ctx context.Context, least Role) bool { return ActorOf(ctx).Role >= least }
