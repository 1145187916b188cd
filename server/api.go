package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/leeward-ctem/leeward/cycle"
	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
)

// registerAPI adds the operations of the JSON API. Each states the least role
// that may call it; the OpenAPI document at /api/v1/openapi.json is made from
// the same declarations.
func (s *Server) registerAPI(mux *http.ServeMux) {
	config := huma.DefaultConfig("Leeward", s.Version)
	config.Info.Description = "Continuous threat exposure management. Sign in with a session or `Authorization: Bearer <token>`."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/v1/openapi", "", ""
	config.CreateHooks = nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	api := humago.New(mux, config)
	a := operations{s: s, api: api}

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
	register(a, Owner, "move-findings", http.MethodPost, "/findings/move", "Triage findings or claim them fixed", func(ctx context.Context, in *struct{ Body MoveRequest }) (*moved, error) {
		in.Body.Actor = ActorOf(ctx).Name
		n, err := s.Backend.Move(ctx, in.Body)
		return &moved{n}, err
	})
	register(a, Viewer, "list-assets", http.MethodGet, "/assets", "List assets", func(ctx context.Context, in *struct{ AssetQuery }) (*AssetPage, error) {
		p, err := s.Backend.Assets(ctx, in.AssetQuery)
		return &p, err
	})
	register(a, Viewer, "list-scans", http.MethodGet, "/scans", "Imported reports, newest first", func(ctx context.Context, in *struct {
		Limit int `query:"limit" default:"50" minimum:"1" maximum:"1000"`
	}) (*list[exposure.Scan], error) {
		rows, err := s.Backend.Scans(ctx, in.Limit)
		return &list[exposure.Scan]{rows}, err
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
	mux.Handle("POST /api/v1/scans", s.require(Analyst, s.page(s.postScan)))
	mux.Handle("GET /api/v1/events", s.require(Viewer, http.HandlerFunc(s.stream)))
}

type findingPath struct {
	ID string `path:"id" doc:"F-123"`
}

type list[T any] struct {
	Rows []T `json:"rows"`
}

type moved struct {
	Moved int `json:"moved"`
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
		Description: "Least role: " + least.String() + ".",
		Security:    []map[string][]string{{"token": {}}},
		Tags:        []string{strings.Split(strings.TrimPrefix(path, "/"), "/")[0]},
	}, func(ctx context.Context, in *In) (*output, error) {
		switch actor := ActorOf(ctx); {
		case actor.Role == Nobody:
			return nil, huma.Error401Unauthorized("sign in, or send a token")
		case actor.Role < least:
			return nil, huma.Error403Forbidden("this needs the role " + least.String())
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, a.s.problem(ctx, err)
		}
		return &output{out}, nil
	})
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

// postScan imports a report from the request's body, streamed. The answer is
// one result per document.
func (s *Server) postScan(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	name := q.Get("name")
	if name == "" {
		name = "report"
	}
	req := discover.Request{Name: name, Format: q.Get("format"), Progress: func(p discover.Progress) { s.Publish("import", p) }}
	if asset := q.Get("asset"); asset != "" {
		ref, err := discover.ParseAsset(asset)
		if err != nil {
			return err
		}
		req.Asset = ref
	}
	results, err := s.Backend.Import(r.Context(), req, r.Body)
	if err != nil {
		return err
	}
	s.Publish("imported", results)
	return writeJSON(w, list[discover.Result]{results})
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
