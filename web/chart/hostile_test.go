package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// shapes are charts of n values, with text wherever text can stand.
func shapes(text string, n int, value func(i int) float64) map[string]component {
	values := make([]float64, n)
	texts := make([]string, n)
	for i := range values {
		values[i], texts[i] = value(i), text
	}
	bars, parts, steps, survival := make([]Bar, n), make([]Part, n), make([]Step, n), make([]SurvivalStep, n)
	rows, columns, cells, curves := make([]HeatRow, min(n, 100)), make([]HeatColumn, min(n, 100)), make([]HeatCell, min(n, 100)), make([]Curve, min(n, 20))
	for i, v := range values {
		bars[i] = Bar{text, v, text, text, text}
		parts[i] = Part{text, v}
		steps[i] = Step{text, text, text, int64(max(-1e9, min(1e9, v))), text}
		survival[i] = SurvivalStep{v, v, -v, v * 2}
	}
	for i := range cells {
		cells[i] = HeatCell{int(max(-1e9, min(1e9, values[i]))), len(text), text}
		columns[i] = HeatColumn{text, text}
	}
	for i := range rows {
		rows[i] = HeatRow{text, text, cells}
	}
	points, orders := make([]EffortPoint, n), make([]Order, min(n, 20))
	for i, v := range values {
		points[i] = EffortPoint{v, -v}
	}
	for i := range curves {
		curves[i], orders[i] = Curve{text, survival}, Order{text, points}
	}
	return map[string]component{
		"path":                 network(text, n, value),
		"path of one layer":    Path{Title: text, Layers: []PathLayer{{text, text, []PathNode{{text, text, text, value(0), text, text, true}}}}},
		"bars":                 Bars{text, text, bars},
		"bars without words":   Bars{Rows: []Bar{{Value: value(0)}}},
		"shares":               Shares{text, parts},
		"heat":                 Heat{text, text, false, columns, rows},
		"heat of shares":       Heat{text, text, true, columns, rows},
		"spark":                Sparkline{text, values},
		"effort":               Effort{text, orders},
		"survival":             Survival{Title: text, Curves: curves},
		"survival of days":     Survival{text, value(0), curves},
		"trend":                Trend{Title: text, Labels: texts, Line: Series{text, values}},
		"trend with bars":      Trend{text, texts, Series{text, values}, Series{text, values}, Series{text, values}, true, true},
		"trend without values": Trend{Title: text, Labels: texts, Up: Series{text, nil}, Down: Series{text, values}},
		"trend without labels": Trend{Title: text, Line: Series{text, values}, Up: Series{text, values}},
		"waterfall":            Waterfall{text, steps, int64(n), text},
	}
}

// network is a path of n nodes in each of its layers, some of them the same or
// none, with edges forth, back, round and to nowhere.
func network(text string, n int, value func(i int) float64) Path {
	p := Path{Title: text, Text: text, Name: text}
	for l := range 10 {
		layer := PathLayer{Name: text, Link: text}
		for i := range n {
			if l%4 == 2 {
				break
			}
			layer.Nodes = append(layer.Nodes, PathNode{fmt.Sprint(text, l, i%50), text, text, value(i), text, text, i%3 == 0})
		}
		p.Layers = append(p.Layers, layer)
	}
	for i := range 4 * n {
		p.Edges = append(p.Edges, PathEdge{fmt.Sprint(text, i%10, i%51), fmt.Sprint(text, i*7%10, i*3%51), value(i), text})
	}
	return p
}

// bound is what a chart of maxPoints points with the longest texts may weigh.
const bound = 24 << 20

func TestHostile(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"nothing":       "",
		"markup":        `"'><script>alert(1)</script><!-- & ]]> &amp; <svg/onload=x>`,
		"long":          strings.Repeat("long ", 2000),
		"one character": strings.Repeat("☃", 10_000),
		"right to left": "שלום \u202e\u2066 עולם",
		"control":       "a\x00b\x07\x1b[31mc\x7f\u0085\ufffe\uffff\ufeff",
		"not UTF-8":     "\xff\xc3(\xed\xa0\x80",
		"link":          "/findings?q=\"><script>",
		"lines":         "a\r\nb\tc",
	}
	values := map[string]func(i int) float64{
		"numbers":      func(i int) float64 { return float64(i%37) * 1.5 },
		"not a number": func(int) float64 { return nan },
		"endless":      func(i int) float64 { return inf * float64(1-i%2*2) },
		"mixed":        func(i int) float64 { return []float64{nan, inf, -inf, 0, 1, -1, 0.5}[i%7] },
		"huge":         func(i int) float64 { return math.MaxFloat64 * float64(1-i%2*2) },
		"tiny":         func(i int) float64 { return 5e-324 * float64(i%3) },
		"far":          func(i int) float64 { return 1e17 + float64(i%3)*16 },
		"equal":        func(int) float64 { return 7 },
		"negative":     func(i int) float64 { return -float64(i) },
		"rarely":       func(i int) float64 { return []float64{nan, 3}[min(1, max(0, 2-max(i-1, 2-i)))] },
	}
	try := func(what string, text string, n int, value func(int) float64) {
		for name, c := range shapes(text, n, value) {
			markup := render(t, c)
			if name == "spark" && markup == "" {
				continue // it says that it draws nothing
			}
			root := inspect(t, markup)
			if t.Failed() {
				t.Fatalf("%s of %s", name, what)
			}
			if points := len(root.classed("hover")); points > maxPoints {
				t.Errorf("%s of %s: %d points", name, what, points)
			}
			if rows := len(root.all("tr")); rows > maxCurves*maxPoints+2 {
				t.Errorf("%s of %s: %d rows", name, what, rows)
			}
			if len(markup) > bound {
				t.Errorf("%s of %s: %d bytes", name, what, len(markup))
			}
		}
	}
	for what, value := range values {
		for _, n := range []int{0, 1, 2, 3, 20} {
			try(fmt.Sprintf("%d values, %s", n, what), "a", n, value)
		}
	}
	for what, text := range texts {
		try("texts, "+what, text, 20, values["numbers"])
	}
	for _, what := range []string{"numbers", "mixed", "far"} {
		try("10,000 values, "+what, "a", 10_000, values[what])
	}
	try("many long texts", texts["one character"], 100, values["mixed"])
}

func TestBounds(t *testing.T) {
	t.Parallel()
	all := shapes("a", 10_000, func(i int) float64 { return float64(i) })
	for name, want := range map[string]int{"bars": maxBars + 1, "shares": 12 + 1, "heat": maxHeatRows + 1, "trend": maxPoints + 1, "waterfall": maxBars + 2, "survival": maxCurves*maxPoints + 1} {
		root := inspect(t, render(t, all[name]))
		if got := len(root.all("tr")); got != want {
			t.Errorf("%s: %d rows of the table, want %d", name, got, want)
		}
	}
	if got := len(inspect(t, render(t, all["heat"])).all("tr")[0].kids); got != maxHeatColumns+1 {
		t.Errorf("heat: %d columns, want %d", got, maxHeatColumns+1)
	}
	if d := inspect(t, render(t, all["spark"])).classed("curve")[0].attrs["d"]; strings.Count(d, "L") != maxPoints-1 {
		t.Errorf("spark: %d points, want %d", strings.Count(d, "L")+1, maxPoints)
	}
}

// An empty chart says so; a line needs two points.
func TestEmpty(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"bars": "Nothing to show yet", "trend": "Nothing to show yet", "survival": "Not measurable yet: nothing was closed"} {
		root := inspect(t, render(t, shapes("a", 0, zero)[name]))
		if got := root.classed("none"); len(got) != 1 || got[0].text() != want {
			t.Errorf("an empty %s does not say %q", name, want)
		}
	}
	for _, values := range [][]float64{nil, {1}, {nan, nan}, {inf, nan}} {
		if got := render(t, Sparkline{"t", values}); got != "" {
			t.Errorf("sparkline of %v: %q", values, got)
		}
	}
	far := make([]float64, 10_000)
	for i := range far {
		far[i] = nan
	}
	if far[1] = 5; slices.Contains(thin(len(far)), 1) {
		t.Fatal("the only number is drawn")
	}
	if got := render(t, Sparkline{"t", far}); got != "" {
		t.Errorf("sparkline whose only number is left out: %.100q", got)
	}
}

func zero(int) float64 { return 0 }

func FuzzCharts(f *testing.F) {
	f.Add("Payments", 1.0, 2.0, 3.0, uint8(3))
	f.Add(`"><script>`, nan, inf, -inf, uint8(7))
	f.Add("\xff\x00\u202e", math.MaxFloat64, -math.MaxFloat64, 5e-324, uint8(50))
	f.Add("/\t/x", 1e17, 1e17+16, 0.0, uint8(2))
	f.Fuzz(func(t *testing.T, text string, a, b, c float64, n uint8) {
		for name, chart := range shapes(text, int(n%24), func(i int) float64 { return []float64{a, b, c}[i%3] }) {
			if markup := render(t, chart); markup != "" || name != "spark" {
				inspect(t, markup)
			}
		}
	})
}
