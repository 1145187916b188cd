package scope

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// selector is a [Selector] made ready to match: texts folded, names of tags,
// services and owners replaced by their numbers.
type selector struct {
	parts   part
	names   words
	os      words
	ids     []identifierWords
	nets    []netip.Prefix
	table   *networks // over nets, when there are many
	kinds   uint32    // a bit for each kind
	reaches uint32    // a bit for each reach
	tiers   uint32    // a bit for each tier
	tags    []int32   // sorted
	service []int32   // sorted
	owners  []int32   // sorted; 0: nobody
	any     []selector
	not     []selector
}

// part is a set of the parts that a selector states.
type part uint16

const (
	partName part = 1 << iota
	partOS
	partIdentifier
	partCIDR
	partKind
	partReach
	partTier
	partTag
	partService
	partOwner
)

// identifierWords are patterns of identifiers of one kind, or of any.
type identifierWords struct {
	kind  exposure.IdentifierKind // empty: any
	words words
}

// identifierKinds are the words that may stand before the colon of an
// identifier.
func identifierKinds() []exposure.IdentifierKind {
	return []exposure.IdentifierKind{
		exposure.IDCloud, exposure.IDAgent, exposure.IDMAC, exposure.IDHostname, exposure.IDImage, exposure.IDRepository, exposure.IDURL,
		exposure.IDPath, exposure.IDPurl, exposure.IDWorkload, exposure.IDName, exposure.IDIP, exposure.IDDigest,
	}
}

// splitIdentifier takes a pattern of an identifier apart. An identifier
// without wildcard comes in the canonical form in which those of assets are
// kept; ok is false when there can be none of this kind.
func splitIdentifier(pattern string) (kind exposure.IdentifierKind, rest string, ok bool) {
	before, after, found := strings.Cut(pattern, ":")
	kind = exposure.IdentifierKind(fold(before))
	if !found || !slices.Contains(identifierKinds(), kind) {
		return "", pattern, true
	}
	after = strings.TrimSpace(after)
	if wild(after) {
		return kind, after, true
	}
	id, ok := exposure.NewIdentifier(kind, after)
	return id.Kind, id.Value, ok
}

// subject is an asset as selectors look at it.
type subject struct {
	asset  *exposure.Asset
	name   string
	os     string
	values []string // of the identifiers, in their order
	addrs  []netip.Addr
}

func (s *subject) look(a *exposure.Asset) {
	s.asset, s.name, s.os = a, fold(a.Name), fold(a.OS)
	s.values = s.values[:0]
	for i := range a.Identifiers {
		s.values = append(s.values, fold(a.Identifiers[i].Value))
	}
	s.addrs = addresses(s.addrs[:0], a)
}

// match reports whether all parts match what is known of the asset so far.
// The cheap ones are asked first.
func (s *selector) match(x *state) bool {
	return (s.parts&partKind == 0 || s.kinds&(1<<x.asset.Kind) != 0) &&
		(s.parts&partReach == 0 || s.reaches&(1<<x.reach) != 0) &&
		(s.parts&partTier == 0 || s.tiers&(1<<x.tier()) != 0) &&
		(s.parts&partOwner == 0 || contains(s.owners, x.owner())) &&
		(s.parts&partTag == 0 || x.tags.hasAny(s.tags)) &&
		(s.parts&partService == 0 || x.services.hasAny(s.service)) &&
		(s.parts&partName == 0 || s.names.match(x.name)) &&
		(s.parts&partCIDR == 0 || s.within(x.addrs)) &&
		(s.parts&partIdentifier == 0 || s.identified(&x.subject)) &&
		(s.parts&partOS == 0 || s.os.match(x.os)) &&
		(len(s.any) == 0 || matchAny(s.any, x)) &&
		!matchAny(s.not, x)
}

func matchAny(all []selector, x *state) bool {
	for i := range all {
		if all[i].match(x) {
			return true
		}
	}
	return false
}

func contains(sorted []int32, n int32) bool {
	_, found := slices.BinarySearch(sorted, n)
	return found
}

func (s *selector) within(addrs []netip.Addr) bool {
	for _, a := range addrs {
		if s.table == nil {
			if slices.ContainsFunc(s.nets, func(p netip.Prefix) bool { return p.Contains(a) }) {
				return true
			}
			continue
		}
		found := false
		s.table.each(a, func(int32) bool { found = true; return false })
		if found {
			return true
		}
	}
	return false
}

func (s *selector) identified(x *subject) bool {
	for i := range s.ids {
		w := &s.ids[i]
		for j, value := range x.values {
			if (w.kind == "" || w.kind == x.asset.Identifiers[j].Kind) && w.words.match(value) {
				return true
			}
		}
	}
	return false
}
