package term

import (
	"net/netip"
	"strconv"
	"strings"
)

// Endpoint is one place that a finding names: a URL, host:port or a host.
type Endpoint struct {
	Text   string // as stated, without user information
	Scheme string // lower case
	Host   string // without brackets and trailing dot
	Port   int    // 0 when not stated
	Path   string // with the query, without the fragment
}

// ParseEndpoint takes an endpoint apart by its delimiters only: findings carry
// payloads in URLs that no strict parser accepts.
func ParseEndpoint(s string) (e Endpoint) {
	s = strings.TrimSpace(s)
	rest := s
	if scheme, after, ok := strings.Cut(s, "://"); ok && !strings.ContainsAny(scheme, "/?#.: ") {
		e.Scheme, rest = strings.ToLower(scheme), after
	} else {
		rest = strings.TrimPrefix(rest, "//")
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, e.Path = rest[:i], rest[i:]
		e.Path, _, _ = strings.Cut(e.Path, "#")
	}
	e.Text = s
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
		e.Text = authority + e.Path
		if e.Scheme != "" {
			e.Text = e.Scheme + "://" + e.Text
		}
	}
	e.Host, e.Port = SplitPort(authority)
	e.Host = strings.TrimRight(e.Host, ".")
	if e.Scheme != "" && e.Path == "" {
		e.Path = "/"
	}
	return e
}

// SplitPort takes host:port apart; an IPv6 address may stand without brackets.
func SplitPort(s string) (host string, port int) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, 0
	}
	if strings.IndexByte(s, ':') < i { // more than one
		if _, err := netip.ParseAddr(s); err == nil {
			return s, 0
		}
	}
	if port = Port(s[i+1:]); port != 0 || i == len(s)-1 {
		s = s[:i]
	}
	return strings.Trim(s, "[]"), port
}

// Port reads the number of a port; 0 for what is none.
func Port(s string) int {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0
	}
	return n
}

// DefaultPort is the port of a URL that states none.
func DefaultPort(scheme string) int {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}

// IsHost reports whether s can be the name or the address of a host.
func IsHost(s string) bool {
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
