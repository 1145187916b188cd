package validate_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/validate"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestAdmit(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		v    exposure.Verdict
		want string // in the error; empty: admitted
	}{
		"plain":           {exposure.Verdict{Kind: exposure.VerdictExploitable, Evidence: "ran it"}, ""},
		"own date":        {exposure.Verdict{Kind: exposure.VerdictBlocked, Evidence: "403 by the gateway", Until: now.Add(30 * day).UnixMilli()}, ""},
		"no evidence":     {exposure.Verdict{Kind: exposure.VerdictExploitable, Evidence: " \n"}, "needs evidence"},
		"too long":        {exposure.Verdict{Kind: exposure.VerdictExploitable, Evidence: strings.Repeat("x", 17<<10)}, "limit"},
		"fixed":           {exposure.Verdict{Kind: exposure.VerdictFixed, Evidence: "trust me"}, "retest"},
		"none":            {exposure.Verdict{Evidence: "nothing"}, "may record"},
		"in the past":     {exposure.Verdict{Kind: exposure.VerdictBlocked, Evidence: "x", Until: now.UnixMilli()}, "at most 90 days"},
		"for a year":      {exposure.Verdict{Kind: exposure.VerdictBlocked, Evidence: "x", Until: now.Add(365 * day).UnixMilli()}, "at most 90 days"},
		"too sure":        {exposure.Verdict{Kind: exposure.VerdictBlocked, Evidence: "x", Confidence: 101}, "between 1 and 100"},
		"negatively sure": {exposure.Verdict{Kind: exposure.VerdictBlocked, Evidence: "x", Confidence: -1}, "between 1 and 100"},
	} {
		err := validate.Admit(&c.v, now)
		if c.want == "" {
			if err != nil || c.v.Until <= c.v.At || c.v.Confidence == 0 {
				t.Errorf("%s: %v, %+v", name, err, c.v)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) || exposure.KindOf(err) != exposure.Invalid {
			t.Errorf("%s: %v, want one with %q", name, err, c.want)
		}
	}
}

func TestInForce(t *testing.T) {
	t.Parallel()
	verdict := func(id int64, k exposure.VerdictKind, at, until int64) exposure.Verdict {
		return exposure.Verdict{ID: id, Kind: k, At: at, Until: until}
	}
	const at = 1000
	for name, c := range map[string]struct {
		all  []exposure.Verdict
		want exposure.VerdictKind
	}{
		"nothing":                    {nil, exposure.VerdictNone},
		"the newest":                 {[]exposure.Verdict{verdict(1, exposure.VerdictExploitable, 10, 2000), verdict(2, exposure.VerdictNotExploitable, 20, 2000)}, exposure.VerdictNotExploitable},
		"ran out":                    {[]exposure.Verdict{verdict(1, exposure.VerdictExploitable, 10, 2000), verdict(2, exposure.VerdictNotExploitable, 20, 1000)}, exposure.VerdictExploitable},
		"of the future":              {[]exposure.Verdict{verdict(1, exposure.VerdictBlocked, 1500, 2000)}, exposure.VerdictNone},
		"inconclusive":               {[]exposure.Verdict{verdict(1, exposure.VerdictExploitable, 10, 2000), verdict(2, exposure.VerdictInconclusive, 20, 2000)}, exposure.VerdictExploitable},
		"only inconclusive":          {[]exposure.Verdict{verdict(2, exposure.VerdictInconclusive, 20, 2000)}, exposure.VerdictNone},
		"detection is another thing": {[]exposure.Verdict{verdict(1, exposure.VerdictExploitable, 10, 2000), verdict(2, exposure.VerdictDetected, 20, 2000)}, exposure.VerdictExploitable},
		"at once":                    {[]exposure.Verdict{verdict(1, exposure.VerdictExploitable, 10, 2000), verdict(2, exposure.VerdictBlocked, 10, 2000)}, exposure.VerdictBlocked},
	} {
		if got := validate.InForce(c.all, at); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		// The order in which they are read does not matter.
		rand.Shuffle(len(c.all), func(i, j int) { c.all[i], c.all[j] = c.all[j], c.all[i] })
		if got := validate.InForce(c.all, at); got != c.want {
			t.Errorf("%s, shuffled: %s, want %s", name, got, c.want)
		}
	}
}
