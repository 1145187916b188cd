package scope

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// networks finds numbers by the network that an address is in.
type networks struct {
	lengths []length
	numbers map[netip.Prefix][]int32
}

// length is a length of prefix that occurs: one look-up for each address of
// its family.
type length struct {
	four bool
	bits int
}

func (l length) compare(m length) int {
	if l.four != m.four {
		if l.four {
			return -1
		}
		return 1
	}
	return cmp.Compare(l.bits, m.bits)
}

// add takes a masked prefix.
func (n *networks) add(p netip.Prefix, number int32) {
	if n.numbers == nil {
		n.numbers = map[netip.Prefix][]int32{}
	}
	l := length{p.Addr().Is4(), p.Bits()}
	if i, known := slices.BinarySearchFunc(n.lengths, l, length.compare); !known {
		n.lengths = slices.Insert(n.lengths, i, l)
	}
	n.numbers[p] = append(n.numbers[p], number)
}

// each calls f with the numbers of the networks that a is in, until f returns
// false.
func (n *networks) each(a netip.Addr, f func(int32) bool) {
	for _, l := range n.lengths {
		if l.four != a.Is4() {
			continue
		}
		p, err := a.Prefix(l.bits)
		if err != nil {
			continue // no length of this family
		}
		for _, number := range n.numbers[p] {
			if !f(number) {
				return
			}
		}
	}
}

// parseNetwork reads a network or a single address, in the form in which
// addresses of assets are kept. The reason says what is wrong.
func parseNetwork(s string) (p netip.Prefix, reason string) {
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" {
			return p, "has a zone: leave out what follows %"
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), ""
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, "is no network: write one as 10.1.0.0/16 or 2001:db8::/32"
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return p, "has bits outside the network: write " + p.Masked().String() + ", or " + p.Addr().String() + " for the one address"
	}
	return p, ""
}

// addresses appends the IP addresses that an asset is known by: its
// identifiers, and a name or the host of a URL that is an address, because an
// exclusion of a network must not miss a web application in it.
func addresses(to []netip.Addr, a *exposure.Asset) []netip.Addr {
	for _, id := range a.Identifiers {
		switch id.Kind {
		case exposure.IDIP:
			to = appendAddress(to, id.Value)
		case exposure.IDURL:
			to = appendAddress(to, urlHost(id.Value))
		case exposure.IDName, exposure.IDHostname:
			to = appendAddress(to, hostOf(id.Value))
		}
	}
	return appendAddress(to, hostOf(a.Name))
}

func appendAddress(to []netip.Addr, s string) []netip.Addr {
	if s == "" || strings.ContainsFunc(s[:min(len(s), 8)], notOfAddress) {
		return to // cheaper than the error of the parser
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return to
	}
	if a = a.Unmap().WithZone(""); !slices.Contains(to, a) {
		to = append(to, a)
	}
	return to
}

func notOfAddress(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F' || r == '.' || r == ':' || r == '%')
}

// hostOf is what stands before the port, in a name or URL.
func hostOf(s string) string {
	if strings.Contains(s, "://") {
		return urlHost(s)
	}
	return beforePort(s)
}

func beforePort(s string) string {
	if strings.HasPrefix(s, "[") {
		host, _, _ := strings.Cut(s[1:], "]")
		return host
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.IndexByte(s, ':') == i {
		return s[:i]
	}
	return s
}

func urlHost(s string) string {
	_, rest, found := strings.Cut(s, "://")
	if !found {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	return beforePort(rest)
}
