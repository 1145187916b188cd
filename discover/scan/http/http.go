// Package http looks at what a web server says of itself: the technologies
// behind it and whether their makers still mend them, headers that protect the
// browser, cookies, and pages that should not be there. It asks for few pages
// and with GET only; two questions more are asked at the level probe.
//
// An answer that says nothing of the application (a failure of the server, a
// page of a firewall in front of it) is no proof of anything: nothing is
// stated of it, and nothing covered.
package http

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// Engine looks at web servers.
type Engine struct{}

const (
	class     = "http"
	redirects = 5
	bodyLimit = 512 << 10
	// maxDirectories is how many directories that a page names are asked for a
	// listing.
	maxDirectories = 4
)

// Describe implements scan.Engine.
func (Engine) Describe() scan.Description {
	return scan.Description{Name: class, Title: "Web servers: technologies, headers, cookies, pages", Level: exposure.LevelObserve, Takes: []scan.Kind{scan.Service}}
}

// Scan implements scan.Engine.
func (Engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		origin, ok := originOf(&j.Target)
		if !ok {
			return // it is no web server
		}
		l := newLook(j, origin)
		err := l.run(ctx)
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		for _, o := range l.found {
			if !yield(o, nil) {
				return
			}
		}
		for _, err := range l.lost {
			if !yield(exposure.Observation{}, err) {
				return
			}
		}
		if err != nil {
			yield(exposure.Observation{}, fmt.Errorf("%s: %w", origin, err))
			return
		}
		if covered := l.covered(); len(covered) > 0 {
			ports := []exposure.PortRange{{Protocol: "tcp", First: j.Port, Last: j.Port}}
			yield(exposure.Observation{Kind: exposure.ObservedCoverage, Class: class, Coverage: &exposure.Coverage{Class: class, Rules: covered, Ports: ports}}, nil)
		}
	}
}

// origin is where a web server answers.
type origin struct {
	tls  bool
	host string
	port int
}

func originOf(t *scan.Target) (o origin, ok bool) {
	o = origin{host: t.Host, port: t.Port, tls: t.TLS || t.Service == "https"}
	switch t.Service {
	case "http", "https":
	default:
		return o, false
	}
	return o, o.host != "" && o.port > 0 && o.port < 1<<16 && (t.Protocol == "" || t.Protocol == "tcp")
}

func (o origin) scheme() string {
	if o.tls {
		return "https"
	}
	return "http"
}

// String is the origin as a URL without a path.
func (o origin) String() string {
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.tls && o.port == 443 || !o.tls && o.port == 80 {
		return o.scheme() + "://" + host
	}
	return o.scheme() + "://" + host + ":" + strconv.Itoa(o.port)
}

// named reports whether the host has a name: browsers keep no HSTS for
// addresses (RFC 6797, 8.1.1).
func (o origin) named() bool {
	_, err := netip.ParseAddr(o.host)
	return err != nil
}

// holds reports whether a URL is of the origin.
func (o origin) holds(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != o.scheme() || !strings.EqualFold(strings.Trim(u.Hostname(), "."), strings.Trim(o.host, ".")) {
		return false
	}
	port := u.Port()
	return port == strconv.Itoa(o.port) || port == "" && (o.tls && o.port == 443 || !o.tls && o.port == 80)
}

// look is one look at one server.
type look struct {
	job    *scan.Job
	origin origin
	found  []exposure.Observation
	stated map[string]bool // rule and place
	looked map[string]bool // rules that were looked for completely
	lost   []error
}

func newLook(j *scan.Job, o origin) *look {
	return &look{job: j, origin: o, stated: map[string]bool{}, looked: map[string]bool{}}
}

// try takes up how a part of the look went that others do not depend on: what
// it was for is not covered then.
func (l *look) try(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		l.lost = append(l.lost, &exposure.RecordError{Record: len(l.lost) + 1, Offset: -1, Err: fmt.Errorf("%s: %s: %w", l.origin, what, err)})
	}
}

// steps is how many parts a look has, for the progress.
const steps = 4

func (l *look) run(ctx context.Context) error {
	path := l.job.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	res, err := l.get(ctx, path, redirects, nil)
	if err != nil {
		return err
	}
	l.job.Progress(1, steps)
	p := l.landing(res)
	if p == nil || !p.conclusive() {
		return nil
	}
	l.technologies(l.own(res))
	l.disclosure(l.own(res))
	l.cookies(l.own(res))
	l.transport(res, p)
	l.headers(p)
	l.content(p)
	l.job.Progress(2, steps)
	l.try(ctx, "directories", l.directories(ctx, p))
	l.job.Progress(3, steps)
	if l.job.Level < exposure.LevelProbe {
		l.job.Progress(steps, steps)
		return nil
	}
	l.try(ctx, "a foreign origin", l.crossOrigin(ctx, p.path))
	l.try(ctx, "TRACE", l.trace(ctx))
	l.job.Progress(steps, steps)
	return nil
}

// get asks for a path of the origin.
func (l *look) get(ctx context.Context, path string, follow int, header []guard.Field) (*guard.Response, error) {
	return l.job.Network.Do(ctx, &guard.Request{
		Level: exposure.LevelObserve, Method: "GET", URL: l.origin.String() + "/", Path: path, Redirects: follow, Limit: bodyLimit, What: "web server",
		Header: append([]guard.Field{{Name: "Accept", Value: "text/html,*/*;q=0.8"}}, header...),
	})
}

// own returns the answers that are of the origin: what is behind a redirect to
// elsewhere is another target's.
func (l *look) own(res *guard.Response) (pages []*page) {
	for i := range res.Hops {
		h := &res.Hops[i]
		if l.origin.holds(h.URL) || i == 0 {
			pages = append(pages, newPage(h.URL, h.Status, h.Header, h.Body))
		}
	}
	if l.origin.holds(res.URL) || len(res.Hops) == 0 {
		p := newPage(res.URL, res.Status, res.Header, res.Body)
		p.truncated = res.Truncated
		pages = append(pages, p)
	}
	return pages
}

// landing is the last of the answers of the origin.
func (l *look) landing(res *guard.Response) *page {
	pages := l.own(res)
	return pages[len(pages)-1]
}

// at is the location of what is of the whole server.
func (l *look) at() exposure.Location {
	return exposure.Location{Port: l.job.Port, Protocol: "tcp", Service: l.origin.scheme()}
}

// state states a weakness once for each place.
func (l *look) state(r rule, path, parameter, evidence string) {
	at := l.at()
	at.Path, at.Parameter = path, parameter
	key := r.id + "\x00" + path + "\x00" + parameter
	if l.stated[key] {
		return
	}
	l.stated[key] = true
	l.found = append(l.found, exposure.Observation{
		Kind: exposure.ObservedWeakness, Class: class, Rule: r.id, Title: r.title, Description: r.description, Solution: r.solution,
		Severity: r.severity, CWEs: r.cwes, Location: at, Detection: r.detection, Confidence: r.confidence,
		Evidence: []exposure.Evidence{{Kind: "response", Text: short(evidence)}},
	})
}

// covers notes that rules were looked for completely.
func (l *look) covers(rules ...rule) {
	for _, r := range rules {
		l.looked[r.id] = true
	}
}

// covered lists the rules that were looked for, in the order of the table.
func (l *look) covered() (ids []string) {
	for _, r := range rules() {
		if l.looked[r.id] {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// directories asks the directories that a page takes its files from.
func (l *look) directories(ctx context.Context, p *page) error {
	conclusive := true
	for _, dir := range p.directories(l.origin) {
		res, err := l.get(ctx, dir, 0, nil)
		var refused *guard.Refusal
		switch {
		case errors.As(err, &refused) && ctx.Err() == nil:
			conclusive = false // it is excluded
			continue
		case err != nil:
			return err
		}
		at := newPage(res.URL, res.Status, res.Header, res.Body)
		if !at.conclusive() {
			conclusive = false
			continue
		}
		if at.listing() {
			l.state(ruleListing(), dir, "", "GET "+dir+" lists the files of the directory")
		}
	}
	if conclusive {
		l.covers(ruleListing())
	}
	return nil
}

// stranger is an origin that nobody has.
const stranger = "https://origin.leeward.invalid"

// crossOrigin asks whether a page of any other site may read answers with the
// user's cookies.
func (l *look) crossOrigin(ctx context.Context, path string) error {
	res, err := l.job.Network.Do(ctx, &guard.Request{
		Level: exposure.LevelProbe, Method: "GET", URL: l.origin.String() + "/", Path: path, Limit: 1 << 10, What: "foreign origin",
		Header: []guard.Field{{Name: "Origin", Value: stranger}},
	})
	if err != nil {
		return err
	}
	p := newPage(res.URL, res.Status, res.Header, nil)
	if !p.conclusive() {
		return nil
	}
	l.covers(ruleCORS())
	if p.get("Access-Control-Allow-Origin") == stranger && strings.EqualFold(p.get("Access-Control-Allow-Credentials"), "true") {
		l.state(ruleCORS(), path, "Access-Control-Allow-Origin", "Origin: "+stranger+"\nAccess-Control-Allow-Origin: "+stranger+"\nAccess-Control-Allow-Credentials: true")
	}
	return nil
}

// mark is what a server sends back that answers TRACE.
const mark = "leeward-5f2c1e"

func (l *look) trace(ctx context.Context) error {
	res, err := l.job.Network.Do(ctx, &guard.Request{
		Level: exposure.LevelProbe, Method: "TRACE", URL: l.origin.String() + "/", Limit: 16 << 10, What: "TRACE",
		Header: []guard.Field{{Name: "X-Leeward", Value: mark}},
	})
	if err != nil {
		return err
	}
	body := string(res.Body)
	switch {
	case res.Status == 200 && strings.HasPrefix(body, "TRACE / HTTP/") && strings.Contains(body, mark):
		l.state(ruleTrace(), "", "", "TRACE / is answered with the request and its headers")
	case !scan.Conclusive(res.Status, res.Header, res.Body):
		return nil
	}
	l.covers(ruleTrace())
	return nil
}
