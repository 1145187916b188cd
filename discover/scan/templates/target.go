package templates

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/scan"
)

// target is what templates are run against.
type target struct {
	kind scan.Kind
	host string
	port int
	http bool
	tls  bool
	path string // without the last slash
}

func newTarget(t *scan.Target) target {
	path := strings.TrimRight(t.Path, "/")
	if path != "" && path[0] != '/' {
		path = "/" + path
	}
	udp := t.Protocol != "" && t.Protocol != "tcp"
	return target{
		kind: t.Kind, host: t.Host, port: t.Port, tls: t.TLS || t.Service == "https", path: wire(path),
		http: !udp && t.Kind == scan.Service && (t.Service == "http" || t.Service == "https"),
	}
}

func (t target) bracketed() string {
	if strings.Contains(t.host, ":") {
		return "[" + t.host + "]"
	}
	return t.host
}

func (t target) authority() string {
	if t.port == 0 || t.http && (t.tls && t.port == 443 || !t.tls && t.port == 80) {
		return t.bracketed()
	}
	return t.bracketed() + ":" + strconv.Itoa(t.port)
}

func (t target) scheme() string {
	if t.tls {
		return "https"
	}
	return "http"
}

func (t target) origin() string { return t.scheme() + "://" + t.authority() }

// suits reports whether all that a template does can be done to the target.
func (t target) suits(of *Template) bool {
	return !slices.ContainsFunc(of.steps, func(s entry) bool { return !t.takes(&s) })
}

func (t target) takes(s *entry) bool {
	if t.kind == scan.Domain {
		return s.dns != nil
	}
	if t.kind != scan.Service || t.host == "" || t.port < 1 || t.port > 65535 {
		return false
	}
	switch {
	case s.http != nil:
		return t.http
	case s.ssl != nil:
		return t.tls
	case s.tcp != nil:
		_, ok := t.hostOf(s.tcp)
		return ok
	}
	return false
}

// hostOf returns the host of a conversation that is held at the target's port.
// One that names no port is not for web servers.
func (t target) hostOf(s *tcpStep) (tcpHost, bool) {
	for _, h := range s.hosts {
		if h.port == t.port || h.port == 0 && !t.http {
			return h, true
		}
	}
	return tcpHost{}, false
}

// names are the values that every text may use.
func (t target) names(seed string) values {
	p := cmp.Or(t.path, "/")
	return values{
		"BaseURL": t.origin() + t.path, "RootURL": t.origin(), "Hostname": t.authority(), "Host": t.bracketed(), "Port": strconv.Itoa(t.port),
		"Path": t.path, "File": path.Base(p), "Scheme": t.scheme(), "FQDN": strings.TrimSuffix(t.host, "."),
		"randstr": letters(seed+"randstr", "abcdefghijklmnopqrstuvwxyz0123456789", 20),
	}
}

// wire makes a path one that can be sent: what would end the line or the path
// is escaped, all else stays as it is.
func wire(s string) string {
	if s, _, _ = strings.Cut(s, "#"); !strings.ContainsFunc(s, breaks) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || c >= 0x80 {
			b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func breaks(r rune) bool { return r <= ' ' || r >= 0x7f }
