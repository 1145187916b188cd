package chart

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
)

// Bars compares values of things by length, the label before and the value
// behind each bar.
type Bars struct {
	Title string
	Name  string // what the values are: "Expected loss"
	Rows  []Bar
}

// Bar is one row of [Bars].
type Bar struct {
	Label string
	Value float64 // at least 0; not a number: not measurable
	Text  string  // the value in words; empty: the plain number
	Class string  // "critical" … "low" or empty for the accent
	Link  string  // where the number leads, may be empty
}

const maxBars = 40

// Render writes the chart.
func (b Bars) Render(_ context.Context, w io.Writer) error {
	const width, left, right, pitch, thick = 440.0, 128.0, 370.0, 28.0, 14.0
	rows := b.Rows[:min(len(b.Rows), maxBars)]
	var d drawing
	if slices.ContainsFunc(rows, func(r Bar) bool { return local(r.Link) != "" }) {
		d.role = "group" // an image has nothing inside that could be followed
	}
	d.begin("bars", b.Title, width, max(40, float64(len(rows))*pitch+6))
	if len(rows) == 0 {
		d.text("none", "middle", width/2, 24, "Nothing to show yet")
	}
	top := 0.0
	for _, r := range rows {
		if !math.IsNaN(r.Value) && !math.IsInf(r.Value, 0) {
			top = max(top, r.Value)
		}
	}
	if top == 0 {
		top = 1
	}
	x := scale{0, top, left, right}
	data := make([][]string, 0, len(rows))
	for i, r := range rows {
		y := float64(i)*pitch + 4
		text := r.Text
		if text == "" {
			text = label(r.Value)
		}
		link := local(r.Link)
		if link != "" {
			d.open("a", "href", link) // its name is what it shows
		} else {
			d.open("g")
		}
		d.element("title", r.Label+": "+text)
		d.text("name", "end", left-10, y+thick-1, short(r.Label, 18))
		d.rect("track", left, y+1, right-left, thick, 4)
		end := left
		if !math.IsNaN(r.Value) && r.Value > 0 {
			end = x.at(min(r.Value, top))
			d.rect("bar "+r.Class, left, y+1, max(2, end-left), thick, 4)
		}
		d.text("value", "start", right+10, y+thick-1, short(text, 9))
		if link != "" {
			d.close("a")
		} else {
			d.close("g")
		}
		data = append(data, []string{r.Label, text})
	}
	d.end([]string{"Name", b.Name}, data)
	return d.writeTo(w)
}

// Shares shows parts of one whole as a single bar.
type Shares struct {
	Title string
	Parts []Part
}

// Part is one piece of [Shares]. Share is between 0 and 1.
type Part struct {
	Name  string
	Share float64
}

// Render writes the chart. Parts are drawn as large as they are given; what is
// missing to one stays empty.
func (s Shares) Render(_ context.Context, w io.Writer) error {
	const width, height = 560.0, 22.0
	var d drawing
	parts := s.Parts[:min(len(s.Parts), 12)]
	var legend []key
	for i, p := range parts {
		legend = append(legend, key{fmt.Sprintf("c%d", i%6+1), p.Name + " " + percent(p.Share)})
	}
	d.begin("shares", s.Title, width, height, legend...)
	d.rect("track", 0, 4, width, 14, 4)
	at := 0.0
	data := make([][]string, 0, len(parts))
	for i, p := range parts {
		share := p.Share
		if !(share > 0) || math.IsInf(share, 0) {
			share = 0
		}
		share = min(share, 1-at)
		d.open("g")
		d.element("title", p.Name+" "+percent(p.Share))
		d.rect(fmt.Sprintf("part c%d", i%6+1), at*width, 4, share*width-2, 14, 4)
		d.close("g")
		at += share
		data = append(data, []string{p.Name, percent(p.Share)})
	}
	d.end([]string{"Source", "Share"}, data)
	return d.writeTo(w)
}

// percent is a share as people read it: "87%", "0.4%", never 0% for something nor
// 100% for less than all.
func percent(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case x <= 0:
		return "0%"
	case x < 0.001:
		return "<0.1%"
	case x > 0.999 && x < 1:
		return ">99.9%"
	case x < 0.01 || x > 0.99 && x < 1:
		return fmt.Sprintf("%.1f%%", x*100)
	}
	return fmt.Sprintf("%.0f%%", x*100)
}
