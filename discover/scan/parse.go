package scan

import (
	"math/big"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// MaxHosts is how many addresses one network may hold to be scanned.
const MaxHosts = 1 << 16

// Parse reads what a user names as a target, without touching it: an address, a
// network (10.1.0.0/24) or range (10.1.0.5-10.1.0.9), a host name, host:port,
// a URL, or one with its kind before it: host:, domain:, cidr:, dir:, image:, sbom:. The
// kinds that are files come without Files: their Name is the path. A bare word
// with a slash or a dot at its beginning is a directory.
func Parse(s string) ([]Target, error) {
	s = strings.TrimSpace(s)
	bad := func(why string) ([]Target, error) {
		return nil, exposure.Errorf(exposure.Invalid, "target %q: %s: give a directory, an address, a network, a host name, host:port or a URL", s[:min(len(s), 100)], why)
	}
	for kind, prefix := range map[Kind]string{Directory: "dir:", Image: "image:", Bill: "sbom:"} {
		if name, ok := strings.CutPrefix(s, prefix); ok {
			if name == "" {
				return bad("no path is named")
			}
			return []Target{{Kind: kind, Name: name}}, nil
		}
	}
	if name, ok := strings.CutPrefix(s, "domain:"); ok {
		if !hostName(name) {
			return bad("no domain")
		}
		return []Target{{Kind: Domain, Name: name, Host: strings.ToLower(strings.TrimSuffix(name, "."))}}, nil
	}
	if net, ok := strings.CutPrefix(s, "cidr:"); ok {
		n, err := netip.ParsePrefix(net)
		if err != nil {
			return bad("no network")
		}
		return network(n.Masked(), bad)
	}
	s = strings.TrimPrefix(s, "host:")
	switch {
	case s == "":
		return bad("it is empty")
	case s[0] == '/' || s[0] == '.' || s[0] == '~':
		return []Target{{Kind: Directory, Name: s}}, nil
	case strings.Contains(s, "://"):
		return parseURL(s, bad)
	case strings.Contains(s, "/"):
		n, err := netip.ParsePrefix(s)
		if err != nil {
			return bad("no network")
		}
		return network(n.Masked(), bad)
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return []Target{host(a.Unmap().String(), 0)}, nil
	}
	if first, last, ok := strings.Cut(s, "-"); ok {
		if a, err := netip.ParseAddr(first); err == nil {
			return between(a, last, bad)
		}
	}
	name, port := s, 0
	if h, p, ok := cutPort(s); ok {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return bad("its port is none")
		}
		name, port = h, int(n)
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return []Target{host(a.Unmap().String(), port)}, nil
	}
	if !hostName(name) {
		return bad("no host")
	}
	return []Target{host(strings.ToLower(strings.TrimSuffix(name, ".")), port)}, nil
}

func host(name string, port int) Target {
	t := Target{Kind: Host, Name: name, Host: name, Port: port}
	if port != 0 {
		t.Name = join(name, port)
	}
	return t
}

func join(host string, port int) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}

// cutPort cuts host:port and [address]:port.
func cutPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	host, port = s[:i], s[i+1:]
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1], port, true
	}
	return host, port, !strings.Contains(host, ":")
}

func hostName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.ContainsAny(label, " \t\r\n/\\:@%?#[]\"'<>|;&$`*(){}!,") {
			return false
		}
	}
	return true
}

func parseURL(s string, bad func(string) ([]Target, error)) ([]Target, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "":
		return bad("no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return bad("only http and https are looked at")
	case u.User != nil:
		return bad("it holds credentials, which do not belong there")
	}
	t := Target{Kind: Service, Name: s, Host: strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), Protocol: "tcp", Service: u.Scheme, TLS: u.Scheme == "https", Path: u.EscapedPath()}
	if t.Port = map[string]int{"http": 80, "https": 443}[u.Scheme]; u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || n == 0 {
			return bad("its port is none")
		}
		t.Port = int(n)
	}
	return []Target{t}, nil
}

func network(n netip.Prefix, bad func(string) ([]Target, error)) ([]Target, error) {
	if bits := n.Addr().BitLen() - n.Bits(); bits > 16 {
		return bad("it holds more than " + strconv.Itoa(MaxHosts) + " addresses; split it")
	}
	first, last := n.Addr(), n.Addr()
	for n.Contains(last.Next()) {
		last = last.Next()
	}
	// The first and the last of a network of IPv4 are no hosts.
	if n.Addr().Is4() && n.Bits() < 31 {
		first, last = first.Next(), last.Prev()
	}
	return addresses(first, last), nil
}

func between(first netip.Addr, last string, bad func(string) ([]Target, error)) ([]Target, error) {
	end, err := netip.ParseAddr(last)
	if err != nil || end.BitLen() != first.BitLen() || end.Less(first) {
		return bad("no range")
	}
	d := new(big.Int).Sub(new(big.Int).SetBytes(end.AsSlice()), new(big.Int).SetBytes(first.AsSlice()))
	if d.BitLen() > 16 {
		return bad("it holds more than " + strconv.Itoa(MaxHosts) + " addresses; split it")
	}
	return addresses(first, end), nil
}

func addresses(first, last netip.Addr) (all []Target) {
	for a := first; ; a = a.Next() {
		all = append(all, host(a.Unmap().String(), 0))
		if a == last {
			return all
		}
	}
}

// ParsePorts reads a list of ports: "22,80,8000-8100", "-" for all.
func ParsePorts(s string) (all []exposure.PortRange, err error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	if s == "-" {
		return []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 65535}}, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		a, err1 := strconv.ParseUint(first, 10, 16)
		b, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil || a == 0 || b < a {
			return nil, exposure.Errorf(exposure.Invalid, "ports %q: write them as 22,80,8000-8100, or - for all", s[:min(len(s), 100)])
		}
		all = append(all, exposure.PortRange{Protocol: "tcp", First: int(a), Last: int(b)})
	}
	return union(all), nil
}

// union sorts ranges of one protocol and joins those that touch.
func union(ranges []exposure.PortRange) (all []exposure.PortRange) {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b exposure.PortRange) int { return a.First - b.First })
	for _, r := range ranges {
		if n := len(all); n > 0 && r.First <= all[n-1].Last+1 {
			all[n-1].Last = max(all[n-1].Last, r.Last)
			continue
		}
		all = append(all, r)
	}
	return all
}

// Split divides targets into parts that different workers look at: of networks
// and hosts size each, everything else by itself.
func Split(targets []string, size int) (parts [][]string, err error) {
	var hosts []string
	seen := map[string]bool{}
	for _, s := range targets {
		all, err := Parse(s)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			name := t.Name
			if t.Kind != Host {
				name = s
			}
			switch {
			case seen[name]:
			case t.Kind == Host:
				hosts = append(hosts, name)
			default:
				parts = append(parts, []string{name})
			}
			if seen[name] = true; len(seen) > 16*MaxHosts {
				return nil, exposure.Errorf(exposure.Invalid, "more than %d targets: make several scans", 16*MaxHosts)
			}
		}
	}
	for part := range slices.Chunk(hosts, size) {
		parts = append(parts, part)
	}
	return parts, nil
}
