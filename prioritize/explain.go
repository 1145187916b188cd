package prioritize

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Evidence is all that a score is made of.
type Evidence struct {
	Advisory  *exposure.Advisory
	Context   *exposure.Context
	Detection exposure.Detection
	Verdict   exposure.VerdictKind
	FirstSeen int               // day
	Versions  map[string]string // of feeds, for the sources' line
}

// Explain takes a score apart. The factors' logs add up to Total, and Points
// equals what the index shows for the same evidence.
func (m *Model) Explain(e Evidence) exposure.Explanation {
	a, c := e.Advisory, e.Context
	v := m.vectorOf(a)
	t := threatOf(a, m.today, &m.first)
	adv, ctx := m.Advisory(a), m.Context(c)
	hazard := adv.Log + ctx.Reach[v.reach] + m.Validation(e.Detection, e.Verdict)
	p := m.curve.Probability(hazard)
	loss := ctx.Loss[v.impact()]
	risk := m.curve.Risk(hazard, loss)

	out := exposure.Explanation{
		Risk: risk, Points: risk.Points(), Band: m.bands.Of(risk), Model: m.version, Total: p + loss,
		Factors: []exposure.Factor{
			{Name: "threat", Label: threatLabel(a, t), Value: perDay(t.total()), Log: m.threat(a), Source: strings.Join(threatSources(a, t), ", ")},
			{Name: "targeted", Label: "Share of attacked organisations that you are among", Value: times(m.config.Targeted), Log: m.targeted(), Source: "policy"},
			{Name: "actors", Label: m.actorsLabel(&a.Threat), Value: times(m.actorsOf(&a.Threat)), Log: m.actors(a), Source: actorsSource(&a.Threat)},
			{Name: "preconditions", Label: preconditionLabel(v), Value: times(v.preconditions), Log: preconditions(v), Source: "CVSS"},
			{Name: "reach", Label: reachLabel(c.Reach, v.reach), Value: times(reachOf(c.Reach, v.reach)), Log: exposure.NatsOf(reachOf(c.Reach, v.reach)), Source: "programme"},
			{Name: "controls", Label: "What validated controls let through", Value: times(1 - c.Controls), Log: controls(c), Source: "programme"},
			{Name: "validation", Label: validationLabel(e.Detection, e.Verdict), Value: times(validity(e.Detection, e.Verdict)), Log: m.Validation(e.Detection, e.Verdict), Source: "scanner"},
			{Name: "horizon", Label: fmt.Sprintf("Chance within %d days", horizon), Value: percent(p.Value()), Log: p - hazard, Source: "model"},
			{Name: "loss", Label: lossLabel(c), Value: money(loss.Value()), Log: loss, Source: "programme"},
		},
		Threat: shares(t),
	}
	switch {
	case t.unasked:
		out.Flags = append(out.Flags, "imputed: no EPSS score although it is no fresh CVE, the mean of its severity stands in")
	case t.imputed:
		out.Flags = append(out.Flags, "imputed: no EPSS score, the median of fresh CVEs stands in")
	case t.prior > 0 && !a.Threat.Withdrawn:
		out.Flags = append(out.Flags, "prior: no intelligence exists, a prior by type and severity stands in")
	}
	if !v.known {
		out.Flags = append(out.Flags, "no CVSS vector: impact and preconditions follow the scanner's severity")
	}
	if v.byFeeds {
		out.Flags = append(out.Flags, "CVSS vector by the feeds: the report states none")
	}
	day, rule := m.Due().Due(out.Band, adv.Policy, ctx.Policy, uint16(max(0, e.FirstSeen)), adv.KEVDay)
	if day != exposure.NoDue {
		out.DueDay, out.DueRule = int(day), m.Due().Rules[rule]
	}
	out.First = m.prediction(a, t)
	var labels []string
	out.Policies, labels = m.judge(e, v, out.Band, out.DueRule)
	out.SSVC, out.SSVCDeployer = labels[0], labels[1]
	out.Sentence = sentence(a, c, t, p.Value(), loss.Value())
	return out
}

// shares says which part of the threat each source is, summing to one.
func shares(t threat) []exposure.Share {
	total := t.total()
	// Of alternatives the largest counts, see threat.total.
	if t.observed+t.activity >= t.predicted {
		t.predicted = 0
	} else {
		t.observed, t.activity = 0, 0
	}
	if t.prior > t.predicted+t.observed+t.activity {
		t.predicted, t.observed, t.activity = 0, 0, 0
	} else {
		t.prior = 0
	}
	var out []exposure.Share
	for _, s := range []exposure.Share{{Name: "predicted first exploitation", Share: t.predicted}, {Name: "observed exploitation", Share: t.observed}, {Name: "activity by EPSS", Share: t.activity}, {Name: "local sightings", Share: t.local}, {Name: "prior", Share: t.prior}} {
		if s.Share > 0 {
			s.Share /= total
			out = append(out, s)
		}
	}
	return out
}

func threatSources(a *exposure.Advisory, t threat) []string {
	var s []string
	if a.Threat.Scored() {
		s = append(s, "EPSS "+a.Threat.EPSSModel)
	}
	if a.Threat.KEV() {
		s = append(s, "CISA KEV")
	}
	if t.prior > 0 {
		s = append(s, "prior")
	}
	if len(s) == 0 {
		s = append(s, "imputed")
	}
	return s
}

func threatLabel(a *exposure.Advisory, t threat) string {
	h := &a.Threat
	switch {
	case h.Withdrawn:
		return "Withdrawn by those who published it"
	case h.KEV() && h.Ransomware:
		return "Known to be exploited since " + date(h.KEVDay) + ", also by ransomware"
	case h.KEV():
		return "Known to be exploited since " + date(h.KEVDay)
	case t.unasked && t.prior > t.predicted:
		return "No EPSS score: as dangerous as CVEs of its severity are on average"
	case t.prior > 0 && !t.unasked:
		return "Typical for this type of exposure"
	case h.Scored():
		return "EPSS " + percent(h.EPSS) + ", above " + percent(h.Percentile) + " of all CVEs, and what is known of exploits"
	}
	return "No EPSS score: as likely as other fresh CVEs"
}

// actorsLabel says who of those that target us makes the weakness worse.
func (m *Model) actorsLabel(t *exposure.Threat) string {
	switch {
	case m.profile.Empty():
		return "No profile: set sectors and countries in the programme to know who targets you"
	case t.Users > 0 && t.Technique == "":
		more := ""
		if n := t.Users - strings.Count(t.Actors, "; ") - 1; n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		if t.Users == 1 {
			return "Used by " + t.Actors + ", which targets " + m.profile.String()
		}
		return "Used by " + t.Actors + more + ", which target " + m.profile.String()
	case t.Users > 0:
		its := "Its technique " + t.Technique
		if t.Derived || !slices.Contains(strings.Fields(t.Techniques), t.Technique) {
			its = t.Technique + ", a technique of its class,"
		}
		return fmt.Sprintf("%s is used by %d of %d actors that target you", its, t.Users, t.Targeters)
	}
	return "No actor that targets you is known to use it"
}

func actorsSource(t *exposure.Threat) string {
	if t.Users > 0 {
		return "profile and feeds"
	}
	return "policy"
}

func preconditionLabel(v vector) string {
	switch {
	case !v.known:
		return "Preconditions unknown"
	case v.preconditions == 1:
		return "Nothing needed but access"
	}
	return "Needs privileges, a user or special conditions"
}

func reachLabel(r exposure.Reach, v int) string {
	from := map[exposure.Reach]string{exposure.ReachUnknown: "Reach of the asset unknown", exposure.ReachInternet: "Reachable from the internet", exposure.ReachPartner: "Reachable by partners", exposure.ReachInternal: "Reachable from inside only", exposure.ReachIsolated: "Isolated"}[r]
	return from + [...]string{", over the network", ", from the same network", ", with local access", ", with hands on", ""}[v]
}

func validationLabel(d exposure.Detection, v exposure.VerdictKind) string {
	if v != exposure.VerdictNone {
		return "Validated: " + strings.ReplaceAll(v.String(), "_", " ")
	}
	return map[exposure.Detection]string{exposure.DetectionUnknown: "Not validated, detection unknown", exposure.DetectionBanner: "Not validated, seen by its version banner", exposure.DetectionRemote: "Not validated, seen by a remote check", exposure.DetectionStatic: "Not validated, found in code or configuration", exposure.DetectionAuthenticated: "Not validated, read from the system itself", exposure.DetectionExploit: "Shown to work by the scanner"}[d]
}

func lossLabel(c *exposure.Context) string {
	switch {
	case c.Loss != (exposure.Loss{}) && len(c.Services) > 0:
		return "Loss of " + strings.Join(c.Services, ", ")
	case c.Tier > 0:
		return fmt.Sprintf("Loss of an asset of tier %d", c.Tier)
	}
	return "Loss of an asset without a tier: as tier 3"
}

func sentence(a *exposure.Advisory, c *exposure.Context, t threat, p, loss float64) string {
	var b strings.Builder
	switch h := &a.Threat; {
	case h.Withdrawn:
		b.WriteString("Withdrawn by those who published it")
	case h.KEV():
		b.WriteString("Exploited in the wild (CISA KEV since " + date(h.KEVDay) + ")")
	case h.MetasploitDay+h.NucleiDay != 0:
		b.WriteString("A ready-made exploit is public")
	case t.prior > 0 && !t.unasked:
		b.WriteString("No intelligence beyond its type")
	case h.Scored():
		b.WriteString("EPSS " + percent(h.EPSS))
	default:
		b.WriteString("No EPSS score is known")
	}
	switch c.Reach {
	case exposure.ReachInternet:
		b.WriteString(", reachable from the internet")
	case exposure.ReachIsolated:
		b.WriteString(", on an isolated asset")
	case exposure.ReachUnknown:
		b.WriteString(", on an asset whose reach nobody stated")
	}
	if len(c.Services) > 0 {
		b.WriteString(", behind " + c.Services[0])
		if c.Tier > 0 {
			fmt.Fprintf(&b, " (tier %d)", c.Tier)
		}
	}
	fmt.Fprintf(&b, ": %s likely to be used against you within %d days, which would cost about %s.", percent(p), horizon, money(loss))
	return b.String()
}

func date(day int) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }

func percent(p float64) string {
	switch {
	case p >= 0.995 && p < 1:
		return fmt.Sprintf("%.1f %%", math.Floor(p*1000)/10) // not quite all
	case p >= 0.995:
		return fmt.Sprintf("%.0f %%", p*100)
	case p >= 0.01:
		return fmt.Sprintf("%.2g %%", p*100)
	case p >= 0.00001:
		return fmt.Sprintf("%.1g %%", p*100)
	}
	return "below 0.001 %"
}

func perDay(l float64) string { return fmt.Sprintf("%.2g per day", l) }

func times(x float64) string { return fmt.Sprintf("× %.3g", x) }

func money(x float64) string {
	switch {
	case x >= 999.5e3:
		return fmt.Sprintf("%.3g M", x/1e6)
	case x >= 999.5:
		return fmt.Sprintf("%.3g k", x/1e3)
	}
	return fmt.Sprintf("%.0f", math.Round(x))
}
