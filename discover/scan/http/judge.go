package http

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// versioned finds a version in a header that names software.
var versioned = regexp.MustCompile(`(?i)[a-z][a-z0-9_.-]*[/ ]v?\d+\.\d+|^\d+\.\d+`)

// disclosure looks for versions in headers.
func (l *look) disclosure(pages []*page) {
	l.covers(ruleDisclosure())
	for _, p := range pages {
		for _, name := range []string{"Server", "X-Powered-By", "X-AspNet-Version", "X-AspNetMvc-Version", "X-Generator"} {
			for _, v := range p.all(name) {
				if versioned.MatchString(v) {
					l.state(ruleDisclosure(), "", name, name+": "+v)
				}
			}
		}
	}
}

// transport judges whether what is said can be overheard.
func (l *look) transport(res *guard.Response, p *page) {
	if l.origin.tls {
		l.strict(p)
		return
	}
	l.covers(rulePlain(), rulePassword())
	if secured(res) || !p.shown() {
		return
	}
	l.state(rulePlain(), "", "", "GET "+p.path+" over http is answered with a page")
	if p.password {
		l.state(rulePassword(), p.path, "", "the page at "+p.path+" has a password field")
	}
}

// secured reports whether a plain request led to HTTPS, also when that was out
// of reach.
func secured(res *guard.Response) bool {
	to := func(header []guard.Field) bool {
		p := page{header: header}
		return strings.HasPrefix(strings.ToLower(p.get("Location")), "https://")
	}
	for _, h := range res.Hops {
		if to(h.Header) {
			return true
		}
	}
	return to(res.Header)
}

// shortest is how long HSTS has to hold at least, in seconds.
const shortest = 120 * 24 * 3600

func (l *look) strict(p *page) {
	if !l.origin.named() {
		return
	}
	l.covers(ruleHSTS(), ruleShortHSTS())
	v := p.get("Strict-Transport-Security")
	if v == "" {
		l.state(ruleHSTS(), "", "Strict-Transport-Security", "the answer to GET "+p.path+" has no Strict-Transport-Security")
		return
	}
	for part := range strings.SplitSeq(v, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "max-age") {
			continue
		}
		if n, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`)); err == nil && n >= shortest {
			return
		}
	}
	l.state(ruleShortHSTS(), "", "Strict-Transport-Security", "Strict-Transport-Security: "+v)
}

// headers judges those that tell browsers how to treat a page. Where there is
// no page, a redirect leaves nothing to protect, and an error says nothing.
func (l *look) headers(p *page) {
	ofPages := []rule{ruleCSP(), ruleUnsafeCSP(), ruleFraming(), ruleSniffing(), ruleReferrer(), ruleUnsafeReferrer()}
	if p.redirect() {
		l.covers(ofPages...)
	}
	if !p.shown() {
		return
	}
	l.covers(ofPages...)
	missing := func(r rule, name string) { l.state(r, p.path, name, "the answer to GET "+p.path+" has no "+name) }
	policies := p.all("Content-Security-Policy")
	framed := p.get("X-Frame-Options") == ""
	for _, v := range policies {
		framed = framed && open(directive(v, "frame-ancestors"))
	}
	if p.policy != "" {
		policies = append(policies, p.policy) // which cannot say who may frame it
	}
	switch {
	case len(policies) == 0:
		missing(ruleCSP(), "Content-Security-Policy")
	case unsafe(policies):
		l.state(ruleUnsafeCSP(), p.path, "Content-Security-Policy", "Content-Security-Policy: "+strings.Join(policies, "\n"))
	}
	if framed {
		missing(ruleFraming(), "X-Frame-Options")
	}
	if !strings.EqualFold(p.get("X-Content-Type-Options"), "nosniff") {
		missing(ruleSniffing(), "X-Content-Type-Options")
	}
	switch v := strings.ToLower(p.get("Referrer-Policy")); {
	case v == "":
		missing(ruleReferrer(), "Referrer-Policy")
	case last(v) == "unsafe-url" || last(v) == "no-referrer-when-downgrade":
		l.state(ruleUnsafeReferrer(), p.path, "Referrer-Policy", "Referrer-Policy: "+v)
	}
}

// last is the last of a list: browsers take the last policy that they know.
func last(list string) string { return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:]) }

// directive returns the words of a directive of a policy, nil when it is not
// there.
func directive(policy, name string) []string {
	for part := range strings.FieldsFuncSeq(policy, func(r rune) bool { return r == ';' || r == ',' }) {
		if words := strings.Fields(strings.ToLower(part)); len(words) > 0 && words[0] == name {
			return words
		}
	}
	return nil
}

// open reports whether frame-ancestors, when it is there, lets any site frame
// the page.
func open(ancestors []string) bool {
	return ancestors == nil || slices.ContainsFunc(ancestors, func(s string) bool { return s == "*" || s == "http:" || s == "https:" })
}

// unsafe reports whether none of several policies, all of which hold, limits
// scripts.
func unsafe(policies []string) bool {
	for _, policy := range policies {
		sources := directive(policy, "script-src")
		if sources == nil {
			sources = directive(policy, "default-src")
		}
		if sources != nil && !anything(sources[1:]) {
			return false
		}
	}
	return true
}

// anything reports whether sources of scripts let an attacker's in. A nonce or
// hash turns 'unsafe-inline' off, and 'strict-dynamic' lists of hosts.
func anything(sources []string) bool {
	inline, open, chosen, dynamic := false, false, false, false
	for _, s := range sources {
		switch {
		case s == "'unsafe-inline'":
			inline = true
		case s == "*", s == "data:", s == "http:", s == "https:":
			open = true
		case strings.HasPrefix(s, "'nonce-"), strings.HasPrefix(s, "'sha256-"), strings.HasPrefix(s, "'sha384-"), strings.HasPrefix(s, "'sha512-"):
			chosen = true
		case s == "'strict-dynamic'":
			dynamic = true
		}
	}
	return inline && !chosen || open && !dynamic
}

// cookie is one that an answer sets.
type cookie struct {
	name                           string
	secure, httpOnly, gone, strong bool
	sameSite                       string
}

// session tells cookies that stand for a user by their names.
var (
	session = regexp.MustCompile(`(?i)sess|^sid$|[._-]sid$|^sid[._-]|auth|jwt|token|login|remember|identity|^connect\.sid$|^jsessionid$|^phpsessid$`)
	shared  = regexp.MustCompile(`(?i)csrf|xsrf|consent|locale|lang`) // scripts have to read them
)

func parseCookie(line string) (c cookie, ok bool) {
	first, rest, _ := strings.Cut(line, ";")
	name, value, found := strings.Cut(first, "=")
	c.name = short(name)
	if !found || c.name == "" || len(c.name) > 128 {
		return c, false
	}
	c.gone = strings.Trim(value, `" `) == ""
	for part := range strings.SplitSeq(rest, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.ToLower(key) {
		case "secure":
			c.secure = true
		case "httponly":
			c.httpOnly = true
		case "samesite":
			c.sameSite = strings.ToLower(value)
		case "max-age":
			c.gone = c.gone || value == "0" || strings.HasPrefix(value, "-")
		case "expires":
			at, err := time.Parse("Mon, 02 Jan 2006 15:04:05 MST", strings.ReplaceAll(value, "-", " "))
			c.gone = c.gone || err == nil && at.Year() <= 2001
		}
	}
	c.strong = session.MatchString(c.name) && !shared.MatchString(c.name)
	return c, true
}

const maxCookies = 100

func (l *look) cookies(pages []*page) {
	l.covers(ruleSecure(), ruleHTTPOnly(), ruleSameSite())
	n := 0
	for _, p := range pages {
		for _, line := range p.all("Set-Cookie") {
			c, ok := parseCookie(line)
			if n++; !ok || c.gone || n > maxCookies {
				continue
			}
			// Its value is a secret.
			seen := "Set-Cookie: " + c.name + "=…"
			if l.origin.tls && !c.secure && (c.strong || c.sameSite == "none") {
				l.state(ruleSecure(), "", c.name, seen+" without Secure")
			}
			if c.strong && !c.httpOnly {
				l.state(ruleHTTPOnly(), "", c.name, seen+" without HttpOnly")
			}
			if c.strong && c.sameSite == "" {
				l.state(ruleSameSite(), "", c.name, seen+" without SameSite")
			}
		}
	}
}

// defaults are the titles of pages that servers come with.
var defaults = regexp.MustCompile(`^(Welcome to nginx!|Apache2 (Ubuntu|Debian) Default Page: It works|Apache2 Default Page: It works|IIS Windows( Server)?|IIS7|Test Page for the (Apache HTTP Server|Nginx HTTP Server|HTTP Server).*|HTTP Server Test Page.*|Welcome to (OpenResty|Apache Tomcat|tengine)!?|Apache Tomcat(/[0-9.]+)?|Caddy works!|Welcome to XAMPP|Welcome to JBoss.*|Welcome to WildFly.*|Placeholder page|lighttpd - .*default.*)$`)

func (l *look) content(p *page) {
	if p.redirect() {
		l.covers(ruleMixed(), ruleDefault())
	}
	if !p.shown() {
		return
	}
	if l.covers(ruleDefault()); defaults.MatchString(p.title) {
		l.state(ruleDefault(), p.path, "", "title: "+p.title)
	}
	if p.listing() {
		l.state(ruleListing(), p.path, "", "GET "+p.path+" lists the files of the directory")
	}
	if !l.origin.tls {
		return
	}
	if !p.truncated {
		l.covers(ruleMixed())
	}
	for _, a := range p.active {
		if strings.HasPrefix(strings.ToLower(a), "http://") {
			l.state(ruleMixed(), p.path, "", p.path+" loads "+withoutQuery(a))
			return
		}
	}
}

// withoutQuery leaves out what may be a secret.
func withoutQuery(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "something over http://"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// outdated states that software is of a line that ended.
func (l *look) outdated(name, version string) {
	line, ok := ended(name, version, l.job.Now())
	if !ok {
		return
	}
	r := ruleOutdated()
	o := exposure.Observation{
		Kind: exposure.ObservedWeakness, Class: class, Rule: r.id, Title: r.title + ": " + name + " " + line.prefix, Description: r.description,
		Solution: r.solution, Severity: r.severity, CWEs: r.cwes, Location: l.at(), Detection: r.detection, Confidence: r.confidence,
		References: []string{line.source},
		Evidence:   []exposure.Evidence{{Kind: "match", Text: name + " " + version + ", of a line that ended on " + line.date}},
	}
	o.Location.Parameter = name
	if l.stated[r.id+name] {
		return
	}
	l.stated[r.id+name] = true
	l.found = append(l.found, o)
}
