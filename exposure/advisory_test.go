package exposure

import (
	"encoding/json"
	"testing"
)

func TestNear(t *testing.T) {
	t.Parallel()
	known := Threat{EPSS: 0.5, Percentile: 0.9, EPSSModel: "v1", PublishedDay: 20_000, Tailored: Tailored{Targeting: 0.4}, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
	for name, tt := range map[string]struct {
		change func(*Threat)
		near   bool
	}{
		"nothing":           {func(*Threat) {}, true},
		"a little score":    {func(u *Threat) { u.EPSS, u.Percentile = 0.505, 0.91 }, true},
		"much score":        {func(u *Threat) { u.EPSS = 0.9 }, false},
		"a listing":         {func(u *Threat) { u.KEVDay = 20_001 }, false},
		"another vector":    {func(u *Threat) { u.Vector = "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }, false},
		"a little more aim": {func(u *Threat) { u.Targeting, u.Users, u.Actors = 0.45, 5, "APT29" }, true},
		"much more aim":     {func(u *Threat) { u.Targeting = 0.7 }, false},
		"no aim":            {func(u *Threat) { u.Targeting = 0 }, false},
		"no vector":         {func(u *Threat) { u.Vector = "" }, false},
	} {
		other := known
		tt.change(&other)
		if got := known.Near(other); got != tt.near || other.Near(known) != got {
			t.Errorf("%s: near = %v", name, got)
		}
	}
}

// What was stored before threats had vectors reads as one without, and a
// threat without one is stored as it was.
func TestThreatWithoutVector(t *testing.T) {
	t.Parallel()
	const stored = `{"kev_day":20000,"technical_impact":"total"}`
	var known Threat
	if err := json.Unmarshal([]byte(stored), &known); err != nil || known != (Threat{KEVDay: 20_000, Impact: "total"}) {
		t.Fatalf("%+v, %v", known, err)
	}
	if again, err := json.Marshal(known); err != nil || string(again) != stored {
		t.Errorf("stored as %s, %v", again, err)
	}
}
