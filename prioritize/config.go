// Package prioritize says how much each finding matters and why: a threat
// hazard from intelligence, reach and controls from the asset's context,
// validation from what was proved, and the loss of the business services
// behind it. The product is an expected loss over the next thirty days, shown
// on a fixed logarithmic scale from 0 to 1000, and it decomposes exactly into
// named factors. Policy (due dates, SSVC) is on top and separate.
//
// The formulas and their sources are in docs/risk.md.
package prioritize

import (
	"math"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize/policy"
)

// Config is what an organisation may set. The zero value of a field is its
// default.
type Config struct {
	// Targeted is ω, the share of attacked organisations that this one is
	// among when a weakness is used anywhere. Default 0.05.
	Targeted float64 `yaml:"targeted,omitempty" json:"targeted,omitempty"`
	// Actors is T ∈ [0.5, 2] of what nothing is known: how much the actors of
	// our sector and country are at work at all. Default 1.
	Actors float64 `yaml:"actors,omitempty" json:"actors,omitempty"`
	// LossMin and LossMax are the expected losses over 30 days shown as 0 and
	// as 1000, in currency. Defaults 0.01 and 1,000,000.
	LossMin float64 `yaml:"loss_min,omitempty" json:"loss_min,omitempty"`
	LossMax float64 `yaml:"loss_max,omitempty" json:"loss_max,omitempty"`
	// Loss is the loss of an asset of tier 3 without a business service, in
	// currency; each tier is worth √10 times the next. Default 100,000.
	Loss float64 `yaml:"loss,omitempty" json:"loss,omitempty"`
	// Bands are the least points of low, medium, high and critical. Default
	// 200, 400, 550, 700.
	Bands []int `yaml:"bands,omitempty" json:"bands,omitempty"`
	// SLA are the days until findings of the bands low, medium, high and
	// critical are due. Default 180, 90, 30, 7. 0: never.
	SLA []int `yaml:"sla,omitempty" json:"sla,omitempty"`
	// Policies beside the SLA by name: shipped ones, as bod-26-04, and the
	// organisation's own. Default bod-26-04 and fedramp-vdr; [none] is none.
	Policies []string `yaml:"policies,omitempty" json:"policies,omitempty"`
	// Weights of first exploitation in place of the shipped ones.
	Weights *Weights `yaml:"weights,omitempty" json:"weights,omitempty"`
}

// minTargeted is the least share that can be set.
const minTargeted = 0.0001

// horizon is h, the days a risk looks ahead.
const horizon = 30

func (c Config) withDefaults() Config {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&c.Targeted, 0.05)
	set(&c.Actors, 1)
	set(&c.LossMin, 0.01)
	set(&c.LossMax, 1e6)
	set(&c.Loss, 1e5)
	if c.Bands == nil {
		c.Bands = []int{200, 400, 550, 700}
	}
	if c.SLA == nil {
		c.SLA = []int{180, 90, 30, 7}
	}
	if c.Policies == nil {
		c.Policies = []string{policy.BOD, policy.VDR}
	}
	return c
}

// Validate says what is wrong with a configuration, in words for the person
// who wrote it. Whether its policies are there is known to [New].
func (c Config) Validate() error {
	c = c.withDefaults()
	within := func(name string, v, low, high float64) error {
		if math.IsNaN(v) || v < low || v > high {
			return exposure.Errorf(exposure.Invalid, "risk: %s is %g: it must be between %g and %g", name, v, low, high)
		}
		return nil
	}
	for _, err := range []error{
		within("targeted", c.Targeted, minTargeted, 1),
		within("actors", c.Actors, actorsLeast, actorsMost),
		within("loss_min", c.LossMin, 1e-6, 1e9),
		within("loss_max", c.LossMax, c.LossMin*100, 1e15),
		within("loss", c.Loss, 1, 1e15),
	} {
		if err != nil {
			return err
		}
	}
	if len(c.Bands) != 4 || len(c.SLA) != 4 {
		return exposure.Errorf(exposure.Invalid, "risk: bands and sla take four numbers, for low, medium, high and critical")
	}
	for i, b := range c.Bands {
		if b < 1 || b > 1000 || i > 0 && b <= c.Bands[i-1] {
			return exposure.Errorf(exposure.Invalid, "risk: bands %v must rise within 1 … 1000", c.Bands)
		}
	}
	for _, d := range c.SLA {
		if d < 0 || d > 3650 {
			return exposure.Errorf(exposure.Invalid, "risk: sla %v: days must be within 0 … 3650", c.SLA)
		}
	}
	if c.Weights != nil {
		if err := c.Weights.check(); err != nil {
			return err
		}
	}
	return nil
}
