package backtest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/prioritize"
)

// Report says how well several orders of CVEs did from a day on.
type Report struct {
	At        string  `json:"at"`
	Horizon   int     `json:"horizon"`   // days
	Positives int     `json:"positives"` // listed in KEV within the horizon
	Universe  int     `json:"universe"`  // scored by EPSS on the day, and not in KEV
	Scored    string  `json:"scored"`    // the day of the EPSS scores
	Unscored  int     `json:"unscored"`  // listed within the horizon, without a score on the day
	Models    []Model `json:"models"`

	Weights  prioritize.Weights `json:"weights"`
	Ablation []Ablation         `json:"ablation,omitempty"`
	Missing  []string           `json:"missing,omitempty"` // evidence that is not there
	Notes    []string           `json:"notes,omitempty"`

	// For Ablate.
	training []prioritize.Case
	tested   cases
	positive []bool
}

// Model is how one order did.
type Model struct {
	Name       string             `json:"name"`
	AUC        float64            `json:"auc"`
	AUCLow     float64            `json:"auc_low"` // 95 %
	AUCHigh    float64            `json:"auc_high"`
	PRAUC      float64            `json:"pr_auc"`
	Coverage   map[string]float64 `json:"coverage"` // by effort in percent: share of the positives found
	Low        map[string]float64 `json:"coverage_low"`
	High       map[string]float64 `json:"coverage_high"`
	Efficiency map[string]float64 `json:"efficiency"` // share of positives among those fixed
	Expected   *float64           `json:"expected"`   // positives by its probabilities; null: it states none
	Seen       int                `json:"seen"`
	Groups     []Group            `json:"calibration,omitempty"`
	Curve      []Point            `json:"curve"`
}

// Group is what was expected and seen of the CVEs between two efforts.
type Group struct {
	From, To  float64 // efforts, in percent
	Expected  float64
	Seen      int
	Low, High float64 // of the mean of what is seen, 95 %
}

// Ablation is how the model does without a signal.
type Ablation struct {
	Without  string  `json:"without"`
	AUC      float64 `json:"auc"`
	Coverage float64 `json:"coverage_5"`
}

// Names of the orders.
const (
	Ours    = "leeward"
	CVSS    = "cvss"
	EPSS    = "epss"
	KEVEPSS = "kev+epss"
	LEV     = "lev"
)

// efforts are those of the report, in percent of all CVEs.
var efforts = []struct {
	name    string
	percent float64
}{{"0.1", 0.1}, {"1", 1}, {"5", 5}, {"10", 10}}

// ridge keeps weights of signals that few cases have from running away.
const ridge = 2

// cases are the CVEs of one day.
type cases struct {
	scores *Scores
	ids    []string
	all    []prioritize.Case
}

// of makes the cases of a day of scores.
func (h *History) of(s *Scores, horizon int) cases {
	c := cases{scores: s}
	published := h.published(s)
	for _, cve := range s.ids() {
		listed := h.Facts[cve].KEVDay
		if listed != 0 && listed <= s.Day {
			continue
		}
		c.ids = append(c.ids, cve)
		c.all = append(c.all, prioritize.Case{
			Signals:   prioritize.SignalsOf(h.known(cve, s, published[cve]), s.Day),
			Exploited: listed != 0 && listed <= s.Day+horizon,
		})
	}
	return c
}

// Train fits the weights to all days whose outcomes were known by a day.
func Train(ctx context.Context, h *History, by, horizon int) (prioritize.Weights, error) {
	all, fit, err := h.training(ctx, by, horizon)
	if err != nil {
		return prioritize.Weights{}, err
	}
	w, err := prioritize.Train(all, ridge, horizon)
	w.Fit.Days, w.Fit.Until = fit.Days, fit.Until
	return w, err
}

func (h *History) training(ctx context.Context, by, horizon int) (all []prioritize.Case, fit prioritize.Fit, err error) {
	for i := range h.Scores {
		s := &h.Scores[i]
		if !s.Whole || s.Day+horizon > by || s.Day+horizon > h.Until {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fit, err
		}
		all = append(all, h.of(s, horizon).all...)
		fit.Days = append(fit.Days, date(s.Day))
		fit.Until = date(s.Day + horizon)
	}
	if len(all) == 0 {
		return nil, fit, exposure.Errorf(exposure.NotFound, "no day of EPSS scores lies %d days before %s, so there is nothing to fit weights to", horizon, date(min(by, h.Until)))
	}
	return all, fit, nil
}

// Run looks at one day. Our weights are fitted to what was known on it; where
// nothing was, those that come with the program stand in.
func Run(ctx context.Context, h *History, at, horizon int) (Report, error) {
	s := h.on(at)
	if s == nil {
		return Report{}, exposure.Errorf(exposure.Invalid, "there are no EPSS scores of %s or before", date(at))
	}
	r := Report{At: date(at), Horizon: horizon, Scored: date(s.Day), Missing: h.Missing}
	if s.Day != at {
		r.Notes = append(r.Notes, fmt.Sprintf("there are no EPSS scores of %s: those of %s stand in", date(at), date(s.Day)))
		moved := *s
		moved.Day = at
		s = &moved
	}
	if h.Until < at+horizon {
		r.Notes = append(r.Notes, fmt.Sprintf("what was listed in KEV is known until %s only, %d of %d days", date(h.Until), max(0, h.Until-at), horizon))
	}
	training, fit, err := h.training(ctx, at, horizon)
	switch exposure.KindOf(err) {
	case exposure.NotFound:
		if r.Weights, err = prioritize.ShippedWeights(); err != nil {
			return r, err
		}
		r.Notes = append(r.Notes, fmt.Sprintf("%v: the weights that come with the program stand in, which know outcomes until %s", err, r.Weights.Fit.Until))
	default:
		if err != nil {
			return r, err
		}
		if r.Weights, err = prioritize.Train(training, ridge, horizon); err != nil {
			return r, err
		}
		r.Weights.Fit.Days, r.Weights.Fit.Until = fit.Days, fit.Until
	}
	c := h.of(s, horizon)
	r.Universe = len(c.all)
	positive := make([]bool, len(c.all))
	for i := range c.all {
		if positive[i] = c.all[i].Exploited; positive[i] {
			r.Positives++
		}
	}
	for cve, t := range h.Facts {
		if _, scored := s.Of[cve]; !scored && t.KEVDay > at && t.KEVDay <= at+horizon {
			r.Unscored++
		}
	}
	if r.Positives == 0 {
		return r, exposure.Errorf(exposure.Invalid, "nothing that EPSS scored on %s was listed in KEV within %d days after: there is nothing to measure", date(at), horizon)
	}
	for _, m := range h.orders(c, r.Weights, horizon) {
		r.Models = append(r.Models, m.measure(positive))
	}
	r.training, r.tested, r.positive = training, c, positive
	return r, nil
}

// ranking is one order of the cases.
type ranking struct {
	name   string
	scores []float64
	chance []float64 // of being exploited within the horizon; nil: it states none
}

func (h *History) orders(c cases, w prioritize.Weights, horizon int) []ranking {
	n := len(c.all)
	ours, cvss, epss, within, lev := w.Probabilities(c.all), make([]float64, n), make([]float64, n), make([]float64, n), h.lev(c)
	for i, cve := range c.ids {
		cvss[i] = math.NaN()
		if base, ok := h.Base[cve]; ok {
			cvss[i] = base
		}
		epss[i] = c.scores.Of[cve].EPSS
		within[i] = -math.Expm1(math.Log1p(-min(epss[i], 1-1e-9)) * float64(horizon) / 30)
	}
	return []ranking{
		{Ours, ours, ours},
		{CVSS, cvss, nil},
		{EPSS, epss, within},
		{KEVEPSS, epss, within}, // none of these is in KEV on the day, so it is the same order
		{LEV, lev, nil},
	}
}

func (m ranking) measure(positive []bool) Model {
	o := order(m.scores, positive)
	out := Model{Name: m.name, AUC: o.auc(), PRAUC: o.precision(), Seen: o.positives, Curve: o.curve(), Coverage: map[string]float64{}, Low: map[string]float64{}, High: map[string]float64{}, Efficiency: map[string]float64{}}
	by := z * o.aucError()
	out.AUCLow, out.AUCHigh = max(0, out.AUC-by), min(1, out.AUC+by)
	for _, e := range efforts {
		found, selected := o.within(e.percent / 100)
		out.Coverage[e.name] = found / float64(o.positives)
		out.Low[e.name], out.High[e.name] = share(found, float64(o.positives))
		out.Efficiency[e.name] = found / selected
	}
	if m.chance != nil {
		expected := 0.0
		for _, p := range m.chance {
			expected += p
		}
		out.Expected = &expected
		out.Groups = calibration(m.chance, positive)
	}
	return out
}

// calibration compares what is expected and what is seen, by effort.
func calibration(chance []float64, positive []bool) (out []Group) {
	at := make([]int, len(chance))
	for i := range at {
		at[i] = i
	}
	sortBy(at, chance)
	from := 0.0
	begin := 0
	for _, to := range []float64{0.1, 1, 5, 10, 100} {
		end := min(len(at), int(math.Round(to/100*float64(len(at)))))
		g := Group{From: from, To: to}
		for _, i := range at[begin:end] {
			g.Expected += chance[i]
			if positive[i] {
				g.Seen++
			}
		}
		g.Low, g.High = count(g.Seen)
		out = append(out, g)
		from, begin = to, end
	}
	return out
}

// Ablate tells what each signal adds, by fitting and testing without it. There
// is nothing to tell where the weights were not fitted here.
func (r *Report) Ablate(ctx context.Context) error {
	if len(r.training) == 0 {
		return nil
	}
	without := func(all []prioritize.Case, signal int) []prioritize.Case {
		out := slices.Clone(all)
		for i := range out {
			out[i].Signals[signal] = 0
		}
		return out
	}
	for i, name := range prioritize.SignalNames() {
		if err := ctx.Err(); err != nil {
			return err
		}
		w, err := prioritize.Train(without(r.training, i), ridge, r.Horizon)
		if err != nil {
			return err
		}
		o := order(w.Probabilities(without(r.tested.all, i)), r.positive)
		found, _ := o.within(0.05)
		r.Ablation = append(r.Ablation, Ablation{name, o.auc(), found / float64(o.positives)})
	}
	return nil
}

// lev is the likelihood that a CVE has been exploited by now, from all scores
// that it had: NIST CSWP 41, "Likely Exploited Vulnerabilities", 2025.
func (h *History) lev(c cases) []float64 {
	const window = 30
	at := c.scores.Day
	first := at
	if len(h.Scores) > 0 {
		first = min(first, h.Scores[0].Day)
	}
	out := make([]float64, len(c.ids))
	for i, cve := range c.ids {
		not := 1.0
		next, score := 0, math.NaN()
		for day := first; day < at; day += window {
			for ; next < len(h.Scores) && h.Scores[next].Day <= day; next++ {
				if s, ok := h.Scores[next].Of[cve]; ok {
					score = s.EPSS
				}
			}
			if !math.IsNaN(score) {
				not *= 1 - score*float64(min(window, at-day))/window
			}
		}
		if day := c.scores.Of[cve].EPSS; math.IsNaN(score) {
			not *= 1 - day // it is new
		}
		out[i] = 1 - not
	}
	return out
}

func date(day int) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }
