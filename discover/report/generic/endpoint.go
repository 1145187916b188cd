package generic

import (
	"net/netip"
	"strconv"
	"strings"
)

// endpoint is one place that a finding names: a URL, host:port or a host.
type endpoint struct {
	text   string // as stated, without user information
	scheme string // lower case
	host   string // without brackets and trailing dot
	port   int    // 0 when not stated
	path   string // with the query, without the fragment
}

// parseEndpoint takes an endpoint apart by its delimiters only: findings carry
// payloads in URLs that no strict parser accepts.
func parseEndpoint(s string) (e endpoint) {
	s = strings.TrimSpace(s)
	rest := s
	if scheme, after, ok := strings.Cut(s, "://"); ok && !strings.ContainsAny(scheme, "/?#.: ") {
		e.scheme, rest = strings.ToLower(scheme), after
	} else {
		rest = strings.TrimPrefix(rest, "//")
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, e.path = rest[:i], rest[i:]
		e.path, _, _ = strings.Cut(e.path, "#")
	}
	e.text = s
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
		e.text = authority + e.path
		if e.scheme != "" {
			e.text = e.scheme + "://" + e.text
		}
	}
	e.host, e.port = splitPort(authority)
	e.host = strings.TrimRight(e.host, ".")
	if e.scheme != "" && e.path == "" {
		e.path = "/"
	}
	return e
}

// splitPort takes host:port apart; an IPv6 address may stand without brackets.
func splitPort(s string) (host string, port int) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, 0
	}
	if strings.IndexByte(s, ':') < i { // more than one
		if _, err := netip.ParseAddr(s); err == nil {
			return s, 0
		}
	}
	if port = portNumber(s[i+1:]); port != 0 || i == len(s)-1 {
		s = s[:i]
	}
	return strings.Trim(s, "[]"), port
}

func portNumber(s string) int {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0
	}
	return n
}

// defaultPort is the port of a URL that states none.
func defaultPort(scheme string) int {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}

// isHost reports whether s can be the name or the address of a host.
func isHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	if strings.IndexByte(s, ':') >= 0 {
		_, err := netip.ParseAddr(s)
		return err == nil
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' || c == '*' || c >= 0x80 {
			continue
		}
		return false
	}
	return true
}

// maxEndpoints bounds the endpoints of a finding.
const maxEndpoints = 100_000

// addEndpoints reads a text with endpoints: one, one a line, or with commas or
// spaces between. Of a text with several words only those count that can be
// nothing else.
func (r *record) addEndpoints(s string) {
	if s == "" {
		return
	}
	if !strings.ContainsFunc(s, listed) {
		r.addEndpoint(parseEndpoint(s))
		return
	}
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimSpace(line)
		if !strings.ContainsAny(line, " \t,;|") {
			r.addEndpoint(parseEndpoint(line))
			continue
		}
		parts := splitEndpoints(line)
		hosts := !strings.ContainsFunc(line, func(c rune) bool { return c == '/' })
		for _, p := range parts {
			hosts = hosts && !strings.ContainsAny(p, " \t")
		}
		for _, p := range parts {
			for word := range strings.FieldsSeq(p) {
				if e := parseEndpoint(word); hosts || e.scheme != "" || e.port != 0 || strings.IndexByte(e.host, '.') > 0 {
					r.addEndpoint(e)
				}
			}
		}
	}
}

// splitEndpoints parts a line at its commas, semicolons and bars, but not at
// those within a URL: there only where another URL or a space follows.
func splitEndpoints(s string) (parts []string) {
	add := func(p string) {
		if p = strings.Trim(p, ",;| \t"); p != "" {
			parts = append(parts, p)
		}
	}
	for start, i := 0, 0; ; i++ {
		if i == len(s) {
			add(s[start:])
			return parts
		}
		if c := s[i]; c != ',' && c != ';' && c != '|' {
			continue
		}
		next := s[i+1:]
		if end := strings.IndexAny(next, ",;| \t"); end >= 0 {
			next = next[:end]
		}
		if next == "" || strings.Contains(next, "://") || strings.IndexByte(s[start:i], '/') < 0 {
			add(s[start:i])
			start = i + 1
		}
	}
}

func (r *record) addEndpoint(e endpoint) {
	if e.host != "" && !isHost(e.host) || e.host == "" && e.path == "" {
		return
	}
	if len(r.endpoints) < maxEndpoints {
		r.endpoints = append(r.endpoints, e)
	} else {
		r.overflow = true
	}
}
