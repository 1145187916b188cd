package chart

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
)

// Effort shows which share of what matters is found by so much of the work,
// for several orders in which the work may be done. The axis of effort is
// logarithmic: the first hundredth is where orders differ.
type Effort struct {
	Title  string
	Orders []Order
}

// Order is one order in which work is done.
type Order struct {
	Name   string
	Points []EffortPoint // by rising effort
}

// EffortPoint says that a share of all work finds a share of what matters. Both
// are between 0 and 1.
type EffortPoint struct{ Effort, Found float64 }

// leastEffort is where the axis begins.
const leastEffort = 1e-4

// told are the efforts of the table.
var told = [...]float64{0.001, 0.01, 0.05, 0.1}

// Render writes the chart.
func (e Effort) Render(_ context.Context, w io.Writer) error {
	var d drawing
	orders := e.Orders[:min(len(e.Orders), maxCurves)]
	var legend []key
	for i, o := range orders {
		legend = append(legend, key{fmt.Sprintf("k-line c%d", i+1), o.Name})
	}
	d.begin("effort", e.Title, survivalWidth, survivalBottom+40, legend...)
	x := scale{math.Log10(leastEffort), 0, survivalLeft, survivalRight}
	y := scale{0, 1, survivalBottom, survivalTop}
	for _, p := range []float64{0, 0.25, 0.5, 0.75, 1} {
		d.line("grid", survivalLeft, y.at(p), survivalRight, y.at(p))
		d.text("tick", "end", survivalLeft-8, y.at(p)+4, percent(p))
	}
	for i, name := range []string{"0.01 %", "0.1 %", "1 %", "10 %", "100 %"} {
		anchor := "middle"
		if i == 4 {
			anchor = "end"
		}
		d.text("tick", anchor, x.at(float64(i-4)), survivalBottom+18, name)
	}
	d.text("tick", "middle", (survivalLeft+survivalRight)/2, survivalBottom+36, "share of all that is fixed, in this order")
	rows := make([][]string, 0, len(orders))
	for i, o := range orders {
		d.open("g")
		d.element("title", o.Name)
		d.path(fmt.Sprintf("curve c%d", i+1), o.line(x, y))
		d.close("g")
		row := []string{o.Name}
		for _, effort := range told {
			row = append(row, percent(o.found(effort)))
		}
		rows = append(rows, row)
	}
	if len(orders) == 0 {
		d.text("none", "middle", survivalWidth/2, survivalBottom/2, "Nothing to show yet")
	}
	d.end([]string{"Order", "Found by 0.1 %", "1 %", "5 %", "10 %"}, rows)
	return d.writeTo(w)
}

// line is the path of an order; what is no number leaves no point.
func (o Order) line(x, y scale) string {
	var b strings.Builder
	for _, k := range thin(len(o.Points)) {
		p := o.Points[k]
		if !(p.Effort >= leastEffort && p.Effort <= 1) || !(p.Found >= 0 && p.Found <= 1) {
			continue
		}
		to := "L"
		if b.Len() == 0 {
			to = "M"
		}
		b.WriteString(to + num(x.at(math.Log10(p.Effort))) + " " + num(y.at(p.Found)))
	}
	return b.String()
}

// found is what is found by an effort: that of the last point up to it.
func (o Order) found(effort float64) float64 {
	found := math.NaN()
	for _, p := range o.Points {
		if p.Effort <= effort*(1+1e-9) {
			found = p.Found
		}
	}
	return found
}
