package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// view answers a request for a page with what to draw.
type view func(w http.ResponseWriter, r *http.Request) (templ.Component, error)

// registerPages adds the pages. They ask the same backend as the API; what
// they may show and do depends on the same roles.
func (s *Server) registerPages(mux *routes) {
	mux.HandleFunc("GET /static/{name}", s.static)
	mux.Handle("GET /favicon.ico", http.RedirectHandler(s.files.URL("icon.svg"), http.StatusFound))
	page := func(pattern string, least Role, v view) { mux.Handle(pattern, s.show(least, v)) }
	page("GET "+web.SignInURL, Nobody, s.signInPage)
	page("GET "+web.SetupURL, Nobody, s.setupPage)

	page("GET /{$}", Viewer, s.overviewPage)
	page("GET "+web.ScopeURL, Viewer, s.scopePage)
	page("GET "+web.WelcomeURL, Viewer, s.welcomePage)
	page("GET "+web.ChooseURL, Viewer, s.choosePage)
	page("GET "+web.ProgrammeURL, Viewer, s.programmePage)
	page("POST "+web.ProgrammeURL, Operator, s.programmeForm)
	page("POST "+web.ProgrammeFileURL, Operator, s.programmeFile)
	page("GET "+web.ServicePath, Viewer, s.servicePage)
	page("POST "+web.ServicePath, Operator, s.serviceForm)
	page("GET "+web.AssetsURL, Viewer, s.assetsPage)
	page("GET "+web.AssetsURL+"/{id}", Viewer, s.assetPage)
	page("GET "+web.ScansURL, Viewer, s.scansPage)
	page("GET "+web.ScansURL+"/{id}", Viewer, s.scanPage)
	page("GET "+web.SourcesURL, Viewer, s.sourcesPage)
	page("GET "+web.EngagementsURL, Viewer, s.engagementsPage)
	page("GET "+web.NewEngagementURL, Operator, s.newEngagementPage)
	page("GET "+web.EngagementsURL+"/{id}", Viewer, s.engagementPage)
	page("GET "+web.EngagementsURL+"/{id}/edit", Operator, s.editEngagementPage)
	page("POST "+web.EngagementsURL, Operator, s.engagementForm)
	page("POST "+web.EngagementsURL+"/{id}", Operator, s.engagementForm)
	page("POST "+web.EngagementsURL+"/{id}/approve", Operator, s.approveEngagementForm)
	page("POST "+web.EngagementsURL+"/{id}/withdraw", Operator, s.withdrawEngagementForm)
	page("POST "+web.EngagementsURL+"/{id}/prove", Operator, s.proveTargetForm)
	page("POST "+web.HaltURL, Analyst, s.haltForm)
	page("POST "+web.ResumeURL, Operator, s.resumeForm)
	page("GET "+web.AuditURL, Viewer, s.auditPage)
	page("GET "+web.PlansURL, Viewer, s.plansPage)
	page("GET "+web.NewPlanURL, Operator, s.newPlanPage)
	page("GET "+web.PlansURL+"/{id}/edit", Operator, s.editPlanPage)
	page("POST "+web.PlansURL, Operator, s.planForm)
	page("POST "+web.PlansURL+"/{id}", Operator, s.planForm)
	page("POST "+web.PlansURL+"/{id}/run", Operator, s.runPlanForm)
	page("POST "+web.PlansURL+"/{id}/pause", Operator, s.pausePlanForm)
	page("POST "+web.PlansURL+"/{id}/remove", Operator, s.removePlanForm)
	page("GET "+web.ScanJobsURL, Viewer, s.scanJobsPage)
	page("GET "+web.ScanJobsURL+"/{id}", Viewer, s.scanJobPage)
	page("POST "+web.ScanJobsURL+"/{id}/stop", Analyst, s.stopScanJobForm)
	page("GET "+web.AgentsURL, Viewer, s.agentsPage)
	page("POST "+web.AgentsURL, Admin, s.inviteAgentForm)
	page("POST "+web.AgentsURL+"/{id}/access", Admin, s.agentAccessForm)
	page("GET "+web.ImportURL, Viewer, s.importPage)
	page("POST "+web.ImportURL, Analyst, s.importForm)
	page("GET "+web.FeedsURL, Viewer, s.feedsPage)
	page("GET "+web.AlertsURL, Viewer, s.alertsPage)
	page("POST "+web.AlertsURL+"/{id}/acknowledge", Analyst, s.acknowledgeForm)
	page("GET "+web.AdvisoriesURL, Viewer, s.advisoriesPage)
	page("GET "+web.AdvisoriesURL+"/{id}", Viewer, s.advisoryPage)
	page("GET "+web.ActorsURL, Viewer, s.actorsPage)
	page("GET "+web.ActorsURL+"/{id}", Viewer, s.actorPage)
	page("GET "+web.TechniquesURL+"/{id}", Viewer, s.techniquePage)
	page("GET "+web.PoliciesURL, Viewer, s.policiesPage)
	page("GET "+web.PoliciesURL+"/{name}", Viewer, s.policyPage)
	page("GET "+web.FindingsURL, Viewer, s.findingsPage)
	page("GET "+web.FindingsURL+"/{id}", Viewer, s.findingPage)
	page("GET "+web.CompleteURL, Viewer, s.completeFragment)
	page("POST "+web.ViewsURL, Viewer, s.saveViewForm)
	page("POST "+web.ViewsURL+"/{id}/remove", Viewer, s.removeViewForm)
	page("GET "+web.ValidateURL, Viewer, s.validatePage)
	page("GET "+web.RemediationsURL, Viewer, s.remediationsPage)
	page("GET "+web.RemediationsURL+"/{key}", Viewer, s.remediationPage)
	page("GET "+web.BoardURL, Viewer, s.boardPage)
	page("GET "+web.ExceptionsURL, Viewer, s.exceptionsPage)
	page("GET "+web.OutboxURL, Viewer, s.outboxPage)
	page("GET "+web.MeasureURL, Viewer, s.measurePage)
	page("GET "+web.UnseenURL, Viewer, s.unseenPage)
	page("GET "+web.ReportURL, Viewer, s.reportPage)
	page("GET "+web.JobsURL, Viewer, s.jobsPage)
	page("GET "+web.AccountURL, Viewer, s.accountPage)
	page("GET "+web.PaletteURL, Viewer, s.palette)

	page("POST "+web.MoveURL, Analyst, s.moveForm)
	page("POST "+web.AssignURL, Analyst, s.assignForm)
	page("POST "+web.UndoURL, Analyst, s.undoForm)
	page("POST "+web.ExceptURL, Owner, s.exceptForm)
	page("POST /exceptions/{id}/approve", Operator, s.approveForm)
	page("POST /exceptions/{id}/end", Owner, s.endForm)
	page("POST "+web.OutboxURL+"/{id}/resend", Operator, s.resendForm)
	page("POST "+web.UpdateFeedsURL, Operator, s.feedsForm)
	page("POST "+web.LoadDemoURL, Operator, s.loadDemoForm)
	page("POST "+web.RemoveDemoURL, Operator, s.removeDemoForm)
	page("POST "+web.JobsURL+"/{id}/retry", Operator, s.retryForm)
	page("POST "+web.FindingsURL+"/{id}/verdict", Analyst, s.verdictForm)
	page("POST "+web.PasswordURL, Viewer, s.passwordForm)
	page("POST "+web.TokensURL, Viewer, s.tokenForm)
	page("POST "+web.TokensURL+"/{id}/remove", Viewer, s.removeTokenForm)
	page("POST "+web.EndSessionsURL, Viewer, s.endSessionsForm)
	page("GET "+web.AccountsURL, Admin, s.peoplePage)
	page("POST "+web.AccountsURL, Admin, s.accountForm)
	page("POST "+web.AccountsURL+"/{id}/access", Admin, s.accessForm)
	page("POST "+web.AccountsURL+"/{id}/reset", Admin, s.allowResetForm)
	page("POST "+web.AccountsURL+"/{id}/tokens/{token}/remove", Admin, s.removeOtherTokenForm)
	page("GET "+web.ResetURL, Nobody, s.resetPage)
	page("/", Nobody, func(http.ResponseWriter, *http.Request) (templ.Component, error) {
		return nil, exposure.Errorf(exposure.NotFound, "there is no such page")
	})
}

// show draws what v answers, sends strangers to sign in, and turns errors into
// a page that says what to do.
func (s *Server) show(least Role, v view) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	body := b.Bytes()
	// The answer to a form may hold a new secret, which the length of a
	// compressed page could give away.
	w.Header().Add("Vary", "Accept-Encoding")
	if r.Method == http.MethodGet && takesGzip(r) {
		var packed bytes.Buffer
		z, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed) // a level that there is
		z.Write(body)
		z.Close()
		w.Header().Set("Content-Encoding", "gzip")
		body = packed.Bytes()
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	w.Write(body)
}

// takesGzip reports whether an answer may be compressed.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.TrimSpace(name) == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0" {
			return true
		}
	}
	return false
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
	w.Header().Add("Vary", "Accept-Encoding")
	if takesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(f.Gzip)
		return
	}
	w.Write(f.Body)
}

// shell is what surrounds a page. Numbers that cannot be had are left out: the
// page itself matters more.
func (s *Server) shell(ctx context.Context, title string, stage web.Stage) web.Shell {
	actor := ActorOf(ctx)
	sh := web.Shell{Title: title, Static: s.files, Now: s.Now(), Stage: stage, Version: s.Version, Scope: scopeView(ctx)}
	if actor.Role == Nobody {
		return sh
	}
	sh.User = web.User{Name: actor.Name, Role: actor.Role.String()}
	sum, err := s.Backend.Summary(ctx)
	if err != nil {
		s.Log.Warn("the navigation has no numbers", slog.Any("err", err))
	}
	sh.Counts, sh.Demo, sh.Currency = web.Counts(sum.Counts), sum.Demo, sum.Currency
	for _, f := range sum.Stale {
		stale := web.StaleFeed{Title: f.Title}
		stale.Data, _ = time.Parse(time.RFC3339, f.Date) // our own word, read back
		sh.Stale = append(sh.Stale, stale)
	}
	sh.Halts = s.halts(ctx)
	sh.Flashes = s.takeFlashes(ctx)
	return sh
}

// What the next page shows, kept in the session: a message, and the number of
// the decision that it tells of, so that it can be taken back.
const (
	sessionFlash = "flash"
	sessionUndo  = "undo"
)

func (s *Server) flash(ctx context.Context, text string) {
	s.gate.sessions.Put(ctx, sessionFlash, text)
	s.gate.sessions.Remove(ctx, sessionUndo)
}

func (s *Server) takeFlashes(ctx context.Context) []web.Flash {
	if text := s.gate.sessions.PopString(ctx, sessionFlash); text != "" {
		return []web.Flash{{Text: text, Undo: s.takeUndo(ctx)}}
	}
	return nil
}

// offerUndo puts a button to the message of the next page.
func (s *Server) offerUndo(ctx context.Context, undo web.Form) error {
	body, err := json.Marshal(undo)
	if err == nil {
		s.gate.sessions.Put(ctx, sessionUndo, body)
	}
	return err
}

// takeUndo returns the button for a message; nil: there is none.
func (s *Server) takeUndo(ctx context.Context) *web.Form {
	var undo web.Form
	if json.Unmarshal(s.gate.sessions.PopBytes(ctx, sessionUndo), &undo) != nil {
		return nil
	}
	return &undo
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

// decided is [Server.redirect] after a decision that can be taken back by a
// number; 0: there is nothing to take back.
func (s *Server) decided(w http.ResponseWriter, r *http.Request, text string, undo int64) (templ.Component, error) {
	s.flash(r.Context(), text)
	if undo != 0 {
		form := web.Form{Action: web.UndoURL, Label: "Undo", Fields: []web.Field{{Name: "undo", Value: strconv.FormatInt(undo, 10)}}}
		if err := s.offerUndo(r.Context(), form); err != nil {
			return nil, err
		}
	}
	to := back(r, web.FindingsURL)
	if r.PostForm.Get("confirmed") == "true" { // from the page that asked, which is none to return to
		to = web.Find(r.PostForm.Get("q"))
	}
	return s.redirect(w, r, to, "")
}

// back is the page a form was sent from, on this server, or another.
func back(r *http.Request, other string) string {
	u, err := url.Parse(r.Header.Get("Referer"))
	if err != nil || u.Path == "" || u.Host != r.Host || strings.HasPrefix(u.Path, web.SetupURL) || strings.HasPrefix(u.Path, web.ResetURL) {
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
