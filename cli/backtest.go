package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/prioritize/backtest"
)

type backtestCmd struct {
	Intel   string    `required:"" placeholder:"DIR" help:"Directory of dated intelligence, see docs/risk.md."`
	At      time.Time `required:"" format:"2006-01-02" placeholder:"DATE" help:"The day whose knowledge counts."`
	Horizon int       `default:"90" placeholder:"DAYS" help:"Days after it in which what was exploited is looked at."`
}

// Run prints how our order and others did from a day on.
func (c *backtestCmd) Run(ctx context.Context, r *run) error {
	if c.Horizon < 1 || c.Horizon > 3650 {
		return exposure.Errorf(exposure.Invalid, "--horizon is %d: give 1 to 3650 days", c.Horizon)
	}
	h, err := readEvidence(ctx, c.Intel, r.Now)
	if err != nil {
		return err
	}
	report, err := backtest.Run(ctx, h, intel.Day(c.At), c.Horizon)
	if err != nil {
		return err
	}
	if err := report.Ablate(ctx); err != nil {
		return err
	}
	if r.JSON {
		return json.NewEncoder(r.Out).Encode(report)
	}
	return r.backtested(&report)
}

func (r *run) backtested(b *backtest.Report) error {
	fmt.Fprintf(r.Out, "On %s, %d CVEs had an EPSS score and were not known to be exploited. %d of them were listed in KEV within %d days, and %d that had no score.\n\n", b.At, b.Universe, b.Positives, b.Horizon, b.Unscored)
	t := r.table("ORDER\tAUC\t95 %\tPR-AUC\tFOUND BY 0.1 %\t1 %\t5 %\t10 % OF EFFORT\tEXPECTED\tSEEN")
	for _, m := range b.Models {
		expected := "states none"
		if m.Expected != nil {
			expected = fmt.Sprintf("%.1f", *m.Expected)
		}
		err := t.row(m, "%s\t%.3f\t%.3f … %.3f\t%.4f\t%s\t%s\t%s\t%s\t%s\t%d\n", m.Name, m.AUC, m.AUCLow, m.AUCHigh, m.PRAUC,
			share(m.Coverage["0.1"]), share(m.Coverage["1"]), share(m.Coverage["5"]), share(m.Coverage["10"]), expected, m.Seen)
		if err != nil {
			return err
		}
	}
	if err := t.w.Flush(); err != nil {
		return err
	}
	for _, note := range b.Notes {
		fmt.Fprintf(r.Out, "\nNote: %s.", note)
	}
	if len(b.Missing) > 0 {
		fmt.Fprintf(r.Out, "\nMissing: %s.", strings.Join(b.Missing, ", "))
	}
	fmt.Fprintf(r.Out, "\nWeights, fitted to %s with outcomes until %s: %s\n", strings.Join(b.Weights.Fit.Days, ", "), b.Weights.Fit.Until, b.Weights)
	if len(b.Ablation) == 0 {
		return nil
	}
	fmt.Fprintln(r.Out)
	t = r.table("WITHOUT\tAUC\tFOUND BY 5 % OF EFFORT")
	for _, a := range b.Ablation {
		if err := t.row(a, "%s\t%.3f\t%s\n", a.Without, a.AUC, share(a.Coverage)); err != nil {
			return err
		}
	}
	return t.w.Flush()
}

func share(p float64) string { return fmt.Sprintf("%.0f %%", 100*p) }

type trainCmd struct {
	Intel   string    `required:"" placeholder:"DIR" help:"Directory of dated intelligence, see docs/risk.md."`
	By      time.Time `required:"" format:"2006-01-02" placeholder:"DATE" help:"Outcomes until this day count, later ones do not."`
	Horizon int       `default:"90" placeholder:"DAYS" help:"Days in which what was exploited is looked at."`
}

// Run writes the weights to standard output.
func (c *trainCmd) Run(ctx context.Context, r *run) error {
	h, err := readEvidence(ctx, c.Intel, r.Now)
	if err != nil {
		return err
	}
	w, err := backtest.Train(ctx, h, intel.Day(c.By), c.Horizon)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(r.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(w)
}
