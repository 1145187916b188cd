package guard

import (
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/leeward-ctem/leeward/exposure"
)

// pattern is one target or exclusion, ready to be compared.
type pattern struct {
	text   string
	prefix netip.Prefix // an address or a network
	name   string       // a host name; with below, all names below it and not itself
	below  bool
	scheme string // of a URL, with the host in prefix or name
	port   int    // of a URL
	path   string // of a URL, ends with a slash
	cloud  string
}

// parsePattern reads one line of targets.
func parsePattern(s string) (pattern, error) {
	s = strings.TrimSpace(s)
	p := pattern{text: s}
	bad := func(why string) (pattern, error) {
		return p, exposure.Errorf(exposure.Invalid, "target %q: %s: give an address, a network (10.1.0.0/16), a host name, *.example.com for all below it, or a URL", cut(s), why)
	}
	switch {
	case s == "" || len(s) > 2048:
		return bad("it is empty or too long")
	case strings.HasPrefix(s, "cloud:"):
		if p.cloud = strings.ToLower(strings.TrimPrefix(s, "cloud:")); p.cloud == "" {
			return bad("no account is named")
		}
		return p, nil
	case strings.Contains(s, "://"):
		u, err := url.Parse(s)
		switch {
		case err != nil:
			return bad("no URL")
		case u.Scheme != "http" && u.Scheme != "https":
			return bad("only http and https are looked at")
		case u.User != nil:
			return bad("it holds credentials")
		case u.RawQuery != "" || u.Fragment != "":
			return bad("a URL means everything under its path, so it has no query")
		}
		host, addr, err := canonicalHost(u.Hostname())
		if err != nil {
			return bad(err.Error())
		}
		clean, ok := cleanPath(u.EscapedPath())
		if !ok {
			return bad("its path is not in its plain form")
		}
		if p.scheme, p.port, p.path = u.Scheme, portOf(u), strings.TrimSuffix(clean, "/")+"/"; p.port == 0 {
			return bad("its port is none")
		}
		if p.name = host; addr.IsValid() {
			p.prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		return p, nil
	case strings.Contains(s, "/"):
		n, err := netip.ParsePrefix(s)
		if err != nil {
			return bad("no network")
		}
		if n.Addr().Is4In6() {
			if n.Bits() < 96 {
				return bad("it holds all of IPv4")
			}
			n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
		}
		p.prefix = n.Masked()
		return p, nil
	}
	name, below := strings.CutPrefix(s, "*.")
	host, addr, err := canonicalHost(name)
	if err != nil {
		return bad(err.Error())
	}
	if addr.IsValid() {
		if below {
			return bad("an address has nothing below it")
		}
		p.prefix = netip.PrefixFrom(addr, addr.BitLen())
		return p, nil
	}
	p.name, p.below = host, below
	if below && !strings.Contains(host, ".") {
		return bad("all names of a top-level domain are more than anybody owns")
	}
	return p, nil
}

// canonicalHost tells a name from an address, each in one form. What resolvers
// read in different ways, such as 127.1 or 0x7f000001, is neither.
func canonicalHost(s string) (name string, addr netip.Addr, err error) {
	s = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), ".")
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		if a.Zone() != "" {
			return "", netip.Addr{}, exposure.Errorf(exposure.Invalid, "an address with a zone is of one link only")
		}
		return "", a.Unmap(), nil
	}
	ascii, err := idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.Transitional(false)).ToASCII(s)
	if err != nil || ascii == "" || len(ascii) > 253 {
		return "", netip.Addr{}, exposure.Errorf(exposure.Invalid, "%q is no host", cut(s))
	}
	last := ascii[strings.LastIndexByte(ascii, '.')+1:]
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", netip.Addr{}, exposure.Errorf(exposure.Invalid, "%q is no host", cut(s))
		}
	}
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || last[0] >= '0' && last[0] <= '9' {
		return "", netip.Addr{}, exposure.Errorf(exposure.Invalid, "%q is a number and no address in its plain form", cut(s))
	}
	return ascii, netip.Addr{}, nil
}

// portOf is the port of a URL, 0 when it has none that exists.
func portOf(u *url.URL) int {
	switch n, err := strconv.ParseUint(u.Port(), 10, 16); {
	case u.Port() == "" && u.Scheme == "https":
		return 443
	case u.Port() == "":
		return 80
	case err == nil:
		return int(n)
	}
	return 0
}

// cleanPath returns a path in its plain form. ok is false when servers read it
// in different ways: dot segments, doubled and encoded separators.
func cleanPath(escaped string) (clean string, ok bool) {
	p, _, _ := strings.Cut(escaped, "?")
	if p == "" {
		p = "/"
	}
	lower := strings.ToLower(p)
	for _, odd := range []string{"%2e", "%2f", "%5c", "%25", "%00", "\\", ";", "//", "\x00"} {
		if strings.Contains(lower, odd) {
			return "", false
		}
	}
	plain, err := url.PathUnescape(p)
	if err != nil || plain[0] != '/' {
		return "", false
	}
	clean = path.Clean(plain)
	if strings.HasSuffix(plain, "/") && clean != "/" {
		clean += "/"
	}
	return clean, clean == plain
}

// holdsName reports whether a host name is the pattern's.
func (p *pattern) holdsName(name string) bool {
	if name == "" || p.name == "" {
		return false
	}
	if p.below {
		return strings.HasSuffix(name, "."+p.name)
	}
	return name == p.name
}

// holdsAddr reports whether an address is the pattern's.
func (p *pattern) holdsAddr(a netip.Addr) bool {
	return a.IsValid() && p.prefix.IsValid() && p.prefix.Contains(a)
}

// isURL reports whether the pattern is about what is under a URL only.
func (p *pattern) isURL() bool { return p.scheme != "" }

// whole reports whether a URL pattern is a whole origin.
func (p *pattern) whole() bool { return p.path == "/" }

// holdsURL reports whether a URL lies under the pattern's. A path that servers
// could read in different ways lies under none but a whole origin.
func (p *pattern) holdsURL(w *where) bool {
	if p.scheme != w.scheme || p.port != w.port {
		return false
	}
	return p.whole() || w.clean && (strings.HasPrefix(w.path, p.path) || w.path+"/" == p.path)
}

// excludesURL is holdsURL for exclusions: in doubt it does.
func (p *pattern) excludesURL(w *where) bool {
	if p.port != w.port {
		return false // of the other scheme at the same port is the same server
	}
	if p.whole() || !w.clean {
		return true
	}
	path, prefix := strings.ToLower(w.path), strings.ToLower(p.path)
	return strings.HasPrefix(path, prefix) || path+"/" == prefix
}

func cut(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}
