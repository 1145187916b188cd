package mobilize

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// kind is the type of a remediation.
type kind uint8

const (
	upgrade kind = iota
	configure
	rotate
	closing
	coding
	decommission
	accept
)

// kindNames are the types as exposure.Remediation spells them.
var kindNames = [...]string{"upgrade", "config", "rotate_secret", "network", "code", "decommission", "accept"}

func (k kind) String() string { return kindNames[k] }

// way is how findings of an advisory get fixed. What there is at the place
// decides between the two.
type way struct {
	component kind // the place names a component: one fix for all of its advisories
	byRule    bool // not so: the component does not matter
	otherwise kind // one fix for all findings of the rule
}

// The ways, by sort of exposure:
//
//	vulnerability    upgrade of the component; without one, the vendor's fix of
//	                 a CVE, else the configuration
//	  no longer made decommission
//	license          decommission: something else takes the component's place
//	service          network when it is a port, see subject; else accept
//	secret           rotate_secret
//	credential       rotate_secret
//	misconfiguration config
//	identity         config
//	web              config for what the server's settings decide, else code
//	code, logic      code
func wayOf(a *exposure.Advisory) way {
	switch a.Type {
	case exposure.TypeVulnerability:
		switch {
		case unmaintained(a):
			return way{component: decommission, otherwise: decommission}
		case published(a):
			return way{component: upgrade, otherwise: upgrade}
		}
		return way{component: upgrade, otherwise: configure}
	case exposure.TypeLicense:
		return way{component: decommission, otherwise: accept}
	case exposure.TypeService:
		return way{byRule: true, otherwise: accept}
	case exposure.TypeSecret, exposure.TypeCredential:
		return way{byRule: true, otherwise: rotate}
	case exposure.TypeMisconfiguration, exposure.TypeIdentity:
		return way{byRule: true, otherwise: configure}
	case exposure.TypeWeb:
		if slices.ContainsFunc(a.CWEs, func(n int) bool { return slices.Contains(settings[:], n) }) {
			return way{byRule: true, otherwise: configure}
		}
	}
	return way{byRule: true, otherwise: coding}
}

// settings are the weaknesses of web applications that a line in the
// configuration of the server or framework removes: headers, cookies, TLS,
// listings. Numbers of https://cwe.mitre.org
var settings = [...]int{
	16,   // configuration
	319,  // cleartext transmission
	525,  // caching by browsers
	548,  // directory listing
	614,  // cookie without Secure
	693,  // protection mechanism failure: a missing header
	942,  // permissive cross-domain policy
	1004, // cookie without HttpOnly
	1021, // frames
	1275, // cookie with improper SameSite
}

// published reports whether the world knows the weakness, so that there is, or
// will be, a vendor's fix.
func published(a *exposure.Advisory) bool {
	return len(a.CVEs) > 0 || strings.HasPrefix(a.Key, "CVE-") || strings.HasPrefix(a.Key, "GHSA-")
}

// abandoned are the words of scanners for software that gets no fixes any more.
var abandoned = [...]string{"end of life", "end-of-life", "end of support", "no longer supported", "no longer maintained", "unsupported version", "unsupported operating system"}

// unmaintained reports whether the weakness is that nobody maintains the
// software: CWE-1104, or a check that says so. A CVE in such software is not
// meant; it may well have a fix.
func unmaintained(a *exposure.Advisory) bool {
	if published(a) {
		return false
	}
	if slices.Contains(a.CWEs, 1104) {
		return true
	}
	title := strings.ToLower(a.Title)
	return slices.ContainsFunc(abandoned[:], func(words string) bool { return strings.Contains(title, words) })
}
