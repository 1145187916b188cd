package chart

import (
	"math"
	"strings"
	"unicode/utf8"
)

// scale maps values to places along an axis.
type scale struct {
	low, high float64 // values
	from, to  float64 // places
}

func (s scale) at(v float64) float64 {
	if s.high == s.low {
		return s.from
	}
	share := (v - s.low) / (s.high - s.low)
	if math.IsInf(s.high-s.low, 0) {
		share = (v/2 - s.low/2) / (s.high/2 - s.low/2)
	}
	return s.from + share*(s.to-s.from)
}

// extent returns the least and largest number among the values; ok is false
// when there is none.
func extent(rows ...[]float64) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		for _, v := range r {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				low, high, ok = min(low, v), max(high, v), true
			}
		}
	}
	return low, high, ok
}

// ticks returns about n round values that enclose low and high. It gives up
// roundness, never termination.
func ticks(low, high float64, n int) []float64 {
	if !(high > low) {
		high = low + max(1, math.Abs(low)*0.1)
	}
	high = min(high, math.MaxFloat64)
	step := niceStep((high - low) / float64(n))
	first, last := math.Floor(low/step), math.Ceil(high/step)
	// Beyond 2^53 not every whole number is a float, and steps may be too small
	// to be seen.
	if !(last-first >= 1 && last-first <= 100) || !(max(-first, last) < 1<<53) || math.IsInf(step, 0) || math.IsInf(last*step, 0) || math.IsInf(first*step, 0) {
		return []float64{low, high}
	}
	out := make([]float64, 0, int(last-first)+1)
	for i := range int(last-first) + 1 {
		out = append(out, (first+float64(i))*step)
	}
	// Of numbers a few steps of a float apart, multiples are rounded past the ends.
	if out[0] > low || out[len(out)-1] < high {
		return []float64{low, high}
	}
	return out
}

// niceStep is the least of 1, 2, 2.5 and 5 times a power of ten that is at least x.
func niceStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x))) // 0 or too large at the ends of what floats can say
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if m*p >= x*(1-1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// thin returns the indexes of at most maxPoints of n points, with both ends.
func thin(n int) []int {
	m := min(n, maxPoints)
	out := make([]int, 0, m)
	for i := range m {
		if m == 1 {
			out = append(out, 0)
		} else {
			out = append(out, i*(n-1)/(m-1))
		}
	}
	return out
}

// value is v[i], or not a number when the series is too short.
func value(v []float64, i int) float64 {
	if i < len(v) {
		return v[i]
	}
	return math.NaN()
}

func word(v []string, i int) string {
	if i < len(v) {
		return v[i]
	}
	return ""
}

// short cuts a text to n characters.
func short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if n--; n <= 0 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}
