package prioritize

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// drawn are cases of a known model.
func drawn(w Weights, n int) []Case {
	r := rand.New(rand.NewPCG(1, 2))
	l := w.linear()
	cases := make([]Case, n)
	for i := range cases {
		s := &cases[i].Signals
		s[signalEPSS] = r.ExpFloat64()
		for j := signalMetasploit; j < signals; j++ {
			s[j] = when(r.IntN(4) == 0, 1)
		}
		cases[i].Exploited = r.Float64() < 1/(1+math.Exp(-l.logit(*s)))
	}
	return cases
}

func TestTrain(t *testing.T) {
	t.Parallel()
	want := Weights{Intercept: -3, Horizon: 90, Signals: map[string]float64{"epss_rank": 0.5, "metasploit": 1, "nuclei": 1.5, "exploit_archive": 0, "poc_90d": 0.8, "age_30d": 2, "age_90d": 0.3, "old": 1.2}}
	cases := drawn(want, 100_000)
	got, err := Train(cases, 0.01, 90)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want.Signals {
		if d := math.Abs(got.Signals[name] - w); d > 0.07 {
			t.Errorf("%s is %.3f, was drawn with %.3f", name, got.Signals[name], w)
		}
	}
	if math.Abs(got.Intercept-want.Intercept) > 0.07 || got.Fit.Deviance >= got.Fit.Null {
		t.Errorf("intercept %.3f, deviance %.0f of %.0f", got.Intercept, got.Fit.Deviance, got.Fit.Null)
	}
	// As many are expected as were seen: the intercept is free.
	expected := 0.0
	for _, p := range got.Probabilities(cases) {
		expected += p
	}
	if seen := float64(got.Fit.Exploited); math.Abs(expected-seen) > 1e-3*seen {
		t.Errorf("%.1f expected, %.0f seen", expected, seen)
	}
	again, err := Train(cases, 0.01, 90)
	if diff := cmp.Diff(got, again); err != nil || diff != "" {
		t.Errorf("the same cases give other weights: %v %s", err, diff)
	}
}

// A signal that speaks against exploitation weighs nothing, rather than less.
func TestNoWeightBelowZero(t *testing.T) {
	t.Parallel()
	cases := drawn(Weights{Intercept: -2, Horizon: 90, Signals: map[string]float64{"nuclei": 1}}, 20_000)
	for i := range cases {
		cases[i].Signals[signalMetasploit] = when(!cases[i].Exploited && i%2 == 0, 1)
	}
	w, err := Train(cases, 0.01, 90)
	if err != nil || w.Signals["metasploit"] != 0 {
		t.Errorf("%v, %v", w, err)
	}
}

func TestTrainOnNothing(t *testing.T) {
	t.Parallel()
	for _, cases := range [][]Case{nil, {{}}, {{Exploited: true}}} {
		if _, err := Train(cases, 1, 90); exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("%v: %v", cases, err)
		}
	}
}

func TestWeights(t *testing.T) {
	t.Parallel()
	w, err := ShippedWeights()
	if err != nil {
		t.Fatal(err)
	}
	if w.Fit.Exploited < 50 || len(w.Fit.Days) == 0 || w.Fit.Until == "" {
		t.Errorf("the shipped weights do not say what they were fitted on: %+v", w.Fit)
	}
	for name, spoil := range map[string]func(w *Weights){
		"no horizon":     func(w *Weights) { w.Horizon = 0 },
		"no intercept":   func(w *Weights) { w.Intercept = math.Inf(-1) },
		"below zero":     func(w *Weights) { w.Signals["nuclei"] = -1 },
		"one is missing": func(w *Weights) { delete(w.Signals, "old") },
		"one too many":   func(w *Weights) { w.Signals["moon"] = 1 },
	} {
		spoiled := w
		spoiled.Signals = map[string]float64{}
		for k, v := range w.Signals {
			spoiled.Signals[k] = v
		}
		spoil(&spoiled)
		if spoiled.check() == nil {
			t.Errorf("%s: nobody minds", name)
		}
	}
	if _, err := ParseWeights([]byte(`{"intercept": "x"}`)); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("%v", err)
	}
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseWeights(text); err != nil || cmp.Diff(w, again) != "" {
		t.Errorf("written and read: %v", err)
	}
}

// Own outcomes move the weights from those that were known before, the more the
// more there are, and leave the level alone.
func TestRefit(t *testing.T) {
	t.Parallel()
	shipped, err := ShippedWeights()
	if err != nil {
		t.Fatal(err)
	}
	cases := func(n int) (all []Case) { // here Metasploit tells nearly all
		for i := range n {
			var s Signals
			s[signalEPSS] = float64(i%7) / 2
			s[signalMetasploit] = when(i%10 == 0, 1)
			all = append(all, Case{Signals: s, Exploited: i%10 == 0 && i%20 != 0 || i%500 == 3})
		}
		return all
	}
	was := shipped.Signals["metasploit"]
	last := was
	for _, n := range []int{100, 1000, 10_000} {
		w, err := Refit(shipped, cases(n), 20)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Signals["metasploit"]; got <= last {
			t.Errorf("of %d cases the weight is %g, of fewer %g", n, got, last)
		} else {
			last = got
		}
		if w.Intercept != shipped.Intercept || w.Horizon != shipped.Horizon || w.Fit.Cases != n {
			t.Errorf("%+v", w)
		}
		if math.Abs(w.Signals["nuclei"]-shipped.Signals["nuclei"]) > 1e-6 {
			t.Errorf("no case has a template, and its weight went from %g to %g", shipped.Signals["nuclei"], w.Signals["nuclei"])
		}
	}
	if _, err := Refit(shipped, make([]Case, 10), 20); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("no outcome: %v", err)
	}
}

func TestFitTargeted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		incidents int
		expected  float64
		want      float64
	}{{0, 0, 0.05}, {0, 40, 0.025}, {2, 0, 0.1}, {100, 1000, 102.0 / 1040}, {1000, 0, 1}, {0, 1e9, minTargeted}} {
		if got, err := FitTargeted(tt.incidents, tt.expected); err != nil || math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%d of %g: %g, %v, want %g", tt.incidents, tt.expected, got, err, tt.want)
		}
	}
	for _, expected := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := FitTargeted(1, expected); err == nil {
			t.Errorf("%g is taken", expected)
		}
	}
}

// An organisation's own weights are another model; the shipped ones, stated, are
// the same.
func TestStatedWeights(t *testing.T) {
	t.Parallel()
	shipped, err := ShippedWeights()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	of := func(c Config) *Model {
		t.Helper()
		m, err := New(c, day)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	own := shipped
	own.Signals = maps.Clone(shipped.Signals)
	own.Signals["nuclei"]++
	a, b, c := of(Config{}), of(Config{Weights: &shipped}), of(Config{Weights: &own})
	if a.Version() != b.Version() || a.Version() == c.Version() {
		t.Errorf("versions %s, stated %s, own %s", a.Version(), b.Version(), c.Version())
	}
	adv := exposure.Advisory{Key: "CVE-2025-1", CVEs: []string{"CVE-2025-1"}, Threat: exposure.Threat{EPSSModel: "v4", EPSS: 0.01, Percentile: 0.8, NucleiDay: int(day.Unix()/86400) - 5}}
	if x, y, z := a.Advisory(&adv), b.Advisory(&adv), c.Advisory(&adv); x != y || z.Log <= x.Log {
		t.Errorf("factors %+v, stated %+v, own %+v", x, y, z)
	}
	own.Signals["nuclei"] = math.NaN()
	own.Horizon = maxHorizon + 1
	_, err = New(Config{Weights: &own}, day)
	var wrong Problems
	if !errors.As(err, &wrong) || exposure.KindOf(err) != exposure.Invalid {
		t.Fatalf("%v", err)
	}
	if diff := cmp.Diff([]string{"weights.horizon_days", "weights.signals.nuclei"}, []string{wrong[0].Key, wrong[len(wrong)-1].Key}); diff != "" || len(wrong) != 2 {
		t.Errorf("%v\n%s", wrong, diff)
	}
}
