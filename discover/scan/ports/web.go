package ports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// page is an answer of HTTP, as far as it was read.
type page struct {
	status int
	head   string
	body   string
}

// get asks for a page in the conversation at hand.
func (d *dialog) get(path string) (page, bool) { return d.request("GET", path, "") }

func (d *dialog) request(method, path, body string) (page, bool) {
	host := d.host()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	head := method + " " + path + " HTTP/1.1\r\nHost: " + host + ":" + strconv.Itoa(d.port) + "\r\nUser-Agent: leeward\r\nAccept: */*\r\nConnection: close\r\n"
	if body != "" {
		head += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return parsePage(d.asks(pageWhole, []byte(head+"\r\n"+body)...))
}

// pageWhole reports whether an answer is there to its end, where that is said;
// else the end of the connection is waited for.
func pageWhole(b []byte) bool {
	if !bytes.HasPrefix(b, []byte("HTTP/")) {
		return len(b) >= 5
	}
	head, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		return false
	}
	if n, err := strconv.Atoi(headerOf(string(head), "content-length")); err == nil {
		return len(body) >= n
	}
	return strings.Contains(strings.ToLower(headerOf(string(head), "transfer-encoding")), "chunked") && bytes.HasSuffix(body, []byte("0\r\n\r\n"))
}

func parsePage(b []byte) (p page, ok bool) {
	if !bytes.HasPrefix(b, []byte("HTTP/")) {
		return p, false
	}
	head, body, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	words := strings.SplitN(firstLine(string(head)), " ", 3)
	if len(words) < 2 {
		return p, false
	}
	status, err := strconv.Atoi(words[1])
	if err != nil || status < 100 || status > 999 {
		return p, false
	}
	p = page{status: status, head: string(head), body: string(body)}
	if strings.Contains(strings.ToLower(p.field("transfer-encoding")), "chunked") {
		p.body = unchunked(p.body)
	}
	return p, true
}

func (p *page) field(name string) string { return headerOf(p.head, name) }

// unchunked puts a body together that came in chunks, as far as it came.
func unchunked(s string) string {
	var b strings.Builder
	for {
		size, rest, ok := strings.Cut(s, "\r\n")
		size, _, _ = strings.Cut(size, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if !ok || err != nil || n == 0 {
			return b.String()
		}
		take := min(int(n), len(rest))
		b.WriteString(rest[:take])
		s = strings.TrimPrefix(rest[take:], "\r\n")
	}
}

// web asks for the first page.
func (d *dialog) web() bool {
	p, ok := d.get("/")
	if !ok {
		if bytes.HasPrefix(d.buf, []byte("GET / HTTP/1.1\r\nHost:")) {
			d.is("echo", "", "")
			d.shows("small-services", "it sends back what it is sent")
			return true
		}
		return len(d.buf) > 0 && d.greeted() // it waited for us to begin
	}
	if !d.secure && wantsTLS(&p) {
		return false
	}
	d.isWeb(&p)
	return true
}

// spokeHTTP is for servers that answer before they are asked: busy, or not for
// us.
func (d *dialog) spokeHTTP() bool {
	p, ok := parsePage(d.answer(d.wait(askWait), pageWhole))
	if !ok {
		return false
	}
	d.isWeb(&p)
	return true
}

// wantsTLS reports whether the answer says that the port speaks TLS.
func wantsTLS(p *page) bool {
	if p.status != 400 && p.status != 497 {
		return false
	}
	return slices.ContainsFunc([]string{"HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port", "speaking plain HTTP to an SSL-enabled server port", "requires TLS"}, func(s string) bool {
		return strings.Contains(p.body, s)
	})
}

// isWeb takes down a web server, and looks whether it is the interface of
// something that should not answer to anybody.
func (d *dialog) isWeb(p *page) {
	name, version := versioned(p.field("server"))
	d.is("http", name, version)
	for _, a := range applications() {
		if slices.Contains(a.ports, d.port) || a.hint != nil && a.hint(p) {
			a.look(d, p)
		}
	}
}

// application is something with an interface of HTTP: where it usually is, and
// how else it is told.
type application struct {
	ports []int
	hint  func(*page) bool
	look  func(*dialog, *page)
}

func applications() []application {
	return []application{
		{nil, func(p *page) bool {
			return strings.Contains(p.body, `"cluster_name"`) || p.field("x-elastic-product") != ""
		}, (*dialog).elasticsearch},
		{nil, func(p *page) bool { return strings.Contains(p.body, `"couchdb"`) }, (*dialog).couchdb},
		{[]int{2375, 2376}, func(p *page) bool { return strings.HasPrefix(p.field("server"), "Docker/") }, (*dialog).docker},
		{[]int{10250, 10255}, nil, (*dialog).kubelet},
		{[]int{6443, 8001, 16443}, func(p *page) bool {
			return strings.Contains(p.body, `"kind":"Status"`) || strings.Contains(p.body, `"kind": "Status"`)
		}, (*dialog).kubernetes},
		{[]int{2379, 4001}, nil, (*dialog).etcd},
		{[]int{8500, 8501}, func(p *page) bool { return strings.HasPrefix(p.field("location"), "/ui/") }, (*dialog).consul},
	}
}

// fetch asks for another page, in a conversation of its own.
func (d *dialog) fetch(path string) (page, bool) {
	t, ok := d.visit.talk("GET "+path, exposure.LevelObserve)
	if !ok {
		return page{}, false
	}
	defer t.c.Close()
	p, ok := (&dialog{talk: t, visit: d.visit}).get(path)
	if !ok {
		d.out.unsure = true
	}
	return p, ok
}

// says reads JSON of a page that was given.
func (p *page) says(into any) bool {
	return p.status == 200 && json.NewDecoder(strings.NewReader(p.body)).Decode(into) == nil
}

func (d *dialog) elasticsearch(p *page) {
	var about struct {
		Cluster string `json:"cluster_name"`
		Version struct {
			Number       string `json:"number"`
			Distribution string `json:"distribution"`
		} `json:"version"`
	}
	if !p.says(&about) || about.Version.Number == "" {
		return
	}
	product := "elasticsearch"
	if about.Version.Distribution != "" {
		product = about.Version.Distribution
	}
	d.is("http", product, about.Version.Number)
	d.shows("elasticsearch-without-authentication", "GET /\ncluster_name: "+clip(clean(about.Cluster), maxName))
}

func (d *dialog) couchdb(p *page) {
	var about struct {
		Welcome string `json:"couchdb"`
		Version string `json:"version"`
	}
	if !p.says(&about) || about.Welcome == "" {
		return
	}
	d.is("http", "couchdb", about.Version)
	var names []string
	if all, ok := d.fetch("/_all_dbs"); ok && all.says(&names) {
		d.shows("couchdb-without-authentication", fmt.Sprintf("GET /_all_dbs: %d databases", len(names)))
	}
}

func (d *dialog) docker(*page) {
	var about struct {
		Version string `json:"Version"`
		API     string `json:"ApiVersion"`
	}
	if p, ok := d.fetch("/version"); ok && p.says(&about) && about.API != "" {
		d.is("http", "docker", about.Version)
		d.shows("docker-without-authentication", "GET /version\nApiVersion: "+clip(clean(about.API), maxName))
	}
}

// kubelet asks for the pods. What they are is not kept.
func (d *dialog) kubelet(*page) {
	p, ok := d.fetch("/pods")
	if !ok {
		return
	}
	switch lists := p.status == 200 && strings.Contains(clip(p.body, 1000), `"PodList"`); {
	case lists && d.port == 10255 && !d.secure:
		d.is("http", "kubelet", "")
		d.shows("kubelet-read-only", "GET /pods: a PodList")
	case lists:
		d.is("http", "kubelet", "")
		d.shows("kubelet-without-authentication", "GET /pods: a PodList")
	}
}

func (d *dialog) kubernetes(*page) {
	var about struct {
		Version string `json:"gitVersion"`
	}
	if p, ok := d.fetch("/version"); ok && p.says(&about) && about.Version != "" {
		d.is("http", "kubernetes", strings.TrimPrefix(about.Version, "v"))
	} else if d.out.product == "kubernetes" {
		return
	}
	if p, ok := d.fetch("/api/v1/namespaces?limit=1"); ok && p.status == 200 && strings.Contains(clip(p.body, 1000), `"NamespaceList"`) {
		d.shows("kubernetes-anonymous", "GET /api/v1/namespaces: a NamespaceList")
	}
}

// etcd asks for its version, and, where more may be asked, counts the keys
// named "leeward": none is read.
func (d *dialog) etcd(*page) {
	var about struct {
		Server string `json:"etcdserver"`
	}
	p, ok := d.fetch("/version")
	if !ok || !p.says(&about) || about.Server == "" {
		return
	}
	d.is("http", "etcd", about.Server)
	const path, count = "/v3/kv/range", `{"key":"bGVld2FyZA==","count_only":true}`
	d.deeper("POST "+path, func(d *dialog) {
		p, ok := d.request("POST", path, count)
		switch {
		case !ok:
			d.out.unsure = true
		case p.status == 200 && strings.Contains(p.body, `"cluster_id"`):
			d.shows("etcd-without-authentication", "POST "+path+": an answer with a revision")
		}
	})
}

func (d *dialog) consul(*page) {
	var about struct {
		Config struct{ Version, NodeName string }
	}
	if p, ok := d.fetch("/v1/agent/self"); ok && p.says(&about) && about.Config.NodeName != "" {
		d.is("http", "consul", about.Config.Version)
		d.shows("consul-without-authentication", "GET /v1/agent/self: the configuration of the agent")
	}
}
