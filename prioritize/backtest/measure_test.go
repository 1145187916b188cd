package backtest

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestOrderByHand(t *testing.T) {
	t.Parallel()
	//              1st: positive, then a tie of one and one, then a negative, a positive without a score
	o := order([]float64{9, 5, 5, 1, math.NaN()}, []bool{true, true, false, false, true})
	if o.n != 5 || o.positives != 3 || len(o.ties) != 4 {
		t.Fatalf("%+v", o)
	}
	// Pairs of a positive and a negative: 2 right of the first, ½+1 of the tie, 0 of the last.
	if got := o.auc(); !near(got, 3.5/6) {
		t.Errorf("AUC %v", got)
	}
	if got, want := o.precision(), 1.0/3+1.0/3*2/3+1.0/3*3/5; !near(got, want) {
		t.Errorf("average precision %v, want %v", got, want)
	}
	for share, want := range map[float64]float64{0.2: 1, 0.4: 1.5, 0.6: 2, 0.8: 2, 1: 3} {
		if got, selected := o.within(share); !near(got, want) || !near(selected, share*5) {
			t.Errorf("within %v: %v of %v, want %v", share, got, selected, want)
		}
	}
	if c := o.curve(); c[len(c)-1] != (Point{1, 1}) {
		t.Errorf("the curve ends at %v", c[len(c)-1])
	}
}

// The area is the share of pairs in the right order, counted one by one.
func TestAreaIsTheShareOfPairs(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		n := 2 + r.IntN(40)
		scores, positive := make([]float64, n), make([]bool, n)
		for i := range scores {
			scores[i], positive[i] = float64(r.IntN(6)), r.IntN(3) == 0
		}
		positive[0], positive[1] = true, false
		right, pairs := 0.0, 0.0
		for i := range scores {
			for j := range scores {
				if positive[i] && !positive[j] {
					pairs++
					switch {
					case scores[i] > scores[j]:
						right++
					case scores[i] == scores[j]:
						right += 0.5
					}
				}
			}
		}
		o := order(scores, positive)
		if got := o.auc(); !near(got, right/pairs) {
			t.Fatalf("%v %v: %v, want %v", scores, positive, got, right/pairs)
		}
		if p := o.precision(); !(p > 0 && p <= 1+1e-12) {
			t.Fatalf("average precision %v", p)
		}
	}
}

// Published values: Wilson's interval for 8 of 10, and Garwood's for counts.
func TestIntervals(t *testing.T) {
	t.Parallel()
	if low, high := share(8, 10); math.Abs(low-0.4902) > 1e-3 || math.Abs(high-0.9433) > 1e-3 {
		t.Errorf("8 of 10: %v … %v", low, high)
	}
	for seen, want := range map[int][2]float64{0: {0, 3.689}, 1: {0.025, 5.572}, 10: {4.795, 18.390}, 25: {16.179, 36.905}} {
		low, high := count(seen)
		if math.Abs(low-want[0]) > 0.05 || math.Abs(high-want[1]) > 0.05 {
			t.Errorf("%d seen: %.3f … %.3f, want %v", seen, low, high, want)
		}
	}
}
