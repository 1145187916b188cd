package intel_test

import (
	"testing"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
)

func TestRose(t *testing.T) {
	t.Parallel()
	score := func(p float64) *exposure.Threat { return &exposure.Threat{EPSS: p, EPSSModel: "v1"} }
	for _, c := range []struct {
		before, after *exposure.Threat
		want          bool
	}{
		{score(0.02), score(0.5), true}, {score(0.02), score(0.05), false}, {score(0.5), score(0.02), false},
		{&exposure.Threat{}, score(0.9), false}, {score(0.9), &exposure.Threat{}, false},
		{score(0.02), &exposure.Threat{EPSS: 0.9, EPSSModel: "v2"}, false},
	} {
		if got := intel.Rose(c.before, c.after); got != c.want {
			t.Errorf("from %v to %v: %v", c.before.EPSS, c.after.EPSS, got)
		}
	}
}
