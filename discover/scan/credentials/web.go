package credentials

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// page is a web product that is known by its first page, and how it takes a login.
type page struct {
	name   string // as in [pair]
	title  string
	signs  []string // parts of the first page or its header, in lower case: any of them
	method string
	path   string
	// form makes the body and its type; nil: HTTP authentication, Basic or Digest.
	form func(account, password string) (body, kind string)
	yes  sign // of an accepted login
	no   sign // of a refused one
	// end logs out: method and path.
	end [2]string
}

// sign is how an answer looks.
type sign struct {
	status []int
	text   string // part of the body; empty: any
}

func (s sign) is(r *guard.Response) bool {
	for _, status := range s.status {
		if r.Status == status && bytes.Contains(r.Body, []byte(s.text)) {
			return true
		}
	}
	return false
}

func jsonForm(account, password string) func(a, p string) (string, string) {
	return func(a, p string) (string, string) {
		b, _ := json.Marshal(map[string]string{account: a, password: p}) // strings cannot fail
		return string(b), "application/json"
	}
}

func pages() []page {
	basic := func(name, title, path, text string, signs ...string) page {
		return page{name: name, title: title, signs: signs, path: path, yes: sign{[]int{200}, text}, no: sign{status: []int{401}}}
	}
	return []page{
		basic("tomcat", "Tomcat Manager", "/manager/html", "Tomcat Web Application Manager", "<title>apache tomcat", "tomcat manager application"),
		basic("rabbitmq", "RabbitMQ", "/api/whoami", `"name"`, "<title>rabbitmq management"),
		basic("jenkins", "Jenkins", "/whoAmI/api/json", `"anonymous":false`, "x-jenkins:"),
		basic("airflow", "Airflow", "/api/v1/dags?limit=1", `"dags"`, "<title>sign in - airflow", "<title>airflow"),
		basic("activemq", "ActiveMQ", "/admin/", "ActiveMQ", "activemqrealm", "<title>apache activemq"),
		basic("elasticsearch", "Elasticsearch", "/_security/_authenticate", `"username"`, `basic realm="security"`, "you know, for search"),
		basic("netgear", "NETGEAR router", "/", "", `realm="netgear`),
		basic("axis", "Axis camera", "/", "", `realm="axis_`),
		basic("tplink", "TP-Link router", "/", "", `realm="tp-link`),
		basic("linksys", "Linksys router", "/", "", `realm="linksys`),
		{
			name: "sonarqube", title: "SonarQube", signs: []string{"<title>sonarqube"}, path: "/api/authentication/validate",
			yes: sign{[]int{200}, `"valid":true`}, no: sign{[]int{200, 401}, ""},
		},
		{
			name: "grafana", title: "Grafana", signs: []string{"<title>grafana"}, method: "POST", path: "/login", form: jsonForm("user", "password"),
			yes: sign{[]int{200}, "Logged in"}, no: sign{status: []int{401}}, end: [2]string{"GET", "/logout"},
		},
		{
			name: "minio", title: "MinIO", signs: []string{"<title>minio console"}, method: "POST", path: "/api/v1/login", form: jsonForm("accessKey", "secretKey"),
			yes: sign{status: []int{204}}, no: sign{status: []int{401, 403}}, end: [2]string{"POST", "/api/v1/logout"},
		},
		{
			name: "nexus", title: "Nexus Repository", signs: []string{"server: nexus/", "<title>sonatype nexus repository", "<title>nexus repository manager"},
			method: "POST", path: "/service/rapture/session", form: nexusForm,
			yes: sign{status: []int{204}}, no: sign{status: []int{403}}, end: [2]string{"DELETE", "/service/rapture/session"},
		},
		{
			name: "zabbix", title: "Zabbix", signs: []string{": zabbix</title>", "<title>zabbix"}, method: "POST", path: "/api_jsonrpc.php", form: zabbixForm,
			yes: sign{[]int{200}, `"result":"`}, no: sign{[]int{200}, "ncorrect"},
		},
	}
}

func nexusForm(account, password string) (body, kind string) {
	code := base64.StdEncoding.EncodeToString
	return url.Values{"username": {code([]byte(account))}, "password": {code([]byte(password))}}.Encode(), "application/x-www-form-urlencoded"
}

func zabbixForm(account, password string) (body, kind string) {
	b, _ := json.Marshal(map[string]any{ // cannot fail
		"jsonrpc": "2.0", "method": "user.login", "id": 1, "params": map[string]string{"username": account, "password": password},
	})
	return string(b), "application/json-rpc"
}

// web looks at what answers HTTP.
func (l *looking) web(ctx context.Context) error {
	if l.Level < exposure.LevelAuthenticated || !l.Credentials {
		return nil
	}
	first, err := l.request(ctx, &guard.Request{Level: exposure.LevelObserve, URL: l.base() + l.first(), Redirects: 3, Limit: 256 << 10, What: "login page"})
	if err != nil {
		return err
	}
	looks := appearance(first)
	for _, p := range pages() {
		if !p.appears(looks) {
			continue
		}
		l.name, l.title, l.elsewhere = p.name, p.title, p.name == "elasticsearch"
		done, err := l.try(ctx, defaultsOf(p.name, ""), "credentials/default-"+p.name, func(ctx context.Context, pair pair) (verdict, error) {
			return l.login(ctx, p, pair)
		})
		if err != nil {
			return err
		}
		if l.found {
			return nil
		}
		if done {
			l.rules = append(l.rules, "credentials/default-"+p.name)
		}
	}
	return l.cover()
}

func (l *looking) request(ctx context.Context, r *guard.Request) (*guard.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return l.Network.Do(ctx, r)
}

// base is the service without a path.
func (l *looking) base() string {
	scheme := "http"
	if l.TLS || l.Service == "https" {
		scheme = "https"
	}
	host := l.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return scheme + "://" + host + ":" + strconv.Itoa(l.Port)
}

func (l *looking) first() string {
	if strings.HasPrefix(l.Path, "/") {
		return l.Path
	}
	return "/"
}

// appearance is the header and the body of a page, and of those on the way to it.
func appearance(r *guard.Response) string {
	var b strings.Builder
	header := func(all []guard.Field) {
		for _, f := range all {
			b.WriteString(f.Name + ": " + f.Value + "\n")
		}
	}
	for _, h := range r.Hops {
		header(h.Header)
	}
	header(r.Header)
	b.Write(r.Body)
	return strings.ToLower(b.String())
}

func (p *page) appears(looks string) bool {
	for _, s := range p.signs {
		if strings.Contains(looks, s) {
			return true
		}
	}
	return false
}

// login tries one pair, with one request that carries it.
func (l *looking) login(ctx context.Context, p page, with pair) (verdict, error) {
	r := &guard.Request{
		Level: exposure.LevelAuthenticated, Method: p.method, URL: l.base() + p.path, Limit: 256 << 10,
		Fresh: true, What: "default credentials", Credentials: true,
	}
	if p.form != nil {
		body, kind := p.form(with.account, with.password)
		r.Body, r.Header = []byte(body), []guard.Field{{Name: "Content-Type", Value: kind}}
	} else {
		v, proof, err := l.challenge(ctx, p, with)
		if err != nil || proof == "" {
			return v, err
		}
		r.Header = []guard.Field{{Name: "Authorization", Value: proof}}
	}
	answer, err := l.request(ctx, r)
	if err != nil {
		return 0, err
	}
	switch {
	case p.yes.is(answer):
		l.logout(ctx, p, answer)
		return accepted, nil
	case answer.Status == 429 || answer.Status == 423 || throttled(string(answer.Body)):
		return locked, nil
	case p.no.is(answer):
		return refused, nil
	}
	return 0, fmt.Errorf("the answer to the login has the status %d, which says nothing here", answer.Status)
}

// challenge asks without a login how one is to be made. Where none is needed
// there is nothing to guess.
func (l *looking) challenge(ctx context.Context, p page, with pair) (verdict, string, error) {
	first, err := l.request(ctx, &guard.Request{Level: exposure.LevelObserve, URL: l.base() + p.path, Limit: 64 << 10, What: "login page"})
	switch {
	case err != nil:
		return 0, "", err
	case p.name == "sonarqube" || p.name == "jenkins": // they ask nobody, and answer who one is
		return 0, basicProof(with), nil
	case first.Status == 200 && p.yes.is(first):
		return open, "", nil
	case first.Status == 403 || first.Status == 404:
		return shut, "", nil
	case first.Status != 401:
		return 0, "", fmt.Errorf("%s answers with the status %d", p.path, first.Status)
	}
	for _, f := range first.Header {
		if !strings.EqualFold(f.Name, "WWW-Authenticate") {
			continue
		}
		scheme, rest, _ := strings.Cut(strings.TrimSpace(f.Value), " ")
		switch strings.ToLower(scheme) {
		case "basic":
			return 0, basicProof(with), nil
		case "digest":
			proof, err := digestProof(rest, "GET", p.path, with.account, with.password)
			return 0, proof, err
		}
	}
	if p.name == "rabbitmq" || p.name == "airflow" { // they hide the question, so that no browser asks it
		return 0, basicProof(with), nil
	}
	return 0, "", errors.New("it asks for a login in a way that is not known here")
}

func basicProof(p pair) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(p.account+":"+p.password))
}

// logout ends the session that a login made, at once. Where it fails nothing
// can be done: the session ends by itself.
func (l *looking) logout(ctx context.Context, p page, answer *guard.Response) {
	r := &guard.Request{Level: exposure.LevelAuthenticated, Limit: 4096, What: "logout", Credentials: true}
	if p.name == "zabbix" {
		var session struct {
			Result string `json:"result"`
		}
		if json.Unmarshal(answer.Body, &session) != nil {
			return
		}
		b, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "user.logout", "params": []string{}, "id": 2, "auth": session.Result})
		r.Method, r.URL, r.Body = "POST", l.base()+p.path, b
		r.Header = []guard.Field{{Name: "Content-Type", Value: "application/json-rpc"}, {Name: "Authorization", Value: "Bearer " + session.Result}}
	} else if p.end[0] != "" {
		r.Method, r.URL, r.Header = p.end[0], l.base()+p.end[1], cookies(answer)
	} else {
		return
	}
	_, _ = l.request(ctx, r)
}

// cookies are those that an answer set.
func cookies(r *guard.Response) []guard.Field {
	var all []string
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, "Set-Cookie") {
			c, _, _ := strings.Cut(f.Value, ";")
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return []guard.Field{{Name: "Cookie", Value: strings.Join(all, "; ")}}
}
