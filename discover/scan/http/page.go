package http

import (
	"bytes"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/guard"
)

// page is one answer of the server, and what its HTML names.
type page struct {
	status    int
	path      string // without a query
	header    []guard.Field
	body      []byte
	truncated bool

	title     string
	generator string
	policy    string   // of a meta element
	scripts   []string // as they stand
	active    []string // scripts, styles and frames, as they stand
	files     []string // everything that is loaded
	password  bool
}

// Bounds of what is read from a page.
const (
	maxNames = 500
	maxToken = 64 << 10
	maxText  = 300
)

func newPage(raw string, status int, header []guard.Field, body []byte) *page {
	p := &page{status: status, path: "/", header: header, body: body}
	if u, err := url.Parse(raw); err == nil && u.Path != "" {
		p.path = u.EscapedPath()
	}
	if p.html() {
		p.read()
	}
	return p
}

// get returns the first value of a header.
func (p *page) get(name string) string {
	for _, f := range p.header {
		if strings.EqualFold(f.Name, name) {
			return strings.TrimSpace(f.Value)
		}
	}
	return ""
}

// all returns all values of a header.
func (p *page) all(name string) (values []string) {
	for _, f := range p.header {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

func (p *page) html() bool {
	kind := strings.ToLower(p.get("Content-Type"))
	return strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "application/xhtml+xml")
}

// shown reports whether the answer is a page that people see.
func (p *page) shown() bool { return p.status >= 200 && p.status < 300 && p.html() }

func (p *page) redirect() bool { return p.status >= 300 && p.status < 400 }

// conclusive reports whether the answer is the application's own.
func (p *page) conclusive() bool { return scan.Conclusive(p.status, p.header, p.body) }

// read goes through the HTML once.
func (p *page) read() {
	z := html.NewTokenizer(bytes.NewReader(p.body))
	z.SetMaxBuf(maxToken)
	for inTitle := false; ; {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			if inTitle && p.title == "" {
				p.title = short(string(z.Text()))
			}
		case html.EndTagToken:
			inTitle = false
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			inTitle = t.Data == "title"
			p.element(t.Data, t.Attr)
		}
	}
}

func (p *page) element(name string, attributes []html.Attribute) {
	get := func(key string) string {
		for _, a := range attributes {
			if a.Key == key {
				return strings.TrimSpace(a.Val)
			}
		}
		return ""
	}
	add := func(to *[]string, value string) {
		if value != "" && len(*to) < maxNames && len(value) < 2048 {
			*to = append(*to, value)
		}
	}
	switch name {
	case "script":
		add(&p.scripts, get("src"))
		add(&p.active, get("src"))
		add(&p.files, get("src"))
	case "iframe", "object", "embed":
		add(&p.active, get("src"))
		add(&p.active, get("data"))
	case "img":
		add(&p.files, get("src"))
	case "link":
		if strings.Contains(strings.ToLower(get("rel")), "stylesheet") {
			add(&p.active, get("href"))
		}
		add(&p.files, get("href"))
	case "meta":
		switch {
		case strings.EqualFold(get("name"), "generator") && p.generator == "":
			p.generator = short(get("content"))
		case strings.EqualFold(get("http-equiv"), "Content-Security-Policy"):
			p.policy = get("content")
		}
	case "input":
		p.password = p.password || strings.EqualFold(get("type"), "password")
	}
}

// directories returns the directories below the root that the page loads files
// from.
func (p *page) directories(o origin) (dirs []string) {
	base, err := url.Parse(o.String() + p.path)
	if err != nil {
		return nil
	}
	for _, f := range p.files {
		u, err := base.Parse(f)
		if err != nil || !o.holds(u.String()) {
			continue
		}
		path := u.EscapedPath()
		dir := path[:strings.LastIndexByte(path, '/')+1]
		if len(dir) > 1 && len(dir) < 200 && !strings.ContainsAny(dir, " \r\n\t\x00") && !slices.Contains(dirs, dir) && len(dirs) < maxDirectories {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// pages that list a directory: by their titles (Apache, nginx, Python, lighttpd,
// Tomcat, Jetty, IIS), or as Go's file server writes them.
var (
	listingTitle = regexp.MustCompile(`(?i)^(index of /|directory listing (for|of) /?|directory: /|[^ ]{1,100} - /)`)
	listingGo    = regexp.MustCompile(`(?i)^\s*(<!doctype html>\s*)?(<meta name="viewport"[^>]{0,100}>\s*)?<pre>\s*(<a href="[^"]{1,300}">[^<]{1,300}</a>\s*)*</pre>\s*$`)
)

// listing reports whether the page lists a directory.
func (p *page) listing() bool {
	if p.status != 200 || !p.html() {
		return false
	}
	if listingTitle.MatchString(p.title) && bytes.Contains(bytes.ToLower(p.body), []byte("<a href=")) {
		return true
	}
	return len(p.body) < 64<<10 && bytes.Contains(p.body, []byte("<a href=")) && listingGo.Match(p.body)
}

// short cuts a text to what a person reads, in one piece of printable text.
func short(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		if r != '\n' && (r < ' ' || r == 0x7f) {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
