package index

import (
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// Knowing returns the view as it would be if this were known of advisories, by
// their numbers. It shares with v all that does not change.
func (v *View) Knowing(threats map[exposure.AdvisoryID]exposure.Threat) *View {
	n := v.next()
	n.advisories, n.advFactors = slices.Clone(v.advisories), slices.Clone(v.advFactors)
	for id, threat := range threats {
		if int(id) >= len(n.advisories) {
			continue
		}
		changed := *n.advisories[id]
		changed.Threat = threat
		n.advisories[id], n.advFactors[id] = &changed, n.scorer.model.Advisory(&changed)
	}
	n.rescore()
	return n
}

// Advisories is the number after that of the last advisory the view knows.
func (v *View) Advisories() exposure.AdvisoryID { return exposure.AdvisoryID(len(v.advisories)) }

// Component is what filters match of the component at a place: its package URL
// or name@version in lower case, "" when there is none.
func (v *View) Component(id exposure.LocationID) string {
	if int(id) >= len(v.places) {
		return ""
	}
	return v.places[id].component
}

// Moved counts the open findings that are in another band in w, a state of the
// same findings.
func (v *View) Moved(w *View) (n int) {
	for k, c := range v.chunks[:min(len(v.chunks), len(w.chunks))] {
		other := w.chunks[k]
		for j := range min(chunkRows, v.n-k*chunkRows) {
			if exposure.Status(c.state[j]&15).Open() && v.scorer.bands.Of(c.risk[j]) != w.scorer.bands.Of(other.risk[j]) {
				n++
			}
		}
	}
	return n
}
