package cli

import (
	"context"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
)

type alertsCmd struct {
	Days   int      `help:"Only of the last days; 0: all." default:"0"`
	Kind   []string `help:"Only of these kinds, with commas between: kev, ransomware, exploit, observed, epss, campaign, watch, kev_removed, epss_model, feed."`
	Unseen bool     `help:"Only those that nobody took note of."`
	Limit  int      `help:"Rows, at most 1000." default:"50"`
}

func (c *alertsCmd) Run(ctx context.Context, r *run) error {
	if c.Limit < 1 || c.Limit > 1000 || c.Days < 0 || c.Days > 800 {
		return exposure.Errorf(exposure.Invalid, "the limit is between 1 and 1000, and the days are at most 800")
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	p, err := h.Alerts(ctx, server.AlertQuery{Kinds: c.Kind, Days: c.Days, Unseen: c.Unseen, Limit: c.Limit})
	if err != nil {
		return err
	}
	t := r.table("ON\tKIND\tSUBJECT\tASSETS\tOWNERS\tFIX\tWHAT")
	for _, a := range p.Rows {
		var owners []string
		for _, o := range a.Owners {
			owners = append(owners, o.Name)
		}
		fix := "–"
		if len(a.Fixes) > 0 {
			fix = a.Fixes[0].Title
		}
		if err := t.row(a, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", dateAt(a.At), a.Kind, clip(a.Subject, 24), a.Assets, clip(strings.Join(owners, ", "), 28), clip(fix, 40), clip(oneLine(a.Reason), 100)); err != nil {
			return err
		}
	}
	return t.end("Nothing is new. Alerts come when the feeds say something new of what is open: see docs/alerts.md.", "")
}
