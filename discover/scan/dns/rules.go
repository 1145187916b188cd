package dns

import (
	"strings"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
)

// rule is a kind of weakness.
type rule struct {
	id        string
	title     string
	why, fix  string
	severity  exposure.Severity
	cwe       int
	reference string
}

const remove = "Remove the record, or bring back what it leads to."

// rules are all kinds of weakness.
func rules() []rule {
	const info, low, medium, high = exposure.SeverityInfo, exposure.SeverityLow, exposure.SeverityMedium, exposure.SeverityHigh
	return []rule{
		{id: "takeover", title: "A name leads to a service that anybody can take", why: "The name is an alias of one at a provider that nobody has there. Whoever registers it there speaks in your name.", fix: remove, severity: high, cwe: 350, reference: takeoverSource},
		{id: "dangling-alias", title: "A name leads to one that does not exist", why: "Whoever gets hold of the name that it leads to, by registering its domain, speaks in your name.", fix: remove, severity: medium, cwe: 350},
		{id: "dangling-name-server", title: "A name server of the domain does not exist", why: "Whoever gets hold of its name answers for the domain.", fix: "Take it from the domain, here and at the registry.", severity: high, cwe: 350},
		{id: "dangling-mail-exchanger", title: "A mail exchanger of the domain does not exist", why: "Whoever gets hold of its name receives mail of the domain.", fix: remove, severity: medium, cwe: 350},
		{id: "single-name-server", title: "The domain has one name server only", why: "When it is away, so is all that has a name there (RFC 2182).", fix: "Add another one, in another network.", severity: low},
		{id: "private-address", title: "A public name has a private address", why: "It tells everybody how the network is built, and a client elsewhere connects to whatever has the address there.", fix: "Answer with private addresses within the house only.", severity: low, cwe: 200},
		{id: "zone-transfer", title: "A name server gives the whole zone to anybody", why: "Every name of the zone is a target that need not be guessed any more.", fix: "Allow transfers to the other name servers only.", severity: medium, cwe: 200},
		{id: "wildcard", title: "Every name below the domain exists", why: "Certificates, cookies and links of names that nobody set up lead to one machine; scans cannot tell what is there.", fix: "Replace the wildcard by the names that are wanted, if you can.", severity: info},
		{id: "no-caa", title: "The domain does not say which authorities may issue certificates", why: "Any authority may (RFC 8659).", fix: "Publish CAA records with the authorities that you use.", severity: info, cwe: 295},

		{id: "spf-missing", title: "The domain receives mail and does not say who may send it", why: "Others send mail in its name more easily.", fix: "Publish an SPF record (RFC 7208).", severity: medium, cwe: 290},
		{id: "spf-invalid", title: "The SPF record is broken", why: "Receivers treat a broken record as none, or refuse the mail.", fix: "Publish exactly one record, and mind RFC 7208.", severity: medium, cwe: 290},
		{id: "spf-allows-all", title: "The SPF record allows everybody to send", why: "Its last word is +all.", fix: "End it with -all or ~all.", severity: high, cwe: 290},
		{id: "spf-too-many-lookups", title: "The SPF record needs more than ten lookups", why: "Receivers stop at ten and treat the record as broken (RFC 7208, section 4.6.4).", fix: "Name networks in place of includes that are not needed any more.", severity: low, cwe: 290},
		{id: "dkim-weak-key", title: "A DKIM key is too short", why: "Who breaks it signs mail in the name of the domain (RFC 8301).", fix: "Use an RSA key of 2048 bits, or Ed25519.", severity: medium, cwe: 326},
		{id: "dmarc-missing", title: "The domain receives mail and has no DMARC record", why: "Receivers do not know what to do with mail that others send in its name.", fix: "Publish one (RFC 7489), with p=none and reports to begin with.", severity: medium, cwe: 290},
		{id: "dmarc-invalid", title: "The DMARC record is broken", why: "Receivers treat it as none.", fix: "Publish exactly one record that begins with v=DMARC1, with a policy p.", severity: medium, cwe: 290},
		{id: "dmarc-none", title: "DMARC asks receivers to do nothing", why: "Mail that others send in the name of the domain is delivered.", fix: "When the reports show that your own mail passes, set p=quarantine, then p=reject.", severity: low, cwe: 290},
	}
}

func ruleOf(id string) rule {
	for _, r := range rules() {
		if r.id == id {
			return r
		}
	}
	return rule{id: id, title: id, severity: exposure.SeverityInfo}
}

const maxText = 600

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
