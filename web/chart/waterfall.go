package chart

import (
	"context"
	"io"
	"math"
	"strconv"
)

// Waterfall shows how factors multiply to a result: each bar begins where the
// one before ended, on a logarithmic axis, so that equal lengths are equal
// factors. The logs are whole numbers and their sum is the result, exactly.
type Waterfall struct {
	Title string
	Steps []Step
	Unit  int64  // how many steps of log make a factor of e
	Total string // the result in words: "12.4 k expected loss"
}

// Step is one factor.
type Step struct {
	Name string // short: "Reach"
	Text string // what is known: "Reachable from the internet"
	Size string // the quantity: "× 0.55"
	Log  int64  // its logarithm in 1/Unit
	From string // who says so
}

// Render writes the chart.
func (f Waterfall) Render(_ context.Context, w io.Writer) error {
	const width, left, right, pitch, thick = 760.0, 128.0, 668.0, 34.0, 18.0
	unit := max(1, f.Unit)
	steps := f.Steps[:min(len(f.Steps), maxBars)]
	var sum int64
	low, high := 0.0, 0.0
	for _, s := range steps {
		sum += s.Log
		low, high = min(low, f.tens(sum, unit)), max(high, f.tens(sum, unit))
	}
	low, high = math.Floor(low), math.Ceil(high)
	if high-low < 1 {
		high = low + 1
	}
	x := scale{low, high, left, right}
	height := float64(len(steps)+1)*pitch + 26

	var d drawing
	d.begin("waterfall", f.Title, width, height)
	every := max(1, math.Ceil((high-low)/10))
	for p := low; p <= high; p += every {
		class := "grid"
		if p == 0 {
			class = "axis"
		}
		d.line(class, x.at(p), 4, x.at(p), height-22)
		d.text("tick", "middle", x.at(p), height-6, power(p))
	}
	rows := make([][]string, 0, len(steps))
	var at int64
	for i, s := range steps {
		y := float64(i)*pitch + 8
		from, to := x.at(f.tens(at, unit)), x.at(f.tens(at+s.Log, unit))
		at += s.Log
		class := "step same"
		switch {
		case s.Log > 0:
			class = "step more"
		case s.Log < 0:
			class = "step less"
		}
		d.open("g")
		d.element("title", s.Name+" "+s.Size+": "+s.Text)
		d.text("name", "end", left-12, y+thick-5, short(s.Name, 18))
		d.rect(class, min(from, to), y, max(3, math.Abs(to-from)), thick, 3)
		d.text("value", "start", max(from, to)+7, y+thick-5, short(s.Size, 16))
		d.line("link", to, y+thick, to, y+pitch)
		d.close("g")
		rows = append(rows, []string{s.Name, s.Text, s.Size, integer(s.Log), s.From})
	}
	y := float64(len(steps))*pitch + 8
	end := x.at(f.tens(sum, unit))
	d.open("g", "class", "total")
	d.element("title", f.Total)
	d.text("name", "end", left-12, y+thick-5, "Result")
	d.rect("step result", min(x.at(0), end), y, max(3, math.Abs(end-x.at(0))), thick, 3)
	d.text("value", "start", max(x.at(0), end)+7, y+thick-5, short(f.Total, 16))
	d.close("g")
	d.end([]string{"Factor", "What we know", "Size", "ln × " + integer(unit), "Source"}, rows, "Result", "the sum", f.Total, integer(sum), "")
	return d.writeTo(w)
}

// tens turns a sum of logs into powers of ten.
func (f Waterfall) tens(log, unit int64) float64 {
	return float64(log) / float64(unit) / math.Ln10
}

func power(p float64) string {
	switch {
	case p >= 0 && p < 15:
		s := "1"
		for range int(p) {
			s += "0"
		}
		if p >= 3 {
			return []string{"1 k", "10 k", "100 k", "1 M", "10 M", "100 M", "1 G", "10 G", "100 G", "1 T", "10 T", "100 T"}[int(p)-3]
		}
		return s
	case p < 0 && p >= -4:
		s := "0."
		for range int(-p) - 1 {
			s += "0"
		}
		return s + "1"
	}
	return "10^" + strconv.Itoa(int(p))
}

// integer is a whole number with a real minus sign and grouped digits.
func integer(n int64) string { return thousands(strconv.FormatInt(n, 10)) }
