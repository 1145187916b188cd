package server

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/web"
)

// Everything that a person looks at can be narrowed to one business service,
// scope or owner. The choice is a term of the filter language. Pages and the
// exports they link to take it from the session, so that it survives every
// click; the rest of the API, where nobody sees it, from the parameter scope of
// the request only. Either way it travels in the context, and [narrowed] joins
// it to every filter on the way to the backend.

// sessionScope is the choice of a session: the term as it was chosen.
const sessionScope = "scope"

type scopeKey struct{}

// scopeOf is the term that a request is narrowed to; "" is everything.
func scopeOf(ctx context.Context) string {
	term, _ := ctx.Value(scopeKey{}).(string)
	return term
}

// parseScope reads a choice: one service, scope or team. "" is everything.
func parseScope(text string) (exposure.Filter, error) {
	f, err := exposure.ParseFilter(text)
	if err != nil || len(f.Terms) == 0 {
		return f, err
	}
	t := f.Terms[0]
	choosable := t.Field == exposure.FieldService || t.Field == exposure.FieldScope || t.Field == exposure.FieldOwner
	if len(f.Terms) > 1 || t.Not || !choosable || len(t.Values) != 1 || len(text) > 500 {
		return f, exposure.Errorf(exposure.Invalid, "a scope is one business service, scope or team: write service:shop, scope:internet or team:payments")
	}
	return f, nil
}

// narrow joins the chosen scope to a filter. A filter that means nothing is
// left for the backend to complain of.
func narrow(ctx context.Context, filter string) string {
	scope, err := exposure.ParseFilter(scopeOf(ctx))
	if err != nil || len(scope.Terms) == 0 {
		return filter
	}
	f, err := exposure.ParseFilter(filter)
	if err != nil {
		return filter
	}
	for _, t := range f.Terms {
		if t.String() == scope.Terms[0].String() {
			return filter
		}
	}
	return f.With(scope.Terms[0]).String()
}

// narrowed asks a backend for no more than the chosen scope.
type narrowed struct{ Backend }

func (n narrowed) Findings(ctx context.Context, q FindingQuery) (FindingPage, error) {
	q.Filter = narrow(ctx, q.Filter)
	return n.Backend.Findings(ctx, q)
}

func (n narrowed) Export(ctx context.Context, format, filter string, w io.Writer) error {
	return n.Backend.Export(ctx, format, narrow(ctx, filter), w)
}

func (n narrowed) Groups(ctx context.Context, filter string, by []string) ([]GroupRow, error) {
	return n.Backend.Groups(ctx, narrow(ctx, filter), by)
}

func (n narrowed) Facets(ctx context.Context, filter string, by []string) ([][]GroupRow, error) {
	return n.Backend.Facets(ctx, narrow(ctx, filter), by)
}

func (n narrowed) Remediations(ctx context.Context, filter string) ([]exposure.Remediation, error) {
	return n.Backend.Remediations(ctx, narrow(ctx, filter))
}

// Remediation is of a fix what is in scope; of one that has nothing there, all.
func (n narrowed) Remediation(ctx context.Context, key string) (RemediationDetail, error) {
	filter := narrow(ctx, "")
	d, err := n.Backend.RemediationOf(ctx, key, filter)
	if filter != "" && exposure.KindOf(err) == exposure.NotFound && err != nil {
		return n.Backend.Remediation(ctx, key)
	}
	return d, err
}

func (n narrowed) Assets(ctx context.Context, q AssetQuery) (AssetPage, error) {
	q.Filter = narrow(ctx, q.Filter)
	return n.Backend.Assets(ctx, q)
}

func (n narrowed) Scope(ctx context.Context, filter string) (ScopeReport, error) {
	return n.Backend.Scope(ctx, narrow(ctx, filter))
}

func (n narrowed) WhatIf(ctx context.Context, r WhatIfRequest) (WhatIf, error) {
	r.Filter = narrow(ctx, r.Filter)
	return n.Backend.WhatIf(ctx, r)
}

func (n narrowed) Summary(ctx context.Context) (Summary, error) {
	return n.Backend.SummaryOf(ctx, narrow(ctx, ""))
}

func (n narrowed) Advisories(ctx context.Context, q AdvisoryQuery) (AdvisoryPage, error) {
	q.Filter = narrow(ctx, q.Filter)
	return n.Backend.Advisories(ctx, q)
}

func (n narrowed) Advisory(ctx context.Context, id, filter string) (AdvisoryDetail, error) {
	return n.Backend.Advisory(ctx, id, narrow(ctx, filter))
}

func (n narrowed) Landscape(ctx context.Context, filter string) (LandscapeReport, error) {
	return n.Backend.Landscape(ctx, narrow(ctx, filter))
}

func (n narrowed) Actor(ctx context.Context, id, filter string) (ActorDetail, error) {
	return n.Backend.Actor(ctx, id, narrow(ctx, filter))
}

func (n narrowed) Technique(ctx context.Context, id, filter string) (TechniqueDetail, error) {
	return n.Backend.Technique(ctx, id, narrow(ctx, filter))
}

// Scan is narrowed; the list of scans is not: a report is of no scope.
func (n narrowed) Scan(ctx context.Context, id exposure.ScanID, filter string) (ScanDetail, error) {
	return n.Backend.Scan(ctx, id, narrow(ctx, filter))
}

func (n narrowed) Sources(ctx context.Context, filter string) ([]SourceStatus, error) {
	return n.Backend.Sources(ctx, narrow(ctx, filter))
}

func (n narrowed) Verdicts(ctx context.Context, filter string, limit int) ([]VerdictRow, error) {
	return n.Backend.Verdicts(ctx, narrow(ctx, filter), limit)
}

func (n narrowed) Measures(ctx context.Context, filter string) (Measures, error) {
	return n.Backend.Measures(ctx, narrow(ctx, filter))
}

func (n narrowed) Unseen(ctx context.Context, q UnseenQuery) (AssetPage, error) {
	q.Filter = narrow(ctx, q.Filter)
	return n.Backend.Unseen(ctx, q)
}

func (n narrowed) Report(ctx context.Context, filter string, days int) (Report, error) {
	return n.Backend.Report(ctx, narrow(ctx, filter), days)
}

// What moves everything that a filter selects moves no more than is shown.

func (n narrowed) Move(ctx context.Context, m MoveRequest) (Moved, error) {
	m.Filter = narrowSelection(ctx, m.Filter)
	return n.Backend.Move(ctx, m)
}

func (n narrowed) RecordVerdict(ctx context.Context, r VerdictRequest) (int, error) {
	r.Filter = narrowSelection(ctx, r.Filter)
	return n.Backend.RecordVerdict(ctx, r)
}

func (n narrowed) RequestException(ctx context.Context, r ExceptionRequest) (Requested, error) {
	r.Filter = narrowSelection(ctx, r.Filter)
	return n.Backend.RequestException(ctx, r)
}

func (n narrowed) Assign(ctx context.Context, r AssignRequest) (Assigned, error) {
	r.Filter = narrowSelection(ctx, r.Filter)
	return n.Backend.Assign(ctx, r)
}

func (n narrowed) Concerned(ctx context.Context, filter string) (Concerned, error) {
	return n.Backend.Concerned(ctx, narrow(ctx, filter))
}

// narrowSelection is narrow, but no filter stays none: the findings are then
// named one by one.
func narrowSelection(ctx context.Context, filter string) string {
	if filter == "" {
		return ""
	}
	return narrow(ctx, filter)
}

// withScope finds the scope of a request. A page that is asked for with the
// parameter scope keeps it from then on, or with an empty one leaves it, and is
// shown under its address without the parameter.
func (s *Server) withScope(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, q := r.Context(), r.URL.Query()
		api := strings.HasPrefix(r.URL.Path, "/api/")
		_, signedIn := r.Context().Value(actorKey{}).(Actor)
		signedIn = signedIn && ActorOf(ctx).Role > Nobody
		term := ""
		switch {
		case !signedIn:
		case q.Has("scope") && (api || r.Method == http.MethodGet):
			term = q.Get("scope")
			if _, err := parseScope(term); err != nil {
				s.refuse(w, r, err)
				return
			}
			if api {
				break
			}
			s.gate.sessions.Put(ctx, sessionScope, term)
			q.Del("scope")
			to := r.URL.EscapedPath()
			if len(q) > 0 {
				to += "?" + q.Encode()
			}
			http.Redirect(w, r, localPath(to), http.StatusSeeOther)
			return
		case !api || strings.HasPrefix(r.URL.Path, "/api/v1/findings."):
			if r.Header.Get("Authorization") == "" {
				term = s.gate.sessions.GetString(ctx, sessionScope)
			}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(context.WithValue(ctx, scopeKey{}, term), hereKey{}, here(r))))
	})
}

// refuse answers what cannot be answered otherwise: a page for people, a line
// for programs.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		http.Error(w, public(err), status(err))
		return
	}
	s.draw(w, r, status(err), web.Error(web.ErrorPage{Shell: s.shell(r.Context(), "Error", ""), Status: status(err), Message: public(err)}))
}

type hereKey struct{}

// here is the page that a request is for, to come back to with another scope.
func here(r *http.Request) string {
	if r.Method != http.MethodGet {
		return web.OverviewURL
	}
	return r.URL.RequestURI()
}

// scopeView is the chosen scope as pages show it.
func scopeView(ctx context.Context) web.Chosen {
	c := web.Chosen{Term: scopeOf(ctx)}
	c.Here, _ = ctx.Value(hereKey{}).(string)
	f, err := exposure.ParseFilter(c.Term)
	if err != nil || len(f.Terms) == 0 {
		return c
	}
	t := f.Terms[0]
	c.Kind = map[exposure.Field]string{exposure.FieldService: "service", exposure.FieldScope: "scope", exposure.FieldOwner: "team"}[t.Field]
	// The filter language folds case; people see the name as they wrote it.
	_, name, _ := strings.Cut(c.Term, ":")
	if n := len(name); n > 1 && name[0] == '"' && name[n-1] == '"' {
		name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(name[1 : n-1])
	}
	if c.Name = name; !strings.EqualFold(name, t.Values[0]) {
		c.Name = t.Values[0]
	}
	return c
}
