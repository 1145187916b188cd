package record

import (
	"fmt"

	"github.com/leeward-ctem/leeward/exposure"
)

// Covered says that the scan looked at an asset completely for a class of
// checks, or for rules of it. It is stated when the report ends well, and for an
// asset once with all its rules. Never say so of an asset that is only listed
// where something was found, unless the format lists what was looked at.
func (r *Report) Covered(a exposure.AssetRef, class string, rules ...string) {
	r.covered("", a, class, exposure.PortRange{}, rules)
}

// CoveredBy is [Report.Covered] in a report of several tools.
func (r *Report) CoveredBy(tool string, a exposure.AssetRef, class string, rules ...string) {
	r.covered(tool, a, class, exposure.PortRange{}, rules)
}

// CoveredAt is [Report.Covered] of some ports of the asset alone.
func (r *Report) CoveredAt(a exposure.AssetRef, class string, ports exposure.PortRange, rules ...string) {
	r.covered("", a, class, ports, rules)
}

// covered notes what was looked at; "" is the report's own tool, and the zero
// range no limit.
func (r *Report) covered(tool string, a exposure.AssetRef, class string, ports exposure.PortRange, rules []string) {
	if r.cover == nil {
		r.cover = map[string]*exposure.Observation{}
	}
	key := fmt.Sprint(tool, "\x00", class, "\x00", a.Key())
	if ports != (exposure.PortRange{}) {
		key += fmt.Sprint("\x00", ports)
	}
	o := r.cover[key]
	if o == nil {
		if len(r.cover) == maxCover {
			return
		}
		o = &exposure.Observation{Kind: exposure.ObservedCoverage, Tool: tool, Asset: a, Class: class, Coverage: &exposure.Coverage{Class: class}}
		if ports != (exposure.PortRange{}) {
			o.Coverage.Ports = []exposure.PortRange{ports}
		}
		r.cover[key] = o
		r.order = append(r.order, key)
	}
	for _, rule := range rules {
		if rule != "" && (len(o.Coverage.Rules) == 0 || o.Coverage.Rules[len(o.Coverage.Rules)-1] != rule) {
			o.Coverage.Rules = append(o.Coverage.Rules, rule)
		}
	}
}
