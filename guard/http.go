package guard

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds of requests and answers.
const (
	maxHeader     = 256 << 10
	maxRedirects  = 10
	defaultAnswer = 1 << 20
	maxAnswer     = 64 << 20
	answerTimeout = 20 * time.Second
	maxURL        = 16 << 10
)

// transport makes the client of a session. It connects to the addresses that
// names are kept at, to nothing else, and by no proxy.
func (s *Session) transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			to, ok := ctx.Value(destination{}).(*destination)
			if !ok {
				return nil, errors.New("a connection that nobody decided on")
			}
			return s.connect(ctx, to.pace, "tcp", to.addr, 0, nil)
		},
		TLSClientConfig:        looseTLS(),
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost:    maxConcurrency,
		IdleConnTimeout:        15 * time.Second,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  dialTimeout,
	}
}

// looseTLS accepts what a scanner has to see: old versions, weak ciphers and
// certificates of nobody.
func looseTLS() *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		c.CipherSuites = append(c.CipherSuites, suite.ID)
	}
	return c
}

// destination is where a request was decided to go.
type destination struct {
	addr netip.AddrPort
	pace *pace
}

// Do implements [Network].
func (s *Session) Do(ctx context.Context, r *Request) (*Response, error) {
	method := orElse(r.Method, "GET")
	if len(r.URL) > maxURL {
		return nil, exposure.Errorf(exposure.Invalid, "a URL of %d bytes", len(r.URL))
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, exposure.Errorf(exposure.Invalid, "%q is no URL", cut(r.URL))
	}
	body, header, path := r.Body, r.Header, r.Path
	res := &Response{}
	for hop := 0; ; hop++ {
		if err := s.one(ctx, r, method, u, path, header, body, res); err != nil {
			if hop > 0 {
				var no *Refusal
				if errors.As(err, &no) && no.hop {
					last := res.Hops[len(res.Hops)-1]
					res.Hops = res.Hops[:len(res.Hops)-1]
					res.URL, res.Status, res.Header, res.Body, res.Refused = last.URL, last.Status, last.Header, last.Body, no
					return res, nil
				}
			}
			return nil, err
		}
		next := redirected(u, res)
		if next == nil || hop >= min(r.Redirects, maxRedirects) {
			return res, nil
		}
		res.Hops = append(res.Hops, Hop{res.URL, res.Status, res.Header, res.Body})
		if res.Status != 307 && res.Status != 308 && method != "HEAD" {
			method, body = "GET", nil
		}
		if next.Host != u.Host {
			header = withoutLogin(header)
		}
		u, path = next, ""
	}
}

// redirected returns where an answer sends the client, nil when nowhere.
func redirected(from *url.URL, res *Response) *url.URL {
	switch res.Status {
	case 301, 302, 303, 307, 308:
	default:
		return nil
	}
	for _, f := range res.Header {
		if strings.EqualFold(f.Name, "Location") {
			to, err := from.Parse(f.Value)
			if err != nil || to.Scheme != "http" && to.Scheme != "https" || len(f.Value) > maxURL {
				return nil
			}
			to.User, to.Fragment = nil, ""
			return to
		}
	}
	return nil
}

// withoutLogin leaves out what was meant for another server.
func withoutLogin(header []Field) (kept []Field) {
	for _, f := range header {
		switch strings.ToLower(f.Name) {
		case "authorization", "cookie", "host", "proxy-authorization":
		default:
			kept = append(kept, f)
		}
	}
	return kept
}

// requested brings a request into the form in which it is judged.
func requested(r *Request, u *url.URL, path string) (*ask, error) {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Opaque != "" {
		return nil, exposure.Errorf(exposure.Invalid, "%q: only http and https URLs with a host are requested", cut(u.String()))
	}
	name, addr, err := canonicalHost(u.Hostname())
	if err != nil {
		return nil, err
	}
	port := portOf(u)
	if port == 0 {
		return nil, exposure.Errorf(exposure.Invalid, "the port of %q is none", cut(u.String()))
	}
	wire := u.EscapedPath()
	if path != "" {
		if path[0] != '/' || strings.ContainsAny(path, " \r\n\t\x00") {
			return nil, exposure.Errorf(exposure.Invalid, "path %q: it begins with a slash and holds no blanks and line ends", cut(path))
		}
		wire = path
	}
	q := &ask{where: where{name: name, addr: addr, protocol: "tcp", scheme: u.Scheme, port: port,
		ports: []exposure.PortRange{{Protocol: "tcp", First: port, Last: port}}}, level: max(r.Level, exposure.LevelObserve), credentials: r.Credentials}
	q.path, q.clean = cleanPath(wire)
	return q, nil
}

// authority is the host and port of a request in canonical form.
func (w *where) authority() string {
	host := w.host()
	if w.name == "" && w.addr.Is6() {
		host = "[" + host + "]"
	}
	if w.scheme == "https" && w.port == 443 || w.scheme == "http" && w.port == 80 {
		return host
	}
	return host + ":" + strconv.Itoa(w.port)
}

// lowest is the level that a method needs by itself.
func lowest(method string, body []byte) exposure.Level {
	switch method {
	case "GET", "HEAD":
		if len(body) == 0 {
			return exposure.LevelObserve
		}
	}
	return exposure.LevelProbe
}

// one sends one request and reads its answer into res.
func (s *Session) one(ctx context.Context, r *Request, method string, u *url.URL, path string, header []Field, body []byte, res *Response) error {
	q, err := requested(r, u, path)
	if err != nil {
		return err
	}
	q.level = max(q.level, lowest(method, body))
	plain := *u
	u = &plain
	u.Host = q.authority() // what is judged is what is sent
	shown := *u
	shown.User = nil
	if path != "" {
		shown.RawQuery = ""
		shown.RawPath, shown.Path = "", ""
	}
	action := method + " " + cut(shown.String()+path)
	if r.What != "" {
		action += " (" + r.What + ")"
	}
	rules, err := s.judge(ctx, q, action)
	if err == nil {
		err = s.hostHeader(ctx, rules, q, header, action)
	}
	if err != nil {
		var no *Refusal
		if errors.As(err, &no) {
			no.hop = true
		}
		return err
	}
	if !q.addr.IsValid() {
		if q.addr, err = s.pin(ctx, q.name); err != nil {
			return err
		}
	}
	p := s.guard.pace(rules, q.addr)
	done, err := s.turn(ctx, p, q, action)
	if err != nil {
		return err
	}
	defer done()
	live, end := s.alive(ctx)
	defer end()
	live, cancel := context.WithTimeout(live, answerTimeout)
	defer cancel()
	live = context.WithValue(live, destination{}, &destination{netip.AddrPortFrom(q.addr, uint16(q.port)), p})
	req, err := http.NewRequestWithContext(live, method, u.Scheme+"://"+u.Host+"/", bytes.NewReader(body))
	if err != nil {
		return exposure.Errorf(exposure.Invalid, "%s: %w", action, err)
	}
	target := *u
	if req.URL = &target; path != "" {
		req.URL = &url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: path}
		if strings.HasPrefix(path, "//") {
			req.URL.Opaque = "//" + u.Host + path // in absolute form, as RFC 9112 3.2.2 has it
		}
	}
	if len(body) == 0 {
		req.Body, req.ContentLength, req.GetBody = nil, 0, nil
	}
	if err := setHeader(req, header, action); err != nil {
		return err
	}
	req.Close = r.Fresh
	s.sent.Add(1)
	answer, err := s.http.RoundTrip(req)
	if err != nil {
		s.note(ctx, q, action+": no answer")
		return err
	}
	defer answer.Body.Close()
	p.answered(answer.StatusCode, s.guard.cfg.Now())
	s.note(ctx, q, fmt.Sprintf("%s: %d", action, answer.StatusCode))
	return take(res, answer, shown.String(), r.Limit)
}

// hostHeader judges a Host header of its own: a proxy goes by it, and it may
// lead to somebody else.
func (s *Session) hostHeader(ctx context.Context, r *rules, q *ask, header []Field, action string) error {
	for _, f := range header {
		if !strings.EqualFold(f.Name, "Host") {
			continue
		}
		name, _, found := strings.Cut(f.Value, ":")
		if !found {
			name = f.Value
		}
		host, addr, err := canonicalHost(name)
		if err != nil {
			return exposure.Errorf(exposure.Invalid, "%s: the Host header %q is no host", action, cut(f.Value))
		}
		other := *q
		if other.name, other.addr = host, addr; host == q.name && (host != "" || addr == q.addr) {
			continue
		}
		if against := r.allows(&other, nil); len(against) > 0 {
			return s.refuse(ctx, &other, action+" with Host: "+cut(f.Value), against)
		}
	}
	return nil
}

func setHeader(req *http.Request, header []Field, action string) error {
	req.Header.Set("User-Agent", "Leeward")
	for _, f := range header {
		if f.Name == "" || strings.ContainsAny(f.Name+f.Value, "\r\n\x00") {
			return exposure.Errorf(exposure.Invalid, "%s: the header %q breaks its line", action, cut(f.Name))
		}
		switch strings.ToLower(f.Name) {
		case "host":
			req.Host = f.Value
		case "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade":
			// They are of the connection, which is not the caller's.
		case "user-agent":
			req.Header.Set("User-Agent", f.Value)
		default:
			req.Header[f.Name] = append(req.Header[f.Name], f.Value)
		}
	}
	return nil
}

// take reads an answer, up to a limit.
func take(res *Response, answer *http.Response, from string, limit int) error {
	if limit <= 0 {
		limit = defaultAnswer
	}
	limit = min(limit, maxAnswer)
	res.URL, res.Status, res.Proto, res.TLS = from, answer.StatusCode, answer.Proto, answer.TLS
	res.Header = res.Header[:0:0]
	for name, values := range answer.Header {
		for _, v := range values {
			res.Header = append(res.Header, Field{name, v})
		}
	}
	slices.SortStableFunc(res.Header, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
	body, err := io.ReadAll(io.LimitReader(answer.Body, int64(limit)+1))
	res.Truncated = len(body) > limit || err != nil
	res.Body = body[:min(len(body), limit)]
	return nil
}

// note keeps a request for the audit log, which is written every second: the
// decision that it was within stands there already.
func (s *Session) note(ctx context.Context, q *ask, action string) {
	now := s.guard.cfg.Now()
	s.mu.Lock()
	s.log = append(s.log, Entry{Kind: Asked, At: now, Action: action, Host: q.host(), Addr: q.addr.String(), Level: q.level.String(), Allowed: true, Count: 1})
	s.mu.Unlock()
	s.flush(ctx, false)
}

// flush writes down the requests since the last time.
func (s *Session) flush(ctx context.Context, all bool) {
	now := s.guard.cfg.Now()
	s.mu.Lock()
	if !all && len(s.log) < maxLog && now.Sub(s.logged) < logEvery || len(s.log) == 0 {
		s.mu.Unlock()
		return
	}
	log := s.log
	s.log, s.logged = nil, now
	s.mu.Unlock()
	if err := s.record(context.WithoutCancel(ctx), log...); err != nil {
		s.settle(nil, []string{"the audit log cannot be written: " + err.Error()})
	}
}
