package intel

import "github.com/leeward-ctem/leeward/exposure"

// Rise is by how much a score grows from one edition to the next when
// something happened: an exploit was published, or attacks were seen. Scores
// move by a few thousandths a day without it.
const Rise = 0.1

// Rose reports whether a score grew suddenly. A first score is no rise, and
// neither is that of another model: when the model changes, all scores do.
func Rose(before, after *exposure.Threat) bool {
	return before.Scored() && before.EPSSModel == after.EPSSModel && after.EPSS-before.EPSS >= Rise
}
