package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/leeward-ctem/leeward/server"
)

type assetsCmd struct {
	Text  string `arg:"" optional:"" help:"Part of a name or identifier."`
	Limit int    `help:"Rows; 0 prints all." default:"50"`
}

func (c *assetsCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	t := r.table("ASSET\tKIND\tTIER\tOWNER\tREACH\tOPEN\tKEV\tOVERDUE\tRISK")
	q := server.AssetQuery{Text: c.Text}
	shown := 0
	for {
		q.Limit = 1000
		if c.Limit > 0 {
			q.Limit = min(1000, c.Limit-shown)
		}
		p, err := h.Assets(ctx, q)
		if err != nil {
			return err
		}
		for _, a := range p.Rows {
			err := t.row(a, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\n", clip(a.Name, 48), a.Kind, number(a.Context.Tier), clip(a.Context.Owner, 20), a.Context.Reach, a.Open, a.KEV, a.Late, a.Risk)
			if err != nil {
				return err
			}
		}
		shown += len(p.Rows)
		if q.After = p.Next; p.Next == 0 || c.Limit > 0 && shown >= c.Limit {
			return t.end("No asset is known yet. Import a report with `leeward import FILE`.", "%d of %d assets\n", shown, p.Total)
		}
	}
}

func number(n int) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

type remediationsCmd struct {
	Filter []string `arg:"" optional:"" help:"Filter of the findings, as in: team:payments kev:true."`
	Limit  int      `help:"Rows; 0 prints all." default:"50"`
}

func (c *remediationsCmd) Run(ctx context.Context, r *run) error {
	h, done, err := r.house(ctx)
	if err != nil {
		return err
	}
	defer done()
	all, err := h.Remediations(ctx, joinWords(c.Filter))
	if err != nil {
		return err
	}
	t := r.table("ID\tFIX\tOWNER\tFINDINGS\tASSETS\tRISK\tDUE\tKEV")
	shown := all
	if c.Limit > 0 {
		shown = all[:min(c.Limit, len(all))]
	}
	for _, m := range shown {
		title := m.Title
		if m.Also != "" {
			title += " (" + m.Also + ")"
		}
		if err := t.row(m, "%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\n", m.Key, clip(title, 72), clip(orElse(m.Owner, "–"), 20), m.Findings, m.Assets, m.Risk, dayText(uint16(m.DueDay)), mark(m.KEV)); err != nil {
			return err
		}
	}
	return t.end("Nothing to fix.", "%d of %d fixes\n", len(shown), len(all))
}

// table prints rows for people, or one JSON object a line for programs.
type table struct {
	r    *run
	json *json.Encoder
	w    *tabwriter.Writer
	head string
	rows int
}

func (r *run) table(head string) *table {
	t := &table{r: r, head: head, w: tabwriter.NewWriter(r.Out, 0, 4, 2, ' ', 0)}
	if r.JSON {
		t.json = newEncoder(r.Out)
	}
	return t
}

func newEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// row prints v as JSON, or the columns by the format.
func (t *table) row(v any, format string, columns ...any) error {
	t.rows++
	if t.json != nil {
		return t.json.Encode(v)
	}
	if t.rows == 1 {
		fmt.Fprintln(t.w, t.head)
	}
	_, err := fmt.Fprintf(t.w, format, columns...)
	return err
}

// end prints what is left and, for people, a last line on standard error.
func (t *table) end(empty, format string, args ...any) error {
	if t.json != nil {
		return nil
	}
	if err := t.w.Flush(); err != nil {
		return err
	}
	if t.rows == 0 {
		fmt.Fprintln(t.r.Err, empty)
	} else if format != "" {
		fmt.Fprintf(t.r.Err, format, args...)
	}
	return nil
}
