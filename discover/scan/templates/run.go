package templates

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// match is something that a template found.
type match struct {
	matcher   string // its name; empty: it has none
	protocol  string
	method    string
	path      string
	status    int
	what      string // what was looked for
	extracted []string
}

// run is one template at one target.
type run struct {
	look    *look
	t       *Template
	vars    values
	jar     []string // cookies, name=value
	matches []match
	settled bool
}

// one runs a template.
func (l *look) one(ctx context.Context, t *Template) outcome {
	r := &run{look: l, t: t, vars: l.target.names(t.ID), settled: true}
	o := outcome{template: t}
	for _, v := range t.variables {
		s, err := v.text.in(r.scope(nil), t.ID+v.name)
		if err != nil {
			o.err = r.wrong("variables."+v.name, err)
			return o
		}
		r.vars[v.name] = s
	}
	var err error
	if t.flow != nil {
		_, err = r.follow(ctx, t.flow)
	} else {
		for i := range t.steps {
			if _, err = r.step(ctx, &t.steps[i]); err != nil {
				break
			}
		}
	}
	o.matches, o.settled, o.err = r.matches, r.settled && err == nil, err
	return o
}

// wrong is an error of the template itself, which is its own business.
func (r *run) wrong(where string, err error) error {
	return &exposure.RecordError{Record: 1, Offset: -1, Err: fmt.Errorf("template %s: %s: %w", r.t.ID, where, err)}
}

// scope is what texts of the template see, an answer first.
func (r *run) scope(a scope) scope {
	if a == nil {
		return randoms{r}
	}
	return scopes{a, randoms{r}}
}

// randoms are the variables, and the random texts that have numbers.
type randoms struct{ r *run }

func (s randoms) lookup(name string) (any, bool) {
	if v, ok := s.r.vars[name]; ok {
		return v, true
	}
	if randomName.MatchString(name) {
		return letters(s.r.t.ID+name, "abcdefghijklmnopqrstuvwxyz0123456789", 20), true
	}
	return nil, false
}

// follow runs a flow.
func (r *run) follow(ctx context.Context, e *expr) (bool, error) {
	switch e.op {
	case "not":
		ok, err := r.follow(ctx, e.args[0])
		return !ok, err
	case "&&", "||":
		ok, err := r.follow(ctx, e.args[0])
		if err != nil || ok == (e.op == "||") {
			return ok, err
		}
		return r.follow(ctx, e.args[1])
	}
	matched := false
	for i := range r.t.steps {
		s := &r.t.steps[i]
		wanted := len(e.args) == 0 || slices.ContainsFunc(e.args, func(a *expr) bool { return int(a.num) == s.number })
		if s.protocol != e.text || !wanted {
			continue
		}
		ok, err := r.step(ctx, s)
		if err != nil {
			return false, err
		}
		matched = matched || ok
	}
	return matched, nil
}

// step runs one entry and reports whether it matched.
func (r *run) step(ctx context.Context, s *entry) (bool, error) {
	var a *answer
	var err error
	switch {
	case s.http != nil:
		return r.http(ctx, s)
	case s.dns != nil:
		a, err = r.dns(ctx, s.dns)
	case s.tcp != nil:
		a, err = r.tcp(ctx, s.tcp)
	case s.ssl != nil:
		a, err = r.tls(ctx, s.ssl)
	}
	if err != nil {
		return false, err
	}
	ok := r.judge(s, a, match{protocol: s.protocol})
	r.settled = r.settled && (ok || a.settled)
	return ok, nil
}

// judge looks whether an answer is what the template looks for.
func (r *run) judge(s *entry, a scope, at match) bool {
	here := r.scope(a)
	var found []string
	for _, x := range s.extractors {
		got := x.extract(here, r.t.ID)
		if x.name != "" && len(got) > 0 {
			r.vars[x.name] = got[0]
		}
		if !x.internal {
			found = append(found, got...)
		}
	}
	at.extracted = found
	if len(s.matchers) == 0 {
		reported := slices.ContainsFunc(s.extractors, func(x *extractor) bool { return !x.internal })
		if reported && len(found) > 0 {
			r.matches = append(r.matches, at)
		}
		return !reported || len(found) > 0
	}
	hits := hits(&s.operators, here)
	for _, m := range hits {
		if m.internal {
			continue
		}
		one := at
		if one.what = m.describe(); !s.all {
			one.matcher = m.name
		}
		r.matches = append(r.matches, one)
		if s.all || m.name == "" {
			break
		}
	}
	return len(hits) > 0
}

// hits returns the matchers that hold, none when all of them have to and one
// does not.
func hits(o *operators, a scope) (all []*matcher) {
	for _, m := range o.matchers {
		ok := m.matches(a)
		if ok {
			all = append(all, m)
		} else if o.all {
			return nil
		}
	}
	return all
}

// describe says what a matcher looks for, in the template's own words: what it
// found may be a secret.
func (m *matcher) describe() string {
	not := ""
	if m.negative {
		not = "not "
	}
	return not + m.kind + " " + m.sourceOne
}

// http sends the requests of an entry.
func (r *run) http(ctx context.Context, s *entry) (matched bool, err error) {
	var all numbered
	for i := range s.http.sets() {
		set := values{}
		for name, t := range s.http.set(i) {
			v, err := t.in(r.scope(nil), r.t.ID+name)
			if err != nil {
				return matched, r.wrong("payloads."+name, err)
			}
			set[name] = v
		}
		for n := range s.http.requests {
			q, err := r.request(s.http, &s.http.requests[n], set)
			var missing unknown
			if errors.As(err, &missing) {
				return matched, nil // what an answer was to give was not in it
			}
			if err != nil {
				return matched, r.wrong(fmt.Sprintf("http[%d]", s.number-1), err)
			}
			a, err := r.send(ctx, q)
			if err != nil {
				return matched, err
			}
			r.keep(s.http, a)
			all = append(all, a)
			if s.numbered && n+1 < len(s.http.requests) {
				r.settled = r.settled && a.settled
				continue
			}
			ok, err := r.answered(ctx, s, q, a, all)
			if err != nil {
				return matched, err
			}
			if matched = matched || ok; ok && s.stopAtFirst {
				return true, nil
			}
			if !s.numbered {
				all = nil
			}
		}
	}
	return matched, nil
}

// answered judges an answer over HTTP, and whether a stranger's page would have
// been judged the same.
func (r *run) answered(ctx context.Context, s *entry, q *guard.Request, a *answer, all numbered) (bool, error) {
	before := len(r.matches)
	ok := !a.elsewhere && r.judge(s, all, match{protocol: "http", method: q.Method, path: q.Path, status: a.status})
	if ok && len(r.matches) > before && !s.numbered {
		same, err := r.anyPage(ctx, s, q, a)
		if err != nil {
			return false, err
		}
		if same {
			r.matches, ok = r.matches[:before], false
		}
	}
	r.settled = r.settled && (ok || a.settled && !a.cut)
	return ok, nil
}

// anyPage reports whether the server answers a page that is not there in the
// same way: then the answer says nothing about the one that was asked for.
func (r *run) anyPage(ctx context.Context, s *entry, q *guard.Request, a *answer) (bool, error) {
	if r.t.Level > exposure.LevelObserve || a.status >= 300 {
		return false, nil
	}
	p, _, _ := strings.Cut(q.Path, "?")
	dir, file := p[:strings.LastIndexByte(p, '/')+1], p[strings.LastIndexByte(p, '/')+1:]
	slash := ""
	if file == "" {
		if dir == "/" || dir == r.look.target.path+"/" {
			return false, nil
		}
		dir = strings.TrimSuffix(dir, "/")
		dir, slash = dir[:strings.LastIndexByte(dir, '/')+1], "/"
	}
	ext := ""
	if i := strings.LastIndexByte(file, '.'); i > 0 {
		ext = file[i:]
	}
	other := *q
	other.Path, other.Redirects, other.What = dir+"leeward-"+letters("absent", "abcdefghijklmnopqrstuvwxyz", 12)+ext+slash, 0, "a page that is not there"
	b, err := r.look.shared.always(ctx, &other)
	if err != nil {
		return false, err
	}
	return b.status == a.status && len(hits(&s.operators, r.scope(b))) > 0 || b.status == a.status && len(s.matchers) == 0 && b.body == a.body, nil
}

// request makes a request of what the template says.
func (r *run) request(h *httpStep, q *httpRequest, set values) (*guard.Request, error) {
	here := scopes{set, r.scope(nil)}
	p, err := q.path.in(here, r.t.ID)
	if err != nil {
		return nil, err
	}
	if !q.root {
		p = r.look.target.path + p
	}
	if p = wire(p); p == "" || p[0] != '/' {
		p = "/" + p
	}
	body, err := q.body.in(here, r.t.ID)
	if err != nil {
		return nil, err
	}
	g := &guard.Request{
		Level: r.t.Level, Method: q.method, URL: r.look.target.origin() + "/", Path: p, Redirects: h.redirect, Limit: h.limit,
		What: r.t.ID, Credentials: r.t.Credentials,
	}
	if body != "" {
		g.Body = []byte(body)
	}
	for _, l := range q.header {
		v, err := l.value.in(here, r.t.ID)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(l.name, "Host") {
			continue // it is the target's
		}
		g.Header = append(g.Header, guard.Field{Name: l.name, Value: v})
	}
	if len(r.jar) > 0 && !h.noJar {
		g.Header = append(g.Header, guard.Field{Name: "Cookie", Value: strings.Join(r.jar, "; ")})
	}
	return g, nil
}

// keep takes the cookies of an answer for the requests after it.
func (r *run) keep(h *httpStep, a *answer) {
	if h.noJar {
		return
	}
	for _, line := range a.cookies {
		pair, _, _ := strings.Cut(line, ";")
		name, _, ok := strings.Cut(pair, "=")
		if !ok || len(pair) > maxValue || strings.ContainsAny(pair, "\r\n\x00") {
			continue
		}
		r.jar = slices.DeleteFunc(r.jar, func(c string) bool { return strings.HasPrefix(c, name+"=") })
		if len(r.jar) < maxHeaders {
			r.jar = append(r.jar, strings.TrimSpace(pair))
		}
	}
}

func (r *run) send(ctx context.Context, q *guard.Request) (*answer, error) {
	if len(r.jar) > 0 {
		return r.look.shared.do(ctx, q)
	}
	return r.look.shared.send(ctx, q)
}

func (r *run) dns(ctx context.Context, d *dnsStep) (*answer, error) {
	name, err := d.name.in(r.scope(nil), r.t.ID)
	if err != nil {
		return nil, r.wrong("dns.name", err)
	}
	got, err := r.look.job.Network.Lookup(ctx, name, d.kind)
	if err != nil {
		return nil, err
	}
	return fromDNS(name, d.kind, got), nil
}

// How long a conversation waits: for the first word, and for more.
const (
	patience = 5 * time.Second
	silence  = 300 * time.Millisecond
)

func (r *run) dial(ctx context.Context, secure bool, cfg *tls.Config) (guard.Conn, *tls.ConnectionState, error) {
	j := r.look.job
	c, err := j.Network.Dial(ctx, guard.Action{Level: r.t.Level, Host: j.Host, Port: j.Port, What: r.t.ID, Credentials: r.t.Credentials})
	if err != nil || !secure {
		return c, nil, err
	}
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		c.Close()
		return nil, nil, err
	}
	t := tls.Client(c, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, nil, err
	}
	state := t.ConnectionState()
	return t, &state, nil
}

func (r *run) tls(ctx context.Context, s *sslStep) (*answer, error) {
	versions := map[string]uint16{"tls10": tls.VersionTLS10, "tls11": tls.VersionTLS11, "tls12": tls.VersionTLS12, "tls13": tls.VersionTLS13}
	cfg := &tls.Config{InsecureSkipVerify: true, ServerName: r.look.job.Host, MinVersion: cmp.Or(versions[s.least], tls.VersionTLS10), MaxVersion: cmp.Or(versions[s.most], tls.VersionTLS13)}
	c, state, err := r.dial(ctx, true, cfg)
	if err != nil {
		if strings.Contains(err.Error(), "remote error: tls: ") { // the server does not speak that
			return newAnswer("", "", values{"probe_status": false}), nil
		}
		return nil, err
	}
	defer c.Close()
	return fromTLS(r.look.job.Host, r.look.job.Port, state, r.look.job.Now()), nil
}

func (r *run) tcp(ctx context.Context, s *tcpStep) (*answer, error) {
	h, _ := r.look.target.hostOf(s)
	c, _, err := r.dial(ctx, h.tls || r.look.target.tls, &tls.Config{InsecureSkipVerify: true, ServerName: r.look.job.Host, MinVersion: tls.VersionTLS10})
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	defer c.Close()
	fields, whole := values{}, strings.Builder{}
	for i, in := range s.inputs {
		data, err := in.data.in(r.scope(nil), r.t.ID)
		if err != nil {
			return nil, r.wrong(fmt.Sprintf("tcp.inputs[%d]", i), err)
		}
		if in.hex {
			b, err := hex.DecodeString(data)
			if err != nil {
				return nil, r.wrong(fmt.Sprintf("tcp.inputs[%d]", i), err)
			}
			data = string(b)
		}
		if data != "" {
			if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
				return nil, err
			}
			if _, err := io.WriteString(c, data); err != nil {
				return nil, err
			}
		}
		if in.read > 0 {
			got, err := hear(c, in.read)
			if err != nil {
				return nil, err
			}
			whole.Write(got)
			if in.name != "" {
				fields[in.name] = string(got)
			}
		}
	}
	size := s.size
	if s.all {
		size = maxRead
	}
	got, err := hear(c, size)
	if err != nil && whole.Len() == 0 {
		return nil, err
	}
	whole.Write(got)
	return newAnswer(whole.String(), "", fields), nil
}

// hear reads up to n bytes, until the other side is silent.
func hear(c guard.Conn, n int) ([]byte, error) {
	buf := make([]byte, n)
	got := 0
	for wait := patience; got < n; wait = silence {
		if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return nil, err
		}
		m, err := c.Read(buf[got:])
		got += m
		switch {
		case err == nil:
		case got > 0, errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded):
			return buf[:got], nil
		default:
			return nil, err
		}
	}
	return buf, nil
}

// shared sends requests that several templates make once.
type shared struct {
	look *look
	mu   sync.Mutex
	left map[string]int // how many templates will still ask, for those that several do
	kept map[string]*once
	size int
}

type once struct {
	do   sync.Once
	a    *answer
	err  error
	size int
}

// maxKept is how many bytes of answers are kept.
const maxKept = 32 << 20

func newShared(l *look) *shared {
	s := &shared{look: l, left: map[string]int{}, kept: map[string]*once{}}
	for _, t := range l.templates {
		r := &run{look: l, t: t, vars: l.target.names(t.ID)}
		for _, e := range t.steps {
			if e.http == nil || len(e.http.payloads) > 0 {
				continue
			}
			for i := range e.http.requests {
				if q, err := r.request(e.http, &e.http.requests[i], nil); err == nil {
					s.left[key(q)]++
				}
			}
		}
	}
	for k, n := range s.left {
		if n < 2 {
			delete(s.left, k)
		}
	}
	return s
}

func key(q *guard.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %s %d %d %t %q", q.Level, q.Method, q.Path, q.Redirects, q.Limit, q.Credentials, q.Body)
	for _, f := range q.Header {
		fmt.Fprintf(&b, " %q %q", f.Name, f.Value)
	}
	return b.String()
}

// send sends a request, or takes the answer that another template got.
func (s *shared) send(ctx context.Context, q *guard.Request) (*answer, error) {
	if len(s.left) == 0 {
		return s.do(ctx, q)
	}
	k := key(q)
	s.mu.Lock()
	n, several := s.left[k]
	if !several {
		s.mu.Unlock()
		return s.do(ctx, q)
	}
	o := s.kept[k]
	if o == nil {
		o = &once{}
		s.kept[k] = o
	}
	if s.left[k] = n - 1; n <= 1 { // the last that asks
		delete(s.left, k)
		delete(s.kept, k)
		s.size -= o.size
	}
	s.mu.Unlock()
	return s.first(ctx, k, o, q)
}

// always sends a request once, and keeps its answer for the whole look.
func (s *shared) always(ctx context.Context, q *guard.Request) (*answer, error) {
	k := "always " + key(q)
	s.mu.Lock()
	o := s.kept[k]
	if o == nil {
		o = &once{}
		s.kept[k] = o
	}
	s.mu.Unlock()
	return s.first(ctx, k, o, q)
}

func (s *shared) first(ctx context.Context, k string, o *once, q *guard.Request) (*answer, error) {
	o.do.Do(func() {
		if o.a, o.err = s.do(ctx, q); o.a == nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.kept[k] != o {
			return
		}
		if o.size = len(o.a.body) + len(o.a.header); s.size+o.size > maxKept {
			delete(s.kept, k) // whoever comes next asks again
			return
		}
		s.size += o.size
	})
	return o.a, o.err
}

func (s *shared) do(ctx context.Context, q *guard.Request) (*answer, error) {
	start := s.look.job.Now()
	res, err := s.look.job.Network.Do(ctx, q)
	if err != nil {
		return nil, err
	}
	a := fromResponse(res, s.look.job.Now().Sub(start))
	if len(res.Hops) > 0 && !strings.HasPrefix(strings.ToLower(res.URL)+"/", strings.ToLower(s.look.target.origin())+"/") {
		a.elsewhere = true
	}
	if q.Method == "HEAD" && res.Status == 403 { // whose no it is stands in the page
		a.settled = false
	}
	return a, nil
}
