package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/web"
)

type whatifCmd struct {
	File   string   `short:"f" required:"" help:"Programme file; - for standard input." placeholder:"FILE"`
	Limit  int      `help:"Findings to name in each list; 0 for all 50." default:"10" placeholder:"N"`
	Filter []string `arg:"" optional:"" help:"Compare only what matches before or after, as in: team:payments."`
}

func (c *whatifCmd) Run(ctx context.Context, r *run) error {
	if c.Limit < 0 {
		return exposure.Errorf(exposure.Invalid, "--limit is %d: give 0 or more", c.Limit)
	}
	name, body, err := r.readProgramme(c.File)
	if err != nil {
		return err
	}
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	w, err := h.WhatIf(ctx, server.WhatIfRequest{File: name, Body: body, Filter: joinWords(c.Filter)})
	if err != nil {
		return err
	}
	if r.JSON {
		return newEncoder(r.Out).Encode(w)
	}
	return c.print(r, name, &w)
}

// print is the movement for people: the sentence, then tables of what differs.
func (c *whatifCmd) print(r *run, name string, w *server.WhatIf) error {
	fmt.Fprintf(r.Out, "%s: %s.\n", printable(filepath.Base(name)), printable(w.Summary))
	if w.Moved == 0 {
		return nil
	}
	shown := func(all []server.WhatIfFinding) []server.WhatIfFinding {
		if c.Limit == 0 {
			return all
		}
		return all[:min(len(all), c.Limit)]
	}
	var newcomers []server.WhatIfFinding
	for _, f := range w.Top {
		if f.Before.Rank == 0 || f.Before.Rank > len(w.Top) {
			newcomers = append(newcomers, f)
		}
	}
	for _, print := range []func() error{
		func() error { return printBands(r, w.Bands) },
		func() error { return printOwners(r, w) },
		func() error { return printHanded(r, w) },
		func() error { return printRules(r, w.Rules) },
		func() error {
			return printMovers(r, fmt.Sprintf("NEW AMONG THE %d RISKIEST", len(w.Top)), shown(newcomers))
		},
		func() error { return printMovers(r, "NOT AMONG THEM ANY MORE", shown(w.Dropped)) },
		func() error { return printMovers(r, "FARTHEST", shown(w.Farthest)) },
	} {
		if err := print(); err != nil {
			return err
		}
	}
	return nil
}

// printBands is the matrix of bands, from the rows to the columns. Bands that
// nothing is in are left out.
func printBands(r *run, cells []server.WhatIfBand) error {
	from, to, counts := map[string]int{}, map[string]int{}, map[[2]string]int{}
	for _, b := range cells {
		from[b.From], to[b.To] = from[b.From]+b.Findings, to[b.To]+b.Findings
		counts[[2]string{b.From, b.To}] = b.Findings
	}
	var columns []string
	for _, b := range bandNames() {
		if to[b] > 0 {
			columns = append(columns, b)
		}
	}
	t := r.table("\nBAND BEFORE\tFINDINGS\t→ " + strings.ToUpper(strings.Join(columns, "\t→ ")))
	for _, b := range bandNames() {
		if from[b] == 0 {
			continue
		}
		row := []string{b, web.Number(from[b])}
		for _, other := range columns {
			if n := counts[[2]string{b, other}]; n > 0 {
				row = append(row, web.Number(n))
			} else {
				row = append(row, "–")
			}
		}
		if err := t.row(nil, "%s\n", strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return t.w.Flush()
}

// bandNames are the bands, the worst first, and what is outside.
func bandNames() []string {
	names := []string{}
	for b := exposure.BandCritical; ; b-- {
		names = append(names, b.String())
		if b == exposure.BandNone {
			return append(names, "outside")
		}
	}
}

func printOwners(r *run, w *server.WhatIf) error {
	t := r.table("\nOWNER\tMOVE\tUP\tDOWN\tDUE EARLIER\tLATER\tNEWLY OVERDUE\tOPEN\tEXPECTED LOSS")
	for _, o := range w.Owners {
		open := web.Number(o.Before.Open)
		if o.After.Open != o.Before.Open {
			open += " → " + web.Number(o.After.Open)
		}
		if err := t.row(o, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s → %s\n", ownerText(o.Owner), o.Moved, o.Up, o.Down, o.DueEarlier, o.DueLater, o.NewlyOverdue, open,
			web.Money(o.Before.Loss, ""), web.Money(o.After.Loss, printable(w.Currency))); err != nil {
			return err
		}
	}
	if w.OwnersMore > 0 {
		if err := t.row(nil, "and %s more\n", web.Number(w.OwnersMore)); err != nil {
			return err
		}
	}
	return t.w.Flush()
}

func printHanded(r *run, w *server.WhatIf) error {
	t := r.table("\nFROM\tTO\tFINDINGS")
	for _, h := range w.Handed {
		if err := t.row(h, "%s\t%s\t%d\n", ownerText(h.From), ownerText(h.To), h.Findings); err != nil {
			return err
		}
	}
	if w.HandedMore > 0 {
		if err := t.row(nil, "and %s more\n", web.Number(w.HandedMore)); err != nil {
			return err
		}
	}
	return t.w.Flush()
}

func printRules(r *run, rules []server.WhatIfRule) error {
	t := r.table("\nDUE BY\tBEFORE\tAFTER")
	for _, rule := range rules {
		if err := t.row(rule, "%s\t%d\t%d\n", orElse(clip(rule.Rule, 40), "no due day"), rule.Before, rule.After); err != nil {
			return err
		}
	}
	return t.w.Flush()
}

func printMovers(r *run, title string, all []server.WhatIfFinding) error {
	t := r.table("\n" + title + "\tRISK\tBAND\tRANK\tDUE\tTITLE\tASSET\tOWNER")
	for _, f := range all {
		if err := t.row(f, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, arrow(strconv.Itoa(f.Before.Risk), strconv.Itoa(f.After.Risk)), arrow(f.Before.Band, f.After.Band), arrow(rankText(f.Before.Rank), rankText(f.After.Rank)),
			arrow(orElse(f.Before.Due, "never"), orElse(f.After.Due, "never")), clip(f.Title, 44), clip(f.Asset, 32), arrow(ownerText(f.Before.Owner), ownerText(f.After.Owner))); err != nil {
			return err
		}
	}
	return t.w.Flush()
}

// arrow is a value before and after; once when both are the same.
func arrow(before, after string) string {
	if before == after {
		return after
	}
	return before + " → " + after
}

func rankText(rank int) string {
	if rank == 0 {
		return "–"
	}
	return web.Number(rank)
}

func ownerText(name string) string { return orElse(clip(name, 32), "nobody") }

// readProgramme reads a programme file of the command line.
func (r *run) readProgramme(file string) (name, body string, err error) {
	name, in, err := r.open(file)
	if err != nil {
		return "", "", err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxProgramme+1))
	if err != nil {
		return "", "", exposure.Errorf(exposure.Unavailable, "cannot read %s: %w", name, err)
	}
	if len(text) > maxProgramme {
		return "", "", exposure.Errorf(exposure.Invalid, "%s has more than %d bytes, so it is no programme file", name, maxProgramme)
	}
	return name, string(text), nil
}
