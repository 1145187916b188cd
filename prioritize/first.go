package prioritize

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Signals are what the model of first exploitation looks at, each zero when
// it says nothing.
type Signals [signals]float64

// The signals, in the order of a vector.
const (
	signalEPSS       = iota // −ln of the share of all CVEs that EPSS ranks at least as high
	signalMetasploit        // there is a module
	signalNuclei            // there is a template
	signalArchive           // it is in an archive of exploits
	signalPoC               // a proof of concept came in the last 90 days
	signalFresh             // published in the last 30 days
	signalRecent            // 31 to 90 days ago
	signalOld               // CVE of three or more years ago; lowers
	signals
)

// signalNames are the names of the signals in files and reports.
var signalNames = [signals]string{"epss_rank", "metasploit", "nuclei", "exploit_archive", "poc_90d", "age_30d", "age_90d", "old"}

// SignalNames are the names of the signals in order.
func SignalNames() []string { return signalNames[:] }

// rankFloor is the least share of CVEs that a rank can mean: EPSS gives five
// decimals, which is some three CVEs in 300,000.
const rankFloor = 5e-6

// SignalsOf are the signals of an advisory on a day. EPSS counts by its rank
// and not by its probability, because each version of its model means another
// thing by the same number, and the same thing by the same rank.
func SignalsOf(a *exposure.Advisory, today int) Signals {
	h := &a.Threat
	rank := imputedRank
	if h.Scored() {
		rank = h.Percentile
	}
	var s Signals
	s[signalEPSS] = -math.Log(max(1-rank, rankFloor))
	s[signalMetasploit] = when(h.MetasploitDay != 0, 1)
	s[signalNuclei] = when(h.NucleiDay != 0, 1)
	s[signalArchive] = when(h.ArchiveDay != 0, 1)
	s[signalPoC] = when(h.PoCDay != 0 && today-h.PoCDay <= 90, 1)
	switch age := ageOf(a, today); {
	case age <= 30:
		s[signalFresh] = 1
	case age <= 90:
		s[signalRecent] = 1
	}
	s[signalOld] = when(cveYear(a) != 0 && yearOf(today)-cveYear(a) >= 3, 1)
	return s
}

// SignalsOn are the signals of an advisory by what was known on a day of the
// past.
func SignalsOn(a *exposure.Advisory, day int) Signals { return SignalsOf(knownOn(a, day), day) }

// Weights are the model of first exploitation: the logit of the probability
// that a CVE becomes known to be exploited within the horizon. All weights are
// zero or more, and that of an old CVE is subtracted, so that more evidence
// never lowers it.
type Weights struct {
	Intercept float64            `yaml:"intercept" json:"intercept"`
	Signals   map[string]float64 `yaml:"signals" json:"signals"`
	Horizon   int                `yaml:"horizon_days" json:"horizon_days"`
	Fit       Fit                `yaml:"fit,omitempty" json:"fit"`
}

// Fit is what weights were fitted on.
type Fit struct {
	Days      []string `json:"days"`  // on which what was known was looked at
	Until     string   `json:"until"` // the last day whose outcomes count
	Cases     int      `json:"cases"`
	Exploited int      `json:"exploited"`
	Ridge     float64  `json:"ridge"`
	Deviance  float64  `json:"deviance"` // −2·ln of the likelihood
	Null      float64  `json:"null"`     // the same with an intercept alone
}

//go:embed weights.json
var shippedWeights []byte

// ShippedWeights are those that come with the program, see docs/risk.md.
func ShippedWeights() (Weights, error) { return ParseWeights(shippedWeights) }

// ParseWeights reads weights as [Train] writes them.
func ParseWeights(text []byte) (Weights, error) {
	var w Weights
	if err := json.Unmarshal(text, &w); err != nil {
		return w, exposure.Errorf(exposure.Invalid, "weights: %w", err)
	}
	return w, w.check()
}

// Problem is what is wrong with a value of a [Config].
type Problem struct {
	Key  string // path below risk, as in weights.signals.nuclei
	Text string
}

// Problems are an error, so that who knows the file can say where each is.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Text
	}
	return strings.Join(lines, "\n")
}

// maxHorizon is ten years, in days.
const maxHorizon = 3650

func (w Weights) check() error {
	var all Problems
	wrong := func(key, format string, args ...any) {
		all = append(all, Problem{key, "weights: " + fmt.Sprintf(format, args...)})
	}
	if w.Horizon < 1 || w.Horizon > maxHorizon {
		wrong("weights.horizon_days", "horizon_days is %d: it must be between 1 and %d", w.Horizon, maxHorizon)
	}
	if !(math.Abs(w.Intercept) <= 50) {
		wrong("weights.intercept", "intercept is %g: it must be between -50 and 50", w.Intercept)
	}
	for _, name := range signalNames {
		if v, ok := w.Signals[name]; !ok {
			wrong("weights.signals", "there is none of %s: add it, 0 when it says nothing", name)
		} else if !(v >= 0 && v <= 50) {
			wrong("weights.signals."+name, "that of %s is %g: it must be between 0 and 50", name, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Signals)) {
		if !slices.Contains(signalNames[:], name) {
			wrong("weights.signals."+name, "there is no signal %.60q: use %s", name, strings.Join(signalNames[:], ", "))
		}
	}
	if all == nil {
		return nil
	}
	return exposure.Errorf(exposure.Invalid, "%w", all)
}

// linear is the model ready to be evaluated: weights with their signs, in the
// order of the signals.
type linear struct {
	bias    float64
	weights Signals
	horizon float64
}

func (w Weights) linear() linear {
	l := linear{bias: w.Intercept, horizon: float64(w.Horizon)}
	for i, name := range signalNames {
		l.weights[i] = w.Signals[name]
	}
	l.weights[signalOld] = -l.weights[signalOld]
	return l
}

func (l *linear) logit(s Signals) float64 {
	x := l.bias
	for i, v := range s {
		x += l.weights[i] * v
	}
	return x
}

// Probabilities are the chances of first exploitation within the horizon.
func (w Weights) Probabilities(cases []Case) []float64 {
	l, out := w.linear(), make([]float64, len(cases))
	for i := range cases {
		out[i] = 1 / (1 + math.Exp(-l.logit(cases[i].Signals)))
	}
	return out
}

// String is the model in one line.
func (w Weights) String() string {
	text := fmt.Sprintf("%.2f", w.Intercept)
	for _, name := range signalNames {
		text += fmt.Sprintf(" %s %.2f", name, w.Signals[name])
	}
	return text
}
