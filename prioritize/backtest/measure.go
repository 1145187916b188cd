package backtest

import (
	"cmp"
	"math"
	"slices"
)

// ordered is an order of cases by a score, and which of them are positive.
type ordered struct {
	ties      []tie // highest score first
	n         int
	positives int
}

// tie are cases with one score.
type tie struct{ n, positives int }

// order sorts cases by their scores. NaN, no score, comes last.
func order(scores []float64, positive []bool) ordered {
	at := make([]int, len(scores))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int {
		x, y := scores[a], scores[b]
		switch {
		case math.IsNaN(x) && math.IsNaN(y):
			return 0
		case math.IsNaN(x):
			return 1
		case math.IsNaN(y):
			return -1
		}
		return cmp.Compare(y, x)
	})
	o := ordered{n: len(scores)}
	for i, j := range at {
		if i == 0 || scores[j] != scores[at[i-1]] && !(math.IsNaN(scores[j]) && math.IsNaN(scores[at[i-1]])) {
			o.ties = append(o.ties, tie{})
		}
		t := &o.ties[len(o.ties)-1]
		t.n++
		if positive[j] {
			t.positives++
			o.positives++
		}
	}
	return o
}

// auc is the chance that a positive stands before a negative, ties counting
// half: the area under the ROC curve.
func (o ordered) auc() float64 {
	negatives := float64(o.n - o.positives)
	behind, area := negatives, 0.0
	for _, t := range o.ties {
		these := float64(t.n - t.positives)
		behind -= these
		area += float64(t.positives) * (behind + these/2)
	}
	return area / (negatives * float64(o.positives))
}

// aucError is the standard error of an area, by Hanley and McNeil, "The meaning
// and use of the area under a ROC curve", Radiology 143, 1982.
func (o ordered) aucError() float64 {
	a, p, n := o.auc(), float64(o.positives), float64(o.n-o.positives)
	q1, q2 := a/(2-a), 2*a*a/(1+a)
	return math.Sqrt((a*(1-a) + (p-1)*(q1-a*a) + (n-1)*(q2-a*a)) / (p * n))
}

// precision is the average precision: the area under the curve of precision
// over recall, in steps.
func (o ordered) precision() (area float64) {
	seen, found := 0, 0
	for _, t := range o.ties {
		seen += t.n
		found += t.positives
		area += float64(t.positives) / float64(o.positives) * float64(found) / float64(seen)
	}
	return area
}

// within is how many positives are among the first share of all, where ties
// are cut in proportion.
func (o ordered) within(share float64) (positives, selected float64) {
	selected = share * float64(o.n)
	left := selected
	for _, t := range o.ties {
		part := min(1, left/float64(t.n))
		positives += part * float64(t.positives)
		if left -= float64(t.n); left <= 0 {
			break
		}
	}
	return positives, selected
}

// Point is how far one comes with so much effort.
type Point struct {
	Effort   float64 `json:"effort"`   // share of all CVEs that are fixed
	Coverage float64 `json:"coverage"` // share of those to be exploited among them
}

// curve is coverage over effort, in steps that a picture can show.
func (o ordered) curve() (out []Point) {
	for effort := 0.0001; effort < 1; effort *= 1.1 {
		found, _ := o.within(effort)
		out = append(out, Point{effort, found / float64(o.positives)})
	}
	return append(out, Point{1, 1})
}

// z is the quantile of the normal distribution for intervals of 95 %.
const z = 1.959963984540054

// share is the interval of a proportion, by Wilson, "Probable inference",
// Journal of the American Statistical Association 22, 1927.
func share(found, of float64) (low, high float64) {
	p := found / of
	middle := (p + z*z/(2*of)) / (1 + z*z/of)
	by := z / (1 + z*z/of) * math.Sqrt(p*(1-p)/of+z*z/(4*of*of))
	return max(0, middle-by), min(1, middle+by)
}

// count is the interval of the mean of a Poisson count, by the approximation of
// Wilson and Hilferty to the chi-squared quantiles that are exact (Garwood,
// "Fiducial limits for the Poisson distribution", Biometrika 28, 1936).
func count(seen int) (low, high float64) {
	k := float64(seen)
	if seen > 0 {
		low = k * math.Pow(1-1/(9*k)-z/(3*math.Sqrt(k)), 3)
	}
	k++
	return low, k * math.Pow(1-1/(9*k)+z/(3*math.Sqrt(k)), 3)
}

// sortBy sorts indices by what they stand for, highest first.
func sortBy(at []int, values []float64) {
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
}
