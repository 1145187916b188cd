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
	named, hosts, addresses := r.named()
	switch {
	case len(named.Identifiers) == 0 && len(hosts) == 0:
		return r.byEndpoint(addresses)
	case len(named.Identifiers) == 0 && len(hosts) > 1:
		return r.byHost(hosts)
	case len(hosts) == 1:
		named.Add(exposure.IDHostname, hosts[0])
	}
	for _, ip := range addresses {
		named.Add(exposure.IDIP, ip)
	}
	if named.Kind == exposure.AssetUnknown && (len(hosts) == 1 || len(addresses) > 0) {
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
func (r *record) byHost(hosts []string) []target {
	all := make([]target, 0, len(hosts))
	place := map[string]int{}
	for _, h := range hosts {
		if _, ok := place[strings.ToLower(h)]; !ok {
			place[strings.ToLower(h)] = len(all)
			all = append(all, target{asset: hostAsset(h)})
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
		r.single[0] = target{r.hosts.asset(r.endpoints[0].Host), r.endpoints}
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

// hosts remembers the assets of hosts, of which most findings share few.
type hosts map[string]exposure.AssetRef

// maxCached bounds the hosts that are remembered.
const maxCached = 10_000

func (h hosts) asset(host string) exposure.AssetRef {
	ref, ok := h[host]
	if ok {
		return ref
	}
	ref = hostAsset(host)
	ref.Identifiers = slices.Clip(ref.Identifiers) // findings share it
	if len(h) >= maxCached {
		clear(h)
	}
	if h != nil {
		h[host] = ref
	}
	return ref
}

// named returns the asset that the finding names by the columns for it, with
// the identifiers that are surely its own, and the hosts and the addresses
// that are named besides.
func (r *record) named() (ref exposure.AssetRef, hosts, addresses []string) {
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
	host := func(s string, port int) {
		r.port = cmp.Or(r.port, port)
		if _, err := netip.ParseAddr(s); err == nil {
			addresses = append(addresses, s)
		} else if hostAsset(s).Identifiers != nil {
			hosts = append(hosts, s)
		}
	}
	if s := r.value(fieldAsset); s != "" {
		switch as, id, value := r.kindOf(kind, s); id {
		case exposure.IDIP:
			host(value, 0)
		default:
			add(as, id, value)
		}
	}
	add(exposure.AssetImage, exposure.IDImage, r.value(fieldImage))
	add(exposure.AssetRepository, exposure.IDRepository, r.value(fieldRepository))
	add(exposure.AssetCloudResource, exposure.IDCloud, r.value(fieldCloud))
	add(exposure.AssetHost, exposure.IDMAC, r.value(fieldMAC))
	for word := range strings.FieldsFuncSeq(r.value(fieldHost), term.Between) {
		if e := term.ParseEndpoint(word); term.IsHost(e.Host) && len(hosts)+len(addresses) < maxHosts {
			host(e.Host, cmp.Or(e.Port, term.DefaultPort(e.Scheme)))
		}
	}
	for word := range strings.FieldsFuncSeq(r.value(fieldIP), term.Between) {
		if ip, port := term.SplitPort(word); ip != "" && len(hosts)+len(addresses) < maxHosts {
			host(ip, port)
		}
	}
	if kind != exposure.AssetUnknown && ref.Identifiers != nil {
		ref.Kind = kind
	}
	return ref, hosts, addresses
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
		File:      bounded(strings.ReplaceAll(r.value(fieldFile), `\`, "/"), maxPlace),
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
