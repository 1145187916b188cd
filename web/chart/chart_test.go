package chart

import (
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

var nan, inf = math.NaN(), math.Inf(1)

// typical are the charts as pages show them.
func typical() map[string]component {
	days := []string{"1 May", "2 May", "3 May", "4 May", "5 May"}
	return map[string]component{
		"bars": Bars{Title: "Expected loss by team", Name: "Expected loss", Rows: []Bar{
			{Label: "Payments", Value: 1_250_000, Text: "1.25 M", Class: "critical", Link: "/findings?q=team:payments"},
			{Label: "Platform & infrastructure", Value: 420_000, Class: "high"},
			{Label: "Nobody", Value: nan},
			{Label: "Docs", Value: 0},
		}},
		"path": Path{Title: "How checkout could be reached", Text: "Lines are as wide as the expected loss they carry.", Name: "Expected loss",
			Words: func(x float64) string { return tick(x) + " EUR" },
			Layers: []PathLayer{
				{Name: "Reachable from", Nodes: []PathNode{{ID: "internet", Name: "Internet", Weight: 14_500, Link: "/findings?q=reach:internet"}, {ID: "internal", Name: "Internal", Weight: 480}}},
				{Name: "Asset", Nodes: []PathNode{
					{ID: "db", Name: "db-1.example.com", Note: "480 EUR · 2 open · low", Weight: 480, Class: "low", Link: "/assets/2"},
					{ID: "web", Name: "WWW.CHECKOUT.EXAMPLE.COM", Note: "14 k EUR · 12 open", Weight: 14_000, Class: "critical", Link: "/assets/1", Choke: true},
					{ID: "old", Name: "old-1", Weight: nan},
				}},
				{Name: "Service", Nodes: []PathNode{{ID: "checkout", Name: "checkout", Weight: 14_980, Link: "/findings?q=service:checkout"}}},
			},
			Edges: []PathEdge{
				{"internet", "web", 14_000, ""}, {"internal", "db", 480, ""}, {"web", "checkout", 14_000, ""}, {"db", "checkout", 480, ""},
				{"internet", "checkout", 500, "by hand"}, {"checkout", "web", 1, ""}, {"internet", "nowhere", 7, ""},
			}},
		"shares": Shares{Title: "Shares of the threat", Parts: []Part{{"Exploited (KEV)", 0.72}, {"EPSS", 0.25}, {"New", 0.0296}, {"Local", 0.0004}}},
		"heat": Heat{Title: "Open findings by team and band", Corner: "Team",
			Columns: []HeatColumn{{"Critical", "critical"}, {"Low", "low"}},
			Rows: []HeatRow{
				{Name: "Payments", Link: "/findings?q=team:payments", Cells: []HeatCell{{Count: 12, Link: "/findings?q=band:critical"}, {Count: 1204, Link: "/findings?q=band:low"}}},
				{Name: "No owner", Cells: []HeatCell{{Count: 0, Link: "/findings"}}},
			}},
		"heat-shares": Heat{Title: "Assets that nobody looked at", Corner: "Team", Shares: true,
			Columns: []HeatColumn{{"Host", "blind"}, {"Image", "blind"}, {"Repository", "blind"}},
			Rows: []HeatRow{
				{Name: "Plant", Cells: []HeatCell{{Count: 12, Of: 33, Link: "/measure/unseen?kind=host"}, {Count: 0, Of: 4, Link: "/measure/unseen"}}},
			}},
		"spark": Sparkline{Title: "Risk", Values: []float64{1200, 1100, nan, 900, 950}},
		"survival": Survival{Title: "Share still open", Curves: []Curve{
			{"Critical", []SurvivalStep{{3, 0.9, 0.8, 1}, {14, 0.4, 0.25, 0.55}, {30, 0.1, 0.02, 0.2}}},
			{"All", []SurvivalStep{{20, 0.8, nan, nan}}},
		}},
		"effort": Effort{Title: "What each order finds", Orders: []Order{
			{"leeward", []EffortPoint{{0.0001, 0}, {0.001, 0.1}, {0.01, 0.3}, {0.05, 0.55}, {0.1, 0.7}, {1, 1}}},
			{"none", []EffortPoint{{nan, 0.5}, {0.5, nan}, {2, 2}}},
		}},
		"trend": Trend{Title: "Risk over 5 days", Labels: days, Line: Series{"Risk", []float64{812, 830, nan, 640, 655}},
			Up: Series{"New", []float64{40, 12, 0, 7, 9}}, Down: Series{"Closed", []float64{10, 0, nan, 90, 3}}},
		"waterfall": Waterfall{Title: "How the score comes about", Unit: 4096, Total: "12.4 k", Steps: []Step{
			{"Threat", "Listed in CISA KEV", "0.031 per day", -14229, "KEV 2026-11-20"},
			{"Reach", "Reachable from the internet", "× 1", 0, "programme 3"},
			{"Loss", "Supports checkout", "400 k", 52836, "programme 3"},
		}},
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, c := range typical() {
		markup := render(t, c)
		inspect(t, markup)
		if again := render(t, c); again != markup {
			t.Errorf("%s: two renderings differ", name)
		}
		// An element a line can be reviewed.
		got := strings.ReplaceAll(markup, "><", ">\n<") + "\n"
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s is drawn differently (-want +got), look at it and run with -update:\n%s", name, diff)
		}
	}
}

// What the drawing shows stands in the table too, in the same order.
func TestTables(t *testing.T) {
	t.Parallel()
	want := map[string][][]string{
		"bars": {{"Name", "Expected loss"}, {"Payments", "1.25 M"}, {"Platform & infrastructure", "420,000"}, {"Nobody", "–"}, {"Docs", "0"}},
		"path": {{"From", "To", "Expected loss", "How"}, {"Internet", "WWW.CHECKOUT.EXAMPLE.COM (choke point)", "14 k EUR", ""}, {"Internal", "db-1.example.com", "480 EUR", ""},
			{"WWW.CHECKOUT.EXAMPLE.COM (choke point)", "checkout", "14 k EUR", ""}, {"db-1.example.com", "checkout", "480 EUR", ""}, {"Internet", "checkout", "500 EUR", "by hand"},
			{"checkout", "WWW.CHECKOUT.EXAMPLE.COM (choke point)", "1 EUR", ""}, {"old-1", "–", "–", ""}},
		"shares":      {{"Source", "Share"}, {"Exploited (KEV)", "72%"}, {"EPSS", "25%"}, {"New", "3%"}, {"Local", "<0.1%"}},
		"heat":        {{"Team", "Critical", "Low"}, {"Payments", "12", "1,204"}, {"No owner", "0", "0"}},
		"heat-shares": {{"Team", "Host", "Image", "Repository"}, {"Plant", "12 of 33", "0 of 4", "–"}},
		"effort":      {{"Order", "Found by 0.1 %", "1 %", "5 %", "10 %"}, {"leeward", "10%", "30%", "55%", "70%"}, {"none", "–", "–", "–", "–"}},
		"survival": {{"Curve", "Day", "Still open", "95 % interval"}, {"Critical", "3", "90%", "80% – 100%"}, {"Critical", "14", "40%", "25% – 55%"},
			{"Critical", "30", "10%", "2% – 20%"}, {"All", "20", "80%", "80% – 80%"}},
		"trend": {{"Time", "Risk", "New", "Closed"}, {"1 May", "812", "40", "10"}, {"2 May", "830", "12", "0"}, {"3 May", "–", "0", "–"}, {"4 May", "640", "7", "90"}, {"5 May", "655", "9", "3"}},
		"waterfall": {{"Factor", "What we know", "Size", "ln × 4,096", "Source"}, {"Threat", "Listed in CISA KEV", "0.031 per day", "−14,229", "KEV 2026-11-20"},
			{"Reach", "Reachable from the internet", "× 1", "0", "programme 3"}, {"Loss", "Supports checkout", "400 k", "52,836", "programme 3"}, {"Result", "the sum", "12.4 k", "38,607", ""}},
	}
	for name, c := range typical() {
		root := inspect(t, render(t, c))
		var got [][]string
		for _, tr := range root.all("tr") {
			var cells []string
			for i, cell := range tr.kids {
				cells = append(cells, cell.text())
				if (cell.name == "th") != (i == 0 || len(got) == 0) || cell.name == "th" && cell.attrs["scope"] == "" {
					t.Errorf("%s: cell %d of row %d is no heading, or one of nothing: %v", name, i, len(got), cell.attrs)
				}
			}
			got = append(got, cells)
		}
		if diff := cmp.Diff(want[name], got); diff != "" {
			t.Errorf("table of %s (-want +got):\n%s", name, diff)
		}
		if details := root.all("details"); !strings.HasPrefix(name, "heat") && name != "spark" && (len(details) != 1 || len(details[0].all("table")) != 1 || details[0].all("summary") == nil) {
			t.Errorf("%s hides its table", name)
		}
	}
}

func TestTitles(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"bars": "Expected loss by team", "effort": "What each order finds", "path": "How checkout could be reached", "shares": "Shares of the threat", "spark": "Risk: from 1,200 to 950",
		"survival": "Share still open", "trend": "Risk over 5 days", "waterfall": "How the score comes about",
	}
	for name, c := range typical() {
		root := inspect(t, render(t, c))
		if name == "heat-shares" {
			continue
		}
		if name == "heat" {
			if got := root.texts("caption"); len(got) != 1 || got[0] != "Open findings by team and band" {
				t.Errorf("captions of heat %q", got)
			}
			continue
		}
		svg := root.all("svg")
		if len(svg) != 1 || svg[0].kids[0].text() != want[name] {
			t.Errorf("title of %s: %q, want %q", name, svg[0].kids[0].text(), want[name])
		}
	}
	// What a pointer or a finger stays on tells its numbers.
	for name, tip := range map[string]string{
		"bars": "Platform & infrastructure: 420,000", "path": "WWW.CHECKOUT.EXAMPLE.COM: 14 k EUR · 12 open, choke point", "shares": "Local <0.1%", "survival": "Critical", "trend": "4 May: Risk 640, New 7, Closed 90", "waterfall": "Reach × 1: Reachable from the internet",
	} {
		if tips := inspect(t, render(t, typical()[name])).texts("title"); !slices.Contains(tips, tip) {
			t.Errorf("%s tells %q, want %q among it", name, tips, tip)
		}
	}
}

// What could not be measured is a gap in the line, never a zero.
func TestGaps(t *testing.T) {
	t.Parallel()
	root := inspect(t, render(t, Trend{Title: "t", Labels: []string{"a", "b", "c", "d"}, Line: Series{"v", []float64{5, nan, inf, 7}}}))
	curve := root.classed("curve")
	if d := curve[0].attrs["d"]; strings.Count(d, "M") != 2 || strings.Count(d, "L") != 2 {
		t.Errorf("the curve is %s, want two dots", d)
	}
	if dots := root.classed("dot"); len(dots) != 2 {
		t.Errorf("%d points, want 2", len(dots))
	}
	root = inspect(t, render(t, Sparkline{"t", []float64{1, 2, nan, 4, inf}}))
	if d := root.classed("curve")[0].attrs["d"]; d != "M3 29L29.5 20.3M82.5 3L82.5 3" || root.classed("dot")[0].attrs["cx"] != "82.5" {
		t.Errorf("the curve of the sparkline is %s", d)
	}
	root = inspect(t, render(t, Bars{Rows: []Bar{{Label: "a", Value: nan}, {Label: "b", Value: inf}, {Label: "c", Value: 3}, {Label: "d", Value: -3}}}))
	var bars []string
	for _, b := range root.classed("bar") {
		bars = append(bars, b.attrs["width"])
	}
	if diff := cmp.Diff([]string{"242", "242"}, bars); diff != "" {
		t.Errorf("bars of an endless and the largest value (-want +got):\n%s", diff)
	}
	root = inspect(t, render(t, Shares{Parts: []Part{{"a", nan}, {"b", inf}, {"c", -1}, {"d", 0.5}, {"e", 0.75}}}))
	var widths []string
	for _, p := range root.classed("part") {
		widths = append(widths, p.attrs["width"])
	}
	if diff := cmp.Diff([]string{"0", "0", "0", "278", "278"}, widths); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

// A sum of factors is drawn as long as it is, and each begins where the one
// before ended.
func TestWaterfallAddsUp(t *testing.T) {
	t.Parallel()
	root := inspect(t, render(t, typical()["waterfall"]))
	steps := root.classed("step")
	edge := func(n *node, name string) float64 {
		x, err := strconv.ParseFloat(n.attrs[name], 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	less, more, result := steps[0], steps[2], steps[3]
	if len(root.classed("less")) != 1 || len(root.classed("same")) != 1 || len(root.classed("more")) != 1 {
		t.Error("the steps are not one less, one same and one more")
	}
	if edge(less, "x") != edge(steps[1], "x") || edge(less, "x") != edge(more, "x") {
		t.Errorf("steps begin at %v, %v, %v", less.attrs["x"], steps[1].attrs["x"], more.attrs["x"])
	}
	if begin := edge(less, "x") + edge(less, "width"); math.Abs(begin-edge(result, "x")) > 0.11 {
		t.Errorf("the first step begins at %g and the result at %g", begin, edge(result, "x"))
	}
	if end := edge(more, "x") + edge(more, "width"); math.Abs(end-edge(result, "x")-edge(result, "width")) > 0.21 {
		t.Errorf("the last step ends at %g and the result at %g", end, edge(result, "x")+edge(result, "width"))
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{
		0: "0", 7: "7", 0.5: "0.5", -0.5: "−0.5", 0.12345: "0.123", 9.999: "10", 10.4: "10", 999: "999", 1204: "1,204", -1204: "−1,204", 1234567.8: "1,234,568", 1e15: "1e+15", -2.5e20: "−2.5e+20", inf: "–",
	} {
		if got := label(x); got != want {
			t.Errorf("label of %g: %q, want %q", x, got, want)
		}
	}
	for x, want := range map[float64]string{
		0: "0", 1204: "1,204", 9994: "9,994", 12_500: "12.5 k", 999_400: "999 k", 999_950: "1 M", 1_500_000: "1.5 M", -2e6: "−2 M", 3e9: "3 G", 999.9e9: "1 T", 4e12: "4 T", 1e15: "1e+15", 1e300: "1e+300", inf: "–",
	} {
		if got := tick(x); got != want {
			t.Errorf("tick of %g: %q, want %q", x, got, want)
		}
	}
	for x, want := range map[float64]string{
		0: "0%", -1: "0%", 1e-9: "<0.1%", 0.004: "0.4%", 0.5: "50%", 0.87: "87%", 0.995: "99.5%", 0.9999: ">99.9%", 1: "100%", 2.5: "250%", inf: "–",
	} {
		if got := percent(x); got != want {
			t.Errorf("%g as a share: %q, want %q", x, got, want)
		}
	}
	for p, want := range map[float64]string{0: "1", 1: "10", 2: "100", 3: "1 k", 4: "10 k", 6: "1 M", 14: "100 T", 15: "10^15", -1: "0.1", -4: "0.0001", -5: "10^-5"} {
		if got := power(p); got != want {
			t.Errorf("ten to the %g: %q, want %q", p, got, want)
		}
	}
	if label(nan) != "–" || tick(nan) != "–" || percent(nan) != "–" || num(nan) != "0" || num(-0.01) != "0" || num(1.25) != "1.3" || integer(math.MinInt64) != "−9,223,372,036,854,775,808" {
		t.Error("what is no number, or hardly one, is written otherwise")
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		low, high float64
		want      []float64
	}{
		{0, 100, []float64{0, 25, 50, 75, 100}},
		{612, 834, []float64{600, 700, 800, 900}},
		{-3, 3, []float64{-4, -2, 0, 2, 4}},
		{5, 5, []float64{5, 5.25, 5.5, 5.75, 6}},
		{0, 0, []float64{0, 0.25, 0.5, 0.75, 1}},
		{0, 0.001, []float64{0, 0.00025, 0.0005, 0.00075, 0.001}},
		// Not every whole number of steps is a float: roundness is given up.
		{1e17, 1e17 + 16, []float64{1e17, 1e17 + 16}},
		{-math.MaxFloat64, math.MaxFloat64, []float64{-math.MaxFloat64, math.MaxFloat64}},
		{0, 5e-324, []float64{0, 5e-324}},
		{math.MaxFloat64, math.MaxFloat64, []float64{math.MaxFloat64, math.MaxFloat64}},
	} {
		got := ticks(test.low, test.high, 4)
		if len(got) != len(test.want) {
			t.Errorf("%g … %g: %v, want %v", test.low, test.high, got, test.want)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-test.want[i]) > 1e-12 {
				t.Errorf("%g … %g: %v, want %v", test.low, test.high, got, test.want)
				break
			}
		}
	}
}

func FuzzTicks(f *testing.F) {
	f.Add(0.0, 1.0, uint8(4))
	f.Add(1e17, 1e17+16, uint8(4))
	f.Add(-math.MaxFloat64, math.MaxFloat64, uint8(1))
	f.Add(5e-324, 1e-323, uint8(6))
	f.Add(9.999999999999995e+16, 9.999999999999997e+16, uint8(4))
	f.Add(-88.0, 1e-323, uint8(2))
	f.Fuzz(func(t *testing.T, low, high float64, n uint8) {
		if math.IsNaN(low+high) || math.IsInf(low, 0) || math.IsInf(high, 0) || n == 0 {
			t.Skip("extent gives numbers only")
		}
		got := ticks(low, high, int(n))
		if len(got) < 2 || len(got) > 110 || !slices.IsSorted(got) || slices.ContainsFunc(got, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }) {
			t.Fatalf("%g … %g: %v", low, high, got)
		}
		// By rounding, the least bit of the range may lie outside.
		if slack := max(math.Abs(low), math.Abs(high)) * 1e-9; got[0] > low+slack || got[len(got)-1] < max(low, high)-slack {
			t.Errorf("%g … %g is not within %v", low, high, got)
		}
	})
}

func TestThin(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, maxPoints - 1, maxPoints, maxPoints + 1, 10_000} {
		at := thin(n)
		if len(at) != min(n, maxPoints) {
			t.Errorf("%d of %d points are drawn", len(at), n)
		}
		if n > 0 && (at[0] != 0 || at[len(at)-1] != n-1) {
			t.Errorf("of %d points the first is %d and the last %d", n, at[0], at[len(at)-1])
		}
		if !slices.IsSorted(at) || len(slices.Compact(slices.Clone(at))) != len(at) {
			t.Errorf("of %d points some are drawn twice, or backwards: %v", n, at)
		}
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"ä☃漢字", 3, "ä☃…"}, {"", 3, ""}, {"abc", 1, "…"}} {
		if got := short(test.in, test.n); got != test.want {
			t.Errorf("%q cut to %d: %q, want %q", test.in, test.n, got, test.want)
		}
	}
}

func TestLinksStayHere(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]bool{
		"/findings?q=team:payments": true, "/": true,
		"": false, "findings": false, "//evil.example": false, `/\evil.example`: false, "/\t/evil.example": false, "/\n/evil.example": false, `/a\b`: false,
		"https://evil.example": false, "javascript:alert(1)": false, " /x": false, "/" + strings.Repeat("a", maxLink): false,
	} {
		got := ""
		if want {
			got = link
		}
		if local(link) != got {
			t.Errorf("%.50q leads to %.50q, want %.50q", link, local(link), got)
		}
		c := []component{Bars{Rows: []Bar{{"a", 1, "", "", link}}}, Heat{Columns: []HeatColumn{{"c", ""}}, Rows: []HeatRow{{"r", link, []HeatCell{{Count: 1, Link: link}}}}}}
		for i, c := range c {
			if a := inspect(t, render(t, c)).all("a"); len(a) != i+1 && want || len(a) > 0 && !want {
				t.Errorf("%.50q: %d links in %T", link, len(a), c)
			}
		}
	}
}

type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteErrors(t *testing.T) {
	t.Parallel()
	for name, c := range typical() {
		if err := c.Render(t.Context(), broken{}); !errors.Is(err, errBroken) {
			t.Errorf("%s: error %v, want that of the writer", name, err)
		}
	}
}

// Whatever the numbers, the ticks enclose them and the scale keeps them inside.
func TestTicksEnclose(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		a := math.Float64frombits(r.Uint64())
		b := a + float64(r.IntN(20))*(math.Nextafter(a, inf)-a)
		if r.IntN(2) == 0 {
			b = math.Float64frombits(r.Uint64())
		}
		low, high, _ := extent([]float64{a, b})
		if math.IsInf(low, 0) {
			continue // neither is a number
		}
		values := ticks(low, high, 4)
		s := scale{values[0], values[len(values)-1], 100, 0}
		for _, v := range append(values, low, high) {
			if at := s.at(v); !(at >= -1e-6 && at <= 100+1e-6) {
				t.Fatalf("of %g and %g with ticks at %g, %g is drawn at %g of 100", a, b, values, v, at)
			}
		}
	}
}
