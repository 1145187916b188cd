package chart

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
)

// Sparkline is a word-sized line beside a number. It has no table: its title
// says where it begins and ends, and the number beside it is its last value.
type Sparkline struct {
	Title  string
	Values []float64
}

// Render writes the chart, or nothing when there are fewer than two values.
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
	var points []string
	for k, i := range at {
		if v := s.Values[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			points = append(points, num(x.at(float64(k)))+" "+num(y.at(v)))
		}
	}
	last := points[len(points)-1]
	lastX, lastY, _ := strings.Cut(last, " ")
	firstX, _, _ := strings.Cut(points[0], " ")
	var d drawing
	title := fmt.Sprintf("%s: from %s to %s", s.Title, label(s.Values[0]), label(s.Values[len(s.Values)-1]))
	d.open("svg", "class", "spark", "viewBox", "0 0 112 32", "role", "img", "aria-label", title)
	d.element("title", title)
	d.path("area", "M"+firstX+" "+num(height)+"L"+strings.Join(points, "L")+"L"+lastX+" "+num(height)+"Z")
	d.path("curve", "M"+strings.Join(points, "L"))
	d.open("circle", "class", "dot", "cx", lastX, "cy", lastY, "r", "2.4")
	d.close("circle")
	d.close("svg")
	return d.writeTo(w)
}
