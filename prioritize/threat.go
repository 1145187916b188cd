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

// unlisted is how many weaknesses come to be exploited for each that KEV
// lists: 768 were first reported as exploited in 2024 by the count of VulnCheck
// ("2024 Trends in Vulnerability Exploitation", 2025), and 186 listed. The
// chance of the model is that of a listing.
const unlisted = 768.0 / 186

// imputedEPSS and imputedRank stand for a missing score: the median of CVEs
// published within 30 days, which is the same in all attack-vector classes (N,
// A, L, P) in the EPSS of 2024-12-29 for the 2,959 CVEs of that month. Missing
// scores are those of fresh CVEs, as far as EPSS is known at all; unasked speaks
// of the others.
const (
	imputedEPSS = 0.00043
	imputedRank = 0.1
)

// threat is the hazard of an advisory per day, by who says so.
type threat struct {
	activity  float64 // that EPSS foresees of what is known to be exploited
	predicted float64 // of first exploitation
	observed  float64
	local     float64
	prior     float64
	imputed   bool
	unasked   bool    // the prior is that of a CVE without a score
	chance    float64 // of a listing within the horizon of the model
}

func (t threat) total() float64 {
	// Known exploitation replaces the prediction, and intelligence replaces the
	// prior; the larger counts, so that more evidence never lowers the hazard.
	return max(t.prior, t.predicted, t.observed+t.activity) + t.local
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
	x := first.logit(SignalsOf(a, today))
	t.chance = 1 / (1 + math.Exp(-x))
	// −ln(1−σ(x)) = ln(1+e^x)
	t.predicted = unlisted * math.Log1p(math.Exp(x)) / first.horizon
	if evidence := max(h.KEVDay, h.ObservedDay); evidence != 0 {
		t.activity = -math.Log1p(-min(max(p, 1e-6), 1-1e-6)) / 30
		t.observed = observedFloor + observedFresh*math.Exp2(-float64(max(0, today-evidence))/observedHalf)
		if h.Ransomware {
			t.observed *= ransomwareMore
		}
	}
	if !h.Scored() && cveYear(a) != 0 && ageOf(a, today) > 30 {
		t.prior, t.unasked = unasked(a.Severity), true
	}
	return t
}

// unasked is the mean hazard per day of CVEs of a severity. It stands for CVEs
// that have no score although EPSS scores all of their age: the feeds were not
// asked yet, and among many that are harmless may be the worst one. The shares
// in KEV are those of 2025-09-28, 1,417 of 295,871 CVEs, by the severities of
// the 318 in KEV and 50,321 others whose CVSS score Vulnrichment had on
// 2025-01-24.
func unasked(s exposure.Severity) float64 {
	inKEV := map[exposure.Severity]float64{exposure.SeverityCritical: 0.0198, exposure.SeverityHigh: 0.006, exposure.SeverityMedium: 0.0015, exposure.SeverityLow: 0.0003, exposure.SeverityInfo: 0.0003}
	share, ok := inKEV[s]
	if !ok {
		share = 1417.0 / 295_871
	}
	return share * unlisted * observedFloor
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
