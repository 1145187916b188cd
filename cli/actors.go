package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/web"
)

type actorsCmd struct {
	Name string `arg:"" optional:"" help:"One of them by its name or id, as in APT29 or G0016, whomever it targets. None: those that target us."`
}

func (c *actorsCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.Name != "" {
		return r.actor(ctx, h, c.Name)
	}
	l, err := h.Landscape(ctx, "")
	if err != nil {
		return err
	}
	t := r.table("ACTOR\tID\tTARGETS\tLAST SEEN\tTECHNIQUES\tEXPLOITS\tOPEN\tEXPECTED LOSS")
	for _, a := range l.Actors {
		err := t.row(a, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", clip(a.Name, 40), clip(a.ID, 24), clip(targets(&a), 40), orElse(a.Last, "–"), a.Techniques, a.Exploited, a.Open, web.Money(a.Loss, ""))
		if err != nil {
			return err
		}
	}
	empty := "No actor that the feeds tell of is said to target you."
	switch {
	case l.Known == 0:
		empty = "No feed tells of actors yet. Fetch one with `leeward feeds update`."
	case l.Profile.Empty():
		empty = "The programme has no profile, so nobody is known to target you. Add `profile: {sectors: […], countries: […]}` and apply it."
	}
	return t.end(empty, "%d of %d known actors target you\n", len(l.Actors), l.Known)
}

// targets are the words of the profile that an actor targets.
func targets(a *server.ActorRow) string {
	text := exposure.Profile{Sectors: a.Sectors, Countries: a.Countries}.String()
	if a.Inferred {
		text += " (inferred)"
	}
	return text
}

// actor prints one actor.
func (r *run) actor(ctx context.Context, h house, name string) error {
	d, err := h.Actor(ctx, name, "")
	if err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(d)
	}
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(r.Out, "%-12s %s\n", label, printable(text))
		}
	}
	fmt.Fprintf(r.Out, "%s  %s\n", printable(d.Name), printable(d.ID))
	line("also", strings.Join(d.Names, ", "))
	line("from", strings.Join(d.Origin, ", "))
	line("targets", exposure.Profile{Sectors: d.AllSectors, Countries: d.AllCountries}.String())
	if d.Targets {
		line("us", targets(&d.ActorRow))
	}
	line("last seen", d.Last)
	line("read more", d.URL)
	line("open to it", fmt.Sprintf("%d findings, %s of expected loss within 30 days", d.Open, web.Money(d.Loss, "")))
	line("what it is", d.Summary)
	if len(d.Exploits) > 0 {
		fmt.Fprintln(r.Out)
		t := r.table("EXPLOITS\tBY\tOPEN\tASSETS")
		for _, x := range d.Exploits {
			if err := t.row(x, "%s\t%s\t%d\t%d\n", clip(x.ID, 40), clip(x.By, 30), x.Findings, x.Assets); err != nil {
				return err
			}
		}
		if err := t.end("", ""); err != nil {
			return err
		}
	}
	if len(d.Uses) == 0 {
		return nil
	}
	fmt.Fprintln(r.Out)
	t := r.table("USES\tNAME\tOPEN\tASSETS\tEXPECTED LOSS")
	for _, u := range d.Uses {
		if err := t.row(u, "%s\t%s\t%d\t%d\t%s\n", clip(u.ID, 16), clip(u.Name, 50), u.Findings, u.Assets, web.Money(u.Loss, "")); err != nil {
			return err
		}
	}
	return t.end("", "")
}
