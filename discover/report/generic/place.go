package generic

import (
	"cmp"
	"github.com/leeward-ctem/leeward/discover/term"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// target is an asset that a finding concerns, and the endpoints there.
type target struct {
	asset     exposure.AssetRef
	endpoints []term.Endpoint
}

// targets returns one target a host. An asset or one host that is named takes
// all endpoints: they then say where on it. Without any it is one target, of an
// asset that the report does not name.
func (r *record) targets() []target {
	named, found, addresses := r.named()
	switch {
	case len(named.Identifiers) == 0 && len(found) == 0:
		return r.byEndpoint(addresses)
	case len(named.Identifiers) == 0 && len(found) > 1:
		return r.byHost(found)
	case len(named.Identifiers) == 0 && len(addresses) == 0:
		r.single[0] = target{found[0].asset, r.endpoints}
		return r.single[:]
	case len(found) == 1:
		named.Add(exposure.IDHostname, found[0].name)
	}
	for _, ip := range addresses {
		named.Add(exposure.IDIP, ip)
	}
	if named.Kind == exposure.AssetUnknown && (len(found) == 1 || len(addresses) > 0) {
		named.Kind = exposure.AssetHost
	}
	if len(named.Identifiers) == 0 {
		named = exposure.AssetRef{}
	}
	r.single[0] = target{named, r.endpoints}
	return r.single[:]
}

// byHost returns the targets of several hosts that are named, each with the
// endpoints on it.
func (r *record) byHost(found []host) []target {
	all := make([]target, 0, len(found))
	place := map[string]int{}
	for _, h := range found {
		if _, ok := place[strings.ToLower(h.name)]; !ok {
			place[strings.ToLower(h.name)] = len(all)
			all = append(all, target{asset: h.asset})
		}
	}
	for _, e := range r.endpoints {
		if i, ok := place[strings.ToLower(e.Host)]; ok {
			all[i].endpoints = append(all[i].endpoints, e)
		}
	}
	return all
}

// byEndpoint returns the targets of a finding that names endpoints and
// addresses only. The addresses are those of the host, if it is one.
func (r *record) byEndpoint(addresses []string) []target {
	switch {
	case len(r.endpoints) == 0 && len(addresses) == 0:
		return r.single[:]
	case len(r.endpoints) == 1 && len(addresses) == 0:
		r.single[0] = target{r.hosts.of(r.endpoints[0].Host).asset, r.endpoints}
		return r.single[:]
	}
	var all []target
	place := map[string]int{}
	at := func(host string) *target {
		key := strings.ToLower(host)
		i, ok := place[key]
		if !ok {
			i = len(all)
			place[key] = i
			all = append(all, target{asset: hostAsset(host)})
		}
		return &all[i]
	}
	for _, e := range r.endpoints {
		t := at(e.Host)
		t.endpoints = append(t.endpoints, e)
	}
	switch len(all) {
	case 0:
		for _, ip := range addresses {
			at(ip)
		}
	case 1:
		own := &all[0].asset
		for _, ip := range addresses {
			own.Add(exposure.IDIP, ip)
		}
		if own.Identifiers != nil {
			own.Kind = exposure.AssetHost
		}
	}
	return all
}

// hostAsset is zero for a host that is no name, such as localhost: it is the
// machine that the scanner ran on.
func hostAsset(host string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetHost}
	if ref.Add(exposure.IDHostname, host); len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

// hosts remembers hosts, of which most findings share few.
type hosts struct {
	known  map[string]host   // by name or address
	listed map[string][]host // by what is written in the column for them
}

type host struct {
	name    string
	port    int // beside it
	asset   exposure.AssetRef
	address bool // the name is one
}

func newHosts() *hosts { return &hosts{map[string]host{}, map[string][]host{}} }

// maxCached bounds the hosts that are remembered, and maxList the length of a
// list of them, in bytes.
const (
	maxCached = 10_000
	maxList   = 300
)

func (h *hosts) of(name string) host {
	one, ok := h.known[name]
	if ok {
		return one
	}
	name = strings.Clone(name) // it may be part of a row
	one = host{name: name, asset: hostAsset(name)}
	one.asset.Identifiers = slices.Clip(one.asset.Identifiers) // findings share it
	_, err := netip.ParseAddr(name)
	one.address = err == nil
	if len(h.known) >= maxCached {
		clear(h.known)
	}
	h.known[name] = one
	return one
}

// in returns the hosts in a text.
func (h *hosts) in(s string) (all []host) {
	if all, ok := h.listed[s]; ok {
		return all
	}
	for word := range strings.FieldsFuncSeq(s, term.Between) {
		if e := term.ParseEndpoint(word); term.IsHost(e.Host) {
			one := h.of(e.Host)
			one.port = cmp.Or(e.Port, term.DefaultPort(e.Scheme))
			all = append(all, one)
		}
	}
	if len(s) <= maxList {
		if len(h.listed) >= maxCached {
			clear(h.listed)
		}
		h.listed[strings.Clone(s)] = all
	}
	return all
}

// named returns the asset that the finding names by the columns for it, with
// the identifiers that are surely its own, and the hosts and the addresses
// that are named besides.
func (r *record) named() (ref exposure.AssetRef, found []host, addresses []string) {
	kind := exposure.AssetUnknown
	if word := r.value(fieldAssetKind); word != "" {
		_ = kind.UnmarshalText([]byte(strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(word)))) // else it stays unknown
	}
	add := func(as exposure.AssetKind, id exposure.IdentifierKind, value string) {
		if before := len(ref.Identifiers); value != "" {
			if ref.Add(id, value); len(ref.Identifiers) > before && ref.Kind == exposure.AssetUnknown {
				ref.Kind = as
			}
		}
	}
	take := func(h host, port int) {
		r.port = cmp.Or(r.port, port)
		if h.address {
			r.addresses = append(r.addresses, h.name)
		} else if h.asset.Identifiers != nil {
			r.found = append(r.found, h)
		}
	}
	if s := r.value(fieldAsset); s != "" {
		switch as, id, value := r.kindOf(kind, s); id {
		case exposure.IDIP:
			take(r.hosts.of(value), 0)
		default:
			add(as, id, value)
		}
	}
	add(exposure.AssetImage, exposure.IDImage, r.value(fieldImage))
	add(exposure.AssetRepository, exposure.IDRepository, r.value(fieldRepository))
	add(exposure.AssetCloudResource, exposure.IDCloud, r.value(fieldCloud))
	add(exposure.AssetHost, exposure.IDMAC, r.value(fieldMAC))
	for _, h := range r.hosts.in(r.value(fieldHost)) {
		if len(r.found)+len(r.addresses) < maxHosts {
			take(h, h.port)
		}
	}
	for word := range strings.FieldsFuncSeq(r.value(fieldIP), term.Between) {
		if ip, port := term.SplitPort(word); ip != "" && len(r.found)+len(r.addresses) < maxHosts {
			take(r.hosts.of(ip), port)
		}
	}
	if kind != exposure.AssetUnknown && ref.Identifiers != nil {
		ref.Kind = kind
	}
	return ref, r.found, r.addresses
}

// maxHosts bounds the hosts and addresses in the columns of a finding.
const maxHosts = 10_000

// prefixes are the kinds of identifier that may be written before a value, as
// Leeward prints them.
var prefixes = []struct {
	id exposure.IdentifierKind
	as exposure.AssetKind
}{
	{exposure.IDHostname, exposure.AssetHost}, {exposure.IDIP, exposure.AssetHost}, {exposure.IDMAC, exposure.AssetHost}, {exposure.IDAgent, exposure.AssetHost},
	{exposure.IDImage, exposure.AssetImage}, {exposure.IDDigest, exposure.AssetImage}, {exposure.IDRepository, exposure.AssetRepository},
	{exposure.IDCloud, exposure.AssetCloudResource}, {exposure.IDPurl, exposure.AssetPackage}, {exposure.IDWorkload, exposure.AssetWorkload},
	{exposure.IDURL, exposure.AssetWebApp}, {exposure.IDPath, exposure.AssetUnknown}, {exposure.IDName, exposure.AssetUnknown},
}

// kindOf tells what sort of name an asset's name is: by the prefix or the
// kind that is stated, else by its form.
func (r *record) kindOf(kind exposure.AssetKind, s string) (exposure.AssetKind, exposure.IdentifierKind, string) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(s, string(p.id)+":"); ok && rest != "" && term.Port(rest) == 0 && !strings.HasPrefix(rest, "//") {
			return p.as, p.id, rest
		}
	}
	switch kind {
	case exposure.AssetRepository:
		return kind, exposure.IDRepository, s
	case exposure.AssetImage:
		if strings.HasPrefix(s, "sha256:") {
			return kind, exposure.IDDigest, s
		}
		return kind, exposure.IDImage, s
	case exposure.AssetPackage:
		return kind, exposure.IDPurl, s
	case exposure.AssetCloudResource:
		return kind, exposure.IDCloud, s
	case exposure.AssetWorkload:
		return kind, exposure.IDWorkload, s
	}
	lower := strings.ToLower(s)
	switch {
	case strings.HasPrefix(lower, "arn:"), strings.HasPrefix(lower, "/subscriptions/"), strings.HasPrefix(lower, "//") && strings.Contains(lower, ".googleapis.com/"):
		return exposure.AssetCloudResource, exposure.IDCloud, s
	case strings.HasPrefix(lower, "pkg:"):
		return exposure.AssetPackage, exposure.IDPurl, s
	case strings.HasPrefix(lower, "sha256:"):
		return exposure.AssetImage, exposure.IDDigest, s
	case strings.HasPrefix(lower, "git@"), strings.HasSuffix(lower, ".git"):
		return exposure.AssetRepository, exposure.IDRepository, s
	}
	e := term.ParseEndpoint(s)
	if !term.IsHost(e.Host) || e.Scheme == "" && e.Path != "" {
		return exposure.AssetUnknown, exposure.IDName, s
	}
	if e.Scheme != "" {
		r.addEndpoint(e)
	}
	r.port = cmp.Or(r.port, e.Port)
	if _, err := netip.ParseAddr(e.Host); err == nil {
		return exposure.AssetHost, exposure.IDIP, e.Host
	}
	return exposure.AssetHost, exposure.IDHostname, e.Host
}

// location is where on the target the finding is: of several endpoints, what
// they have in common, so that their order does not matter.
func (r *record) location(t *target) exposure.Location {
	l := exposure.Location{
		Port: term.Port(r.value(fieldPort)), Protocol: strings.ToLower(r.value(fieldProtocol)), Service: bounded(term.OneLine(r.value(fieldService)), maxPlace),
		Parameter: bounded(term.OneLine(r.value(fieldParameter)), maxPlace),
		File:      bounded(slashes(r.value(fieldFile)), maxPlace),
		Symbol:    bounded(term.OneLine(r.value(fieldSymbol)), maxPlace),
		Snippet:   r.text[fieldSnippet],
	}
	if line := r.value(fieldLine); line != "" {
		n, _ := strconv.Atoi(line)
		l.Line = max(n, 0)
	}
	port, path, scheme := common(t.endpoints)
	l.Path = bounded(path, maxPlace)
	l.Service = cmp.Or(l.Service, scheme)
	switch l.Protocol {
	case "tcp", "udp", "sctp":
	case "http", "https":
		l.Service = cmp.Or(l.Service, l.Protocol)
		port = cmp.Or(port, term.DefaultPort(l.Protocol))
		l.Protocol = ""
	default:
		l.Protocol = ""
	}
	if len(t.endpoints) == 0 {
		port = cmp.Or(r.port, port)
	}
	if l.Port = cmp.Or(l.Port, port); l.Port == 0 {
		l.Protocol = ""
	} else {
		l.Protocol = cmp.Or(l.Protocol, "tcp")
	}
	return l
}

func slashes(path string) string {
	if path == "" {
		return ""
	}
	return strings.ReplaceAll(path, `\`, "/")
}

// common returns what all endpoints agree on.
func common(all []term.Endpoint) (port int, path, scheme string) {
	for i, e := range all {
		p := cmp.Or(e.Port, term.DefaultPort(e.Scheme))
		if i == 0 {
			port, path, scheme = p, e.Path, e.Scheme
			continue
		}
		if p != port {
			port = 0
		}
		if path != "" && e.Path != path && exposure.PathTemplate(e.Path) != exposure.PathTemplate(path) {
			path = ""
		}
		if e.Scheme != scheme {
			scheme = ""
		}
	}
	return port, path, scheme
}
