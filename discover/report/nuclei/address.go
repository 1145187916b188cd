package nuclei

import (
	"net/netip"
	"strconv"
	"strings"
)

// address is a target as Nuclei writes it: a URL, host:port or a host. URLs
// carry payloads that no parser of URLs accepts, so they are taken apart by
// their delimiters only.
type address struct {
	scheme string // lower case
	host   string
	port   int    // 0 when not stated
	path   string // with the query, without the fragment
}

func parseAddress(s string) address {
	var a address
	s = strings.TrimSpace(s)
	if scheme, rest, ok := strings.Cut(s, "://"); ok && !strings.ContainsAny(scheme, "/?#.:") {
		a.scheme, s = strings.ToLower(scheme), rest
	}
	authority := s
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		authority, a.path = s[:i], s[i:]
		a.path, _, _ = strings.Cut(a.path, "#")
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	a.host, a.port = splitPort(authority)
	return a
}

// splitPort takes host:port apart; an IPv6 address may stand without brackets.
func splitPort(s string) (host string, port int) {
	if _, err := netip.ParseAddr(s); err == nil {
		return s, 0
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return strings.Trim(s, "[]"), 0
	}
	if port = portNumber(s[i+1:]); port == 0 {
		return strings.Trim(s, "[]"), 0
	}
	return strings.Trim(s[:i], "[]"), port
}

func portNumber(s string) int {
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

// withoutValues removes the values of a query, which may be secrets.
func withoutValues(s string) string {
	base, query, found := strings.Cut(s, "?")
	if !found {
		return s
	}
	var names []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); name != "" {
			names = append(names, name)
		}
	}
	return base + "?" + strings.Join(names, "&")
}
