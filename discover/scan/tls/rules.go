package tls

import (
	"strings"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
)

// rule is a kind of weakness.
type rule struct {
	id         string
	title      string
	why, fix   string
	severity   exposure.Severity
	cwe        int
	advisories []string
	trust      bool // it takes knowing whom clients trust
}

// weakness is a rule and what showed it.
type weakness struct {
	rule     rule
	severity exposure.Severity
	evidence string
}

const (
	modern  = "Allow TLS 1.2 and 1.3 only (RFC 9325)."
	forward = "Allow suites with ECDHE and AES-GCM or ChaCha20-Poly1305 only (RFC 9325)."
	renew   = "Renew the certificate, and let that happen by itself (ACME, RFC 8555)."
)

// rules are all kinds of weakness.
func rules() []rule {
	const low, medium, high, critical = exposure.SeverityLow, exposure.SeverityMedium, exposure.SeverityHigh, exposure.SeverityCritical
	return []rule{
		{id: "ssl-2", title: "SSL 2.0 is offered", why: "It is broken, and the sessions of newer versions under the same key can be decrypted by its help (DROWN).", fix: modern, severity: critical, cwe: 327, advisories: []string{"CVE-2016-0800"}},
		{id: "ssl-3", title: "SSL 3.0 is offered", why: "It is broken, and must not be used (RFC 7568).", fix: modern, severity: high, cwe: 327},
		{id: "poodle", title: "SSL 3.0 with CBC is offered (POODLE)", why: "Who stands between reads parts of what is sent, such as cookies.", fix: modern, severity: medium, cwe: 310, advisories: []string{"CVE-2014-3566"}},
		{id: "tls-1.0", title: "TLS 1.0 is offered", why: "It rests on MD5 and SHA-1, and must not be used (RFC 8996).", fix: modern, severity: medium, cwe: 327},
		{id: "tls-1.1", title: "TLS 1.1 is offered", why: "It rests on MD5 and SHA-1, and must not be used (RFC 8996).", fix: modern, severity: medium, cwe: 327},
		{id: "no-modern-version", title: "Neither TLS 1.2 nor 1.3 is offered", why: "Clients of today refuse to talk to it or must talk in a version that is broken.", fix: modern, severity: high, cwe: 327},
		{id: "no-fallback-protection", title: "Being made to use an older version goes unnoticed", why: "Who stands between can make clients fall back (RFC 7507).", fix: "Update the TLS library, or " + strings.ToLower(modern[:1]) + modern[1:], severity: low, cwe: 757},

		{id: "null-cipher", title: "Suites without encryption are offered", why: "What is sent can be read by everybody on the way.", fix: forward, severity: high, cwe: 319},
		{id: "anonymous", title: "Suites without authentication are offered", why: "Who stands between can be the server.", fix: forward, severity: high, cwe: 287},
		{id: "freak", title: "RSA suites for export are offered (FREAK)", why: "Keys of 512 bits are broken within hours, and clients can be talked into them.", fix: forward, severity: high, cwe: 310, advisories: []string{"CVE-2015-0204"}},
		{id: "logjam", title: "Diffie-Hellman suites for export are offered (Logjam)", why: "Groups of 512 bits are broken, and clients can be talked into them.", fix: forward, severity: high, cwe: 310, advisories: []string{"CVE-2015-4000"}},
		{id: "weak-cipher", title: "Ciphers with keys of 56 bits or less are offered", why: "Every key can be tried.", fix: forward, severity: high, cwe: 326},
		{id: "rc4", title: "RC4 is offered", why: "What is sent again and again can be read (RFC 7465).", fix: forward, severity: medium, cwe: 310, advisories: []string{"CVE-2013-2566", "CVE-2015-2808"}},
		{id: "sweet32", title: "Ciphers with blocks of 64 bits are offered (SWEET32)", why: "In long sessions parts of what is sent, such as cookies, can be read.", fix: forward, severity: medium, cwe: 327, advisories: []string{"CVE-2016-2183"}},
		{id: "static-rsa", title: "Suites without forward secrecy are offered", why: "Who gets hold of the key some day reads what was recorded before.", fix: forward, severity: low, cwe: 326},
		{id: "weak-dh", title: "Diffie-Hellman groups of less than 2048 bits are used", why: "Groups of 1024 bits are within the means of states, smaller ones within those of anybody.", fix: "Use groups of 2048 bits or more (RFC 7919), or ECDHE alone.", severity: medium, cwe: 326},
		{id: "compression", title: "What is encrypted is compressed before (CRIME)", why: "The length tells what is sent, such as cookies.", fix: "Switch compression of TLS off.", severity: medium, cwe: 310, advisories: []string{"CVE-2012-4929"}},
		{id: "insecure-renegotiation", title: "Secure renegotiation is not supported", why: "Where renegotiation is allowed, who stands between can put something in front of what a client sends (RFC 5746).", fix: "Update the TLS library.", severity: medium, cwe: 310},

		{id: "expired-certificate", title: "The certificate is expired", why: "Clients refuse the connection, or people learn to click the warning away.", fix: renew, severity: high, cwe: 298},
		{id: "expiring-certificate", title: "The certificate expires within 30 days", why: "When nobody renews it, clients will refuse the connection.", fix: renew, severity: low, cwe: 298},
		{id: "certificate-not-yet-valid", title: "The certificate is not valid yet", why: "Clients refuse the connection.", fix: "Set the clock, or use a certificate that is valid now.", severity: medium, cwe: 298},
		{id: "name-mismatch", title: "The certificate is not for this name", why: "Clients that reach the service by this name refuse the connection.", fix: "Take the name into the certificate.", severity: medium, cwe: 297},
		{id: "self-signed", title: "The certificate is signed by itself", why: "Clients cannot tell it from that of somebody who stands between.", fix: "Use a certificate of an authority that clients trust, a private one within the house.", severity: medium, cwe: 295, trust: true},
		{id: "unknown-issuer", title: "The certificate is of an authority that is not known", why: "Clients that do not know the authority either refuse the connection. A private one is in order where all clients know it.", fix: "Use a certificate of an authority that clients trust, or give that authority to the clients, and to the machine that scans.", severity: medium, cwe: 295, trust: true},
		{id: "missing-intermediate", title: "A certificate of the chain is missing", why: "Clients that do not fetch it by themselves refuse the connection.", fix: "Send the intermediate certificates as well.", severity: low, cwe: 296, trust: true},
		{id: "weak-key", title: "The key of a certificate is too short", why: "RSA of less than 2048 bits, elliptic curves of less than 224, and DSA protect too little.", fix: "Make a new key: ECDSA with P-256 or RSA with 2048 bits or more.", severity: high, cwe: 326},
		{id: "weak-signature", title: "A certificate is signed with MD5 or SHA-1", why: "Others with the same signature can be made; clients refuse it.", fix: "Have it signed with SHA-256 or better.", severity: medium, cwe: 328},
		{id: "long-validity", title: "The certificate is valid for longer than allowed", why: "Authorities agreed on less for what clients trust, and clients refuse it.", fix: renew, severity: low, cwe: 298, trust: true},
	}
}

const maxEvidence = 600

// observation states a weakness.
func (r rule) observation(at exposure.Location, w weakness) exposure.Observation {
	o := exposure.Observation{
		Kind: exposure.ObservedWeakness, Class: class, Rule: class + "/" + r.id, Title: r.title, Description: r.why, Solution: r.fix,
		Severity: w.severity, CWEs: []int{r.cwe}, Advisories: r.advisories, Location: at, Detection: exposure.DetectionRemote, Confidence: 98,
	}
	if text := clip(clean(w.evidence), maxEvidence); text != "" {
		o.Evidence = []exposure.Evidence{{Kind: "output", Text: text}}
	}
	return o
}

// clean makes printable what somebody sent.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s))
}

// clip cuts a text to so many bytes, never within a character.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
