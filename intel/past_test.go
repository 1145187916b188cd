package intel

import (
	"fmt"
	"math"
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
)

// Scores come back to within the step that they are kept in, and what was not
// scored stays without a score.
func TestPastScores(t *testing.T) {
	t.Parallel()
	digits := func(p float64) float64 { return math.Round(p*1e5) / 1e5 } // as published
	var all []Fact
	for i := range 5000 {
		all = append(all, Fact{ID: fmt.Sprintf("CVE-%d-%d", 1999+i%25, 1000+i*7), Threat: exposure.Threat{EPSS: digits(math.Exp(-float64(i) / 500)), Percentile: digits(1 - float64(i)/5000), EPSSModel: "v4"}})
	}
	s := snapshotOf(t, all...)
	bodies, err := s.PastScores()
	if err != nil || len(bodies) != 25 || s.Model() != "v4" {
		t.Fatalf("%d years of %s, %v", len(bodies), s.Model(), err)
	}
	for _, f := range all {
		epss, rank, ok, err := PastScore(bodies[YearOf(f.ID)], f.ID)
		if err != nil || !ok || math.Abs(epss/f.Threat.EPSS-1) > 0.03 || math.Abs(rank-f.Threat.Percentile) > 0.03 {
			t.Fatalf("%s was %v, %v and is %v, %v, %v, %v", f.ID, f.Threat.EPSS, f.Threat.Percentile, epss, rank, ok, err)
		}
	}
	for _, id := range []string{"CVE-1999-1001", "CVE-1999-999999", "CVE-1999-0001", "GHSA-1"} {
		if _, _, ok, err := PastScore(bodies[1999], id); ok || err != nil {
			t.Errorf("%s has a score, %v", id, err)
		}
	}
	for _, damaged := range [][]byte{bodies[1999][:len(bodies[1999])/2], {1, 2, 3}} {
		if _, _, _, err := PastScore(damaged, "CVE-1999-99999"); err == nil {
			t.Errorf("%d damaged bytes are taken", len(damaged))
		}
	}
	if YearOf("CVE-2024-3400") != 2024 || YearOf("GHSA-1") != 0 {
		t.Error("years are wrong")
	}
}
