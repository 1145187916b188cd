package exposure

import (
	"net/netip"
	"strings"
	"unicode"
)

// printable removes control characters and what is not UTF-8: a name with them
// is no other name than the one without, and PostgreSQL stores no NUL.
func printable(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return strings.Map(func(r rune) rune {
				if unicode.IsControl(r) || r == unicode.ReplacementChar {
					return -1
				}
				return r
			}, s)
		}
	}
	return s
}

// hostName is a DNS or NetBIOS name in lower case, without the dot of the root.
func hostName(v string) string {
	return strings.TrimSpace(strings.ToLower(strings.TrimRightFunc(v, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })))
}

// loopback reports whether a host name or address means the machine itself
// (RFC 6761, section 6.3), or is what the hosts files of Debian and Red Hat
// call it.
func loopback(host string) bool {
	switch host {
	case "localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback":
		return true
	}
	if strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, ok := address(host)
	return ok && a.Unmap().IsLoopback()
}

// address reads an address, which may stand in brackets. Most names are plainly
// none, and saying why takes longer than all the rest.
func address(v string) (a netip.Addr, ok bool) {
	v = strings.Trim(v, "[]")
	if v == "" || strings.IndexByte(v, ':') < 0 && (v[len(v)-1] < '0' || v[len(v)-1] > '9') {
		return a, false
	}
	a, err := netip.ParseAddr(v)
	return a, err == nil
}

// canonicalMAC is a hardware address as lower-case pairs with colons, from any
// of the usual spellings: pairs, Cisco's 0011.2233.4455, HP's 001122-334455 or
// bare digits. It is empty for what is no EUI-48 or EUI-64 address (IEEE 802,
// section 8), and for those that no interface has: all zeros and broadcast.
func canonicalMAC(v string) string {
	groups := strings.FieldsFunc(v, func(r rune) bool { return r == ':' || r == '-' || r == '.' })
	var digits strings.Builder
	for _, g := range groups {
		switch {
		case len(g) != len(groups[0]) && (len(g) > 2 || len(groups[0]) > 2), len(g) > 16:
			return ""
		case len(g) == 1 && len(groups) > 1:
			digits.WriteByte('0') // 0:1b:… of Solaris and macOS
		}
		digits.WriteString(strings.ToLower(g))
	}
	d := digits.String()
	if len(d) != 12 && len(d) != 16 || strings.Trim(d, "0123456789abcdef") != "" || strings.Trim(d, "0") == "" || strings.Trim(d, "f") == "" {
		return ""
	}
	var out strings.Builder
	for i := 0; i < len(d); i += 2 {
		if i > 0 {
			out.WriteByte(':')
		}
		out.WriteString(d[i : i+2])
	}
	return out.String()
}

// withoutUserinfo removes what stands before the host of a URL.
func withoutUserinfo(v string) string {
	scheme, rest, found := strings.Cut(v, "://")
	if !found {
		return v
	}
	for {
		host := rest
		if end := strings.IndexAny(rest, "/?#"); end >= 0 {
			host = rest[:end]
		}
		at := strings.LastIndexByte(host, '@')
		if at < 0 && hasPassword(host) {
			at = strings.LastIndexByte(rest, '@')
		}
		if at < 0 {
			return scheme + "://" + rest
		}
		rest = rest[at+1:]
	}
}

// canonicalRepository makes one form, host/owner/name, of the ways to spell a
// clone address. A directory keeps its path.
func canonicalRepository(v string) string {
	for {
		// Each step removes something, so that a form which no step changes is
		// reached, and reading it again gives the same.
		next := simplerRepository(v)
		if next == v {
			return v
		}
		v = next
	}
}

func simplerRepository(v string) string {
	v = strings.TrimPrefix(v, "git+")
	scheme, rest, found := strings.Cut(v, "://")
	if found && !strings.ContainsAny(scheme, "/@:") {
		v = rest
	} else {
		scheme = ""
	}
	if strings.HasPrefix(v, "/") || strings.HasPrefix(v, ".") {
		return withoutSuffix(v)
	}
	v = withoutCredentials(v)
	if end := strings.IndexAny(v, "?#"); end >= 0 {
		v = v[:end]
	}
	host, path, slash := strings.Cut(v, "/")
	if name, after, found := strings.Cut(host, ":"); found && len(name) > 1 && !strings.HasPrefix(host, "[") {
		switch {
		case defaultPort(strings.ToLower(scheme), after):
			host = name
		case after == "":
			host = name // host:/absolute/path
		case !isPort(after):
			host, path, slash = name, strings.TrimSuffix(after+"/"+path, "/"), true // git@host:owner/name
		}
	}
	host = strings.ToLower(host)
	if slash {
		host += "/" + path
	}
	return withoutSuffix(host)
}

func withoutSuffix(v string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(v, "/"), ".git"))
}

// withoutCredentials removes "user:password@". A password may hold characters
// that must not stand there, so it ends at the last @ that a path follows.
func withoutCredentials(v string) string {
	host, _, _ := strings.Cut(v, "/")
	at := strings.LastIndexByte(host, '@')
	if user, _, found := strings.Cut(host, "@"); found && strings.Contains(user, ":") || hasPassword(user) {
		end := strings.LastIndexByte(v, '/')
		at = max(at, strings.LastIndexByte(v[:max(end, 0)], '@'))
	}
	return v[at+1:]
}

// hasPassword reports whether what stands before the first @ or slash is a
// user and a password, not a host and a port.
func hasPassword(user string) bool {
	name, after, found := strings.Cut(user, ":")
	return found && len(name) > 1 && !isPort(after) && !strings.HasPrefix(user, "[")
}

func isPort(s string) bool { return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == "" }

func defaultPort(scheme, port string) bool {
	switch scheme {
	case "https":
		return port == "443"
	case "http":
		return port == "80"
	case "ssh", "ssh+git":
		return port == "22"
	case "git":
		return port == "9418"
	}
	return false
}
