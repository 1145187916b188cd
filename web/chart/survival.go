package chart

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
)

// Survival shows which share of findings is still open after so many days,
// with the interval of confidence around it.
type Survival struct {
	Title  string
	Days   float64 // length of the axis; 0: as far as the curves go
	Curves []Curve
}

// Curve is one survival curve. Before its first step the share is one.
type Curve struct {
	Name  string
	Steps []SurvivalStep // by rising day
}

// SurvivalStep says that from Day on the share is Share, between Low and High
// with 95 % confidence. All three are between 0 and 1.
type SurvivalStep struct {
	Day              float64
	Share, Low, High float64
}

// bounded keeps the shares between 0 and 1; without an interval, the band has
// no width.
func (s SurvivalStep) bounded() SurvivalStep {
	within := func(x, other float64) float64 {
		if math.IsNaN(x) {
			return other
		}
		return min(1, max(0, x))
	}
	s.Share = within(s.Share, 1)
	s.Low, s.High = within(s.Low, s.Share), within(s.High, s.Share)
	return s
}

const (
	survivalWidth  = 760.0
	survivalLeft   = 52.0
	survivalRight  = survivalWidth - 16
	survivalTop    = 12.0
	survivalBottom = 232.0
	maxCurves      = 6
)

// Render writes the chart.
func (s Survival) Render(_ context.Context, w io.Writer) error {
	var d drawing
	curves := s.Curves[:min(len(s.Curves), maxCurves)]
	days := s.Days
	if !(days > 0) {
		days = 0
	}
	var legend []key
	for i, c := range curves {
		legend = append(legend, key{fmt.Sprintf("k-line c%d", i+1), c.Name})
		for _, p := range c.Steps {
			if !(s.Days > 0) && p.Day > 0 && !math.IsInf(p.Day, 0) {
				days = max(days, p.Day)
			}
		}
	}
	if !(days > 0) || math.IsInf(days, 0) {
		days = 90
	}
	d.begin("survival", s.Title, survivalWidth, survivalBottom+40, legend...)
	x := scale{0, days, survivalLeft, survivalRight}
	y := scale{0, 1, survivalBottom, survivalTop}
	for _, p := range []float64{0, 0.25, 0.5, 0.75, 1} {
		class := "grid"
		if p == 0.5 {
			class = "grid half"
		}
		d.line(class, survivalLeft, y.at(p), survivalRight, y.at(p))
		d.text("tick", "end", survivalLeft-8, y.at(p)+4, percent(p))
	}
	for _, t := range ticks(0, days, 6) {
		if t <= days {
			d.text("tick", "middle", x.at(t), survivalBottom+18, label(t))
		}
	}
	d.text("tick", "middle", (survivalLeft+survivalRight)/2, survivalBottom+36, "days since first seen")
	var rows [][]string
	for i, c := range curves {
		steps := make([]SurvivalStep, 0, min(len(c.Steps), maxPoints))
		for _, k := range thin(len(c.Steps)) {
			if p := c.Steps[k].bounded(); p.Day >= 0 && p.Day <= days {
				steps = append(steps, p)
			}
		}
		class := fmt.Sprintf(" c%d", i+1)
		d.open("g")
		d.element("title", c.Name)
		d.path("band"+class, band(steps, days, x, y))
		d.path("curve"+class, staircase(steps, days, x, y))
		d.close("g")
		for _, p := range steps {
			rows = append(rows, []string{c.Name, label(p.Day), percent(p.Share), percent(p.Low) + " – " + percent(p.High)})
		}
	}
	if len(curves) == 0 {
		d.text("none", "middle", survivalWidth/2, survivalBottom/2, "Not measurable yet: nothing was closed")
	}
	d.end([]string{"Curve", "Day", "Still open", "95 % interval"}, rows)
	return d.writeTo(w)
}

func staircase(steps []SurvivalStep, days float64, x, y scale) string {
	var b strings.Builder
	b.WriteString("M" + num(x.at(0)) + " " + num(y.at(1)))
	for _, p := range steps {
		b.WriteString("H" + num(x.at(p.Day)) + "V" + num(y.at(p.Share)))
	}
	b.WriteString("H" + num(x.at(days)))
	return b.String()
}

// band is the area between the upper staircase and, on the way back, the lower.
func band(steps []SurvivalStep, days float64, x, y scale) string {
	if len(steps) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("M" + num(x.at(0)) + " " + num(y.at(1)))
	for _, p := range steps {
		b.WriteString("H" + num(x.at(p.Day)) + "V" + num(y.at(p.High)))
	}
	b.WriteString("H" + num(x.at(days)))
	for i := len(steps) - 1; i >= 0; i-- {
		b.WriteString("V" + num(y.at(steps[i].Low)) + "H" + num(x.at(steps[i].Day)))
	}
	return b.String() + "Z"
}
