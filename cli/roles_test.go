package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/html"

	"github.com/leeward-ctem/leeward/server"
)

// access is the least role that may use each page and operation. What is
// registered and does not stand here fails the test: whoever adds a route says
// here who may use it.
var access = map[string]server.Role{
	"/":                                  server.Nobody, // there is no such page
	"GET /healthz":                       server.Nobody,
	"GET /readyz":                        server.Nobody,
	"GET /static/{name}":                 server.Nobody,
	"GET /favicon.ico":                   server.Nobody,
	"GET /sign-in":                       server.Nobody,
	"POST /sign-in":                      server.Nobody,
	"POST /sign-out":                     server.Nobody,
	"GET /setup":                         server.Nobody,
	"POST /setup":                        server.Nobody,
	"GET /api/v1/openapi.json":           server.Nobody,
	"GET /api/v1/openapi.yaml":           server.Nobody,
	"GET /api/v1/openapi-3.0.json":       server.Nobody,
	"GET /api/v1/openapi-3.0.yaml":       server.Nobody,
	"GET /metrics":                       server.Viewer,
	"GET /{$}":                           server.Viewer,
	"GET /scope":                         server.Viewer,
	"GET /assets":                        server.Viewer,
	"GET /assets/{id}":                   server.Viewer,
	"GET /import":                        server.Viewer,
	"GET /feeds":                         server.Viewer,
	"GET /policies":                      server.Viewer,
	"GET /policies/{name}":               server.Viewer,
	"GET /findings":                      server.Viewer,
	"GET /findings/{id}":                 server.Viewer,
	"GET /validate":                      server.Viewer,
	"GET /remediations":                  server.Viewer,
	"GET /remediations/{key}":            server.Viewer,
	"GET /remediations/board":            server.Viewer,
	"GET /exceptions":                    server.Viewer,
	"GET /outbox":                        server.Viewer,
	"GET /measure":                       server.Viewer,
	"GET /jobs":                          server.Viewer,
	"GET /account":                       server.Viewer,
	"GET /palette":                       server.Viewer,
	"POST /account/password":             server.Viewer,
	"POST /account/tokens":               server.Viewer,
	"POST /account/tokens/{id}/remove":   server.Viewer,
	"POST /import":                       server.Analyst,
	"POST /findings/move":                server.Analyst, // claims: an owner, see below
	"POST /findings/{id}/verdict":        server.Analyst,
	"GET /alerts":                        server.Viewer,
	"POST /alerts/{id}/acknowledge":      server.Analyst,
	"POST /findings/except":              server.Owner,
	"POST /exceptions/{id}/end":          server.Owner,
	"POST /exceptions/{id}/approve":      server.Operator,
	"POST /outbox/{id}/resend":           server.Operator,
	"POST /feeds/update":                 server.Operator,
	"POST /demo/load":                    server.Operator,
	"POST /demo/remove":                  server.Operator,
	"POST /jobs/{id}/retry":              server.Operator,
	"POST /assets/assign":                server.Analyst,
	"POST /undo":                         server.Analyst,
	"POST /findings/views":               server.Viewer,
	"POST /findings/views/{id}/remove":   server.Viewer,
	"GET /findings/complete":             server.Viewer,
	"GET /scans":                         server.Viewer,
	"GET /scans/{id}":                    server.Viewer,
	"GET /sources":                       server.Viewer,
	"GET /advisories":                    server.Viewer,
	"GET /advisories/{id}":               server.Viewer,
	"GET /actors":                        server.Viewer,
	"GET /actors/{id}":                   server.Viewer,
	"GET /techniques/{id}":               server.Viewer,
	"POST /reset":                        server.Nobody,
	"GET /reset":                         server.Nobody,
	"GET /welcome":                       server.Viewer,
	"GET /scope/choose":                  server.Viewer,
	"GET /scope/programme":               server.Viewer,
	"POST /scope/programme":              server.Operator,
	"POST /scope/programme/file":         server.Operator,
	"GET /scope/service":                 server.Viewer, // its form, and that for a new one: an operator
	"POST /scope/service":                server.Operator,
	"POST /account/sessions/end":         server.Viewer,
	"GET /account/accounts":              server.Admin,
	"POST /account/accounts/{id}/access": server.Admin,
	"POST /account/accounts/{id}/reset":  server.Admin,
	"POST /account/accounts/{id}/tokens/{token}/remove": server.Admin,
	"GET /measure/unseen":                               server.Viewer,
	"GET /report":                                       server.Viewer,
	"POST /account/accounts":                            server.Admin,

	"GET /engagements":                server.Viewer,
	"GET /engagements/new":            server.Operator,
	"GET /engagements/{id}":           server.Viewer,
	"GET /engagements/{id}/edit":      server.Operator,
	"POST /engagements":               server.Operator,
	"POST /engagements/{id}":          server.Operator,
	"POST /engagements/{id}/approve":  server.Operator,
	"POST /engagements/{id}/withdraw": server.Operator,
	"POST /engagements/{id}/prove":    server.Operator,
	"POST /halt":                      server.Analyst, // stopping is everybody's who may act
	"POST /resume":                    server.Operator,
	"GET /audit":                      server.Viewer,

	"GET /plans":                server.Viewer,
	"GET /plans/new":            server.Operator,
	"GET /plans/{id}/edit":      server.Operator,
	"POST /plans":               server.Operator,
	"POST /plans/{id}":          server.Operator,
	"POST /plans/{id}/run":      server.Operator,
	"POST /plans/{id}/pause":    server.Operator,
	"POST /plans/{id}/remove":   server.Operator,
	"GET /scan-jobs":            server.Viewer,
	"GET /scan-jobs/{id}":       server.Viewer,
	"POST /scan-jobs/{id}/stop": server.Analyst,
	"GET /agents":               server.Viewer,
	"POST /agents":              server.Admin,
	"POST /agents/{id}/access":  server.Admin,

	"GET /api/v1/engagements":                server.Viewer,
	"POST /api/v1/engagements":               server.Operator,
	"GET /api/v1/engagements/{id}":           server.Viewer,
	"PUT /api/v1/engagements/{id}":           server.Operator,
	"POST /api/v1/engagements/{id}/approve":  server.Operator,
	"POST /api/v1/engagements/{id}/withdraw": server.Operator,
	"POST /api/v1/engagements/{id}/prove":    server.Operator,
	"GET /api/v1/engagements/{id}/decide":    server.Viewer,
	"GET /api/v1/halts":                      server.Viewer,
	"POST /api/v1/halt":                      server.Analyst,
	"POST /api/v1/resume":                    server.Operator,
	"GET /api/v1/audit":                      server.Viewer,
	"GET /api/v1/audit/verify":               server.Operator,

	"GET /api/v1/findings":                        server.Viewer,
	"GET /api/v1/findings/{id}":                   server.Viewer,
	"GET /api/v1/findings.csv":                    server.Viewer,
	"GET /api/v1/findings.json":                   server.Viewer,
	"GET /api/v1/findings.jsonl":                  server.Viewer,
	"GET /api/v1/findings.sarif":                  server.Viewer,
	"GET /api/v1/groups":                          server.Viewer,
	"GET /api/v1/summary":                         server.Viewer,
	"GET /api/v1/verdicts":                        server.Viewer,
	"GET /api/v1/assets":                          server.Viewer,
	"GET /api/v1/assets/{id}":                     server.Viewer,
	"GET /api/v1/assets/{id}/inventory":           server.Viewer,
	"GET /api/v1/components":                      server.Viewer,
	"GET /api/v1/surface":                         server.Viewer,
	"GET /api/v1/exceptions":                      server.Viewer,
	"GET /api/v1/remediations":                    server.Viewer,
	"GET /api/v1/remediations/{key}":              server.Viewer,
	"GET /api/v1/scans":                           server.Viewer,
	"GET /api/v1/scan-plans":                      server.Viewer,
	"POST /api/v1/scan-plans":                     server.Operator,
	"DELETE /api/v1/scan-plans/{id}":              server.Operator,
	"GET /api/v1/scan-jobs":                       server.Viewer,
	"GET /api/v1/scan-jobs/{id}":                  server.Viewer,
	"POST /api/v1/scan-jobs":                      server.Operator,
	"POST /api/v1/scan-jobs/{id}/stop":            server.Analyst,
	"POST /api/v1/deployments":                    server.Analyst,
	"GET /api/v1/agents":                          server.Viewer,
	"POST /api/v1/agents":                         server.Admin,
	"POST /api/v1/agents/{id}/access":             server.Admin,
	"POST /agent/v1/enrol":                        server.Nobody, // an invitation, or the secret of an agent
	"POST /agent/v1/poll":                         server.Nobody,
	"POST /agent/v1/renew":                        server.Nobody,
	"POST /agent/v1/upload":                       server.Nobody,
	"POST /agent/v1/finish":                       server.Nobody,
	"POST /agent/v1/audit":                        server.Nobody,
	"GET /api/v1/programme":                       server.Viewer,
	"POST /api/v1/refit":                          server.Viewer,
	"GET /api/v1/policies":                        server.Viewer,
	"GET /api/v1/policies/{name}":                 server.Viewer,
	"GET /api/v1/scope":                           server.Viewer,
	"GET /api/v1/feeds":                           server.Viewer,
	"GET /api/v1/feeds/bundle":                    server.Viewer,
	"POST /api/v1/match":                          server.Viewer,
	"GET /api/v1/outbox":                          server.Viewer,
	"GET /api/v1/measures":                        server.Viewer,
	"GET /api/v1/jobs":                            server.Viewer,
	"GET /api/v1/events":                          server.Viewer,
	"POST /api/v1/tokens":                         server.Viewer,
	"POST /api/v1/scans":                          server.Analyst,
	"POST /api/v1/findings/move":                  server.Analyst, // claims: an owner
	"POST /api/v1/verdicts":                       server.Analyst,
	"GET /api/v1/alerts":                          server.Viewer,
	"POST /api/v1/alerts/{id}/acknowledge":        server.Analyst,
	"POST /api/v1/exceptions":                     server.Owner,
	"POST /api/v1/exceptions/{id}/end":            server.Owner,
	"POST /api/v1/exceptions/{id}/approve":        server.Operator,
	"PUT /api/v1/programme":                       server.Operator,
	"POST /api/v1/whatif":                         server.Operator,
	"POST /api/v1/outbox/{id}/resend":             server.Operator,
	"POST /api/v1/feeds/update":                   server.Operator,
	"POST /api/v1/feeds/bundle":                   server.Operator,
	"POST /api/v1/jobs/{id}/retry":                server.Operator,
	"POST /api/v1/demo":                           server.Operator,
	"DELETE /api/v1/demo":                         server.Operator,
	"POST /api/v1/assign":                         server.Analyst,
	"GET /api/v1/owners":                          server.Viewer,
	"GET /api/v1/concerned":                       server.Viewer,
	"POST /api/v1/undo":                           server.Analyst,
	"GET /api/v1/views":                           server.Viewer,
	"POST /api/v1/views":                          server.Viewer,
	"DELETE /api/v1/views/{id}":                   server.Viewer,
	"GET /api/v1/complete":                        server.Viewer,
	"GET /api/v1/scans/{id}":                      server.Viewer,
	"GET /api/v1/scans/{id}/errors":               server.Viewer,
	"GET /api/v1/sources":                         server.Viewer,
	"GET /api/v1/advisories":                      server.Viewer,
	"GET /api/v1/advisories/{id}":                 server.Viewer,
	"GET /api/v1/landscape":                       server.Viewer,
	"GET /api/v1/actors/{id}":                     server.Viewer,
	"GET /api/v1/techniques/{id}":                 server.Viewer,
	"GET /api/v1/scope/choices":                   server.Viewer,
	"GET /api/v1/accounts":                        server.Admin,
	"PATCH /api/v1/accounts/{id}":                 server.Admin,
	"POST /api/v1/accounts/{id}/reset":            server.Admin,
	"DELETE /api/v1/accounts/{id}/tokens/{token}": server.Admin,
	"GET /api/v1/sessions":                        server.Viewer,
	"DELETE /api/v1/sessions":                     server.Viewer,
	"GET /api/v1/measures/unseen":                 server.Viewer,
	"GET /api/v1/report":                          server.Viewer,
	"POST /api/v1/accounts":                       server.Admin,
}

// places are real addresses for the patterns with a variable part; others get
// a number that nothing has.
var places = map[string]string{"/scope/service": "/scope/service?name=payments", "/findings/{id}": "/findings/F-1", "/assets/{id}": "/assets/1", "/api/v1/findings/{id}": "/api/v1/findings/F-1", "/api/v1/assets/{id}": "/api/v1/assets/1", "/api/v1/assets/{id}/inventory": "/api/v1/assets/1/inventory"}

func reached(pattern string) (method, path string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = "GET", "/nowhere"
	}
	if p := places[path]; p != "" {
		return method, p
	}
	return method, strings.NewReplacer("{$}", "", "{id}", "999999", "{token}", "999999", "{key}", "R-000000000000", "{name}", "none.css").Replace(path)
}

// refused reports whether the server turns the visitor away for who he is. A
// page sends strangers to sign in; a role that is too low is told which it
// needs, which tells it from a wrong password or somebody else's request.
func (v *visitor) refused(pattern, body string) (no bool, answer string) {
	v.t.Helper()
	method, path := reached(pattern)
	ctx, cancel := context.WithTimeout(v.t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	kind := "application/json"
	switch {
	case pattern == "POST /api/v1/scans" || pattern == "POST /api/v1/feeds/bundle":
		kind = "application/octet-stream"
	case method == "POST" && !strings.HasPrefix(path, "/api/"):
		kind = "application/x-www-form-urlencoded"
	}
	req.Header.Set("Content-Type", kind)
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode < 300 {
		return false, res.Status // without its body, which may be a stream
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	no = res.StatusCode == http.StatusUnauthorized ||
		res.StatusCode == http.StatusForbidden && strings.Contains(string(text), "needs the role") ||
		res.StatusCode == http.StatusSeeOther && strings.HasPrefix(res.Header.Get("Location"), "/sign-in")
	return no, res.Status
}

// Every page and every operation, for a stranger and for every role.
func TestEveryRoute(t *testing.T) {
	t.Parallel()
	srv, err := server.New(server.Config{Now: time.Now, Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	routes := srv.Routes()
	for _, r := range routes {
		if _, ok := access[r]; !ok {
			t.Errorf("nobody said in this test who may use %q", r)
		}
	}
	for r := range access {
		if !slices.Contains(routes, r) {
			t.Errorf("%q is no route any more", r)
		}
	}

	s := startSite(t, "--demo", "--offline")
	admin := s.admin()
	var document struct {
		Paths map[string]map[string]struct{ Description string }
	}
	_, text := admin.do("GET", "/api/v1/openapi.json", "")
	if err := json.Unmarshal([]byte(text), &document); err != nil || len(document.Paths) == 0 {
		t.Fatalf("no OpenAPI document: %v", err)
	}
	for path, operations := range document.Paths {
		for method, op := range operations {
			r := strings.ToUpper(method) + " " + path
			if want := "Least role: " + access[r].String() + "."; op.Description != want {
				t.Errorf("the OpenAPI document says of %s %q, want %q", r, op.Description, want)
			}
		}
	}

	who := map[server.Role]*visitor{server.Nobody: s.visitor(), server.Admin: admin}
	for role := server.Viewer; role < server.Admin; role++ {
		who[role] = s.member(admin, role.String(), role.String())
	}
	ask := func(r string) {
		for role := server.Nobody; role <= server.Admin; role++ {
			if r == "POST /sign-out" {
				continue // it would
			}
			if no, answer := who[role].refused(r, ""); no != (role < access[r]) {
				t.Errorf("%s %s: %s", role, r, answer)
			}
		}
	}
	for _, r := range routes {
		if !strings.Contains(r, "/demo") {
			ask(r)
		}
	}
	for role, v := range who {
		if role == server.Nobody {
			continue
		}
		// A claim is an owner's word, wherever it is said.
		for r, body := range map[string]string{"POST /findings/move": "ids=F-999999&cause=claim", "POST /api/v1/findings/move": `{"ids":["F-999999"],"cause":"claim"}`} {
			if no, answer := v.refused(r, body); no != (role < server.Owner) {
				t.Errorf("%s claims by %s: %s", role, r, answer)
			}
		}
	}
	offered(t, who)
	for _, r := range []string{"POST /demo/load", "POST /api/v1/demo", "POST /demo/remove", "DELETE /api/v1/demo"} {
		ask(r)
	}
}

// offered checks that pages offer nobody what he may not do.
func offered(t *testing.T, who map[server.Role]*visitor) {
	t.Helper()
	admin := who[server.Admin]
	_, text := admin.do("GET", "/api/v1/remediations?q=is:open", "")
	var fixes struct {
		Rows []struct {
			Key string `json:"id"`
		}
	}
	if err := json.Unmarshal([]byte(text), &fixes); err != nil || len(fixes.Rows) == 0 {
		t.Fatalf("the demo has nothing to fix: %v", err)
	}
	if code, text := who[server.Owner].do("POST", "/api/v1/exceptions", fmt.Sprintf(`{"ids":["F-1"],"reason":"replaced soon","expires":%q}`, time.Now().AddDate(0, 1, 0).Format(time.DateOnly))); code != http.StatusOK {
		t.Fatalf("exception: %d %s", code, text)
	}
	mux := http.NewServeMux()
	for r := range access {
		mux.HandleFunc(r, func(http.ResponseWriter, *http.Request) {})
	}
	pages := []string{"/remediations/" + fixes.Rows[0].Key, "/findings?q=is:any", "/findings/F-1", "/findings/F-2"}
	for r := range access {
		if method, path := reached(r); method == "GET" && !strings.Contains(r, "/api/") && !strings.Contains(r, "{key}") && path != "/nowhere" {
			pages = append(pages, path)
		}
	}
	shown := map[string]bool{}
	for role, v := range who {
		for _, path := range pages {
			_, text := v.do("GET", path, "")
			root, err := html.Parse(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			for n := range root.Descendants() {
				attr := map[string]string{}
				for _, a := range n.Attr {
					attr[a.Key] = a.Val
				}
				method, to := "POST", ""
				switch {
				case n.Data == "form" && attr["method"] == "post":
					to = attr["action"]
				case attr["formaction"] != "":
					to = attr["formaction"]
				case attr["hx-post"] != "":
					to = attr["hx-post"]
				case n.Data == "a" && strings.HasPrefix(attr["href"], "/"):
					method, to = "GET", attr["href"]
				}
				if n.Data == "button" && attr["name"] == "cause" && attr["value"] == "claim" && role < server.Owner {
					t.Errorf("%s is offered a claim at %s", role, path)
				}
				if to == "" || n.Data == "form" && attr["id"] == "bulk" && !strings.Contains(text, `name="cause"`) && !strings.Contains(text, "formaction") {
					continue // a list whose rows nobody can tick
				}
				req, err := http.NewRequest(method, to, nil)
				if err != nil {
					t.Errorf("%s leads to %q: %v", path, to, err)
					continue
				}
				_, r := mux.Handler(req)
				if r == "" || r == "/" {
					t.Errorf("%s leads to %s %s, which is not there", path, method, to)
				}
				shown[r] = true
				if role < access[r] {
					t.Errorf("%s is offered %s %s at %s", role, method, to, path)
				}
			}
		}
	}
	for _, r := range []string{"POST /findings/move", "POST /findings/except", "POST /import", "POST /exceptions/{id}/approve", "POST /account/accounts", "POST /demo/remove"} {
		if !shown[r] {
			t.Errorf("no page offers %s", r)
		}
	}
}
