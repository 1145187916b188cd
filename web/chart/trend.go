package chart

import (
	"context"
	"io"
	"math"
)

// Trend shows how a value goes over time and, below on the same axis, what
// comes in (bars up) and goes out (bars down). Two panels, so that no line is
// read on the wrong scale.
type Trend struct {
	Title  string   // what it shows, for people who do not see it
	Labels []string // one a point, first to last
	Line   Series
	Up     Series // may be empty
	Down   Series // may be empty; drawn downwards, values are positive
	Zero   bool   // the axis of the line begins at zero
	Wide   bool   // for the whole width of a page
}

const (
	trendLeft   = 52.0
	trendTop    = 12.0
	trendLine   = 206.0 // lower end of the line's panel
	trendGap    = 22.0
	trendBars   = 104.0 // height of the bars' panel
	trendLabels = 24.0
)

// width is that of the drawing: its letters keep their size on a wide page.
func (t Trend) width() float64 {
	if t.Wide {
		return 1140
	}
	return 760
}

func (t Trend) right() float64 { return t.width() - 10 }

// Render writes the chart.
func (t Trend) Render(_ context.Context, w io.Writer) error {
	var d drawing
	at := thin(len(t.Labels))
	bars := len(t.Up.Values)+len(t.Down.Values) > 0
	bottom, legend := trendLine, []key{{"k-line", t.Line.Name}}
	if bars {
		bottom += trendGap + trendBars
		legend = append(legend, key{"k-up", t.Up.Name}, key{"k-down", t.Down.Name})
	}
	d.begin("trend", t.Title, t.width(), bottom+trendLabels, legend...)
	if len(at) == 0 {
		d.text("none", "middle", t.width()/2, trendLine/2, "Nothing to show yet")
	} else {
		x := scale{-0.5, float64(len(at)) - 0.5, trendLeft, t.right()}
		t.drawLine(&d, at, x)
		if bars {
			t.drawBars(&d, at, x)
		}
		t.drawLabels(&d, at, x, bottom+17)
		t.drawHover(&d, at, x, bottom)
	}
	rows := make([][]string, 0, len(at))
	for _, i := range at {
		row := []string{word(t.Labels, i), label(value(t.Line.Values, i))}
		if bars {
			row = append(row, label(value(t.Up.Values, i)), label(value(t.Down.Values, i)))
		}
		rows = append(rows, row)
	}
	head := []string{"Time", t.Line.Name}
	if bars {
		head = append(head, t.Up.Name, t.Down.Name)
	}
	d.end(head, rows)
	return d.writeTo(w)
}

// lineScale is the vertical scale of the line, with its ticks.
func (t Trend) lineScale() (scale, []float64) {
	low, high, ok := extent(t.Line.Values)
	if !ok {
		low, high = 0, 1
	}
	if t.Zero {
		low = min(low, 0)
	}
	values := ticks(low, high, 4)
	return scale{values[0], values[len(values)-1], trendLine, trendTop}, values
}

func (t Trend) drawLine(d *drawing, at []int, x scale) {
	y, values := t.lineScale()
	for _, v := range values {
		d.line("grid", trendLeft, y.at(v), t.right(), y.at(v))
		d.text("tick", "end", trendLeft-8, y.at(v)+4, tick(v))
	}
	l := line{bottom: trendLine}
	for k, i := range at {
		l.add(x.at(float64(k)), y, value(t.Line.Values, i))
	}
	l.draw(d)
}

func (t Trend) drawBars(d *drawing, at []int, x scale) {
	top := trendLine + trendGap
	_, up, okUp := extent(t.Up.Values)
	_, down, okDown := extent(t.Down.Values)
	if !okUp {
		up = 0
	}
	if !okDown {
		down = 0
	}
	if up+down <= 0 {
		up = 1
	}
	y := scale{-max(0, down), max(0, up), top + trendBars, top}
	width := min(22, (x.to-x.from)/float64(len(at))*0.62)
	for k, i := range at {
		left := x.at(float64(k)) - width/2
		if v := value(t.Up.Values, i); v > 0 {
			d.rect("up", left, y.at(v), width, y.at(0)-y.at(v), 2)
		}
		if v := value(t.Down.Values, i); v > 0 {
			d.rect("down", left, y.at(0), width, y.at(-v)-y.at(0), 2)
		}
	}
	d.line("axis", trendLeft, y.at(0), t.right(), y.at(0))
	if up > 0 {
		d.text("tick", "end", trendLeft-8, y.at(up)+9, "+"+label(up))
	}
	if down > 0 {
		d.text("tick", "end", trendLeft-8, y.at(-down)-1, "−"+label(down))
	}
}

// drawLabels writes at most seven of the labels below the axis.
func (t Trend) drawLabels(d *drawing, at []int, x scale, y float64) {
	every := (len(at) + 6) / 7
	for k := 0; k < len(at); k += every {
		d.text("tick", "middle", x.at(float64(k)), y, short(word(t.Labels, at[k]), 14))
	}
}

// drawHover lays a column over each point that tells its numbers.
func (t Trend) drawHover(d *drawing, at []int, x scale, bottom float64) {
	y, _ := t.lineScale()
	for k, i := range at {
		tip := word(t.Labels, i) + ": " + t.Line.Name + " " + label(value(t.Line.Values, i))
		if len(t.Up.Values) > 0 {
			tip += ", " + t.Up.Name + " " + label(value(t.Up.Values, i))
		}
		if len(t.Down.Values) > 0 {
			tip += ", " + t.Down.Name + " " + label(value(t.Down.Values, i))
		}
		left, right := x.at(float64(k)-0.5), x.at(float64(k)+0.5)
		d.open("g", "class", "hover")
		d.element("title", tip)
		d.rect("column", left, trendTop, right-left, bottom-trendTop, 0)
		if v := value(t.Line.Values, i); !math.IsNaN(v) && !math.IsInf(v, 0) {
			d.open("circle", "class", "dot", "cx", num(x.at(float64(k))), "cy", num(y.at(v)), "r", "4")
			d.close("circle")
		}
		d.close("g")
	}
}
