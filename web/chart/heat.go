package chart

import (
	"context"
	"fmt"
	"io"
	"math"
)

// Heat counts things by two properties. It is a table whose cells are tinted,
// so the drawing and its alternative are one, and every number is a link.
type Heat struct {
	Title   string
	Corner  string // what the rows are: "Team"
	Shares  bool   // cells count a part of their Of, which decides the tint
	Columns []HeatColumn
	Rows    []HeatRow
}

// HeatColumn is one column; Class is its colour: "critical" … "low".
type HeatColumn struct{ Name, Class string }

// HeatRow is one row with a cell for each column.
type HeatRow struct {
	Name  string
	Link  string
	Cells []HeatCell
}

// HeatCell is a number and the list it comes from. With shares, a cell of
// nothing is empty.
type HeatCell struct {
	Count int
	Of    int
	Link  string
}

const (
	maxHeatRows    = 50
	maxHeatColumns = 20
)

// Render writes the chart. The tint is by the root of the share of the
// column's largest number, in six steps, so that small numbers still show.
func (h Heat) Render(_ context.Context, w io.Writer) error {
	var d drawing
	columns := h.Columns[:min(len(h.Columns), maxHeatColumns)]
	top := make([]int, len(columns))
	rows := h.Rows[:min(len(h.Rows), maxHeatRows)]
	for _, r := range rows {
		for i, c := range r.Cells[:min(len(r.Cells), len(top))] {
			top[i] = max(top[i], c.Count)
		}
	}
	d.open("table", "class", "heat")
	d.element("caption", h.Title, "class", "sr")
	d.open("thead")
	d.open("tr")
	d.open("th", "scope", "col")
	d.element("span", h.Corner, "class", "sr")
	d.close("th")
	for _, c := range columns {
		d.element("th", c.Name, "scope", "col", "class", c.Class)
	}
	d.close("tr")
	d.close("thead")
	d.open("tbody")
	for _, r := range rows {
		d.open("tr")
		d.open("th", "scope", "row")
		if link := local(r.Link); link != "" {
			d.element("a", r.Name, "href", link, "dir", "auto")
		} else {
			d.element("span", r.Name, "dir", "auto")
		}
		d.close("th")
		for i, column := range columns {
			var c HeatCell
			if i < len(r.Cells) {
				c = r.Cells[i]
			}
			step := 0
			whole, text := top[i], label(float64(c.Count))
			if h.Shares {
				whole, text = c.Of, text+" of "+label(float64(c.Of))
			}
			if c.Count > 0 && whole > 0 {
				step = 1 + int(math.Round(4*math.Sqrt(min(1, float64(c.Count)/float64(whole)))))
			}
			if h.Shares && c.Of <= 0 {
				d.open("td", "class", "nothing")
				d.element("span", "–")
				d.close("td")
				continue
			}
			d.open("td", "class", fmt.Sprintf("s%d %s", step, column.Class))
			if link := local(c.Link); link != "" && c.Count > 0 {
				d.element("a", text, "href", link, "aria-label", fmt.Sprintf("%s, %s: %s", r.Name, column.Name, text))
			} else {
				d.element("span", text)
			}
			d.close("td")
		}
		d.close("tr")
	}
	d.close("tbody")
	d.close("table")
	return d.writeTo(w)
}
