package stixform

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

// sectors are those of [exposure.Sectors] that words of the vocabulary
// industry-sector-ov mean. Other words are passed over.
func sectors(words ...string) []string {
	var all []string
	for _, w := range words {
		w = strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(strings.TrimSpace(w)))
		switch w {
		case "government-national", "government-regional", "government-local", "government-public-services", "emergency-services":
			w = "government"
		case "dams", "nuclear", "water":
			w = "infrastructure"
		}
		if exposure.ValidSector(w) {
			all = append(all, w)
		}
	}
	return all
}

// countries are the codes of countries that words mean: so far only codes.
func countries(words ...string) []string {
	var all []string
	for _, w := range words {
		if code := strings.ToUpper(strings.TrimSpace(w)); exposure.ValidCountry(code) {
			all = append(all, code)
		}
	}
	return all
}

// joined adds words to a sorted list of targets, as many as an entry may have.
func joined(known, more []string) []string {
	all := append(slices.Clone(known), more...)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), intel.MaxTargets)]
}
