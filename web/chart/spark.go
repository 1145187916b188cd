package chart

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// Sparkline is a word-sized line beside a number. It has no table: its title
// says where it begins and ends, and the number beside it is its last value.
type Sparkline struct {
	Title  string
	Values []float64
}

// Render writes the chart, or nothing when there are fewer than two values or
// none of those drawn can be measured.
func (s Sparkline) Render(_ context.Context, w io.Writer) error {
	const width, height, edge = 112.0, 32.0, 3.0
	low, high, ok := extent(s.Values)
	if !ok || len(s.Values) < 2 {
		return nil
	}
	at := thin(len(s.Values))
	x := scale{0, float64(len(at) - 1), edge, width - edge}
	y := scale{low, high, height - edge, edge}
	if low == high {
		y = scale{low - 1, high + 1, height - edge, edge}
	}
	l := line{bottom: height}
	for k, i := range at {
		l.add(x.at(float64(k)), y, s.Values[i])
	}
	if l.last == "" {
		return nil // the only numbers fell out when the series was thinned
	}
	lastX, lastY, _ := strings.Cut(l.last, " ")
	var d drawing
	title := fmt.Sprintf("%s: from %s to %s", s.Title, label(s.Values[0]), label(s.Values[len(s.Values)-1]))
	d.open("svg", "class", "spark", "viewBox", "0 0 112 32", "role", "img", "aria-label", title)
	d.element("title", title)
	l.draw(&d)
	d.open("circle", "class", "dot", "cx", lastX, "cy", lastY, "r", "2.4")
	d.close("circle")
	d.close("svg")
	return d.writeTo(w)
}
