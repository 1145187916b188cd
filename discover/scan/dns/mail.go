package dns

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// spf looks at who may send mail (RFC 7208).
func (l *look) spf() {
	const missing, invalid, all, many = "spf-missing", "spf-invalid", "spf-allows-all", "spf-too-many-lookups"
	a := l.ask(l.domain, "TXT", missing, invalid, all, many)
	if a == nil {
		return
	}
	var records []string
	for _, t := range data(a, "TXT") {
		if isSPF(t) {
			records = append(records, t)
		}
	}
	switch len(records) {
	case 0:
		if len(l.receivers(missing)) > 0 {
			l.shows(missing, l.domain, "no TXT record of "+l.domain+" begins with v=spf1")
		}
		return
	case 1:
	default:
		l.shows(invalid, l.domain, fmt.Sprintf("%d records:\n%s", len(records), strings.Join(records, "\n")))
		return
	}
	p := parseSPF(records[0])
	if p.wrong != "" {
		l.shows(invalid, l.domain, records[0]+"\n"+p.wrong)
	}
	if p.allowsAll {
		l.shows(all, l.domain, records[0])
	}
	if n, sure := l.lookups(&p, map[string]bool{l.domain: true}); n > maxSPF {
		l.shows(many, l.domain, fmt.Sprintf("%s\n%d lookups or more", records[0], n))
	} else if !sure {
		l.unsure[many] = true
	}
}

func isSPF(t string) bool {
	t = strings.ToLower(t)
	return t == "v=spf1" || strings.HasPrefix(t, "v=spf1 ")
}

// maxSPF is how many lookups a record may need.
const maxSPF = 10

// policy is an SPF record.
type policy struct {
	wrong     string // what is, empty: nothing
	allowsAll bool
	lookups   int      // its own
	includes  []string // records that count as well
}

// parseSPF reads a record (RFC 7208, sections 4.6 and 5).
func parseSPF(text string) (p policy) {
	wrong := func(term string) {
		if p.wrong == "" {
			p.wrong = "not understood: " + term
		}
	}
	redirect, ended := "", false
	for _, term := range strings.Fields(text)[1:] {
		name, value, hasValue := cutAny(term)
		qualifier := byte('+')
		if name != "" && strings.IndexByte("+-~?", name[0]) >= 0 {
			qualifier, name = name[0], name[1:]
		}
		modifier := hasValue && strings.HasPrefix(term[len(term)-len(value)-1:], "=")
		switch name = strings.ToLower(name); {
		case modifier && name == "redirect":
			redirect = value
			p.lookups++
		case modifier:
			if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
				wrong(term)
			}
		case name == "all" && !hasValue:
			if !ended {
				p.allowsAll = qualifier == '+'
			}
			ended = true
		case name == "include" && value != "":
			p.lookups++
			p.includes = append(p.includes, value)
		case name == "exists" && value != "":
			p.lookups++
		case name == "a", name == "mx", name == "ptr":
			p.lookups++
		case name == "ip4" && network(value, true), name == "ip6" && network(value, false):
		default:
			wrong(term)
		}
	}
	if redirect != "" && !ended {
		p.includes = append(p.includes, redirect)
	}
	return p
}

// cutAny cuts a term of SPF at what ends its name.
func cutAny(term string) (name, value string, ok bool) {
	if i := strings.IndexAny(term, ":=/"); i >= 0 {
		return term[:i], term[i+1:], true
	}
	return term, "", false
}

func network(s string, four bool) bool {
	address, bits, masked := strings.Cut(s, "/")
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() != four {
		return false
	}
	n, err := strconv.Atoi(bits)
	return !masked || err == nil && n >= 0 && n <= a.BitLen()
}

// lookups counts those of a record and of all that it includes. It stops soon
// after there are too many. sure is false when one of them could not be read.
func (l *look) lookups(p *policy, seen map[string]bool) (n int, sure bool) {
	n, sure = p.lookups, true
	for _, name := range p.includes {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		switch {
		case n > maxSPF:
			return n, sure
		case seen[name]:
			continue
		case strings.Contains(name, "%"): // it depends on who sends
			sure = false
			continue
		}
		seen[name] = true
		a := l.ask(name, "TXT")
		if a == nil {
			sure = false
			continue
		}
		for _, t := range data(a, "TXT") {
			if isSPF(t) {
				inner := parseSPF(t)
				more, innerSure := l.lookups(&inner, seen)
				n, sure = n+more, sure && innerSure
				break
			}
		}
	}
	return n, sure
}

// selectors are where large senders of mail put the DKIM keys of those who send
// through them. Others cannot be guessed, so that a key is missing is never
// said.
func selectors() []string {
	return []string{"default", "dkim", "mail", "google", "selector1", "selector2", "k1", "k2", "s1", "s2", "mandrill", "fm1", "protonmail", "zoho"}
}

// dkim looks at keys where they usually are (RFC 6376, section 3.6.1).
func (l *look) dkim() {
	const rule = "dkim-weak-key"
	for _, s := range selectors() {
		name := s + "._domainkey." + l.domain
		for _, t := range data(l.ask(name, "TXT", rule), "TXT") {
			if bits := dkimBits(t); bits > 0 && bits < 1024 {
				l.shows(rule, name, fmt.Sprintf("an RSA key of %d bits", bits))
			}
		}
	}
}

// dkimBits is the size of an RSA key; 0: there is none.
func dkimBits(text string) int {
	tags := tagList(text)
	if k := tags["k"]; k != "" && k != "rsa" || tags["p"] == "" {
		return 0
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(tags["p"]), ""))
	if err != nil {
		return 0
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return 0
	}
	if r, ok := key.(*rsa.PublicKey); ok {
		return r.N.BitLen()
	}
	return 0
}

// tagList reads "v=DMARC1; p=none" (RFC 6376, section 3.2).
func tagList(text string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		if name, value, ok := strings.Cut(part, "="); ok {
			tags[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return tags
}

// dmarc looks at what is to become of mail that others send (RFC 7489).
func (l *look) dmarc() {
	const missing, invalid, none = "dmarc-missing", "dmarc-invalid", "dmarc-none"
	name := "_dmarc." + l.domain
	a := l.ask(name, "TXT", missing, invalid, none)
	if a == nil {
		return
	}
	var records []string
	for _, t := range data(a, "TXT") {
		if strings.HasPrefix(strings.ToUpper(strings.ReplaceAll(t, " ", "")), "V=DMARC1") {
			records = append(records, t)
		}
	}
	if len(records) == 0 {
		if len(l.receivers(missing)) > 0 && !l.dmarcAbove() {
			l.shows(missing, l.domain, "no TXT record of "+name+" begins with v=DMARC1")
		}
		return
	}
	policy := strings.ToLower(tagList(records[0])["p"])
	switch {
	case len(records) > 1:
		l.shows(invalid, l.domain, fmt.Sprintf("%d records:\n%s", len(records), strings.Join(records, "\n")))
	case policy == "none":
		l.shows(none, l.domain, records[0])
	case policy != "quarantine" && policy != "reject":
		l.shows(invalid, l.domain, records[0])
	}
}

// dmarcAbove reports whether a domain above has a record, which holds for those
// below. When nobody knows, the rule is not covered.
func (l *look) dmarcAbove() bool {
	for _, parent := range above(l.domain) {
		a := l.ask("_dmarc."+parent, "TXT", "dmarc-missing")
		if a == nil {
			return true // better to say nothing than what may be wrong
		}
		for _, t := range data(a, "TXT") {
			if strings.HasPrefix(t, "v=DMARC1") {
				return true
			}
		}
	}
	return false
}
