package backtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leeward-ctem/leeward/exposure"
)

// invented is a history of three days, 90 days apart, in which what has a
// template and a high rank is exploited.
func invented() *History {
	r := rand.New(rand.NewPCG(5, 6))
	h := &History{Facts: map[string]exposure.Threat{}, Base: map[string]float64{}, Until: 20_000 + 360}
	days := []int{20_000, 20_090, 20_180}
	for _, day := range days {
		h.Scores = append(h.Scores, Scores{Day: day, Model: "v1", Whole: true, Of: map[string]Score{}})
	}
	for n := range 3000 {
		cve := fmt.Sprintf("CVE-2021-%04d", 1000+n)
		rank := float64(n) / 3000
		t := exposure.Threat{PublishedDay: 18_800}
		if r.IntN(5) == 0 {
			t.NucleiDay = 19_000
		}
		h.Base[cve] = float64(r.IntN(100)) / 10
		chance := 0.0005 + 0.02*rank
		if t.NucleiDay != 0 {
			chance *= 8
		}
		for i, day := range days {
			if t.KEVDay == 0 && r.Float64() < chance {
				t.KEVDay = day + 1 + r.IntN(89)
			}
			h.Scores[i].Of[cve] = Score{EPSS: rank / 2, Percentile: rank}
		}
		h.Facts[cve] = t
	}
	return h
}

// told compares what a report says, rather than what it keeps.
var told = cmpopts.IgnoreUnexported(Report{})

func TestRun(t *testing.T) {
	t.Parallel()
	h := invented()
	got, err := Run(t.Context(), h, 20_180, 90)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Ablate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range got.Models {
		names = append(names, m.Name)
		if m.Seen != got.Positives || m.AUC < m.AUCLow || m.AUC > m.AUCHigh || !(m.PRAUC > 0) {
			t.Errorf("%+v", m)
		}
		for _, e := range efforts {
			if found := m.Coverage[e.name] * float64(got.Positives); math.Abs(found-m.Efficiency[e.name]*e.percent/100*float64(got.Universe)) > 1e-6 {
				t.Errorf("%s: coverage and efficiency at %s %% speak of other numbers", m.Name, e.name)
			}
		}
	}
	if diff := cmp.Diff([]string{"leeward", "cvss", "epss", "kev+epss", "lev"}, names); diff != "" {
		t.Error(diff)
	}
	ours, cvss, epss := got.Models[0], got.Models[1], got.Models[2]
	if ours.AUC < epss.AUC+0.05 || cvss.AUC > 0.6 {
		t.Errorf("AUC %.3f, EPSS %.3f, CVSS %.3f", ours.AUC, epss.AUC, cvss.AUC)
	}
	if ours.Expected == nil || *ours.Expected < 0.5*float64(ours.Seen) || *ours.Expected > 2*float64(ours.Seen) || cvss.Expected != nil {
		t.Errorf("expected %v of %d", ours.Expected, ours.Seen)
	}
	sum, seen := 0.0, 0
	for _, g := range ours.Groups {
		sum, seen = sum+g.Expected, seen+g.Seen
	}
	if math.Abs(sum-*ours.Expected) > 1e-6 || seen != ours.Seen {
		t.Errorf("the groups hold %v of %v and %d of %d", sum, *ours.Expected, seen, ours.Seen)
	}
	if diff := cmp.Diff([]string{"2024-10-04", "2025-01-02"}, got.Weights.Fit.Days); diff != "" {
		t.Error(diff)
	}
	worst := slices.MinFunc(got.Ablation, func(a, b Ablation) int { return int(1e6 * (a.AUC - b.AUC)) })
	if worst.Without != "epss_rank" && worst.Without != "nuclei" {
		t.Errorf("what matters most is %s", worst.Without)
	}
	if len(got.Notes) != 0 {
		t.Errorf("notes %q", got.Notes)
	}

	again, err := Run(t.Context(), invented(), 20_180, 90)
	if err == nil {
		err = again.Ablate(t.Context())
	}
	if diff := cmp.Diff(got, again, told); err != nil || diff != "" {
		t.Errorf("another report of the same history: %v %s", err, diff)
	}
}

// What happens after a day changes neither the order nor the weights on it.
func TestNothingIsKnownBefore(t *testing.T) {
	t.Parallel()
	h := invented()
	before, err := Run(t.Context(), h, 20_180, 90)
	if err != nil {
		t.Fatal(err)
	}
	for cve, f := range h.Facts {
		if f.KEVDay > 20_180+90 {
			f.KEVDay = 0
		}
		if f.NucleiDay == 0 {
			f.NucleiDay = 20_181
		}
		f.MetasploitDay, f.ArchiveDay, f.PoCDay = 20_200, 20_190, 20_185
		h.Facts[cve] = f
	}
	after, err := Run(t.Context(), h, 20_180, 90)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after, told); diff != "" {
		t.Errorf("the future is known:\n%s", diff)
	}
	// Whom it hits is the outcome, and nothing else.
	for cve, f := range h.Facts {
		if f.KEVDay > 20_180 {
			f.KEVDay = 0
			h.Facts[cve] = f
			break
		}
	}
	one, err := Run(t.Context(), h, 20_180, 90)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Weights, one.Weights); diff != "" || one.Positives != before.Positives-1 {
		t.Errorf("%d positives of %d; %s", one.Positives, before.Positives, diff)
	}
}

func TestRunWithLess(t *testing.T) {
	t.Parallel()
	run := func(at int, change func(h *History)) (Report, error) {
		h := invented()
		change(h)
		return Run(t.Context(), h, at, 90)
	}
	r, err := run(20_000, func(*History) {})
	if err != nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "the weights that come with the program stand in") || r.Ablate(t.Context()) != nil || len(r.Ablation) != 0 {
		t.Errorf("without a past: %v %q", err, r.Notes)
	}
	if r, err = run(20_185, func(*History) {}); err != nil || r.Scored != "2025-04-02" || len(r.Notes) != 1 {
		t.Errorf("a day without scores: %v %q", err, r.Notes)
	}
	if r, err = run(20_180, func(h *History) { h.Until = 20_200 }); err != nil || !strings.Contains(strings.Join(r.Notes, " "), "20 of 90 days") {
		t.Errorf("an unfinished horizon: %v %q", err, r.Notes)
	}
	if _, err = run(19_999, func(*History) {}); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("before all scores: %v", err)
	}
	if _, err = run(20_180, func(h *History) { clear(h.Facts) }); exposure.KindOf(err) != exposure.Invalid {
		t.Errorf("nothing exploited: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, invented(), 20_180, 90); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// LEV by hand: three windows at 0.1, the last of half a month.
func TestLEV(t *testing.T) {
	t.Parallel()
	h := &History{Scores: []Scores{{Day: 100, Of: map[string]Score{"a": {EPSS: 0.1}}}, {Day: 175, Of: map[string]Score{"a": {EPSS: 0.9}, "b": {EPSS: 0.3}}, Whole: true}}}
	c := cases{scores: &h.Scores[1], ids: []string{"a", "b"}}
	got := h.lev(c)
	if !near(got[0], 1-0.9*0.9*(1-0.1*0.5)) || !near(got[1], 0.3) {
		t.Errorf("%v", got)
	}
}
