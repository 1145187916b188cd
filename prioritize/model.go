package prioritize

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize/policy"
)

// Model is one version of the risk model on one day. It implements
// [exposure.Model] by tables in fixed point; [Model.Explain] takes a score
// apart into the very same numbers.
type Model struct {
	config  Config
	today   int
	version string
	curve   exposure.Curve
	bands   exposure.Bands
	vectors *parsed
	first   linear
	weights Weights
	profile exposure.Profile

	policies policies
	own      []*policy.Policy
}

// modelVersion names the formulas; it changes with them.
const modelVersion = "4"

// New returns the model for a configuration on the day of now. own are the
// organisation's policies, of which the configuration says which are in force.
func New(c Config, now time.Time, own ...exposure.Policy) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	weights, err := ShippedWeights()
	if err != nil {
		return nil, err
	}
	if c.Weights != nil { // the version is that of the weights, whoever stated them
		weights, c.Weights = *c.Weights, nil
	}
	m := &Model{config: c, today: int(now.Unix() / 86400), vectors: &parsed{}, weights: weights, first: weights.linear()}
	if m.policies, m.own, err = newPolicies(c, own); err != nil {
		return nil, err
	}
	text, err := json.Marshal(struct {
		Config   Config
		Weights  Weights
		Policies []exposure.Policy
	}{c, weights, m.policies.documents()})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	m.version = fmt.Sprintf("%s-%s", modelVersion, hex.EncodeToString(sum[:4]))
	m.curve = newCurve(exposure.NatsOf(c.LossMin), exposure.NatsOf(c.LossMax))
	for i, points := range c.Bands {
		m.bands[i] = exposure.RiskAt(points)
	}
	return m, nil
}

// For returns the model for an organisation of a profile. It scores alike, for
// what the profile means is in what is known of each advisory, and says more.
func (m *Model) For(p exposure.Profile) (*Model, error) {
	if p.Empty() {
		return m, nil
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	other := *m
	other.profile, other.version = p, m.version+"-"+hex.EncodeToString(sum[:2])
	return &other, nil
}

// newCurve tabulates ln p = ln(1−exp(−λh)) over ln λ in steps of 1/64 nat.
func newCurve(low, high exposure.Nats) exposure.Curve {
	c := exposure.Curve{PFirst: -20 * exposure.NatsOne, PStep: exposure.NatsOne / 64, Min: low, Max: high}
	for x := c.PFirst; x <= 3*exposure.NatsOne; x += c.PStep {
		c.P = append(c.P, exposure.NatsOf(-math.Expm1(-x.Value()*horizon)))
	}
	return c
}

// Weights are those of first exploitation that are in force.
func (m *Model) Weights() Weights { return m.weights }

// Targeted is the share in force.
func (m *Model) Targeted() float64 { return m.config.Targeted }

// Version names the formulas and the configuration.
func (m *Model) Version() string { return m.version }

// Today is the day the model speaks of.
func (m *Model) Today() int { return m.today }

// Curve, Bands and Due are the tables of the model.
func (m *Model) Curve() *exposure.Curve  { return &m.curve }
func (m *Model) Bands() *exposure.Bands  { return &m.bands }
func (m *Model) Due() *exposure.DueTable { return m.policies.set.Due() }

// Advisory evaluates what depends on the advisory alone:
// ln(λ_c·ω·T·S), reach, impact and class of the policies.
func (m *Model) Advisory(a *exposure.Advisory) exposure.AdvisoryFactor {
	v := m.vectorOf(a)
	w := weaknessOf(a, v)
	f := exposure.AdvisoryFactor{
		Log:    m.threat(a) + m.targeted() + m.actors(a) + preconditions(v),
		Vector: uint8(v.reach),
		Impact: v.impact(),
		Policy: m.policies.set.Weakness(&w),
	}
	if d := a.Threat.KEVDay; d > 0 {
		f.KEVDay = uint16(min(d, math.MaxUint16-1))
	}
	return f
}

// The parts are functions of their own so that a score and its explanation
// round alike.
func (m *Model) threat(a *exposure.Advisory) exposure.Nats {
	return exposure.NatsOf(threatOf(a, m.today, &m.first).total())
}
func (m *Model) targeted() exposure.Nats { return exposure.NatsOf(m.config.Targeted) }
func (m *Model) actors(a *exposure.Advisory) exposure.Nats {
	return exposure.NatsOf(m.actorsOf(&a.Threat))
}
func preconditions(v vector) exposure.Nats    { return exposure.NatsOf(v.preconditions) }
func reachOf(r exposure.Reach, v int) float64 { return reachTable[min(int(r), len(reachTable)-1)][v] }

// Bounds of T: actors at most halve or double a hazard, because who is said to
// target whom is known of few, and late.
const (
	actorsLeast = 0.5
	actorsMost  = 2
)

// actorsOf is T: what the programme says of all weaknesses, and the more the
// more is known of actors that target us and of this one. Knowing nothing
// lowers nothing.
func (m *Model) actorsOf(t *exposure.Threat) float64 {
	known := t.Targeting
	if !(known > 0) { // nor what is no number
		known = 0
	}
	return min(max(m.config.Actors*math.Exp2(min(known, 1)), actorsLeast), actorsMost)
}

// reachTable is R: the chance that an attacker gets at the vulnerable
// interface, by the reach of the asset and the attack vector (network,
// adjacent, local, physical, unknown). Not knowing an asset's reach counts
// between internal and internet.
var reachTable = [...][exposure.Vectors]float64{
	exposure.ReachUnknown:  {0.5, 0.22, 0.105, 0.02, 0.35},
	exposure.ReachInternet: {1, 0.25, 0.12, 0.02, 0.5},
	exposure.ReachPartner:  {0.6, 0.23, 0.11, 0.02, 0.4},
	exposure.ReachInternal: {0.25, 0.2, 0.1, 0.02, 0.2},
	exposure.ReachIsolated: {0.03, 0.03, 0.03, 0.01, 0.03},
}

// Context evaluates what depends on the asset's context alone.
func (m *Model) Context(c *exposure.Context) exposure.ContextFactor {
	var f exposure.ContextFactor
	for v := range f.Reach {
		f.Reach[v] = exposure.NatsOf(reachOf(c.Reach, v)) + controls(c)
	}
	loss := m.loss(c)
	for i := range f.Loss {
		f.Loss[i] = exposure.NatsOf(fraction[i/9]*loss.Confidentiality + fraction[i/3%3]*loss.Integrity + fraction[i%3]*loss.Availability)
	}
	a := m.assetOf(c)
	f.Policy = m.policies.set.Asset(&a)
	return f
}

// controls is what validated controls leave through; never nothing.
func controls(c *exposure.Context) exposure.Nats {
	return exposure.NatsOf(1 - min(max(c.Controls, 0), 0.98))
}

// loss is the loss of the services behind an asset; without any, one by its
// tier: Loss·10^((3−tier)/2), shared between the three dimensions.
func (m *Model) loss(c *exposure.Context) exposure.Loss {
	if c.Loss != (exposure.Loss{}) {
		return c.Loss
	}
	l := m.config.Loss * math.Pow(10, float64(3-tierOf(c))/2) / 3
	return exposure.Loss{Confidentiality: l, Integrity: l, Availability: l}
}

// validity is V: how sure it is that the weakness can be exploited.
func validity(d exposure.Detection, v exposure.VerdictKind) float64 {
	switch v {
	case exposure.VerdictExploitable, exposure.VerdictRegressed:
		return 1
	case exposure.VerdictNotExploitable, exposure.VerdictFixed:
		return 0.02 // never 0: a validation may be wrong
	case exposure.VerdictBlocked:
		return 0.1
	}
	// Detected, not detected and inconclusive say nothing about exploitability.
	switch d {
	case exposure.DetectionExploit:
		return 1
	case exposure.DetectionAuthenticated:
		return 0.9
	case exposure.DetectionRemote, exposure.DetectionStatic:
		return 0.7
	}
	return 0.5
}

// Validation is ln V.
func (m *Model) Validation(d exposure.Detection, v exposure.VerdictKind) exposure.Nats {
	return exposure.NatsOf(validity(d, v))
}

// AssetRisk combines the findings of one asset, grouped by fix: findings that
// one fix closes are mostly one way in, so they count 0.7 of the strongest and
// 0.3 of the sum. It returns the probability of at least one success within
// the horizon.
func AssetRisk(groups [][]float64) float64 {
	total := 0.0
	for _, g := range groups {
		if len(g) == 0 {
			continue
		}
		sum := 0.0
		for _, l := range g {
			sum += l
		}
		total += 0.7*slices.Max(g) + 0.3*sum
	}
	return -math.Expm1(-horizon * total)
}
