package exposure

import (
	"math"
)

// Nats is a natural logarithm in units of 1/4096. The risk model multiplies
// probabilities and losses, so it adds logarithms; adding integers makes every
// sum exact, the same on every machine, and monotone, so that an explanation
// adds up to the score by construction and not by rounding.
type Nats int32

// NatsOne is the unit: ln e.
const NatsOne Nats = 4096

// NatsOf returns ln x, rounded to the nearest step. x ≤ 0 gives a value that
// no sum of factors can lift above the lowest risk.
func NatsOf(x float64) Nats {
	if !(x > 1e-30) {
		return -70 * NatsOne
	}
	return Nats(math.Round(math.Log(min(x, 1e30)) * float64(NatsOne)))
}

// Value returns e to the n.
func (n Nats) Value() float64 { return math.Exp(float64(n) / float64(NatsOne)) }

// Risk is the place of an expected loss on the organisation's logarithmic
// scale, 0…65535. People see [Risk.Points].
type Risk uint16

// Points is the risk on the scale people see, 0…1000.
func (r Risk) Points() int { return (int(r)*1000 + 32767) / 65535 }

// RiskAt returns the least risk that shows as at least the given points.
func RiskAt(points int) Risk {
	switch {
	case points <= 0:
		return 0
	case points > 1000:
		return math.MaxUint16
	}
	r := Risk(max(0, (points*65535-32767)/1000-2))
	for r.Points() < points {
		r++
	}
	return r
}

// The shapes of the factor tables.
const (
	Vectors = 5  // attack vector: network, adjacent, local, physical, unknown
	Impacts = 27 // confidentiality × integrity × availability, each none, low, high
)

// AdvisoryFactor is what the model makes of an advisory alone.
type AdvisoryFactor struct {
	Log    Nats   // ln(λ_c·ω·T·S): hazard per day before reach, controls and validation
	Vector uint8  // row of ContextFactor.Reach
	Impact uint8  // row of ContextFactor.Loss
	Policy uint16 // row of DueTable
	KEVDay uint16 // day of listing, 0 when not listed
}

// ContextFactor is what the model makes of an asset's context alone.
type ContextFactor struct {
	Reach  [Vectors]Nats // ln(R·controls) by attack vector
	Loss   [Impacts]Nats // ln of the expected loss when it succeeds
	Policy uint16        // column of DueTable
}

// Curve turns a hazard and a loss into risk. The zero Curve is not usable; the
// model in package prioritize makes it.
type Curve struct {
	// P[i] is ln(1−exp(−λh)) for ln λ = PFirst + i·PStep.
	P             []Nats
	PFirst, PStep Nats
	Min, Max      Nats // ln of the expected loss that is shown as 0 and as 1000
}

// Probability returns ln p of at least one success within the horizon for the
// hazard ln λ per day. It never decreases with the hazard.
func (c *Curve) Probability(hazard Nats) Nats {
	i := int(hazard-c.PFirst) / int(c.PStep)
	if hazard < c.PFirst {
		return c.P[0] + (hazard - c.PFirst) // far below one, ln p is ln λ + ln h
	}
	if i >= len(c.P)-1 {
		return c.P[len(c.P)-1]
	}
	lo, hi := c.P[i], c.P[i+1]
	rest := int(hazard-c.PFirst) - i*int(c.PStep)
	return lo + Nats(int(hi-lo)*rest/int(c.PStep))
}

// Risk returns the risk of a hazard ln λ with the loss ln L.
func (c *Curve) Risk(hazard, loss Nats) Risk {
	el := c.Probability(hazard) + loss
	switch {
	case el <= c.Min:
		return 0
	case el >= c.Max:
		return math.MaxUint16
	}
	return Risk(int64(el-c.Min) * math.MaxUint16 / int64(c.Max-c.Min))
}

// ExpectedLoss returns the loss that r stands for, in currency over the horizon.
func (c *Curve) ExpectedLoss(r Risk) float64 {
	return (c.Min + Nats(int64(c.Max-c.Min)*int64(r)/math.MaxUint16)).Value()
}

// Bands are the least risks of the bands low, medium, high and critical.
type Bands [4]Risk

// Of returns the band of a risk.
func (b *Bands) Of(r Risk) Band {
	band := BandNone
	for _, least := range b {
		if r >= least {
			band++
		}
	}
	return band
}

// NoDue marks a finding without due date.
const NoDue = math.MaxUint16

// DueTable holds, by band × class of advisory × class of context, the days until a
// finding is due, and which rule says so. The earliest rule wins.
type DueTable struct {
	Rules    []string // names, by number: "bod-26-04: kev yes, exposed yes"
	Contexts int      // classes of contexts that the policies tell apart
	Policies int      // classes of advisories that the policies tell apart
	// Cells[(band·Policies+advisory)·Contexts+context]
	Cells []DueCell
}

// DueCell is one cell of a DueTable: two candidates, because days that run
// from first sight and days that run from a KEV listing start apart.
type DueCell struct {
	Days, KEVDays uint16 // NoDue: none
	Rule, KEVRule uint16
}

// Due returns the day a finding is due and the rule that binds. What would be
// due after the last day that a date can hold is due on that day.
func (t *DueTable) Due(b Band, advisory, context uint16, firstSeen, kev uint16) (day, rule uint16) {
	c := &t.Cells[(int(b)*t.Policies+int(advisory))*t.Contexts+int(context)]
	day, rule = NoDue, 0
	if c.Days != NoDue {
		day, rule = later(firstSeen, c.Days), c.Rule
	}
	if c.KEVDays != NoDue {
		if k := later(max(firstSeen, kev), c.KEVDays); k < day {
			day, rule = k, c.KEVRule
		}
	}
	return day, rule
}

// later is a number of days after a day, without running over the end.
func later(day, days uint16) uint16 { return uint16(min(int(day)+int(days), NoDue-1)) }

// Model is everything the index needs to score a finding: pure tables and
// functions of one risk model and policy version.
type Model interface {
	Version() string
	Advisory(a *Advisory) AdvisoryFactor
	Context(c *Context) ContextFactor
	Validation(d Detection, v VerdictKind) Nats // ln V
	Curve() *Curve
	Bands() *Bands
	Due() *DueTable
}

// Factor is one step of an explanation.
type Factor struct {
	Name   string `json:"name"`   // "threat", "reach" …
	Label  string `json:"label"`  // for people: "Listed in CISA KEV since 2024-04-12"
	Value  string `json:"value"`  // the quantity with its unit: "×0.55", "0.031 per day"
	Log    Nats   `json:"log"`    // its share of the sum
	Source string `json:"source"` // feed or policy and its version
}

// Explanation is a score taken apart: Base and the Factors' logs add up to
// Total, exactly.
type Explanation struct {
	Risk     Risk     `json:"-"`
	Points   int      `json:"risk"`
	Band     Band     `json:"band"`
	Model    string   `json:"model"`
	Factors  []Factor `json:"factors"`
	Total    Nats     `json:"total"` // ln of the expected loss over the horizon
	Sentence string   `json:"sentence"`
	Threat   []Share  `json:"threat"` // who says how much of the threat; sums to 1
	Flags    []string `json:"flags,omitempty"`
	DueDay   int      `json:"due_day,omitempty"`
	DueRule  string   `json:"due_rule,omitempty"` // policy and rule
	SSVC     string   `json:"ssvc,omitempty"`     // by CISA's tree for coordinators
	// SSVCDeployer is the label of the tree for who applies patches.
	SSVCDeployer string         `json:"ssvc_deployer,omitempty"`
	Policies     []PolicyResult `json:"policies,omitempty"`

	// First is the chance of first exploitation taken apart, nil where
	// exploitation is known or nothing can be said.
	First *Prediction `json:"first_exploitation,omitempty"`
}

// Prediction is the chance that a weakness becomes known to be exploited. The
// odds of a weakness of which nothing is known, times those of the signals, are
// the odds of the chance.
type Prediction struct {
	Chance  float64  `json:"chance"`
	Horizon int      `json:"horizon_days"`
	Base    float64  `json:"base"` // the chance of one without signals
	Signals []Signal `json:"signals"`
}

// Signal is one thing that moves the chance of first exploitation.
type Signal struct {
	Name  string  `json:"name"`
	Label string  `json:"label"`
	Odds  float64 `json:"odds"` // by what it multiplies the odds
}

// Alternative is what a score would be if one thing were different.
type Alternative struct {
	Name   string  `json:"name"`
	Label  string  `json:"label"` // "If it could be reached from inside only"
	Points int     `json:"risk"`
	Band   Band    `json:"band"`
	Loss   float64 `json:"expected_loss"`
}

// Share is one source's part of the threat hazard.
type Share struct {
	Name  string  `json:"name"`
	Share float64 `json:"share"`
}

// Sum adds the factors' logs.
func (e *Explanation) Sum() Nats {
	var n Nats
	for _, f := range e.Factors {
		n += f.Log
	}
	return n
}
