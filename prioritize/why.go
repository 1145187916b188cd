package prioritize

import (
	"fmt"
	"math"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// prediction takes the chance of first exploitation apart; nil where it is not
// what the threat is made of.
func (m *Model) prediction(a *exposure.Advisory, t threat) *exposure.Prediction {
	if t.predicted == 0 || t.predicted < max(t.prior, t.observed+t.activity) {
		return nil
	}
	s := SignalsOf(a, m.today)
	p := &exposure.Prediction{Chance: t.chance, Horizon: int(m.first.horizon), Base: 1 / (1 + math.Exp(-m.first.bias)), Signals: []exposure.Signal{}}
	for i, v := range s {
		if v != 0 {
			p.Signals = append(p.Signals, exposure.Signal{Name: signalNames[i], Label: signalLabel(i, a, t.imputed), Odds: math.Exp(m.first.weights[i] * v)})
		}
	}
	return p
}

func signalLabel(signal int, a *exposure.Advisory, imputed bool) string {
	h := &a.Threat
	switch signal {
	case signalEPSS:
		if imputed {
			return "No EPSS score: the rank of the median of fresh CVEs stands in"
		}
		return "EPSS ranks it above " + percent(h.Percentile) + " of all CVEs"
	case signalMetasploit:
		return "Metasploit has a module" + since(h.MetasploitDay)
	case signalNuclei:
		return "nuclei has a template" + since(h.NucleiDay)
	case signalArchive:
		return "An archive of exploits has it" + since(h.ArchiveDay)
	case signalPoC:
		return "A proof of concept is public" + since(h.PoCDay)
	case signalFresh:
		return "Published within 30 days"
	case signalRecent:
		return "Published 31 to 90 days ago"
	}
	return fmt.Sprintf("A CVE of %d: what was not exploited by now seldom is", cveYear(a))
}

func since(day int) string {
	if day <= exposure.UnknownDay {
		return ""
	}
	return " since " + date(day)
}

// Alternatives are what the score would be if one thing were different, those
// that lower it most first, then those that would raise it. What would change
// nothing is left out.
func (m *Model) Alternatives(e Evidence) []exposure.Alternative {
	now := m.Score(e)
	out := []exposure.Alternative{}
	try := func(name, label string, on *Model, change func(*Evidence)) {
		other := e
		a, c := *e.Advisory, *e.Context
		other.Advisory, other.Context = &a, &c
		if change != nil {
			change(&other)
		}
		if risk := on.Score(other); risk.Points() != now.Points() {
			out = append(out, exposure.Alternative{Name: name, Label: label, Points: risk.Points(), Band: m.bands.Of(risk), Loss: m.curve.ExpectedLoss(risk)})
		}
	}
	h := &e.Advisory.Threat
	reach := func(r exposure.Reach) func(*Evidence) { return func(o *Evidence) { o.Context.Reach = r } }
	try("isolated", "If the asset were isolated", m, reach(exposure.ReachIsolated))
	try("internal", "If it could be reached from inside only", m, reach(exposure.ReachInternal))
	try("control", "With a validated control in front of it that stops nine of ten attempts", m, func(o *Evidence) { o.Context.Controls = 1 - (1-o.Context.Controls)*0.1 })
	try("not_exploitable", "If a validation showed that it cannot be exploited", m, func(o *Evidence) { o.Verdict = exposure.VerdictNotExploitable })
	try("blocked", "If a validation showed that defences block it", m, func(o *Evidence) { o.Verdict = exposure.VerdictBlocked })
	if h.Scored() || h.KEV() { // what has no score will have one by then
		try("later", "In 90 days, if nothing new becomes known", m.On(m.today+90), nil)
	}
	try("internet", "If it could be reached from the internet", m, reach(exposure.ReachInternet))
	try("exploitable", "If a validation showed that it can be exploited", m, func(o *Evidence) { o.Verdict = exposure.VerdictExploitable })
	if hasAdvisory(e.Advisory) && !h.Withdrawn {
		try("exploit", "If a ready-made exploit were published", m, func(o *Evidence) {
			for _, day := range []*int{&o.Advisory.Threat.MetasploitDay, &o.Advisory.Threat.NucleiDay} {
				if *day == 0 {
					*day = m.today
				}
			}
		})
		try("listed", "If it became known to be exploited", m, func(o *Evidence) { o.Advisory.Threat.KEVDay = max(o.Advisory.Threat.KEVDay, m.today) })
	}
	slices.SortStableFunc(out, func(x, y exposure.Alternative) int { return x.Points - y.Points })
	return out
}
