package server

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/mobilize/export"
)

// The routes of the API whose bodies stream are no operations of huma, which
// reads a body in whole. They are described beside them.

// streamed adds a route whose body streams to the server and to the OpenAPI
// document.
func streamed(a operations, mux *routes, least Role, op huma.Operation, f func(http.ResponseWriter, *http.Request) error) {
	op.Path = "/api/v1" + op.Path
	op.Description = "Least role: " + least.String() + "."
	op.Security = []map[string][]string{{"token": {}}}
	a.api.OpenAPI().AddOperation(&op)
	mux.Handle(op.Method+" "+op.Path, a.s.require(least, a.s.page(f)))
}

func parameter(name, in, about string) *huma.Param {
	return &huma.Param{Name: name, In: in, Description: about, Schema: &huma.Schema{Type: "string"}}
}

// file is an answer or a body of some type.
func file(contentType string, schema *huma.Schema) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{contentType: {Schema: schema}}
}

func binary() *huma.Schema { return &huma.Schema{Type: "string", Format: "binary"} }

func (s *Server) registerStreamed(a operations, mux *routes) {
	schemas := a.api.OpenAPI().Components.Schemas
	results := schemas.Schema(reflect.TypeFor[list[discover.Result]](), true, "Results")
	streamed(a, mux, Analyst, huma.Operation{
		OperationID: "import-report", Method: http.MethodPost, Path: "/scans", Tags: []string{"scans"},
		Summary: "Import a report, streamed, in any format that is read; progress comes as events",
		Parameters: []*huma.Param{
			parameter("name", "query", "name of the file, for people"), parameter("format", "query", "name of the format; recognised when left out"),
			parameter("asset", "query", "where to file records that name no asset, as in repository:github.com/acme/shop"),
			parameter(pushKey, "header", "names the push, so that a retry is answered with what came of the first; the same report again changes nothing in any case"),
		},
		RequestBody: &huma.RequestBody{Required: true, Description: "the report, also compressed or in an archive", Content: file("application/octet-stream", binary())},
		Responses:   map[string]*huma.Response{"200": {Description: "what came of each document in it", Content: file("application/json", results)}},
	}, s.postScan)
	for _, f := range export.Formats() {
		streamed(a, mux, Viewer, huma.Operation{
			OperationID: "export-findings-" + string(f), Method: http.MethodGet, Path: "/findings." + string(f), Tags: []string{"findings"},
			Summary:    "All findings of a filter, streamed",
			Parameters: []*huma.Param{parameter("q", "query", "filter, for example: sev:critical kev:true")},
			Responses:  map[string]*huma.Response{"200": {Description: "the findings, the riskiest first", Content: file(f.ContentType(), binary())}},
		}, func(w http.ResponseWriter, r *http.Request) error { return s.export(w, r, f) })
	}
	streamed(a, mux, Operator, huma.Operation{
		OperationID: "import-feeds", Method: http.MethodPost, Path: "/feeds/bundle", Tags: []string{"feeds"},
		Summary:     "Take a bundle of feeds, where there is no network",
		Parameters:  []*huma.Param{parameter("force", "query", "true: also older editions than those at hand")},
		RequestBody: &huma.RequestBody{Required: true, Content: file("application/zip", binary())},
		Responses:   map[string]*huma.Response{"200": {Description: "the state of every feed", Content: file("application/json", schemas.Schema(reflect.TypeFor[list[FeedStatus]](), true, "Feeds"))}},
	}, s.postBundle)
	streamed(a, mux, Viewer, huma.Operation{
		OperationID: "export-feeds", Method: http.MethodGet, Path: "/feeds/bundle", Tags: []string{"feeds"},
		Summary:   "A bundle of all feeds, to carry to a site without a network",
		Responses: map[string]*huma.Response{"200": {Description: "the bundle", Content: file("application/zip", binary())}},
	}, s.getBundle)
	streamed(a, mux, Viewer, huma.Operation{
		OperationID: "events", Method: http.MethodGet, Path: "/events", Tags: []string{"events"},
		Summary:   "What happens, as it happens: progress of imports, jobs, and changes",
		Responses: map[string]*huma.Response{"200": {Description: "server-sent events", Content: file("text/event-stream", &huma.Schema{Type: "string"})}},
	}, func(w http.ResponseWriter, r *http.Request) error { s.stream(w, r); return nil })
}

// pushKey is the header that names a push. See
// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
const pushKey = "Idempotency-Key"

// What is remembered of pushes with a key: how many and for how long. After that,
// and after the server ended, the report is read again, which changes nothing.
const (
	maxPushes  = 1000
	pushedFor  = 24 * time.Hour
	maxPushKey = 200
)

// pushes remembers what came of pushes with a key, by whom and key.
type pushes struct {
	mu   sync.Mutex
	seen map[string]*pushed
}

type pushed struct {
	at      time.Time
	results []discover.Result // nil: it is being read
}

// begin answers with what came of an earlier push, or notes that this one begins.
// A second one while the first is being read is a conflict.
func (p *pushes) begin(key string, now time.Time) ([]discover.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.seen[key]; known != nil && now.Sub(known.at) < pushedFor {
		if known.results == nil {
			return nil, exposure.Errorf(exposure.Conflict, "a report with this %s is being read: ask again when it is", pushKey)
		}
		return known.results, nil
	}
	if p.seen == nil {
		p.seen = map[string]*pushed{}
	}
	if len(p.seen) >= maxPushes {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(p.seen)), func(a, b string) int { return p.seen[a].at.Compare(p.seen[b].at) })
		delete(p.seen, oldest)
	}
	p.seen[key] = &pushed{at: now}
	return nil, nil
}

// end notes what came of a push. One that failed, or was cut off, may be tried
// again.
func (p *pushes) end(key string, results []discover.Result, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || results == nil || slices.ContainsFunc(results, func(r discover.Result) bool { return r.Failure != "" }) {
		delete(p.seen, key)
	} else if known := p.seen[key]; known != nil {
		known.results = results
	}
}

// postScan imports a report from the body of a request.
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
	results, err := s.push(r, req)
	if err != nil {
		return err
	}
	return writeJSON(w, list[discover.Result]{results})
}

func (s *Server) push(r *http.Request, req discover.Request) (results []discover.Result, err error) {
	if key := strings.TrimSpace(r.Header.Get(pushKey)); len(key) > maxPushKey {
		return nil, exposure.Errorf(exposure.Invalid, "the %s has at most %d characters", pushKey, maxPushKey)
	} else if key != "" {
		key = ActorOf(r.Context()).Name + "\x00" + key
		if results, err = s.pushes.begin(key, s.Now()); results != nil || err != nil {
			return results, err
		}
		defer func() { s.pushes.end(key, results, err) }()
	}
	if results, err = s.Backend.Import(r.Context(), req, r.Body); err == nil {
		s.Publish("imported", results)
	}
	return results, err
}
