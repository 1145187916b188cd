package prioritize

import (
	"math"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Hazard of what is known to be exploited, per day: κ0 + κ1·2^(−age/90 d).
const (
	observedFloor  = 0.004
	observedFresh  = 0.02
	observedHalf   = 90.0
	ransomwareMore = 1.5
)

// imputedEPSS and imputedRank stand for a missing score: the median of CVEs
// published within 30 days, which is the same in all attack-vector classes (N,
// A, L, P) in the EPSS of 2024-12-29 for the 2,959 CVEs of that month. Missing
// scores are mostly those of fresh CVEs, and the age term does the rest.
const (
	imputedEPSS = 0.00043
	imputedRank = 0.1
)

// threat is the hazard of an advisory per day, by who says so.
type threat struct {
	epss, predicted, observed, local, prior float64
	imputed                                 bool
}

func (t threat) total() float64 {
	// A KEV listing replaces the prediction by the observation, and intelligence
	// replaces the prior; the larger counts, so that more evidence never lowers
	// the hazard.
	return max(t.prior, t.epss+max(t.predicted, t.observed)) + t.local
}

// threatOf evaluates λ_c of risk.md on a day.
func threatOf(a *exposure.Advisory, today int, first *linear) threat {
	var t threat
	h := &a.Threat
	if h.Withdrawn {
		return threat{prior: 1e-9}
	}
	t.local = h.Sightings
	if !hasAdvisory(a) {
		t.prior = priorOf(a)
		if !h.KEV() && !h.Scored() && h.ObservedDay == 0 {
			return t
		}
	}
	p := h.EPSS
	if !h.Scored() {
		p, t.imputed = imputedEPSS, true
	}
	p = min(max(p, 1e-6), 1-1e-6)
	t.epss = -math.Log1p(-p) / 30
	// −ln(1−σ(x)) = ln(1+e^x)
	t.predicted = math.Log1p(math.Exp(first.logit(SignalsOf(a, today)))) / first.horizon
	if evidence := max(h.KEVDay, h.ObservedDay); evidence != 0 {
		t.observed = observedFloor + observedFresh*math.Exp2(-float64(max(0, today-evidence))/observedHalf)
		if h.Ransomware {
			t.observed *= ransomwareMore
		}
	}
	return t
}

func when(cond bool, v float64) float64 {
	if cond {
		return v
	}
	return 0
}

// hasAdvisory reports whether the weakness is one the world knows by a name.
func hasAdvisory(a *exposure.Advisory) bool {
	return len(a.CVEs) > 0 || strings.HasPrefix(a.Key, "CVE-") || strings.HasPrefix(a.Key, "GHSA-") || a.Type == exposure.TypeVulnerability && !strings.Contains(a.Key, ":")
}

// ageOf returns the days since publication. Unknown is taken as fresh when the
// CVE is of this year or has no score, for that is why it has none.
func ageOf(a *exposure.Advisory, today int) int {
	if d := a.Threat.PublishedDay; d != 0 {
		return max(0, today-d)
	}
	if y := cveYear(a); y != 0 && y < yearOf(today) {
		return 366
	}
	if a.Threat.Scored() {
		return 91
	}
	return 0
}

// cveYear is the newest year among the CVEs, 0 without any.
func cveYear(a *exposure.Advisory) int {
	year := 0
	ids := a.CVEs
	if len(ids) == 0 {
		ids = []string{a.Key}
	}
	for _, id := range ids {
		if len(id) > 8 && strings.HasPrefix(id, "CVE-") {
			if y, err := strconv.Atoi(id[4:8]); err == nil {
				year = max(year, y)
			}
		}
	}
	return year
}

func yearOf(day int) int { return 1970 + int(float64(day)/365.2425) }

// priorOf is the hazard per day of an exposure that no feed knows, by type and
// the scanner's severity. The order of magnitude follows incident reports:
// leaked secrets and default credentials are used within weeks, most
// misconfigurations never. They are priors, flagged as such, to be replaced by
// the organisation's own outcomes.
func priorOf(a *exposure.Advisory) float64 {
	base := [...]float64{
		exposure.TypeVulnerability: 0.0005, exposure.TypeMisconfiguration: 0.0004, exposure.TypeSecret: 0.004,
		exposure.TypeCredential: 0.006, exposure.TypeCode: 0.0004, exposure.TypeWeb: 0.0006, exposure.TypeLicense: 1e-7,
		exposure.TypeService: 0.00002, exposure.TypeIdentity: 0.001, exposure.TypeLogic: 0.001,
	}
	bySeverity := [...]float64{exposure.SeverityUnknown: 0.5, exposure.SeverityInfo: 0.05, exposure.SeverityLow: 0.25, exposure.SeverityMedium: 1, exposure.SeverityHigh: 2.5, exposure.SeverityCritical: 6}
	i, s := int(a.Type), int(a.Severity)
	if i >= len(base) {
		i = 0
	}
	if s >= len(bySeverity) {
		s = 0
	}
	return base[i] * bySeverity[s]
}
