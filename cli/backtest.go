package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/prioritize/backtest"
	"github.com/leeward-ctem/leeward/web"
	"github.com/leeward-ctem/leeward/web/chart"
)

type backtestCmd struct {
	Intel   string    `required:"" placeholder:"DIR" help:"Directory of dated intelligence, see docs/risk.md."`
	At      time.Time `required:"" format:"2006-01-02" placeholder:"DATE" help:"The day whose knowledge counts."`
	Horizon int       `default:"90" placeholder:"DAYS" help:"Days after it in which what was exploited is looked at."`
	HTML    string    `name:"html" placeholder:"FILE" help:"Write a page with the curves as well."`
}

// Run prints how our model and other orders did from a day on.
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
	if c.HTML != "" {
		if err := writeBacktest(ctx, c.HTML, &report); err != nil {
			return err
		}
	}
	if r.JSON {
		return json.NewEncoder(r.Out).Encode(report)
	}
	return r.backtested(&report)
}

// writeBacktest writes a page that needs no server.
func writeBacktest(ctx context.Context, path string, b *backtest.Report) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return exposure.Errorf(exposure.Invalid, "cannot write the page: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	p := web.BacktestPage{
		At:    b.At,
		Line:  fmt.Sprintf("%d CVEs had an EPSS score and were not known to be exploited; %d of them were listed in KEV within %d days.", b.Universe, b.Positives, b.Horizon),
		Notes: append(notes(b), "Weights: "+b.Weights.String()),
	}
	for _, m := range b.Models {
		o := chart.Order{Name: m.Name}
		for _, c := range m.Curve {
			o.Points = append(o.Points, chart.EffortPoint{Effort: c.Effort, Found: c.Coverage})
		}
		p.Orders = append(p.Orders, o)
		p.Models = append(p.Models, figuresOf(&m))
	}
	for _, g := range b.Models[0].Groups {
		p.Groups = append(p.Groups, []string{fmt.Sprintf("%g to %g %%", g.From, g.To), fmt.Sprintf("%.1f", g.Expected), fmt.Sprint(g.Seen), fmt.Sprintf("%.1f … %.1f", g.Low, g.High)})
	}
	for _, a := range b.Ablation {
		p.Ablation = append(p.Ablation, []string{a.Without, fmt.Sprintf("%.3f", a.AUC), share(a.Coverage)})
	}
	return web.Backtest(p).Render(ctx, f)
}

// figuresOf are the figures of an order as people read them.
func figuresOf(m *backtest.Model) []string {
	expected := "states none"
	if m.Expected != nil {
		expected = fmt.Sprintf("%.1f", *m.Expected)
	}
	return []string{m.Name, fmt.Sprintf("%.3f", m.AUC), fmt.Sprintf("%.3f … %.3f", m.AUCLow, m.AUCHigh), fmt.Sprintf("%.4f", m.PRAUC),
		share(m.Coverage["0.1"]), share(m.Coverage["1"]), share(m.Coverage["5"]), share(m.Coverage["10"]), expected, fmt.Sprint(m.Seen)}
}

// notes are what has to be known to read a report.
func notes(b *backtest.Report) []string {
	all := []string{fmt.Sprintf("%d more were listed that had no score on the day: no order of scored CVEs can find them.", b.Unscored)}
	for _, n := range b.Notes {
		all = append(all, "Note: "+n+".")
	}
	if len(b.Missing) > 0 {
		all = append(all, "Missing: "+strings.Join(b.Missing, ", ")+".")
	}
	if len(b.Weights.Fit.Days) > 0 {
		all = append(all, fmt.Sprintf("The weights are fitted to %d CVEs as they were known on %s, of which %d were listed until %s.", b.Weights.Fit.Cases, strings.Join(b.Weights.Fit.Days, ", "), b.Weights.Fit.Exploited, b.Weights.Fit.Until))
	}
	return all
}

func (r *run) backtested(b *backtest.Report) error {
	fmt.Fprintf(r.Out, "On %s, %d CVEs had an EPSS score and were not known to be exploited. %d of them were listed in KEV within %d days.\n\n", b.At, b.Universe, b.Positives, b.Horizon)
	t := r.table("ORDER\tAUC\t95 %\tPR-AUC\tFOUND BY 0.1 %\t1 %\t5 %\t10 % OF EFFORT\tEXPECTED\tSEEN")
	for _, m := range b.Models {
		if err := t.row(m, "%s\n", strings.Join(figuresOf(&m), "\t")); err != nil {
			return err
		}
	}
	if err := t.w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(r.Out)
	for _, note := range notes(b) {
		fmt.Fprintln(r.Out, note)
	}
	fmt.Fprintln(r.Out, "Weights:", b.Weights)
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
