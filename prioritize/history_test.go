package prioritize

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/exposure"
)

// What moves a score, and which factor is said to have done it.
func TestHistory(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{})
	day := m.today
	dear := newModel(t, Config{LossMax: 1e12})
	quiet := exposure.Advisory{Key: "CVE-2019-1", CVEs: []string{"CVE-2019-1"}, CVSS: []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, Threat: exposure.Threat{PublishedDay: day - 2000, EPSS: 0.01, Percentile: 0.3, EPSSModel: "v4"}}
	likely, listed, gone := quiet, quiet, quiet
	likely.Threat.EPSS, likely.Threat.Percentile = 0.4, 0.999
	listed.Threat.KEVDay = day - 10
	gone.Threat.Withdrawn = true
	bare := quiet
	bare.CVSS = nil
	described, twice := bare, quiet
	described.Threat.Vector, twice.Threat.Vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"
	inside, outside := &exposure.Context{Reach: exposure.ReachInternal}, &exposure.Context{Reach: exposure.ReachInternet}
	crown := &exposure.Context{Reach: exposure.ReachInternal, Services: []string{"shop"}, Loss: exposure.Loss{Confidentiality: 5e6, Integrity: 5e6, Availability: 5e6}}
	era := func(before int, a *exposure.Advisory, c *exposure.Context, v exposure.VerdictKind) Era {
		return Era{From: day - before, Model: m, Evidence: Evidence{Advisory: a, Context: c, Verdict: v}}
	}
	other := era(10, &quiet, inside, 0)
	other.Model = dear
	for _, c := range []struct {
		name string
		eras []Era
		want []string
	}{
		{"nothing", []Era{era(30, &quiet, inside, 0)}, nil},
		{"the same again", []Era{era(30, &quiet, inside, 0), era(10, &quiet, inside, 0)}, nil},
		{"EPSS", []Era{era(30, &quiet, inside, 0), era(10, &likely, inside, 0)}, []string{"10 up threat: EPSS 40 %, above 99.9 % of all CVEs, and what is known of exploits"}},
		{"reach", []Era{era(30, &quiet, inside, 0), era(10, &quiet, outside, 0)}, []string{"10 up reach: Reachable from the internet, over the network"}},
		{"service", []Era{era(30, &quiet, inside, 0), era(10, &quiet, crown, 0)}, []string{"10 up loss: Loss of shop"}},
		{"verdicts", []Era{era(30, &quiet, inside, 0), era(20, &quiet, inside, exposure.VerdictNotExploitable), era(10, &quiet, inside, 0)},
			[]string{"20 down validation: Validated: not exploitable", "10 up validation: Not validated, detection unknown"}},
		{"two at once, the larger is named", []Era{era(30, &quiet, inside, 0), era(10, &likely, outside, 0)}, []string{"10 up threat: EPSS 40 %, above 99.9 % of all CVEs, and what is known of exploits"}},
		{"withdrawn", []Era{era(30, &quiet, inside, 0), era(10, &gone, inside, 0)}, []string{"10 down threat: Withdrawn by those who published it"}},
		{"a vector of the feeds", []Era{era(30, &bare, outside, 0), era(10, &described, outside, 0)}, []string{"10 up loss: Loss of an asset without a tier: as tier 3"}},
		{"one beside that of the report", []Era{era(30, &quiet, outside, 0), era(10, &twice, outside, 0)}, nil},
		{"of one day the last counts", []Era{era(30, &quiet, inside, 0), era(10, &likely, inside, 0), era(10, &quiet, inside, 0)}, nil},
		// One that the report saw before it was listed: the listing has a date.
		{"known only later", []Era{era(30, &listed, inside, 0)}, []string{"10 up threat: Known to be exploited since " + date(day-10) + " (aged)"}},
	} {
		h := History(c.eras, day)
		var got []string
		for _, x := range h.Changes {
			line := fmt.Sprintf("%d %s %s: %s", day-x.Day, map[bool]string{true: "up", false: "down"}[x.To > x.From], x.Factor, x.Label)
			if x.Aged {
				line += " (aged)"
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if last := h.Points[len(h.Points)-1]; last.Day != day {
			t.Errorf("%s: the history ends on %d", c.name, last.Day)
		}
	}
	if h := History([]Era{era(30, &quiet, inside, 0), other}, day); len(h.Changes) != 1 || h.Changes[0].To >= h.Changes[0].From {
		t.Errorf("another scale: %+v", h.Changes)
	}
	if h := History(nil, day); len(h.Points)+len(h.Changes) != 0 {
		t.Errorf("no era: %+v", h)
	}
	if h := History([]Era{era(-1, &quiet, inside, 0)}, day); len(h.Points)+len(h.Changes) != 0 {
		t.Errorf("an era of tomorrow: %+v", h)
	}
}

// The history ends with the score of today, and its points are what the model
// says on each day.
func TestHistoryIsTheScore(t *testing.T) {
	t.Parallel()
	m := newModel(t, Config{})
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		var eras []Era
		one := random(r, m.today)
		for range 1 + r.IntN(5) {
			next := random(r, m.today)
			switch r.IntN(3) {
			case 0:
				a := *one.Advisory
				a.Threat = next.Advisory.Threat
				one.Advisory = &a
			case 1:
				one.Context = next.Context
			default:
				one.Verdict = next.Verdict
			}
			eras = append(eras, Era{From: m.today - r.IntN(120), Model: m, Evidence: one})
		}
		for i := range eras {
			eras[i].From = max(eras[0].From, eras[i].From)
			if i > 0 {
				eras[i].From = max(eras[i].From, eras[i-1].From)
			}
		}
		h := History(eras, m.today)
		first, last := h.Points[0], h.Points[len(h.Points)-1]
		if x := m.Explain(one); last.Points != x.Points || last.Band != x.Band || last.Day != m.today || first.Day != eras[0].From {
			t.Fatalf("ends with %+v, the score is %d", last, x.Points)
		}
		at, p := eras[0].From, 0
		for _, c := range h.Changes {
			if c.Factor == "" || strings.TrimSpace(c.Label) == "" || c.From == c.To || c.Day <= at && at != eras[0].From || c.Day > m.today {
				t.Fatalf("change %+v after day %d", c, at)
			}
			for at = c.Day; p+1 < len(h.Points) && h.Points[p+1].Day <= at; p++ {
			}
			if h.Points[p].Points != c.To || h.Points[p].Band != c.Band {
				t.Fatalf("%+v, the score of that day is %+v", c, h.Points[p])
			}
		}
		for i := range h.Points[1:] {
			if a, b := h.Points[i], h.Points[i+1]; a.Day >= b.Day || a.Points == b.Points && b.Day != m.today {
				t.Fatalf("points %+v, %+v", a, b)
			}
		}
	}
}

func BenchmarkHistory(b *testing.B) {
	m := newModel(b, Config{})
	r := rand.New(rand.NewPCG(3, 4))
	eras := []Era{{From: m.today - 365, Model: m, Evidence: random(r, m.today)}, {From: m.today - 100, Model: m, Evidence: random(r, m.today)}}
	for b.Loop() {
		History(eras, m.today)
	}
}
