package prioritize

import (
	"math"

	"github.com/leeward-ctem/leeward/exposure"
)

// Hazard is λ of a finding per day if every attack hit this organisation: what
// [Config.Targeted] is the share of.
func (m *Model) Hazard(e Evidence) float64 {
	v, adv, ctx := m.vectorOf(e.Advisory), m.Advisory(e.Advisory), m.Context(e.Context)
	return (adv.Log - m.targeted() + ctx.Reach[v.reach] + m.Validation(e.Detection, e.Verdict)).Value()
}

// priorIncidents is how many incidents the default of Targeted is worth: it
// moves by half when twice as many were to be expected and none, or that many,
// came.
const priorIncidents = 2

// FitTargeted estimates ω from how many incidents there were and how many
// there would have been if every attack had hit: the mean of the posterior of a
// Poisson rate whose prior is a gamma distribution around the default (A.
// Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.6).
func FitTargeted(incidents int, expected float64) (float64, error) {
	if incidents < 0 || !(expected >= 0) || math.IsInf(expected, 0) {
		return 0, exposure.Errorf(exposure.Invalid, "%d incidents of %g expected tell nothing", incidents, expected)
	}
	usual := Config{}.withDefaults().Targeted
	w := (priorIncidents + float64(incidents)) / (priorIncidents/usual + expected)
	return min(max(w, minTargeted), 1), nil
}
