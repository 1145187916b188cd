package stixform

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/target"
)

// aims are whom somebody attacks. STIX states that by relationships to
// identities and locations, which hardly anybody writes; ATT&CK has prose.
type aims struct{ sectors, countries []string }

// country is the code of a location, none if it is a region or a town.
func country(o *object) []string {
	for _, word := range []string{strings.ToUpper(strings.TrimSpace(o.Country)), o.Country, o.Name} {
		if code, ok := target.Country(word); ok {
			return []string{code}
		}
	}
	return nil
}

// trades are the sectors of an identity. One that is a class of people may be
// called by theirs.
func trades(o *object) []string {
	words := o.Sectors
	if o.Class == "class" {
		words = append(words, o.Name)
	}
	return target.Sectors(words...)
}

// infer gives an entry the targets of its description, unless any are stated.
func (a *aims) infer(e *intel.Entry) {
	if len(e.Sectors)+len(e.Countries) == 0 && len(a.sectors)+len(a.countries) > 0 {
		e.Sectors, e.Countries, e.Inferred = a.sectors, a.countries, true
	}
}

// joined adds words to a sorted list of targets, as many as an entry may have.
func joined(known, more []string) []string {
	all := append(slices.Clone(known), more...)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), intel.MaxTargets)]
}
