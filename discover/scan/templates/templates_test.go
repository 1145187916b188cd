package templates_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/discover/scan/templates"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
	"github.com/leeward-ctem/leeward/guard/guardtest"
)

// head is the start of every template of the tests.
const head = "id: mine\ninfo:\n  name: Mine\n  severity: high\n"

// alone is an engine without the built-in templates.
func alone() *templates.Engine { return templates.New(&templates.Set{}) }

// own is a directory with one template.
func own(body string) fstest.MapFS {
	return fstest.MapFS{"mine.yaml": {Data: []byte(head + body)}}
}

// mine returns what the template "mine" stated.
func mine(all []exposure.Observation) (found []exposure.Observation) {
	for _, o := range all {
		if o.Kind == exposure.ObservedWeakness && strings.HasPrefix(o.Rule, "templates/mine") {
			found = append(found, o)
		}
	}
	return found
}

// What a template asks for and what it finds.
func TestLanguage(t *testing.T) {
	t.Parallel()
	h := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path == "/version":
			w.Header().Set("X-Version", "1.2.3")
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"app":{"name":"Shop","builds":[{"id":7},{"id":8}]}}`)
		case r.URL.Path == "/login" && r.Method == "GET":
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s1"})
			fmt.Fprint(w, `<input name="csrf" value="tok99">`)
		case r.URL.Path == "/login":
			if r.Header.Get("Cookie") == "sid=s1" && string(body) == "csrf=tok99&user=admin" {
				fmt.Fprint(w, "Welcome admin")
			}
		case r.URL.Path == "/echo":
			fmt.Fprintf(w, "%s|%s|%s|%s", r.Method, r.RequestURI, r.Header.Get("X-Test"), body)
		case r.URL.Path == "/number":
			n, _ := strconv.Atoi(r.URL.Query().Get("n"))
			fmt.Fprintf(w, "%d %s", n*n, r.URL.Query().Get("s"))
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/version", http.StatusFound)
		default:
			http.Error(w, "not found", http.StatusNotFound)
		}
	}
	for _, tt := range []struct {
		name, template string
		want           []string // rules
		match          string   // what was extracted
	}{
		{name: "words and status", want: []string{"templates/mine"}, template: `
http:
  - path: ["{{BaseURL}}/version"]
    matchers-condition: and
    matchers:
      - {type: word, words: [shop, nothing], case-insensitive: true}
      - {type: status, status: [200]}
      - {type: word, part: header, negative: true, words: [Nothing]}`},
		{name: "one of two conditions fails", template: `
http:
  - path: ["{{BaseURL}}/version"]
    matchers-condition: and
    matchers:
      - {type: word, words: [Shop]}
      - {type: status, status: [404]}`},
		{name: "all words of one", template: `
http:
  - path: ["{{BaseURL}}/version"]
    matchers: [{type: word, words: [Shop, nothing], condition: and}]`},
		{name: "binary, size and regex", want: []string{"templates/mine"}, template: `
http:
  - path: ["{{BaseURL}}/version"]
    matchers-condition: and
    matchers:
      - {type: binary, binary: [53686f70]}
      - {type: size, size: [52]}
      - {type: regex, regex: ['"id":\d'], part: all}`},
		{name: "names of matchers are rules", want: []string{"templates/mine:first", "templates/mine:third"}, template: `
http:
  - path: ["{{BaseURL}}/version"]
    matchers:
      - {type: word, name: first, words: [Shop]}
      - {type: word, name: second, words: [Nothing]}
      - {type: dsl, name: third, dsl: ['contains(x_version, "1.2") && compare_versions(x_version, "< 2.0")']}`},
		{name: "an internal matcher is not shown", template: `
http:
  - path: ["{{BaseURL}}/version"]
    matchers: [{type: word, words: [Shop], internal: true}]`},
		{name: "extractors", want: []string{"templates/mine"}, match: "1.2.3\n8\nShop\n6", template: `
http:
  - path: ["{{BaseURL}}/version"]
    extractors:
      - {type: kval, kval: [X-Version]}
      - {type: json, json: ['.app.builds[1].id']}
      - {type: regex, regex: ['"name":"([^"]+)'], group: 1}
      - {type: dsl, dsl: ['len(x_version) + 1']}`},
		{name: "a redirect is followed when it is asked for", want: []string{"templates/mine"}, template: `
http:
  - path: ["{{BaseURL}}/moved"]
    redirects: true
    matchers: [{type: word, words: [Shop]}]`},
		{name: "and not when it is not", template: `
http:
  - path: ["{{BaseURL}}/moved"]
    matchers: [{type: word, words: [Shop]}]`},
		{name: "raw, cookies and what an answer gave", want: []string{"templates/mine"}, template: `
http:
  - raw:
      - |
        GET /login HTTP/1.1
        Host: {{Hostname}}

      - |
        POST /login HTTP/1.1
        Host: {{Hostname}}
        Content-Type: application/x-www-form-urlencoded

        csrf={{token}}&user={{user}}
    matchers: [{type: word, words: ["Welcome {{user}}"]}]
    extractors: [{type: regex, name: token, internal: true, group: 1, regex: ['value="([^"]+)"']}]
variables:
  user: "{{to_lower('ADMIN')}}"`},
		{name: "a flow", want: []string{"templates/mine"}, template: `
flow: http(1) && (http(2) || http(3))
http:
  - path: ["{{BaseURL}}/login"]
    matchers: [{type: word, words: [csrf], internal: true}]
  - path: ["{{BaseURL}}/nothing"]
    matchers: [{type: status, status: [200]}]
  - path: ["{{BaseURL}}/version"]
    matchers: [{type: status, status: [200]}]`},
		{name: "a flow that stops", template: `
flow: http(1) && http(2)
http:
  - path: ["{{BaseURL}}/nothing"]
    matchers: [{type: status, status: [200], internal: true}]
  - path: ["{{BaseURL}}/version"]
    matchers: [{type: status, status: [200]}]`},
		{name: "answers by number", want: []string{"templates/mine"}, template: `
http:
  - path: ["{{BaseURL}}/login", "{{BaseURL}}/version"]
    matchers: [{type: dsl, dsl: ['contains(body_1, "csrf") && contains(body_2, "Shop") && status_code_2 == 200']}]`},
		{name: "clusterbomb", want: []string{"templates/mine"}, template: `
http:
  - path: ["{{BaseURL}}/number?n={{n}}&s={{s}}"]
    attack: clusterbomb
    payloads: {n: [2, 3], s: [a, b]}
    matchers: [{type: word, words: ["9 b"]}]`},
		{name: "pitchfork does not mix", template: `
http:
  - path: ["{{BaseURL}}/number?n={{n}}&s={{s}}"]
    attack: pitchfork
    payloads: {n: [2, 3], s: [b, a]}
    matchers: [{type: word, words: ["9 b"]}]`},
		{name: "the request as it is sent", want: []string{"templates/mine"}, template: `
http:
  - method: POST
    path: ["{{BaseURL}}/echo?a=%2e%2e/b c&x={{7*7}}"]
    headers: {X-Test: "{{md5('a')}}"}
    body: "k={{randstr}}"
    matchers: [{type: word, words: ["POST|/echo?a=%2e%2e/b%20c&x={{7*7}}|0cc175b9c0f1b6a831c399e269772661|k={{randstr}}"]}]`},
		{name: "what no answer gave is not sent", template: `
http:
  - raw: ["GET /version HTTP/1.1\nHost: {{Hostname}}\n\n", "GET /echo?{{token}} HTTP/1.1\nHost: {{Hostname}}\n\n"]
    matchers: [{type: word, words: ["/echo"]}]
    extractors: [{type: regex, name: token, internal: true, regex: ['no such thing']}]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := job(t, serve(t, h), exposure.LevelProbe)
			j.Templates = own(tt.template)
			all, errs := scantest.Run(t, alone(), j)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			found := mine(all)
			if diff := cmp.Diff(tt.want, nonEmpty(scantest.Rules(found))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tt.match != "" && (len(found) != 1 || found[0].Evidence[len(found[0].Evidence)-1].Text != tt.match) {
				t.Errorf("extracted %+v, want %q", found, tt.match)
			}
			if !scantest.Covered(all, "templates", "templates/mine", exposure.Location{Port: j.Port}) {
				t.Error("it is not covered")
			}
		})
	}
}

func nonEmpty(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

// What is not of the subset is refused, by template and field.
func TestRefused(t *testing.T) {
	t.Parallel()
	get := "http:\n  - path: ['{{BaseURL}}/']\n    matchers: [{type: status, status: [200]}]\n"
	with := func(s string) string { return get + "    " + s + "\n" }
	for body, want := range map[string]string{
		"code: []\n" + get:                                      "code: programs are not run",
		"javascript: []\n" + get:                                "javascript: programs are not run",
		"headless: []\n" + get:                                  "headless: no browser",
		"file: []\n" + get:                                      "file: files are looked at",
		"websocket: []\n" + get:                                 "websocket",
		"whois: []\n" + get:                                     "whois",
		"workflows: []\n" + get:                                 "workflows",
		"self-contained: true\n" + get:                          "self-contained",
		"surprise: true\n" + get:                                "surprise: is not supported",
		"flow: 'for (let i of x) { http(1) }'\n" + get:          "flow",
		"flow: http(2)\n" + get:                                 "there is no http(2)",
		with("fuzzing: []"):                                     "http[0].fuzzing: fuzzing is not run",
		with("race: true"):                                      "http[0].race",
		with("body: '{{interactsh-url}}'"):                      "call back",
		with("body: '{{unheard}}'"):                             "http[0].body: {{unheard}}",
		with("body: '{{system(1)}}'"):                           "the function system is not supported",
		with("method: DELETE"):                                  `http[0].method: "DELETE" is not sent`,
		with("method: PUT"):                                     "may change or destroy",
		with("headers: {Host: evil.example}"):                   "another host",
		with("headers: {Host: '{{Host}}.evil.example'}"):        "another host",
		with("payloads: {a: words.txt}"):                        "not in a file",
		with("payloads: {a: []}"):                               "0 values",
		with("attack: sniper"):                                  "sniper",
		with("path: ['{{BaseURL}}/']"):                          "stands there twice",
		with("extractors: [{type: xpath, xpath: [/a]}]"):        `"xpath" is not supported`,
		with("extractors: [{type: json, json: ['.a | keys']}]"): "is not supported: a path such as",
		with("extractors: [{type: regex, regex: ['(']}]"):       "not understood",
		with("pre-condition: []"):                               "pre-condition",
		with("signature: AWS"):                                  "signature",
		"http:\n  - path: ['http://evil.example/']\n    matchers: [{type: status, status: [200]}]\n":                                             "nobody but the target",
		"http:\n  - path: ['{{BaseURL}}.evil.example/']\n    matchers: [{type: status, status: [200]}]\n":                                        "nobody but the target",
		"http:\n  - path: ['{{BaseURL}}@evil.example/']\n    matchers: [{type: status, status: [200]}]\n":                                        "nobody but the target",
		"http:\n  - path: ['{{Scheme}}://{{Host}}.evil.example/']\n    matchers: [{type: status, status: [200]}]\n":                              "nobody but the target",
		"http:\n  - path: ['{{Scheme}}://{{Host}}:8080/']\n    matchers: [{type: status, status: [200]}]\n":                                      "nobody but the target",
		"http:\n  - raw: ['GET http://evil.example/ HTTP/1.1']\n    matchers: [{type: status, status: [200]}]\n":                                 "nobody but the target",
		"http:\n  - raw: [\"GET / HTTP/1.1\\nHost: evil.example\\n\\n\"]\n    matchers: [{type: status, status: [200]}]\n":                       "another host",
		"http:\n  - raw: [\"@Host: https://evil.example\\nGET / HTTP/1.1\\n\\n\"]\n    matchers: [{type: status, status: [200]}]\n":              `"@Host`,
		"http:\n  - unsafe: true\n    raw: [\"GET / HTTP/1.1\\nContent-Length: 4\\n\\nGET /\"]\n    matchers: [{type: status, status: [200]}]\n": "Content-Length",
		"http:\n  - raw: [\"GET / HTTP/1.1\\nTransfer-Encoding: chunked\\n\\n0\"]\n    matchers: [{type: status, status: [200]}]\n":              "Transfer-Encoding",
		"http:\n  - path: ['{{BaseURL}}/']\n    matchers: [{type: word, part: interactsh_protocol, words: [dns]}]\n":                             "call back",
		"http:\n  - path: ['{{BaseURL}}/']\n    matchers: [{type: regex, regex: ['((a{1000}){1000}){1000}']}]\n":                                 "not understood",
		"http:\n  - path: ['{{BaseURL}}/']\n    matchers: [{type: word}]\n":                                                                      "without a value",
		"http:\n  - path: ['{{BaseURL}}/']\n":                                                                               "neither matchers nor extractors",
		"http:\n  - matchers: [{type: status, status: [200]}]\n":                                                            "neither path nor raw",
		"tcp:\n  - host: ['evil.example:22']\n    matchers: [{type: word, words: [a]}]\n":                                   "nobody but the target",
		"tcp:\n  - inputs: [{data: zz, type: hex}]\n    host: ['{{Hostname}}']\n    matchers: [{type: word, words: [a]}]\n": "hexadecimal",
		"dns:\n  - name: evil.example\n    matchers: [{type: word, words: [a]}]\n":                                          "no other domain",
		"dns:\n  - name: 'x{{FQDN}}'\n    matchers: [{type: word, words: [a]}]\n":                                           "no other domain",
		"dns:\n  - {name: '{{FQDN}}', resolvers: [8.8.8.8], matchers: [{type: word, words: [a]}]}\n":                        "resolver",
		"ssl:\n  - address: evil.example:443\n    matchers: [{type: dsl, dsl: ['expired']}]\n":                              "nobody but the target",
		"a: &x [1]\nb: *x\n" + get: "aliases are not read",
		"a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n": "no YAML",
		": : :\n":                            "is not supported",
		"---\nid: x\n":                       "more than one document",
		"x: " + strings.Repeat("a", 300<<10): "bytes",
	} {
		set, errs := templates.Load(own(body))
		if len(set.Templates) != 0 || len(errs) != 1 || !strings.Contains(errs[0].Error(), want) || !strings.Contains(errs[0].Error(), "mine") {
			t.Errorf("%.120s:\n%v, want %q", body, errs, want)
			continue
		}
		var rec *exposure.RecordError
		if !errors.As(errs[0], &rec) {
			t.Errorf("%v is no RecordError", errs[0])
		}
	}
	for _, whole := range []string{
		"id: \"a\\u001b[31m\"\ninfo: {name: A}\n" + get, "id: ../x\ninfo: {name: A}\n" + get, "info: {name: A}\n" + get, "id: a\n" + get,
		"id: a\ninfo: {name: A, severity: awful}\n" + get, "id: a\ninfo: {name: A, tags: 'x,dos'}\n" + get, "[]", "", "id: a\ninfo: {name: A}\n",
		"id: a\ninfo: {name: A, tags: default-login}\nhttp:\n  - path: ['{{BaseURL}}/{{p}}']\n    payloads: {p: [1,2,3,4,5,6,7,8,9]}\n    matchers: [{type: status, status: [200]}]\n",
	} {
		_, errs := templates.Load(fstest.MapFS{"a.yaml": {Data: []byte(whole)}})
		if len(errs) != 1 || strings.ContainsAny(errs[0].Error(), "\x1b") {
			t.Errorf("%q: %v", whole, errs)
		}
	}
}

// A refused template costs itself, and is named; the others run.
func TestRefusedInALook(t *testing.T) {
	t.Parallel()
	j := job(t, serve(t, http.NotFound), exposure.LevelObserve)
	dir := own("http:\n  - path: ['{{BaseURL}}/']\n    matchers: [{type: status, status: [404]}]\n")
	dir["sub/twice.yml"] = dir["mine.yaml"]
	for i := range 30 {
		dir[fmt.Sprintf("bad%02d.yaml", i)] = &fstest.MapFile{Data: []byte("id: bad\ninfo: {name: B}\ncode: []\n")}
	}
	dir["readme.md"], dir[".git/x.yaml"] = &fstest.MapFile{}, &fstest.MapFile{}
	j.Templates = dir
	all, errs := scantest.Run(t, alone(), j)
	if len(mine(all)) != 1 || len(errs) != 21 || !strings.Contains(errs[0].Error(), "bad00.yaml: bad: code: ") || !strings.Contains(errs[20].Error(), "11 more") {
		t.Errorf("%d found, errors %v", len(mine(all)), errs)
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	request := func(s string) string { return "http:\n  - matchers: [{type: status, status: [200]}]\n    " + s + "\n" }
	for body, want := range map[string]exposure.Level{
		request("path: ['{{BaseURL}}/.git/config']"):                                                            exposure.LevelObserve,
		request("path: ['{{BaseURL}}/{{FQDN}}.zip']"):                                                           exposure.LevelObserve,
		request("{path: ['{{BaseURL}}/a']}")[:0] + request("method: HEAD\n    path: ['{{BaseURL}}/a']"):         exposure.LevelObserve,
		request("path: ['{{BaseURL}}/a']\n    headers: {Accept: text/html}"):                                    exposure.LevelObserve,
		request("path: ['{{BaseURL}}/a']\n    headers: {X-Forwarded-For: 127.0.0.1}"):                           exposure.LevelProbe,
		request("path: ['{{BaseURL}}/../../etc/passwd']"):                                                       exposure.LevelProbe,
		request("path: ['{{BaseURL}}/%252e%252e%252f']"):                                                        exposure.LevelProbe,
		request("path: ['{{BaseURL}}/?q=%3Cscript%3E']"):                                                        exposure.LevelProbe,
		request("path: ['{{BaseURL}}/?q={{7*7}}']"):                                                             exposure.LevelProbe,
		request("path: ['{{BaseURL}}/?u=https://x.example']"):                                                   exposure.LevelProbe,
		request("path: ['{{BaseURL}}/{{randstr}}']"):                                                            exposure.LevelObserve,
		request("path: ['{{BaseURL}}/{{md5(\"a\")}}']"):                                                         exposure.LevelProbe,
		request("path: ['{{BaseURL}}/a']\n    method: POST"):                                                    exposure.LevelProbe,
		request("path: ['{{BaseURL}}/a']\n    method: OPTIONS"):                                                 exposure.LevelProbe,
		request("path: ['{{BaseURL}}/a']\n    body: x"):                                                         exposure.LevelProbe,
		request("path: ['{{BaseURL}}/{{p}}']\n    payloads: {p: [a]}"):                                          exposure.LevelProbe,
		"tcp:\n  - host: ['{{Hostname}}']\n    matchers: [{type: word, words: [a]}]\n":                          exposure.LevelObserve,
		"tcp:\n  - host: ['{{Hostname}}']\n    inputs: [{data: a}]\n    matchers: [{type: word, words: [a]}]\n": exposure.LevelProbe,
		"dns:\n  - matchers: [{type: word, words: [a]}]\n":                                                      exposure.LevelObserve,
		"ssl:\n  - matchers: [{type: dsl, dsl: [expired]}]\n":                                                   exposure.LevelObserve,
	} {
		set, errs := templates.Load(own(body))
		if len(errs) > 0 || set.Templates[0].Level != want {
			t.Errorf("%s: level %v, %v, want %v", body, set.Templates, errs, want)
		}
	}
}

// A template above the level that was asked for is neither sent nor covered.
func TestTooLow(t *testing.T) {
	t.Parallel()
	var posts atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" && r.Method != "HEAD" || r.URL.Path == "/signin" {
			posts.Add(1)
		}
		http.Error(w, "not found", http.StatusNotFound)
	})
	j := job(t, s, exposure.LevelObserve)
	j.Templates = own("http:\n  - {method: POST, path: ['{{BaseURL}}/'], matchers: [{type: status, status: [404]}]}\n")
	all, errs := scantest.Run(t, templates.New(templates.Builtin()), j)
	at := exposure.Location{Port: j.Port}
	if len(errs) > 0 || posts.Load() > 0 || len(mine(all)) > 0 || scantest.Covered(all, "templates", "templates/mine", at) || scantest.Covered(all, "templates", "templates/graphql-introspection", at) {
		t.Errorf("%d posts, %v, %v", posts.Load(), mine(all), errs)
	}
	login := fstest.MapFS{"a.yaml": {Data: []byte("id: mine\ninfo: {name: A, severity: high, tags: default-login}\nhttp:\n  - {path: ['{{BaseURL}}/signin'], matchers: [{type: status, status: [404]}]}\n")}}
	for _, allowed := range []bool{false, true} {
		j := job(t, s, exposure.LevelAuthenticated)
		j.Templates, j.Credentials = login, allowed
		before := posts.Load()
		all, errs := scantest.Run(t, templates.New(templates.Builtin()), j)
		if found := mine(all); len(errs) > 0 || len(found) > 0 != allowed || scantest.Covered(all, "templates", "templates/mine", at) && !allowed {
			t.Errorf("credentials %v: %v, %d sent, %v", allowed, found, posts.Load()-before, errs)
		}
	}
}

// The same request of several templates is sent once.
func TestSharedRequests(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.Method+r.URL.Path]++
		mu.Unlock()
		http.Error(w, "not found", http.StatusNotFound)
	})
	j := job(t, s, exposure.LevelObserve)
	dir := fstest.MapFS{}
	for i := range 40 {
		dir[fmt.Sprintf("t%d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "id: mine-%d\ninfo: {name: A, severity: low}\nhttp:\n  - {path: ['{{BaseURL}}/shared'], matchers: [{type: status, status: [404]}]}\n", i)}
	}
	j.Templates = dir
	all, errs := scantest.Run(t, alone(), j)
	if len(errs) > 0 || len(mine(all)) != 40 || seen["GET/shared"] != 1 {
		t.Errorf("%d found, sent %d times, %v", len(mine(all)), seen["GET/shared"], errs)
	}
}

// What is stated is what a reader of Nuclei's results states of the same
// template: the advisory and the place are the identity.
func TestIdentity(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/setup" {
			fmt.Fprint(w, "setup password=planted-hunter2")
			return
		}
		http.NotFound(w, r)
	})
	j := job(t, s, exposure.LevelObserve)
	j.Templates = fstest.MapFS{"cves/CVE-2024-99999.yaml": {Data: []byte(`id: CVE-2024-99999
info:
  name: Setup can be run again
  author: someone
  severity: critical
  classification: {cve-id: CVE-2024-99999, cwe-id: 'CWE-306,CWE-20', cvss-metrics: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', epss-score: 0.9}
  metadata: {verified: true, vendor: x}
  reference: https://example.org/advisory
  tags: cve,exposure
http:
  - method: GET
    path: ['{{BaseURL}}/setup']
    matchers: [{type: word, words: [setup]}]
    extractors: [{type: regex, regex: ['password=\S+']}]
`)}}
	all, errs := scantest.Run(t, alone(), j)
	var got *exposure.Observation
	for i := range all {
		if all[i].Rule == "templates/CVE-2024-99999" {
			got = &all[i]
		}
	}
	if len(errs) > 0 || got == nil {
		t.Fatal(errs)
	}
	want := &exposure.Observation{
		Class: "templates", Rule: "templates/CVE-2024-99999", Advisories: []string{"CVE-2024-99999"}, Title: "Setup can be run again", Severity: exposure.SeverityCritical,
		CWEs: []int{306, 20}, CVSS: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, References: []string{"https://example.org/advisory"},
		Location:  exposure.Location{Port: j.Port, Protocol: "tcp", Service: "http", Path: "/setup", Method: "GET"},
		Detection: exposure.DetectionRemote, Confidence: 95,
		Evidence: []exposure.Evidence{{Kind: "request", Text: "GET /setup: 200"}, {Kind: "note", Text: "matched: word setup"}, {Kind: "note", Text: "1 values were extracted, which are not shown"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if key := got.WeaknessKey(func(s string) string { return s }); key != "CVE-2024-99999" {
		t.Errorf("the weakness is %s", key)
	}
}

// Answers that prove nothing cover nothing.
func TestInconclusive(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"failures": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"a firewall": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<title>Attention Required! | Cloudflare</title>")
		},
		"an endless answer": func(w http.ResponseWriter, r *http.Request) {
			for line := strings.Repeat("all work and no play ", 1000); r.Method != "HEAD" && r.Context().Err() == nil; {
				if _, err := io.WriteString(w, line); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := job(t, serve(t, h), exposure.LevelObserve)
			all, errs := scantest.Run(t, templates.New(templates.Builtin()), j)
			if len(scantest.Rules(all)) > 0 || len(errs) > 0 {
				t.Errorf("%v, %v", all, errs)
			}
			for _, id := range []string{"git-config", "env-file", "swagger-ui", "kubernetes-dashboard"} {
				if scantest.Covered(all, "templates", "templates/"+id, exposure.Location{Port: j.Port}) {
					t.Errorf("%s is covered", id)
				}
			}
		})
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	outside := serve(t, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked for", r.URL)
	})
	_, port, _ := net.SplitHostPort(outside.Listener.Addr().String())
	for name, h := range map[string]http.HandlerFunc{
		"redirects without end": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) },
		"redirects out of scope": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254:"+port+"/", http.StatusFound)
		},
		"headers without end": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 3000 {
				w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("a", 20))
			}
			w.WriteHeader(http.StatusNotFound)
		},
		"odd bytes": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Set-Cookie"] = []string{"=;", "a", "b=\x80"}
			w.Write([]byte("\x00\xff\xfe[core]"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := job(t, serve(t, h), exposure.LevelProbe)
			j.Templates = own("http:\n  - {path: ['{{BaseURL}}/a'], redirects: true, max-redirects: 3, matchers: [{type: word, words: [never]}]}\n")
			all, errs := scantest.Run(t, alone(), j)
			if len(errs) > 0 || len(scantest.Rules(all)) > 0 {
				t.Errorf("%v, %v", scantest.Rules(all), errs)
			}
		})
	}
}

func TestAway(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	j := job(t, s, exposure.LevelObserve)
	s.Close()
	all, errs := scantest.Run(t, templates.New(templates.Builtin()), j)
	if len(all) > 0 || len(errs) != 1 {
		t.Errorf("nobody listens: %v, %v", all, errs)
	}
	j.Host = "203.0.113.7"
	all, errs = scantest.Run(t, templates.New(templates.Builtin()), j)
	var no *guard.Refusal
	if len(all) > 0 || len(errs) != 1 || !errors.As(errs[0], &no) {
		t.Errorf("out of scope: %v, %v", all, errs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	all, errs = scantest.RunContext(t, ctx, templates.New(templates.Builtin()), job(t, slow, exposure.LevelObserve))
	if len(all) > 0 || len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("cancelled: %v, %v", all, errs)
	}
}

// Where much is left out the rest is still asked.
func TestMuchExcluded(t *testing.T) {
	t.Parallel()
	s := serve(t, http.NotFound)
	j := job(t, s, exposure.LevelObserve)
	dir := fstest.MapFS{}
	for i := range 50 {
		dir[fmt.Sprintf("t%02d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "id: mine-%d\ninfo: {name: A, severity: low}\nhttp:\n  - {path: ['{{BaseURL}}/out/%d'], matchers: [{type: status, status: [404]}]}\n", i, i)}
	}
	j.Templates = dir
	e := guardtest.Engagement()
	e.Exclusions = []string{s.URL + "/out"}
	j.Network = guardtest.Open(t, guard.Config{}, e)
	all, errs := scantest.Run(t, templates.New(templates.Builtin()), j)
	if len(errs) != 1 || !scantest.Covered(all, "templates", "templates/git-head", exposure.Location{Port: j.Port}) {
		t.Errorf("%v", errs)
	}
}

// A place that the engagement leaves out costs the templates that ask it.
func TestExcluded(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/.git") {
			t.Errorf("%s was asked for", r.URL.Path)
		}
		http.NotFound(w, r)
	})
	j := job(t, s, exposure.LevelObserve)
	e := guardtest.Engagement()
	e.Exclusions = []string{s.URL + "/.git"}
	j.Network = guardtest.Open(t, guard.Config{}, e)
	all, errs := scantest.Run(t, templates.New(templates.Builtin()), j)
	at := exposure.Location{Port: j.Port}
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "2 of ") || scantest.Covered(all, "templates", "templates/git-head", at) || !scantest.Covered(all, "templates", "templates/env-file", at) {
		t.Errorf("%v", errs)
	}
}

func TestConversation(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.WriteString(c, "READY 1.4\n")
				buf := make([]byte, 16)
				n, _ := c.Read(buf)
				fmt.Fprintf(c, "got %x", buf[:n])
			}()
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port
	j := scan.Job{Target: scan.Target{Kind: scan.Service, Host: "127.0.0.1", Port: port, Protocol: "tcp"}, Level: exposure.LevelProbe, Network: guardtest.Loopback(t)}
	j.Templates = own(`
tcp:
  - host: ["{{Hostname}}"]
    inputs:
      - {data: "", read: 10, name: greeting}
      - {data: 7374617400, type: hex}
    matchers-condition: and
    matchers:
      - {type: word, words: [got 7374617400]}
      - {type: word, part: greeting, words: [READY]}
    extractors: [{type: regex, part: greeting, regex: ['READY (\S+)'], group: 1}]
`)
	all, errs := scantest.Run(t, alone(), j)
	if found := mine(all); len(errs) > 0 || len(found) != 1 || found[0].Location.Port != port || found[0].Evidence[1].Text != "1.4" {
		t.Errorf("%+v, %v", found, errs)
	}
	j.Templates = own("tcp:\n  - host: ['{{Host}}:1']\n    matchers: [{type: word, words: [READY]}]\n")
	if all, errs := scantest.Run(t, alone(), j); len(all) > 0 || len(errs) > 0 {
		t.Errorf("of another port: %v, %v", all, errs)
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{MaxVersion: tls.VersionTLS12}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	j := job(t, s, exposure.LevelObserve)
	for body, want := range map[string]int{
		`dsl: ['tls_version == "tls12" && self_signed && !expired && !mismatched && contains(subject_an, "example.com")']`: 1,
		`dsl: ['expired']`: 0,
	} {
		j.Templates = own("ssl:\n  - address: '{{Host}}:{{Port}}'\n    matchers: [{type: dsl, " + body + "}]\n    extractors: [{type: json, json: [.issuer_org]}]\n")
		all, errs := scantest.Run(t, alone(), j)
		if len(errs) > 0 || len(mine(all)) != want {
			t.Errorf("%s: %v, %v", body, mine(all), errs)
		}
	}
	j.Templates = own("ssl:\n  - {min_version: tls13, max_version: tls13, matchers: [{type: dsl, dsl: ['probe_status == false']}]}\n")
	if all, errs := scantest.Run(t, alone(), j); len(errs) > 0 || len(mine(all)) != 1 {
		t.Errorf("a version that is not spoken: %v, %v", mine(all), errs)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	j := scan.Job{Target: scan.Target{Kind: scan.Domain, Host: "www.example.test"}, Level: exposure.LevelObserve}
	j.Network = guardtest.LoopbackWithResolver(t, resolver(t))
	for body, want := range map[string]int{
		"type: CNAME\n    matchers: [{type: word, part: answer, words: [gone.example.test]}]": 1,
		"type: CNAME\n    matchers: [{type: dsl, dsl: ['rcode == \"NXDOMAIN\"']}]":            0,
		"name: 'dev.{{FQDN}}'\n    matchers: [{type: word, part: answer, words: [dev.www.]}]": 1,
	} {
		j.Templates = own("dns:\n  - " + body + "\n")
		all, errs := scantest.Run(t, alone(), j)
		if len(errs) > 0 || len(mine(all)) != want || !scantest.Covered(all, "templates", "templates/mine", exposure.Location{}) {
			t.Errorf("%s: %v, %v", body, all, errs)
		}
	}
}

// resolver answers every question with a CNAME to gone.example.test.
func resolver(t testing.TB) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Additionals = true, nil
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeCNAME, Class: dnsmessage.ClassINET, TTL: 60},
				Body:   &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("gone.example.test.")},
			}}
			if answer, err := m.Pack(); err == nil {
				c.WriteTo(answer, from)
			}
		}
	}()
	return c.LocalAddr().String()
}

func FuzzParse(f *testing.F) {
	for _, t := range templates.Builtin().Templates {
		seed, err := os.ReadFile(t.File)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add([]byte(head + "flow: http(1) && !tcp(1)\nhttp:\n  - raw: ['GET /{{a}} HTTP/1.1']\n    payloads: {a: [1, 2]}\n    attack: clusterbomb\n    matchers: [{type: dsl, dsl: ['len(body_1) > 1']}]\ntcp:\n  - {host: ['tls://{{Host}}:1'], inputs: [{data: 00, type: hex}]}\n"))
	f.Add([]byte(head + "dns: [{name: 'a.{{FQDN}}', type: TXT, extractors: [{type: json, json: ['.a[0][].\"b-c\"']}]}]\nssl: [{matchers: [{type: binary, binary: [00ff]}]}]\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		tmpl, err := templates.Parse("f.yaml", body)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x00\x1b") {
				t.Errorf("the error is %q", err)
			}
			return
		}
		if tmpl.ID == "" || tmpl.Name == "" || len(tmpl.Name) > 200 || tmpl.Level < exposure.LevelObserve || tmpl.Level > exposure.LevelAuthenticated {
			t.Errorf("%+v", tmpl)
		}
	})
}

// BenchmarkTemplates is how many requests a second the built-in templates send
// to a local server through the guard, beside a plain client on as many
// connections.
func BenchmarkTemplates(b *testing.B) {
	var n atomic.Int64
	s := serve(b, func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "not found")
	})
	j := job(b, s, exposure.LevelProbe)
	e := templates.New(templates.Builtin())
	start := time.Now()
	for b.Loop() {
		for _, err := range e.Scan(b.Context(), &j) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	sent, took := n.Load(), time.Since(start)
	b.ReportMetric(float64(sent)/took.Seconds(), "requests/s")
	b.ReportMetric(float64(sent)/float64(b.N), "requests/scan")
	plain := bare(b, s, sent)
	b.ReportMetric(took.Seconds()/plain.Seconds(), "x-plain-client")
}

// bare sends n requests with net/http alone.
func bare(b *testing.B, s *httptest.Server, n int64) time.Duration {
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer c.CloseIdleConnections()
	var left atomic.Int64
	left.Store(n)
	start := time.Now()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				res, err := c.Get(s.URL + "/.git/config")
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}
