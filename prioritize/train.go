package prioritize

import (
	"math"

	"github.com/leeward-ctem/leeward/exposure"
)

// Case is one CVE on one day, and what became of it.
type Case struct {
	Signals   Signals
	Exploited bool // within the horizon
}

// Train fits the model of first exploitation to cases by penalised maximum
// likelihood: ridge is added for each squared weight, and no weight falls below
// zero. It is Newton's method on the weights that are free (Bertsekas,
// "Projected Newton Methods", SIAM J. Control 20, 1982), and gives the same
// weights for the same cases in the same order.
func Train(cases []Case, ridge float64, horizon int) (Weights, error) {
	f := fitting{cases: cases, ridge: ridge}
	fit, err := f.run()
	if err != nil {
		return Weights{}, err
	}
	return f.weights(f.at[bias], horizon, fit)
}

// Refit moves weights by an organisation's own outcomes: the estimate of
// maximum a posteriori where each weight was known before as the given one,
// with ridge as the precision of that. The intercept stays, and so does the
// horizon: how often this organisation is hit is told by [Config.Targeted], not
// by what tells one weakness from another.
func Refit(from Weights, cases []Case, ridge float64) (Weights, error) {
	f := fitting{cases: cases, ridge: ridge}
	for i, name := range signalNames {
		f.toward[i] = from.Signals[name]
		f.at[i] = from.Signals[name]
	}
	fit, err := f.run()
	if err != nil {
		return Weights{}, err
	}
	fit.Days, fit.Until = from.Fit.Days, from.Fit.Until
	return f.weights(from.Intercept, from.Horizon, fit)
}

// run searches the weights.
func (f *fitting) run() (Fit, error) {
	fit := Fit{Cases: len(f.cases), Ridge: f.ridge}
	for i := range f.cases {
		if f.cases[i].Exploited {
			fit.Exploited++
		}
	}
	if fit.Exploited == 0 || fit.Exploited == fit.Cases {
		return fit, exposure.Errorf(exposure.Invalid, "weights cannot be fitted to %d cases of which %d were exploited", fit.Cases, fit.Exploited)
	}
	share := float64(fit.Exploited) / float64(fit.Cases)
	f.at[bias] = math.Log(share / (1 - share))
	f.step()
	fit.Null = f.deviance
	for range maxSteps {
		moved := f.move()
		f.step()
		if moved < 1e-9 {
			break
		}
	}
	fit.Deviance = f.deviance
	return fit, nil
}

func (f *fitting) weights(intercept float64, horizon int, fit Fit) (Weights, error) {
	w := Weights{Intercept: intercept, Signals: map[string]float64{}, Horizon: horizon, Fit: fit}
	for i, name := range signalNames {
		w.Signals[name] = f.at[i]
	}
	return w, w.check()
}

const (
	bias     = signals // the place of the intercept
	maxSteps = 100
	maxMove  = 2 // of a weight in one step, which keeps the first ones in reach
)

// fitting is where the search stands: the weights, and of the penalised
// deviance its value, slope and curvature there.
type fitting struct {
	cases    []Case
	ridge    float64
	at       [signals + 1]float64
	toward   [signals + 1]float64 // what ridge pulls the weights to
	deviance float64
	slope    [signals + 1]float64
	curve    [signals + 1][signals + 1]float64
}

// step looks at all cases. The weight of an old CVE counts against.
func (f *fitting) step() {
	f.slope, f.curve, f.deviance = [signals + 1]float64{}, [signals + 1][signals + 1]float64{}, 0
	for i := range f.cases {
		c := &f.cases[i]
		var x [signals + 1]float64
		copy(x[:], c.Signals[:])
		x[signalOld], x[bias] = -x[signalOld], 1
		z := 0.0
		for j, v := range x {
			z += f.at[j] * v
		}
		p := 1 / (1 + math.Exp(-z))
		residual := p
		if c.Exploited {
			residual--
			f.deviance -= 2 * math.Log(p)
		} else {
			f.deviance -= 2 * math.Log1p(-p)
		}
		q := p * (1 - p)
		for j, v := range x {
			if v == 0 {
				continue
			}
			f.slope[j] += residual * v
			for k := range j + 1 {
				f.curve[j][k] += q * v * x[k]
			}
		}
	}
	for j := range f.at {
		for k := j + 1; k < len(f.at); k++ {
			f.curve[j][k] = f.curve[k][j]
		}
		if j != bias {
			f.slope[j] += f.ridge * (f.at[j] - f.toward[j])
			f.curve[j][j] += f.ridge
		}
		f.curve[j][j] += 1e-9 // a signal that no case has
	}
}

// move takes one Newton step of the weights that are not held at zero, and
// returns the farthest that one of them went.
func (f *fitting) move() (farthest float64) {
	var free []int
	for j := range f.at {
		if j == bias || f.at[j] > 0 || f.slope[j] < 0 {
			free = append(free, j)
		}
	}
	for i, by := range f.solve(free) {
		j := free[i]
		to := f.at[j] - min(max(by, -maxMove), maxMove)
		if j != bias {
			to = max(to, 0)
		}
		farthest = max(farthest, math.Abs(to-f.at[j]))
		f.at[j] = to
	}
	return farthest
}

// solve returns curve⁻¹·slope of the free weights, by Gaussian elimination: the
// curvature is positive definite.
func (f *fitting) solve(free []int) []float64 {
	n := len(free)
	rows := make([][]float64, n)
	for i, j := range free {
		rows[i] = make([]float64, n+1)
		for k, l := range free {
			rows[i][k] = f.curve[j][l]
		}
		rows[i][n] = f.slope[j]
	}
	for i := range n {
		for r := range n {
			if r == i {
				continue
			}
			by := rows[r][i] / rows[i][i]
			for c := i; c <= n; c++ {
				rows[r][c] -= by * rows[i][c]
			}
		}
	}
	out := make([]float64, n)
	for i := range n {
		out[i] = rows[i][n] / rows[i][i]
	}
	return out
}
