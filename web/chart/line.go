package chart

import (
	"math"
	"strings"
)

// line collects a curve and the area between it and the bottom. Where a value
// cannot be measured both have a gap.
type line struct {
	bottom      float64
	run         []string // the points since the last gap
	last        string   // the last point of all
	curve, area strings.Builder
}

// add appends the point of a value at x.
func (l *line) add(x float64, y scale, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		l.flush()
		return
	}
	l.last = num(x) + " " + num(y.at(v))
	l.run = append(l.run, l.last)
}

func (l *line) flush() {
	if len(l.run) == 0 {
		return
	}
	if len(l.run) == 1 {
		l.run = append(l.run, l.last) // a stroke of no length is a dot, a point alone is nothing
	}
	first, _, _ := strings.Cut(l.run[0], " ")
	last, _, _ := strings.Cut(l.last, " ")
	joined := strings.Join(l.run, "L")
	l.curve.WriteString("M" + joined)
	l.area.WriteString("M" + first + " " + num(l.bottom) + "L" + joined + "L" + last + " " + num(l.bottom) + "Z")
	l.run = nil
}

func (l *line) draw(d *drawing) {
	l.flush()
	d.path("area", l.area.String())
	d.path("curve", l.curve.String())
}
