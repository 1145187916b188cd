package templates_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/discover/scan/templates"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// route is what a server answers at a path.
type route struct {
	Status int
	Type   string
	Body   string
	Header map[string]string
}

func (a route) serve(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.Type)
	for name, v := range a.Header {
		w.Header().Set(name, v)
	}
	w.WriteHeader(a.Status)
	fmt.Fprint(w, a.Body)
}

// cases are the planted exposures and their clean twins, by template.
func cases(t testing.TB) map[string]struct{ Planted, Twin map[string]route } {
	t.Helper()
	data, err := os.ReadFile("testdata/planted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct{ Planted, Twin map[string]route }
	if err := yaml.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// site answers as routes say, and everything else with a page that says no.
func site(t testing.TB, routes map[string]route) *httptest.Server {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if a, ok := routes[r.URL.Path]; ok {
			a.serve(w)
			return
		}
		http.Error(w, "not found", http.StatusNotFound)
	})
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func job(t testing.TB, s *httptest.Server, level exposure.Level) scan.Job {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, _ := strconv.Atoi(u.Port())
	return scan.Job{
		Target: scan.Target{Kind: scan.Service, Host: u.Hostname(), Port: port, Protocol: "tcp", Service: u.Scheme, TLS: u.Scheme == "https"},
		Level:  level, Network: guardtest.Loopback(t), Now: time.Now, Progress: func(int, int) {},
	}
}

// Each planted exposure is found, and only it; its clean twin gives nothing.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	all := cases(t)
	if _, errs := templates.Load(os.DirFS("builtin")); len(errs) > 0 {
		t.Fatal(errs)
	}
	var ids []string
	for _, tmpl := range templates.Builtin().Templates {
		ids = append(ids, tmpl.ID)
		if _, ok := all[tmpl.ID]; !ok {
			t.Errorf("%s: nothing is planted for it", tmpl.ID)
		}
		if path.Base(tmpl.File) != tmpl.ID+".yaml" || tmpl.Description == "" || tmpl.Solution == "" || len(tmpl.CWEs) == 0 || tmpl.Severity == exposure.SeverityUnknown {
			t.Errorf("%s: %+v", tmpl.File, tmpl)
		}
	}
	if len(ids) < 60 {
		t.Errorf("%d templates", len(ids))
	}
	for id := range all {
		if !slices.Contains(ids, id) {
			t.Errorf("%s: planted for no template", id)
		}
	}
	for _, sites := range []struct {
		name string
		of   func(id string) map[string]route
		want func(ids []string) []string
	}{
		{"planted", func(id string) map[string]route { return all[id].Planted }, func(ids []string) (rules []string) {
			for _, id := range ids {
				rules = append(rules, "templates/"+id)
			}
			return rules
		}},
		{"twin", func(id string) map[string]route { return all[id].Twin }, func([]string) []string { return []string{} }},
	} {
		for i, g := range groups(ids, sites.of) {
			t.Run(fmt.Sprint(sites.name, " ", i), func(t *testing.T) {
				t.Parallel()
				j := job(t, site(t, g.routes), exposure.LevelProbe)
				found, errs := scantest.Run(t, templates.New(templates.Builtin()), j)
				if diff := cmp.Diff(sites.want(g.ids), scantest.Rules(found)); diff != "" || len(errs) > 0 {
					t.Errorf("(-want +got):\n%s\n%v", diff, errs)
				}
				for _, id := range ids {
					if !scantest.Covered(found, "templates", "templates/"+id, exposure.Location{Port: j.Port, Protocol: "tcp"}) {
						t.Errorf("%s is not covered", id)
					}
				}
				for _, o := range found {
					for _, e := range o.Evidence {
						if strings.Contains(e.Text, "planted-hunter2") || strings.Contains(e.Text, "plantedhunter2") {
							t.Errorf("the evidence of %s quotes a secret: %s", o.Rule, e.Text)
						}
					}
				}
			})
		}
	}
}

// group is exposures that fit on one server.
type group struct {
	ids    []string
	routes map[string]route
}

// groups puts what is planted on as few servers as there are answers for one
// path.
func groups(ids []string, of func(id string) map[string]route) (all []*group) {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		fits := func(g *group) bool {
			for path := range of(id) {
				if _, taken := g.routes[path]; taken {
					return false
				}
			}
			return true
		}
		i := slices.IndexFunc(all, fits)
		if i < 0 {
			i, all = len(all), append(all, &group{routes: map[string]route{}})
		}
		all[i].ids = append(all[i].ids, id)
		maps.Copy(all[i].routes, of(id))
	}
	return all
}

// Servers that have an answer for everything have no exposure.
func TestCatchAll(t *testing.T) {
	t.Parallel()
	planted := cases(t)
	var everything strings.Builder // all that templates look for, in one page
	for _, c := range planted {
		for _, a := range c.Planted {
			everything.WriteString(a.Body + "\n")
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"its own page for everything": func(w http.ResponseWriter, _ *http.Request) {
			route{200, "text/html", "<html><title>Parked</title>", nil}.serve(w)
		},
		"an application that routes in the browser": func(w http.ResponseWriter, r *http.Request) {
			route{200, "text/html", `<!doctype html><html><title>App</title><div id=root></div><script src="/main.js"></script>` + r.URL.Path, nil}.serve(w)
		},
		"an API that says yes": func(w http.ResponseWriter, _ *http.Request) {
			route{200, "application/json", `{"status":"success"}`, nil}.serve(w)
		},
		"octets": func(w http.ResponseWriter, _ *http.Request) {
			route{200, "application/octet-stream", "PK\x03\x04", nil}.serve(w)
		},
		"everything at once": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" || r.Method == "POST" {
				route{200, "text/html", "hello", nil}.serve(w)
				return
			}
			route{200, "text/plain", everything.String(), nil}.serve(w)
		},
		"a redirect to the start": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				http.Redirect(w, r, "/", http.StatusFound)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, errs := scantest.Run(t, templates.New(templates.Builtin()), job(t, serve(t, h), exposure.LevelProbe))
			if got := scantest.Rules(found); len(got) > 0 || len(errs) > 0 {
				t.Errorf("%v, %v", got, errs)
			}
		})
	}
}
