package prioritize

import (
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// The names of the policies beside the organisation's own SLA.
const (
	policySLA = "sla"
	policyBOD = "bod-26-04"
	policyVDR = "fedramp-vdr"
)

// Bits of an advisory's policy class.
const (
	bitKEV         = 1 << iota // in CISA's catalogue
	bitAutomatable             // SSVC automatable, or as the CVSS vector suggests
	bitTotal                   // technical impact total
	bitExploitable             // exploited, or an exploit is public, or EPSS ≥ 10 %
	bitNamed                   // a published vulnerability, which the federal rules speak of
	policies       = 1 << iota
)

func policyOf(a *exposure.Advisory, v vector) uint8 {
	h := &a.Threat
	var p uint8
	set := func(bit uint8, on bool) {
		if on {
			p |= bit
		}
	}
	set(bitKEV, h.KEV())
	set(bitAutomatable, h.Automatable == "yes" || h.Automatable == "" && v.automatable)
	set(bitTotal, h.Impact == "total" || h.Impact == "" && v.c == 2 && v.i == 2)
	set(bitExploitable, h.KEV() || h.ObservedDay+h.MetasploitDay+h.NucleiDay != 0 || h.EPSS >= 0.1)
	set(bitNamed, hasAdvisory(a))
	return p
}

// bodDays is CISA's Binding Operational Directive 26-04, remediation timelines
// 1.0.0 (https://github.com/CERTCC/SSVC, decision table cisa:BOD_26_04): days
// by KEV × publicly exposed × automatable × total technical impact; 0 is "fix
// on system upgrade".
func bodDays(kev, exposed, automatable, total bool) int {
	switch {
	case kev && total && (exposed || automatable), kev && exposed && automatable, exposed && automatable && total:
		return 3
	case kev, exposed && automatable, exposed && total:
		return 14
	case exposed, automatable:
		return 60
	}
	return 0
}

// vdrDays is FedRAMP's Vulnerability Detection and Response standard: days to
// mitigate by whether it is likely exploitable and internet-reachable.
func vdrDays(exploitable, reachable bool) int {
	switch {
	case exploitable && reachable:
		return 4
	case exploitable:
		return 14
	case reachable:
		return 30
	}
	return 0
}

// dueTable lays all policies out: the earliest wins. Days of rules that follow
// a KEV listing run from the listing when that is later than first sight.
func dueTable(c Config) exposure.DueTable {
	t := exposure.DueTable{Rules: []string{"", policySLA, policyBOD, policyVDR}, Contexts: 2, Policies: policies}
	for band := range 5 {
		for p := range policies {
			for exposed := range 2 {
				t.Cells = append(t.Cells, dueCell(c, exposure.Band(band), p, exposed == 1))
			}
		}
	}
	return t
}

func dueCell(c Config, band exposure.Band, policy int, exposed bool) exposure.DueCell {
	cell := exposure.DueCell{Days: exposure.NoDue, KEVDays: exposure.NoDue}
	earliest := func(days int, rule uint8) {
		if days > 0 && uint16(days) < cell.Days {
			cell.Days, cell.Rule = uint16(days), rule
		}
	}
	if band > exposure.BandNone {
		earliest(c.SLA[band-1], 1)
	}
	has := func(bit int) bool { return policy&bit != 0 }
	if !has(bitNamed) {
		return cell
	}
	if slices.Contains(c.Policies, policyBOD) && (band > exposure.BandNone || has(bitKEV)) {
		days := bodDays(has(bitKEV), exposed, has(bitAutomatable), has(bitTotal))
		if has(bitKEV) {
			cell.KEVDays, cell.KEVRule = uint16(days), 2
		} else {
			earliest(days, 2)
		}
	}
	if slices.Contains(c.Policies, policyVDR) && band > exposure.BandNone {
		earliest(vdrDays(has(bitExploitable), exposed), 3)
	}
	return cell
}

// ssvc is the label of CISA's SSVC tree 2.0.3
// (https://github.com/CERTCC/SSVC, decision table cisa:CISA_Coordinator): Track,
// Track*, Attend or Act, by exploitation, automatable, technical impact, and
// mission impact as the asset's tier suggests.
func ssvc(a *exposure.Advisory, v vector, tier int) string {
	h := &a.Threat
	exploitation := 0
	switch {
	case h.KEV() || h.ObservedDay != 0:
		exploitation = 2
	case h.MetasploitDay+h.NucleiDay+h.ArchiveDay+h.PoCDay != 0:
		exploitation = 1
	}
	p := policyOf(a, v)
	mission := 1
	switch tier {
	case 1:
		mission = 2
	case 4:
		mission = 0
	}
	row := exploitation*12 + int(p>>1&1)*6 + int(p>>2&1)*3 + mission
	return [...]string{"Track", "Track*", "Attend", "Act"}[ssvcTree[row]-'0']
}

// ssvcTree holds the 36 outcomes in the order exploitation (none, poc,
// active) × automatable (no, yes) × impact (partial, total) × mission (low,
// medium, high): 0 Track, 1 Track*, 2 Attend, 3 Act.
const ssvcTree = "000001" + "002002" + "001012" + "002012" + "002023" + "223233"
