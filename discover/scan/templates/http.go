package templates

import (
	"bufio"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/leeward-ctem/leeward/exposure"
)

// httpStep is requests of one entry.
type httpStep struct {
	requests []httpRequest
	redirect int // how many are followed
	limit    int // bytes of an answer
	noJar    bool
	attack   string
	payloads []payload
}

// httpRequest is one request; the path is below the origin or below what the
// user named.
type httpRequest struct {
	method string
	root   bool // the path is of the origin
	path   text
	header []headerLine
	body   text
}

type headerLine struct {
	name  string
	value text
}

// payload is the values that a name takes in turn.
type payload struct {
	name   string
	values []text
}

// Bounds of requests.
const (
	maxRequests = 100 // of one entry, payloads counted
	maxPayloads = 256
	maxTogether = 16 // answers that are looked at together
	maxHeaders  = 50
	bodyLimit   = 1 << 20
)

// forward are the headers that change nothing.
func forward() []string {
	return []string{"accept", "accept-language", "accept-encoding", "user-agent", "content-type", "host", "connection", "cache-control", "pragma", "referer", "origin", "upgrade-insecure-requests"}
}

func (r *reader) http(at string, n *yaml.Node) (entry, error) {
	h := &httpStep{attack: "batteringram", limit: bodyLimit}
	s := entry{http: h}
	var (
		method             = "GET"
		paths, raws        []string
		header             []headerLine
		body               text
		redirects, hosts   bool
		most               = 10
		unsafe, numbered   bool
		race, pipe, cookie bool
	)
	no := func(b *bool, why string) field {
		return func(at string, n *yaml.Node) error {
			if err := intoBool(b)(at, n); err != nil || !*b {
				return err
			}
			return refuse(at, why)
		}
	}
	cookie = true
	err := mapping(at, n, r.operators(&s.operators, map[string]field{
		"method": intoString(&method), "path": intoList(&paths), "raw": intoList(&raws), "body": intoText(&body),
		"headers":   func(at string, n *yaml.Node) (err error) { header, err = r.headers(at, n); return err },
		"redirects": intoBool(&redirects), "host-redirects": intoBool(&hosts), "max-redirects": intoInt(&most, 0, 10), "max-size": intoInt(&h.limit, 1, 4<<20),
		"attack": oneOf(&h.attack, "batteringram", "pitchfork", "clusterbomb"), "payloads": func(at string, n *yaml.Node) error { return r.payloads(h, at, n) },
		"req-condition": intoBool(&numbered), "cookie-reuse": intoBool(&cookie), "disable-cookie": intoBool(&h.noJar), "unsafe": intoBool(&unsafe),
		"threads": ignored, "read-all": ignored, "iterate-all": ignored, "skip-variables-check": ignored, "disable-path-automerge": ignored,
		"race": no(&race, "races are not run"), "race_count": ignored, "pipeline": no(&pipe, "pipelines are not sent"),
		"fuzzing": refused("fuzzing is not run"), "analyzer": refused("fuzzing is not run"), "self-contained": refused("a template asks the target and nobody else"),
		"signature": refused("requests are not signed"), "pre-condition": refused("programs are not run"), "digest-username": refused("digest logins are not made"),
		"client-certificate": refused("certificates of clients are not used"),
	}))
	if err != nil {
		return s, err
	}
	if h.noJar = h.noJar || !cookie; redirects || hosts {
		h.redirect = most
	}
	for i, p := range paths {
		here := fmt.Sprintf("%s.path[%d]", at, i)
		q := httpRequest{method: method, header: header, body: body}
		if err := r.target(here, p, &q); err != nil {
			return s, err
		}
		h.requests = append(h.requests, q)
	}
	for i, raw := range raws {
		q, err := r.raw(fmt.Sprintf("%s.raw[%d]", at, i), raw, unsafe)
		if err != nil {
			return s, err
		}
		h.requests = append(h.requests, q)
	}
	if err := r.names.text(at+".body", body); err != nil {
		return s, err
	}
	return s, r.checkHTTP(at, h, &s.operators, numbered)
}

func (r *reader) checkHTTP(at string, h *httpStep, o *operators, numbered bool) error {
	switch n := len(h.requests) * h.sets(); {
	case n == 0:
		return fmt.Errorf("%s: neither path nor raw", at)
	case n > maxRequests && len(h.payloads) > 0 || n > maxPayloads:
		return refuse(at, fmt.Sprintf("%d requests are too many", n))
	}
	o.numbered = numbered || o.together(len(h.requests))
	switch {
	case o.numbered && len(h.payloads) > 0:
		return refuse(at+".payloads", "answers that are looked at together are not of payloads")
	case o.numbered && len(h.requests) > maxTogether:
		return refuse(at, fmt.Sprintf("more than %d answers are not looked at together", maxTogether))
	}
	for i := range h.requests {
		q := &h.requests[i]
		q.method = strings.ToUpper(strings.TrimSpace(q.method))
		switch q.method {
		case "GET", "HEAD", "OPTIONS", "POST", "TRACE", "PROPFIND":
		default:
			return refuse(at+".method", fmt.Sprintf("%q is not sent: it may change or destroy", printable(cut(q.method, 40))))
		}
	}
	return nil
}

// sets is how many times requests are sent, by their payloads.
func (h *httpStep) sets() int {
	n := 1
	for i, p := range h.payloads {
		switch {
		case h.attack == "clusterbomb":
			n *= len(p.values)
		case i == 0 || len(p.values) < n:
			n = len(p.values)
		}
		if n > maxPayloads*maxPayloads {
			break
		}
	}
	return n
}

// set returns the values of the i-th time.
func (h *httpStep) set(i int) map[string]text {
	if len(h.payloads) == 0 {
		return nil
	}
	m := map[string]text{}
	for _, p := range h.payloads {
		if h.attack == "clusterbomb" {
			m[p.name], i = p.values[i%len(p.values)], i/len(p.values)
			continue
		}
		m[p.name] = p.values[i]
	}
	return m
}

func (r *reader) payloads(h *httpStep, at string, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode || len(n.Content) > 20 {
		return fmt.Errorf("%s: a mapping of at most 10 names is expected", at)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		p := payload{name: n.Content[i].Value}
		here := at + "." + printable(cut(p.name, 60))
		if !variableForm.MatchString(p.name) {
			return fmt.Errorf("%s: is no name for a payload", here)
		}
		if n.Content[i+1].Kind != yaml.SequenceNode {
			return refuse(here, "values stand in the template, not in a file")
		}
		if err := each(here, n.Content[i+1], func(at string, n *yaml.Node) error {
			var t text
			if err := intoText(&t)(at, n); err != nil {
				return err
			}
			p.values = append(p.values, t)
			return r.names.text(at, t)
		}); err != nil {
			return err
		}
		if len(p.values) == 0 || len(p.values) > maxPayloads {
			return refuse(here, fmt.Sprintf("%d values, of which between 1 and %d are sent", len(p.values), maxPayloads))
		}
		h.payloads = append(h.payloads, p)
		r.names.declare(p.name)
	}
	slices.SortFunc(h.payloads, func(a, b payload) int { return strings.Compare(a.name, b.name) })
	return nil
}

func (r *reader) headers(at string, n *yaml.Node) (all []headerLine, err error) {
	if n.Kind != yaml.MappingNode || len(n.Content) > 2*maxHeaders {
		return nil, fmt.Errorf("%s: a mapping of at most %d headers is expected", at, maxHeaders)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var value string
		name := n.Content[i].Value
		here := at + "." + printable(cut(name, 60))
		if err := intoString(&value)(here, n.Content[i+1]); err != nil {
			return nil, err
		}
		line, err := r.header(here, name, value)
		if err != nil {
			return nil, err
		}
		all = append(all, line)
	}
	return all, nil
}

func (r *reader) header(at, name, value string) (headerLine, error) {
	h := headerLine{name: name}
	if name == "" || len(name) > 100 || strings.ContainsAny(name, " \t\r\n:\x00") || strings.Contains(name, "{{") {
		return h, fmt.Errorf("%s: is no name of a header", at)
	}
	if err := parse(at, value, &h.value); err != nil {
		return h, err
	}
	if strings.EqualFold(name, "Host") {
		switch strings.ReplaceAll(strings.TrimSpace(value), " ", "") {
		case "{{Hostname}}", "{{Host}}", "{{Host}}:{{Port}}":
		default:
			return h, refuse(at, "another host than the target is not named")
		}
	}
	return h, r.names.text(at, h.value)
}

// target reads where a request goes: to the target, and nowhere else.
func (r *reader) target(at, s string, q *httpRequest) error {
	var t text
	if err := parse(at, strings.TrimSpace(s), &t); err != nil {
		return err
	}
	if err := r.names.text(at, t); err != nil {
		return err
	}
	elsewhere := refuse(at, "a path begins with {{BaseURL}} or {{RootURL}}, for nobody but the target is asked")
	name, rest, ok := t.prefix()
	switch {
	case ok && (name == "BaseURL" || name == "RootURL"):
		q.root = name == "RootURL"
	case ok && name == "Scheme":
		if rest, ok = rest.afterLiteral("://"); !ok {
			return elsewhere
		}
		if name, rest, ok = rest.prefix(); !ok || name != "Hostname" && name != "Host" {
			return elsewhere
		}
		if after, colon := rest.afterLiteral(":"); colon && name == "Host" {
			if name, rest, ok = after.prefix(); !ok || name != "Port" {
				return elsewhere
			}
		}
		q.root = true
	default:
		return elsewhere
	}
	// What follows must not go on with the host or port.
	if len(rest.parts) > 0 && rest.parts[0].expr == nil && strings.IndexByte("/?#", rest.parts[0].literal[0]) < 0 {
		return elsewhere
	}
	q.path = rest
	return nil
}

// raw reads a request as it is sent.
func (r *reader) raw(at, s string, unsafe bool) (httpRequest, error) {
	q := httpRequest{root: true}
	s = strings.ReplaceAll(strings.TrimLeft(s, "\r\n \t"), "\r\n", "\n")
	for strings.HasPrefix(s, "@") {
		line, rest, _ := strings.Cut(s, "\n")
		if !strings.HasPrefix(line, "@timeout") && !strings.HasPrefix(line, "@once") {
			return q, refuse(at, fmt.Sprintf("%q is not supported", printable(cut(line, 40))))
		}
		s = rest
	}
	head, body, _ := strings.Cut(s, "\n\n")
	lines := bufio.NewScanner(strings.NewReader(head))
	lines.Buffer(nil, maxFile+1)
	if !lines.Scan() {
		return q, fmt.Errorf("%s: the request is empty", at)
	}
	method, rest, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
	i := strings.LastIndex(rest, " HTTP/")
	if i < 0 || method == "" {
		return q, refuse(at, "a request begins with GET /path HTTP/1.1")
	}
	q.method = method
	where := strings.TrimSpace(rest[:i])
	if err := r.rawPath(at, where, &q); err != nil {
		return q, err
	}
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), ":")
		if !ok {
			return q, refuse(at, fmt.Sprintf("the line %q is no header", printable(cut(lines.Text(), 40))))
		}
		name = strings.TrimRight(name, " ")
		switch strings.ToLower(name) {
		case "transfer-encoding":
			return q, refuse(at, "Transfer-Encoding is of the connection, which is not the template's")
		case "content-length":
			if unsafe {
				return q, refuse(at, "a Content-Length of its own is not sent")
			}
			continue
		case "connection":
			continue
		}
		h, err := r.header(at, name, strings.TrimSpace(value))
		if err != nil {
			return q, err
		}
		if len(q.header) == maxHeaders {
			return q, refuse(at, "too many headers")
		}
		q.header = append(q.header, h)
	}
	if err := parse(at, strings.TrimSuffix(body, "\n"), &q.body); err != nil {
		return q, err
	}
	return q, r.names.text(at, q.body)
}

func (r *reader) rawPath(at, where string, q *httpRequest) error {
	if strings.HasPrefix(where, "{{BaseURL}}") || strings.HasPrefix(where, "{{RootURL}}") {
		return r.target(at, where, q)
	}
	var t text
	if err := parse(at, where, &t); err != nil {
		return err
	}
	if name, _, ok := t.prefix(); !strings.HasPrefix(where, "/") && (!ok || name != "Path") {
		return refuse(at, "the path of a request begins with a slash, for nobody but the target is asked")
	}
	q.path = t
	return r.names.text(at, t)
}

// marks are what a path or header has that tries something.
func marks() []string {
	return []string{"..", "%2e", "<", "%3c", "'", "%27", `"`, "%22", "`", "$", "%24", "|", "%7c", ";", "%3b", "://", "%3a%2f", "%0d", "%0a", "%00", `\`, "%5c", "{{", "//"}
}

func injects(s string) bool {
	s = strings.ToLower(s)
	if unescaped, err := url.PathUnescape(s); err == nil {
		s += " " + strings.ToLower(unescaped)
	}
	return slices.ContainsFunc(marks(), func(m string) bool { return strings.Contains(s, m) })
}

// level is the lowest that a step may run at, by what it sends.
func (s *entry) level() exposure.Level {
	switch {
	case s.http != nil:
		return s.http.level()
	case s.tcp != nil && len(s.tcp.inputs) > 0:
		return exposure.LevelProbe
	}
	return exposure.LevelObserve
}

func (h *httpStep) level() exposure.Level {
	if len(h.payloads) > 0 {
		return exposure.LevelProbe
	}
	for _, q := range h.requests {
		if q.method != "GET" && q.method != "HEAD" || len(q.body.parts) > 0 || injects(q.path.literals()) {
			return exposure.LevelProbe
		}
		if i := slices.IndexFunc(q.path.parts, func(p part) bool { return p.expr != nil }); i >= 0 && !harmless(q.path) {
			return exposure.LevelProbe
		}
		for _, l := range q.header {
			if !slices.Contains(forward(), strings.ToLower(l.name)) || strings.EqualFold(l.name, "origin") || injects(strings.ReplaceAll(l.value.literals(), ";", "")) && strings.EqualFold(l.name, "referer") {
				return exposure.LevelProbe
			}
		}
	}
	return exposure.LevelObserve
}

// harmless reports whether a path takes nothing in but the names of the target.
func harmless(t text) bool {
	ok := true
	t.names(func(name string, call bool) { ok = ok && !call && slices.Contains(base(), name) })
	return ok
}
