package dns

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// records asks whether the domain is there, and what there is at once.
func (l *look) records() {
	a := l.ask(l.domain, "SOA", "no-caa", "wildcard")
	if a == nil {
		return
	}
	if l.gone = a.Code == "NXDOMAIN"; l.gone {
		return
	}
	l.zoned = len(data(a, "SOA")) > 0
	l.found(l.domain, "")
	for _, name := range []string{l.domain, "www." + l.domain} {
		for _, kind := range []string{"A", "AAAA"} {
			for _, address := range data(l.ask(name, kind), kind) {
				l.found(name, address)
			}
		}
	}
}

// aliases follows what the domain and its www lead to.
func (l *look) aliases() {
	const taken, dangling = "takeover", "dangling-alias"
	for _, name := range []string{l.domain, "www." + l.domain} {
		at := name
		var chain []string
		for range 10 {
			next := data(l.ask(at, "CNAME", taken, dangling), "CNAME")
			if len(next) == 0 {
				break
			}
			at = strings.ToLower(next[0])
			chain = append(chain, at)
		}
		if len(chain) == 0 {
			continue
		}
		exists, known := l.exists(at, taken, dangling)
		if !known || exists {
			continue
		}
		l.leadsNowhere(name, at, strings.Join(append([]string{name}, chain...), "\n→ ")+"\nNXDOMAIN")
	}
}

// leadsNowhere tells whether anybody can take the name that another leads to.
func (l *look) leadsNowhere(name, to, evidence string) {
	for _, suffix := range takeable() {
		if strings.HasSuffix(to, suffix) {
			l.shows("takeover", name, evidence)
			return
		}
	}
	l.shows("dangling-alias", name, evidence)
}

// takeoverSource is where the facts of [takeable] come from.
const takeoverSource = "https://github.com/EdOverflow/can-i-take-over-xyz"

// takeable are the domains of services at which anybody may register a name
// that is free, and which answer that a free one does not exist: those of
// "Can I take over XYZ" (CC BY 4.0) with the fingerprint NXDOMAIN. Services
// that show a page in place of it are for those that look at pages.
func takeable() []string {
	return []string{
		".azure-api.net", ".azurecontainer.io", ".azurecr.io", ".azuredatalakestore.net", ".azureedge.net", ".azurehdinsight.net", ".azurewebsites.net",
		".blob.core.windows.net", ".cloudapp.azure.com", ".cloudapp.net", ".database.windows.net", ".redis.cache.windows.net", ".search.windows.net",
		".servicebus.windows.net", ".trafficmanager.net", ".visualstudio.com",
		".elasticbeanstalk.com", ".trydiscourse.com",
	}
}

// servers looks at the name servers.
func (l *look) servers() {
	const dangling, single = "dangling-name-server", "single-name-server"
	servers := data(l.ask(l.domain, "NS", dangling, single, "zone-transfer"), "NS")
	for _, s := range servers {
		exists, known := l.exists(s, dangling)
		if known && !exists {
			l.shows(dangling, strings.ToLower(s), l.domain+" NS "+s+"\nNXDOMAIN")
		}
		l.foundAt(s)
	}
	if len(servers) == 1 {
		l.shows(single, l.domain, l.domain+" NS "+servers[0])
	}
}

// foundAt notes a name of our own that something led to, with its addresses.
func (l *look) foundAt(name string) {
	name = strings.ToLower(name)
	if !l.within(name) {
		return
	}
	for _, kind := range []string{"A", "AAAA"} {
		for _, address := range data(l.ask(name, kind), kind) {
			l.found(name, address)
		}
	}
}

// exchangers looks at who receives mail.
func (l *look) exchangers() {
	const dangling = "dangling-mail-exchanger"
	for _, host := range l.receivers(dangling) {
		exists, known := l.exists(host, dangling)
		if known && !exists {
			l.shows(dangling, strings.ToLower(host), l.domain+" MX "+host+"\nNXDOMAIN")
		}
		l.foundAt(host)
	}
}

// receivers are the mail exchangers, without the one of a domain that says
// that it has none (RFC 7505).
func (l *look) receivers(rules ...string) (hosts []string) {
	for _, mx := range data(l.ask(l.domain, "MX", rules...), "MX") {
		if _, host, _ := strings.Cut(mx, " "); strings.Trim(host, ".") != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// addresses looks for private addresses, where the name servers of the domain
// have public ones: then everybody is given them.
func (l *look) addresses() {
	const private = "private-address"
	public := false
	for _, s := range data(l.ask(l.domain, "NS", private), "NS") {
		for _, a := range data(l.ask(s, "A", private), "A") {
			addr, err := netip.ParseAddr(a)
			public = public || err == nil && !hidden(addr)
		}
	}
	if !public {
		return
	}
	for name, all := range l.names {
		for _, a := range all {
			if addr, err := netip.ParseAddr(a); err == nil && hidden(addr) {
				l.shows(private, name, name+" "+a)
				break
			}
		}
	}
}

func hidden(a netip.Addr) bool { return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() }

// authorities asks who may issue certificates, up to the top (RFC 8659,
// section 3). Names that are no zone of their own are looked at with their zone.
func (l *look) authorities() {
	const rule = "no-caa"
	if !l.zoned {
		return
	}
	for _, at := range append([]string{l.domain}, above(l.domain)...) {
		a := l.ask(at, "CAA", rule)
		if a == nil || len(data(a, "CAA")) > 0 {
			return // it says so, or nobody knows
		}
	}
	l.shows(rule, l.domain, "no CAA record at "+l.domain)
}

// above are the domains above one that belong to the same organisation, see
// https://publicsuffix.org
func above(domain string) (all []string) {
	organisation, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return nil
	}
	for domain != organisation {
		_, parent, ok := strings.Cut(domain, ".")
		if !ok {
			break
		}
		all, domain = append(all, parent), parent
	}
	return all
}

// nobody is a name that nobody has, unless all names below are there.
const nobody = "leeward-looks-for-a-wildcard-here"

// wildcard asks for a name that nobody has.
func (l *look) wildcard() {
	const rule = "wildcard"
	if !l.zoned {
		return
	}
	a := l.ask(nobody+"."+l.domain, "A", rule)
	if a == nil || a.Code == "NXDOMAIN" || len(a.Records) == 0 {
		return
	}
	l.shows(rule, l.domain, "*."+l.domain+" "+a.Records[0].Data)
}
