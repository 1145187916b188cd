package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/mobilize/export"
)

// registerAPI adds the operations of the JSON API. Each states the least role
// that may call it; the OpenAPI document at /api/v1/openapi.json is made from
// the same declarations.
func (s *Server) registerAPI(mux *routes) {
	config := huma.DefaultConfig("Leeward", s.Version)
	config.Info.Description = "Continuous threat exposure management. Sign in with a session or `Authorization: Bearer <token>`. " +
		"Every list, count, measure and export of findings, assets, advisories, sources and verdicts takes `scope`, one business service, scope or team such as `service:shop`, " +
		"and is then narrowed to it by what belongs to it today. What was recorded of everything alone, such as the history of the measures, is then left out."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/v1/openapi", "", ""
	config.CreateHooks = nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	api := humago.New(mux, config)
	a := operations{s: s, api: api}
	s.registerInventory(a)

	register(a, Viewer, "list-findings", http.MethodGet, "/findings", "List findings", func(ctx context.Context, in *struct{ FindingQuery }) (*FindingPage, error) {
		p, err := s.Backend.Findings(ctx, in.FindingQuery)
		return &p, err
	})
	register(a, Viewer, "get-finding", http.MethodGet, "/findings/{id}", "One finding with its explanation, evidence and timeline", func(ctx context.Context, in *findingPath) (*FindingDetail, error) {
		id, err := exposure.ParseFindingID(in.ID)
		if err != nil {
			return nil, err
		}
		d, err := s.Backend.Finding(ctx, id)
		return &d, err
	})
	register(a, Viewer, "group-findings", http.MethodGet, "/groups", "Count findings by one or two properties", func(ctx context.Context, in *struct {
		Filter string   `query:"q"`
		By     []string `query:"by" minItems:"1" maxItems:"2"`
	}) (*list[GroupRow], error) {
		rows, err := s.Backend.Groups(ctx, in.Filter, in.By)
		return &list[GroupRow]{rows}, err
	})
	register(a, Viewer, "get-summary", http.MethodGet, "/summary", "The numbers of the whole: what is open, waits or failed", func(ctx context.Context, _ *struct{}) (*Summary, error) {
		sum, err := s.Backend.Summary(ctx)
		return &sum, err
	})
	register(a, Analyst, "move-findings", http.MethodPost, "/findings/move", "Triage findings, or, as an owner, claim them fixed", func(ctx context.Context, in *struct{ Body MoveRequest }) (*Moved, error) {
		m, err := s.move(ctx, in.Body)
		return &m, err
	})
	register(a, Analyst, "assign-assets", http.MethodPost, "/assign", "Give assets, or those that findings are on, to an owner", func(ctx context.Context, in *struct{ Body AssignRequest }) (*Assigned, error) {
		in.Body.Actor = ActorOf(ctx).Name
		done, err := s.Backend.Assign(ctx, in.Body)
		return &done, err
	})
	register(a, Viewer, "list-owners", http.MethodGet, "/owners", "Names of known owners, at most 100", func(ctx context.Context, _ *struct{}) (*list[string], error) {
		rows, err := s.Backend.Owners(ctx)
		return &list[string]{rows}, err
	})
	register(a, Viewer, "count-concerned", http.MethodGet, "/concerned", "How many findings, assets and teams a filter selects", func(ctx context.Context, in *struct {
		Filter string `query:"q"`
	}) (*Concerned, error) {
		c, err := s.Backend.Concerned(ctx, in.Filter)
		return &c, err
	})
	register(a, Analyst, "undo", http.MethodPost, "/undo", "Take back a decision of one's own; what was changed since stays", func(ctx context.Context, in *struct{ Body UndoRequest }) (*Undone, error) {
		u, err := s.undo(ctx, in.Body.Number)
		return &u, err
	})
	register(a, Viewer, "complete-filter", http.MethodGet, "/complete", "What may be written at a place in a filter", func(ctx context.Context, in *struct {
		Filter string `query:"q" maxLength:"4096"`
		At     int    `query:"at" minimum:"0" doc:"the cursor, in UTF-16 units as browsers count"`
	}) (*Completion, error) {
		c, err := s.complete(ctx, in.Filter, in.At)
		return &c, err
	})
	register(a, Viewer, "list-views", http.MethodGet, "/views", "Saved views: one's own, then those that others share", func(ctx context.Context, _ *struct{}) (*list[exposure.SavedView], error) {
		rows, err := s.Backend.Views(ctx, ActorOf(ctx).ID)
		return &list[exposure.SavedView]{rows}, err
	})
	register(a, Viewer, "save-view", http.MethodPost, "/views", "Save a view in place of one's own of the same name", func(ctx context.Context, in *struct{ Body ViewRequest }) (*exposure.SavedView, error) {
		v, err := s.saveView(ctx, in.Body)
		return &v, err
	})
	register(a, Viewer, "remove-view", http.MethodDelete, "/views/{id}", "Remove one's own view, or, as an administrator, a shared one", func(ctx context.Context, in *struct {
		ID int64 `path:"id"`
	}) (*exposure.SavedView, error) {
		v, err := s.removeView(ctx, in.ID)
		return &v, err
	})
	register(a, Viewer, "list-verdicts", http.MethodGet, "/verdicts", "What validations and retests came to, newest first", func(ctx context.Context, in *struct {
		Limit int `query:"limit" default:"50" minimum:"1" maximum:"1000"`
	}) (*list[VerdictRow], error) {
		rows, err := s.Backend.Verdicts(ctx, "", in.Limit)
		return &list[VerdictRow]{rows}, err
	})
	register(a, Analyst, "record-verdict", http.MethodPost, "/verdicts", "Record what a validation came to", func(ctx context.Context, in *struct{ Body VerdictRequest }) (*recorded, error) {
		in.Body.Actor = ActorOf(ctx).Name
		n, err := s.Backend.RecordVerdict(ctx, in.Body)
		return &recorded{n}, err
	})
	register(a, Viewer, "list-assets", http.MethodGet, "/assets", "List assets", func(ctx context.Context, in *struct{ AssetQuery }) (*AssetPage, error) {
		p, err := s.Backend.Assets(ctx, in.AssetQuery)
		return &p, err
	})
	register(a, Viewer, "get-asset", http.MethodGet, "/assets/{id}", "One asset with what is open on it", func(ctx context.Context, in *struct {
		ID uint32 `path:"id"`
	}) (*AssetDetail, error) {
		d, err := s.Backend.Asset(ctx, exposure.AssetID(in.ID))
		return &d, err
	})
	register(a, Viewer, "list-exceptions", http.MethodGet, "/exceptions", "Decisions to live with findings for a while", func(ctx context.Context, in *struct {
		All bool `query:"all" doc:"ended ones too"`
	}) (*list[exposure.Exception], error) {
		rows, err := s.Backend.Exceptions(ctx, in.All)
		return &list[exposure.Exception]{rows}, err
	})
	register(a, Owner, "request-exception", http.MethodPost, "/exceptions", "Ask to live with findings for a while", func(ctx context.Context, in *struct{ Body ExceptionRequest }) (*Requested, error) {
		in.Body.Actor = ActorOf(ctx).Name
		e, err := s.Backend.RequestException(ctx, in.Body)
		return &e, err
	})
	register(a, Operator, "approve-exception", http.MethodPost, "/exceptions/{id}/approve", "Put an exception in force; not one's own", func(ctx context.Context, in *struct {
		ID int64 `path:"id"`
	}) (*struct{}, error) {
		return &struct{}{}, s.Backend.ApproveException(ctx, in.ID, ActorOf(ctx).Name)
	})
	register(a, Owner, "end-exception", http.MethodPost, "/exceptions/{id}/end", "Refuse or end an exception, or withdraw one's own", func(ctx context.Context, in *struct {
		ID   int64 `path:"id"`
		Body struct {
			Reason string `json:"reason,omitempty" maxLength:"2000"`
		}
	}) (*Ended, error) {
		e, err := s.endException(ctx, in.ID, in.Body.Reason)
		return &e, err
	})
	register(a, Viewer, "get-remediation", http.MethodGet, "/remediations/{key}", "One fix with what it closes", func(ctx context.Context, in *struct {
		Key string `path:"key" doc:"R-0123456789ab"`
	}) (*RemediationDetail, error) {
		d, err := s.Backend.Remediation(ctx, in.Key)
		return &d, err
	})
	register(a, Viewer, "list-remediations", http.MethodGet, "/remediations", "Findings grouped into fixes", func(ctx context.Context, in *struct {
		Filter string `query:"q"`
	}) (*list[exposure.Remediation], error) {
		rows, err := s.Backend.Remediations(ctx, in.Filter)
		return &list[exposure.Remediation]{rows}, err
	})
	s.registerDiscover(a)
	s.registerEngagements(a)
	s.registerLandscape(a)
	register(a, Viewer, "get-programme", http.MethodGet, "/programme", "The programme file", func(ctx context.Context, _ *struct{}) (*Programme, error) {
		p, err := s.Backend.Programme(ctx)
		return &p, err
	})
	register(a, Viewer, "list-policies", http.MethodGet, "/policies", "Policies: those in force, then those that could be", func(ctx context.Context, _ *struct{}) (*list[PolicyStatus], error) {
		rows, err := s.Backend.Policies(ctx)
		return &list[PolicyStatus]{rows}, err
	})
	register(a, Viewer, "get-policy", http.MethodGet, "/policies/{name}", "One policy", func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"200"`
	}) (*PolicyStatus, error) {
		rows, err := s.Backend.Policies(ctx)
		if err != nil {
			return nil, err
		}
		p, err := PolicyNamed(rows, in.Name)
		return &p, err
	})
	register(a, Operator, "apply-programme", http.MethodPut, "/programme", "Apply a programme file", func(ctx context.Context, in *struct{ Body ApplyRequest }) (*ApplyResult, error) {
		in.Body.Actor = ActorOf(ctx).Name
		res, err := s.Backend.Apply(ctx, in.Body)
		return &res, err
	})
	register(a, Operator, "what-if", http.MethodPost, "/whatif", "What a programme file would move; it changes nothing", func(ctx context.Context, in *struct{ Body WhatIfRequest }) (*WhatIf, error) {
		w, err := s.Backend.WhatIf(ctx, in.Body)
		return &w, err
	})
	register(a, Viewer, "refit", http.MethodPost, "/refit", "What own incidents teach about the risk model; changes nothing", func(ctx context.Context, in *struct{ Body RefitRequest }) (*Refit, error) {
		fit, err := s.Backend.Refit(ctx, in.Body)
		return &fit, err
	})
	register(a, Viewer, "get-scope", http.MethodGet, "/scope", "What counts, whose it is and what is seen of it", func(ctx context.Context, _ *struct{}) (*ScopeReport, error) {
		r, err := s.Backend.Scope(ctx, "")
		return &r, err
	})
	register(a, Viewer, "list-scope-choices", http.MethodGet, "/scope/choices", "Business services, scopes and owners that lists can be narrowed to", func(ctx context.Context, in *struct {
		Text  string `query:"q" doc:"part of a name"`
		Limit int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
	}) (*list[ScopeChoice], error) {
		rows, err := s.Backend.Choices(ctx, in.Text, in.Limit)
		return &list[ScopeChoice]{rows}, err
	})
	register(a, Viewer, "list-feeds", http.MethodGet, "/feeds", "Threat intelligence feeds and their age", func(ctx context.Context, _ *struct{}) (*list[FeedStatus], error) {
		rows, err := s.Backend.Feeds(ctx)
		return &list[FeedStatus]{rows}, err
	})
	register(a, Operator, "update-feeds", http.MethodPost, "/feeds/update", "Fetch feeds now", func(ctx context.Context, in *struct{ Body FeedsRequest }) (*list[FeedStatus], error) {
		rows, err := s.Backend.UpdateFeeds(ctx, in.Body)
		return &list[FeedStatus]{rows}, err
	})
	register(a, Viewer, "match-packages", http.MethodPost, "/match", "Which advisories concern packages; nothing is stored", func(ctx context.Context, in *struct{ Body MatchRequest }) (*MatchResult, error) {
		m, err := s.Backend.Match(ctx, in.Body.Purls)
		return &m, err
	})
	register(a, Viewer, "get-measures", http.MethodGet, "/measures", "How the programme does over time", func(ctx context.Context, _ *struct{}) (*Measures, error) {
		m, err := s.Backend.Measures(ctx, "")
		return &m, err
	})
	register(a, Viewer, "list-outbox", http.MethodGet, "/outbox", "Messages to the outside, newest first", func(ctx context.Context, in *struct {
		Limit int `query:"limit" default:"50" minimum:"1" maximum:"1000"`
	}) (*list[exposure.OutboxMessage], error) {
		rows, err := s.Backend.Outbox(ctx, in.Limit)
		return &list[exposure.OutboxMessage]{rows}, err
	})
	register(a, Operator, "resend-message", http.MethodPost, "/outbox/{id}/resend", "Try a message again that was given up", func(ctx context.Context, in *struct {
		ID int64 `path:"id"`
	}) (*struct{}, error) {
		return &struct{}{}, s.Backend.Resend(ctx, in.ID)
	})
	register(a, Viewer, "list-unseen", http.MethodGet, "/measures/unseen", "Assets in scope that nobody looked at of late", func(ctx context.Context, in *struct{ UnseenQuery }) (*AssetPage, error) {
		p, err := s.Backend.Unseen(ctx, in.UnseenQuery)
		return &p, err
	})
	register(a, Viewer, "get-report", http.MethodGet, "/report", "The state of the programme for those who answer for it", func(ctx context.Context, in *struct {
		Days int `query:"days" default:"30" doc:"how far back it looks: 7, 30 or 90"`
	}) (*Report, error) {
		r, err := s.Backend.Report(ctx, "", in.Days)
		return &r, err
	})
	register(a, Viewer, "list-jobs", http.MethodGet, "/jobs", "Jobs, newest first", func(ctx context.Context, _ *struct{}) (*list[cycle.Job], error) {
		rows, err := s.Backend.Jobs(ctx)
		return &list[cycle.Job]{rows}, err
	})
	register(a, Operator, "retry-job", http.MethodPost, "/jobs/{id}/retry", "Run a job again", func(ctx context.Context, in *struct {
		ID int64 `path:"id"`
	}) (*struct{}, error) {
		return &struct{}{}, s.Backend.RetryJob(ctx, in.ID)
	})
	register(a, Operator, "load-demo", http.MethodPost, "/demo", "Load the demo data", func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return &struct{}{}, s.Backend.LoadDemo(ctx)
	})
	register(a, Operator, "remove-demo", http.MethodDelete, "/demo", "Remove the demo data", func(ctx context.Context, _ *struct{}) (*removed, error) {
		n, err := s.Backend.RemoveDemo(ctx, ActorOf(ctx).Name)
		return &removed{n}, err
	})

	s.registerPeople(a)
	s.registerStreamed(a, mux)
	s.registerScanning(a, mux)
}

type findingPath struct {
	ID string `path:"id" doc:"F-123"`
}

type list[T any] struct {
	Rows []T `json:"rows"`
}

type recorded struct {
	Recorded int `json:"recorded"`
}

type removed struct {
	Removed int `json:"removed"`
}

type operations struct {
	s   *Server
	api huma.API
}

// register adds an operation: who may call it, its place, its meaning, and a
// function from its input to its answer.
func register[In, Out any](a operations, least Role, id, method, path, summary string, f func(context.Context, *In) (*Out, error)) {
	type output struct{ Body *Out }
	huma.Register(a.api, huma.Operation{
		OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary,
		Description:  "Least role: " + least.String() + ".",
		Security:     []map[string][]string{{"token": {}}},
		MaxBodyBytes: maxBody(id),
		Tags:         []string{strings.Split(strings.TrimPrefix(path, "/"), "/")[0]},
		// Who may not call it is told so before anything that he sent is read.
		Middlewares: huma.Middlewares{func(c huma.Context, next func(huma.Context)) {
			switch actor := ActorOf(c.Context()); {
			case actor.Role == Nobody:
				huma.WriteErr(a.api, c, http.StatusUnauthorized, "sign in, or send a token")
			case actor.Role < least:
				huma.WriteErr(a.api, c, http.StatusForbidden, "this needs the role "+least.String())
			default:
				next(c)
			}
		}},
	}, func(ctx context.Context, in *In) (*output, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, a.s.problem(ctx, err)
		}
		return &output{out}, nil
	})
}

// maxBody is how much an operation reads: a whole programme, of which JSON may
// write a character as six, or 1 MB.
func maxBody(operation string) int64 {
	if operation == "apply-programme" || operation == "what-if" {
		return 6*maxProgramme + 64<<10
	}
	if operation == "add-engagement" || operation == "change-engagement" {
		return 4 << 20
	}
	return 1 << 20
}

// move moves findings as the actor may: triage is an analyst's, the claim that
// something is fixed an owner's.
func (s *Server) move(ctx context.Context, m MoveRequest) (Moved, error) {
	actor := ActorOf(ctx)
	if m.Cause == exposure.CauseClaim.String() && actor.Role < Owner {
		return Moved{}, exposure.Errorf(exposure.Forbidden, "claiming a fix needs the role owner, and yours is %s", actor.Role)
	}
	m.Actor = actor.Name
	return s.Backend.Move(ctx, m)
}

// undo takes back a decision as the actor may.
func (s *Server) undo(ctx context.Context, number int64) (Undone, error) {
	actor := ActorOf(ctx)
	return s.Backend.Undo(ctx, UndoRequest{Number: number, Actor: actor.Name, Role: actor.Role})
}

// endException ends an exception: an operator any, others their own request.
func (s *Server) endException(ctx context.Context, id int64, reason string) (Ended, error) {
	actor := ActorOf(ctx)
	if actor.Role < Operator {
		all, err := s.Backend.Exceptions(ctx, false)
		if err != nil {
			return Ended{}, err
		}
		if !slices.ContainsFunc(all, func(e exposure.Exception) bool { return e.ID == id && e.Requester == actor.Name }) {
			return Ended{}, exposure.Errorf(exposure.Forbidden, "only an operator may end what somebody else asked for")
		}
	}
	return s.Backend.EndException(ctx, id, actor.Name, reason)
}

// problem logs a defect once and answers with what a stranger may read.
func (s *Server) problem(ctx context.Context, err error) error {
	code := status(err)
	if code == http.StatusInternalServerError && ctx.Err() == nil {
		s.Log.Error("request failed", slog.Any("err", err))
	}
	return huma.NewError(code, public(err))
}

// page is a handler that returns its error.
func (s *Server) page(f func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			code := status(err)
			if code == http.StatusInternalServerError && r.Context().Err() == nil {
				s.Log.Error("request failed", slog.Any("err", err), slog.String("path", r.URL.Path))
			}
			http.Error(w, public(err), code)
		}
	})
}

// export streams the findings of a filter in full.
func (s *Server) export(w http.ResponseWriter, r *http.Request, format export.Format) error {
	filter := r.URL.Query().Get("q")
	if _, err := exposure.ParseFilter(filter); err != nil {
		return err
	}
	w.Header().Set("Content-Type", format.ContentType())
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote("findings."+string(format)))
	return s.Backend.Export(r.Context(), string(format), filter, w)
}

// postBundle takes a bundle of feeds.
func (s *Server) postBundle(w http.ResponseWriter, r *http.Request) error {
	rows, err := s.Backend.ImportFeeds(r.Context(), r.Body, r.URL.Query().Get("force") == "true")
	if err != nil {
		return err
	}
	return writeJSON(w, list[FeedStatus]{rows})
}

// getBundle gives a bundle of the kept feeds.
func (s *Server) getBundle(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="leeward-feeds.zip"`)
	return s.Backend.ExportFeeds(r.Context(), w)
}

func writeJSON(w http.ResponseWriter, v any) error {
	var buf bytes.Buffer
	if err := huma.DefaultJSONFormat.Marshal(&buf, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err := io.Copy(w, &buf)
	return err
}
