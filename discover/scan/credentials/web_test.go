package credentials

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/discover/scan/scantest"
	"github.com/leeward-ctem/leeward/exposure"
)

// site is a web product of a test.
type site struct {
	landing string
	header  [2]string
	path    string
	basic   string // realm; it asks by HTTP Basic
	digest  string // challenge; it asks by HTTP Digest
	hidden  bool   // the question is not asked
	page    string // of who is logged in
	form    func(r *http.Request) (account, password string)
	yes, no int
	cookie  bool
	logout  string // method and path
	wrong   string // of who is not
}

// handler is the site, which lets in one account.
func (s site) handler(t *testing.T, l *tried, right string, out *[]string) http.Handler {
	mux := http.NewServeMux()
	if s.path != "/" {
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			if s.logout == r.Method+" "+r.URL.Path {
				c, err := r.Cookie("session")
				if err != nil || c.Value != "abc" {
					t.Errorf("it logs out of another session: %v", err)
				}
				*out = append(*out, s.logout)
				return
			}
			if s.header[0] != "" {
				w.Header().Set(s.header[0], s.header[1])
			}
			fmt.Fprint(w, s.landing)
		})
	}
	mux.HandleFunc(s.path, func(w http.ResponseWriter, r *http.Request) {
		if s.logout == r.Method+" "+r.URL.Path {
			*out = append(*out, s.logout)
			return
		}
		var account, password string
		asked := true
		switch {
		case s.form != nil:
			account, password = s.form(r)
			if account == "" { // a logout of Zabbix
				*out = append(*out, "logout")
				return
			}
		case s.digest != "":
			account, password, asked = byDigest(r, s.digest, right)
		default:
			account, password, asked = r.BasicAuth()
		}
		if asked && l.check(account, password, right) {
			if s.cookie {
				http.SetCookie(w, &http.Cookie{Name: "session", Value: "abc", HttpOnly: true})
			}
			if s.yes != 0 {
				w.WriteHeader(s.yes)
			}
			fmt.Fprint(w, s.page)
			return
		}
		switch {
		case s.basic != "":
			w.Header().Set("WWW-Authenticate", `Basic realm="`+s.basic+`"`)
		case s.digest != "":
			w.Header().Set("WWW-Authenticate", "Digest "+s.digest)
		}
		no := s.no
		if no == 0 {
			no = 401
		}
		w.WriteHeader(no)
		fmt.Fprint(w, s.wrong)
	})
	return mux
}

// byDigest verifies a proof with the right password; of a wrong one nothing but
// that can be known.
func byDigest(r *http.Request, challenge, right string) (account, password string, asked bool) {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if scheme != "Digest" {
		return "", "", false
	}
	got, q := parameters(rest), parameters(challenge)
	account, password, _ = strings.Cut(right, ":")
	who := hexMD5([]byte(account + ":" + q["realm"] + ":" + password))
	what := hexMD5([]byte(r.Method + ":" + r.URL.RequestURI()))
	want := hexMD5([]byte(who + ":" + q["nonce"] + ":" + what))
	if got["qop"] == "auth" {
		want = hexMD5([]byte(who + ":" + q["nonce"] + ":" + got["nc"] + ":" + got["cnonce"] + ":auth:" + what))
	}
	if got["response"] != want || got["username"] != account || got["nonce"] != q["nonce"] || got["uri"] != r.URL.RequestURI() {
		password = "?"
	}
	return got["username"], password, true
}

func fromJSON(account, password string) func(r *http.Request) (string, string) {
	return func(r *http.Request) (string, string) {
		var m map[string]string
		if json.NewDecoder(r.Body).Decode(&m) != nil || r.Header.Get("Content-Type") != "application/json" {
			return "?", "?"
		}
		return m[account], m[password]
	}
}

func sites() map[string]site {
	decode := func(s string) string { b, _ := base64.StdEncoding.DecodeString(s); return string(b) }
	return map[string]site{
		"tomcat":        {landing: "<title>Apache Tomcat/9.0.1</title>", path: "/manager/html", basic: "Tomcat Manager Application", page: "<h1>Tomcat Web Application Manager"},
		"rabbitmq":      {landing: "<title>RabbitMQ Management</title>", path: "/api/whoami", hidden: true, page: `{"name":"guest"}`, wrong: `{"error":"not_authorised"}`},
		"jenkins":       {header: [2]string{"X-Jenkins", "2.4"}, path: "/whoAmI/api/json", page: `{"anonymous":false,"authenticated":true}`},
		"airflow":       {landing: "<title>Sign In - Airflow</title>", path: "/api/v1/dags", hidden: true, page: `{"dags":[]}`},
		"activemq":      {landing: "<title>Apache ActiveMQ</title>", path: "/admin/", basic: "ActiveMQRealm", page: "Welcome to the Apache ActiveMQ Console"},
		"elasticsearch": {header: [2]string{"WWW-Authenticate", `Basic realm="security" charset="UTF-8"`}, path: "/_security/_authenticate", basic: "security", page: `{"username":"elastic"}`},
		"netgear":       {path: "/", basic: "NETGEAR R7000"},
		"tplink":        {path: "/", basic: "TP-LINK Wireless N Router WR841N"},
		"linksys":       {path: "/", basic: "Linksys E1200"},
		"axis":          {path: "/", digest: `realm="AXIS_ACCC8E", nonce="n0", algorithm=MD5, qop="auth", opaque="o"`},
		"sonarqube":     {landing: "<title>SonarQube</title>", path: "/api/authentication/validate", page: `{"valid":true}`, no: 200, wrong: `{"valid":false}`},
		"grafana":       {landing: "<title>Grafana</title>", path: "/login", form: fromJSON("user", "password"), page: `{"message":"Logged in"}`, cookie: true, logout: "GET /logout"},
		"minio":         {landing: "<title>MinIO Console</title>", path: "/api/v1/login", form: fromJSON("accessKey", "secretKey"), yes: 204, cookie: true, logout: "POST /api/v1/logout"},
		"nexus": {header: [2]string{"Server", "Nexus/3.16.2-01 (OSS)"}, path: "/service/rapture/session", yes: 204, no: 403, cookie: true, logout: "DELETE /service/rapture/session", form: func(r *http.Request) (string, string) {
			return decode(r.FormValue("username")), decode(r.FormValue("password"))
		}},
		"zabbix": {landing: "<title>Zabbix</title>", path: "/api_jsonrpc.php", no: 200, page: `{"jsonrpc":"2.0","result":"0424bd59b807674191e7d77572075f33","id":1}`, wrong: `{"error":{"data":"Incorrect user name or password."}}`, logout: "logout", form: func(r *http.Request) (string, string) {
			var m struct {
				Method string
				Params json.RawMessage
			}
			var p struct{ Username, Password string }
			if json.NewDecoder(r.Body).Decode(&m) != nil || m.Method == "user.logout" && r.Header.Get("Authorization") == "Bearer 0424bd59b807674191e7d77572075f33" {
				return "", ""
			}
			_ = json.Unmarshal(m.Params, &p)
			return p.Username, p.Password
		}},
	}
}

func web(t *testing.T, s *httptest.Server) scan.Job {
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, _ := strconv.Atoi(u.Port())
	j := at(t, u.Scheme, port)
	j.TLS = u.Scheme == "https"
	return j
}

func TestWeb(t *testing.T) {
	t.Parallel()
	all := sites()
	for _, p := range pages() {
		s, ok := all[p.name]
		if !ok {
			t.Errorf("nothing tests %s", p.name)
			continue
		}
		pairs := defaultsOf(p.name, "")
		if len(pairs) == 0 {
			t.Errorf("there is no pair of %s", p.name)
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			rule := "credentials/default-" + p.name
			right := pairs[len(pairs)-1]
			l, out := &tried{}, []string{}
			start := httptest.NewServer
			if p.name == "grafana" || p.name == "axis" {
				start = httptest.NewTLSServer
			}
			j := web(t, start(s.handler(t, l, right.account+":"+right.password, &out)))
			found, errs := scantest.Run(t, quick(), j)
			if diff := cmp.Diff([]string{rule}, scantest.Rules(found)); diff != "" || len(errs) > 0 {
				t.Fatalf("%v %s, tried %v", errs, diff, l.seen())
			}
			if o := found[0]; o.Location.Parameter != right.account || o.Location.Port != j.Port || len(o.References) != 1 || scantest.Covered(found, class, rule, o.Location) {
				t.Errorf("stated %+v", found)
			}
			if (s.logout != "") != (len(out) == 1) {
				t.Errorf("logged out: %v", out)
			}

			l, out = &tried{}, []string{}
			j = web(t, start(s.handler(t, l, right.account+":f8-Qz!unguessed", &out)))
			found, errs = scantest.Run(t, quick(), j)
			if len(scantest.Rules(found))+len(errs)+len(out) > 0 || !scantest.Covered(found, class, rule, exposure.Location{Port: j.Port}) || len(l.seen()) != len(pairs) {
				t.Errorf("the clean twin: %v, %v, tried %v", found, errs, l.seen())
			}
		})
	}
}

func TestWebOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		rules   []string
		errs    int
		covered bool
	}{
		"nothing known": {handler: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<title>Shop</title>") }, rules: []string{}},
		"open": {handler: func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<title>Apache Tomcat</title> Tomcat Web Application Manager")
		}, rules: []string{"credentials/none-tomcat"}},
		"shut": {handler: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				w.WriteHeader(403)
			}
			fmt.Fprint(w, "<title>Apache Tomcat</title>")
		}, rules: []string{}, covered: true},
		"locked": {handler: func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				w.WriteHeader(429)
			}
			fmt.Fprint(w, "<title>Grafana</title>")
		}, rules: []string{}, errs: 1},
		"says it in words": {handler: func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				fmt.Fprint(w, `{"error":"Incorrect user name or password or account is temporarily blocked."}`)
			}
			fmt.Fprint(w, "<title>Zabbix</title>")
		}, rules: []string{}, errs: 1},
		"says nothing": {handler: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<title>Grafana</title>") }, rules: []string{}, errs: 1},
		"another login": {handler: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				w.Header().Set("WWW-Authenticate", "Negotiate")
				w.WriteHeader(401)
			}
			fmt.Fprint(w, "<title>Apache Tomcat</title>")
		}, rules: []string{}, errs: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := web(t, httptest.NewServer(tt.handler))
			all, errs := scantest.Run(t, quick(), j)
			if diff := cmp.Diff(tt.rules, scantest.Rules(all)); diff != "" || len(errs) != tt.errs {
				t.Errorf("%s %v", diff, errs)
			}
			if covered := slices.ContainsFunc(all, func(o exposure.Observation) bool { return o.Kind == exposure.ObservedCoverage }); covered != tt.covered {
				t.Errorf("covered: %v", all)
			}
		})
	}
}

// Vectors of RFC 7616, section 3.9.1, and of RFC 2069, section 2.4, which is
// right in its errata.
func TestDigest(t *testing.T) {
	t.Parallel()
	for challenge, want := range map[string]string{
		`realm="r", nonce="n"`:                        `Digest username="u", realm="r", nonce="n", uri="/", response="` + hexMD5([]byte(hexMD5([]byte("u:r:p"))+":n:"+hexMD5([]byte("GET:/")))) + `"`,
		`realm="r", nonce="n", qop="auth-int"`:        "",
		`realm="r", nonce="n", algorithm=SHA-512-256`: "",
		`realm="r"`:                         "",
		`realm="r", nonce="a` + "\n" + `b"`: "",
		`realm="r", nonce="n`:               "",
		strings.Repeat(`a=b,`, 1000) + `realm="r",nonce="n"`: "",
	} {
		got, err := digestProof(challenge, "GET", "/", "u", "p")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.60s: %q, %v", challenge, got, err)
		}
	}
}
