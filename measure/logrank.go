package measure

import "math"

// LogRank tests whether two groups are fixed at the same speed over the whole
// time (N. Mantel, Evaluation of survival data and two new rank order
// statistics, 1966): at each age the fixes of one group are compared with its
// share of what was at risk. chi2 has one degree of freedom; p is the
// probability of a difference this large between groups that do not differ.
// Where nothing can be compared, because no age has fixes with both groups at
// risk, chi2 is 0 and p is 1.
//
// It is weak against curves that cross, and with many teams some pair differs
// by chance: divide the threshold by the number of pairs.
func LogRank(a, b []Span) (chi2, p float64) {
	ca, cb := count(a), count(b)
	days := max(len(ca.fixed), len(cb.fixed))
	var riskA, riskB int
	var difference, variance float64
	for day := range days {
		joinedA, fixedA, leftA := ca.at(day)
		joinedB, fixedB, leftB := cb.at(day)
		riskA, riskB = riskA+joinedA, riskB+joinedB
		if d := float64(fixedA + fixedB); d > 0 {
			n, na := float64(riskA+riskB), float64(riskA)
			difference += float64(fixedA) - d*na/n
			if n > 1 {
				// Variance of the hypergeometric distribution; the last factor is for ties.
				variance += d * (na / n) * (1 - na/n) * (n - d) / (n - 1)
			}
		}
		riskA, riskB = riskA-leftA, riskB-leftB
	}
	if variance <= 0 {
		return 0, 1
	}
	chi2 = difference * difference / variance
	return chi2, math.Erfc(math.Sqrt(chi2 / 2))
}

// at returns the counts of one age, which may lie beyond the last.
func (c *counts) at(day int) (joined, fixed, left int) {
	if day >= len(c.fixed) {
		return 0, 0, 0
	}
	return c.joined[day], c.fixed[day], c.left[day]
}
