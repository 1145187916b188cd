// Package chart draws charts as SVG on the server. A chart is a struct of
// numbers and words; its Render method writes the drawing and the same numbers
// as a table, so that nobody needs eyes or a script to read it. The output
// depends on the struct alone.
//
//	chart.Trend{Title: "Risk over 90 days", Labels: days, Line: chart.Series{Name: "Risk", Values: risk}}.Render(ctx, w)
//
// Colours, fonts and line widths come from the style sheet by class, because
// the Content-Security-Policy allows no inline style. Values that are not
// numbers (NaN) mean "not measurable" and leave a gap; they are never drawn as
// zero.
package chart

import (
	"cmp"
	"html"
	"io"
	"math"
	"strconv"
	"strings"
)

// Series is a named row of values, one for each label of its chart.
type Series struct {
	Name   string
	Values []float64
}

// maxPoints bounds what one chart draws; longer series are thinned evenly.
// maxText bounds the characters of one text or label, maxClass those of the
// classes of one element.
const (
	maxPoints = 400
	maxText   = 1000
	maxClass  = 64
)

// drawing collects markup. Text and attribute values are always escaped, and
// rid of the characters that XML 1.0 does not allow at all.
type drawing struct {
	strings.Builder
	role string // of the drawing when it is no image
}

// open writes a start tag with attributes given as name, value pairs.
func (d *drawing) open(tag string, attrs ...string) {
	d.WriteByte('<')
	d.WriteString(tag)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] == "" {
			continue
		}
		d.WriteByte(' ')
		d.WriteString(attrs[i])
		d.WriteString(`="`)
		value := attrs[i+1]
		switch attrs[i] {
		case "aria-label":
			value = short(value, maxText)
		case "class":
			value = short(value, maxClass)
		}
		d.WriteString(html.EscapeString(clean(value)))
		d.WriteByte('"')
	}
	d.WriteByte('>')
}

func (d *drawing) close(tag string) {
	d.WriteString("</")
	d.WriteString(tag)
	d.WriteByte('>')
}

// element writes a whole element that holds only text.
func (d *drawing) element(tag, text string, attrs ...string) {
	d.open(tag, attrs...)
	d.WriteString(html.EscapeString(clean(short(text, maxText))))
	d.close(tag)
}

// begin opens the figure and its drawing of w × h units.
func (d *drawing) begin(class, title string, w, h float64, legend ...key) {
	d.open("figure", "class", "chart "+class)
	if len(legend) > 0 {
		d.open("ul", "class", "legend")
		for _, k := range legend {
			d.element("li", short(k.name, 60), "class", "key "+k.class)
		}
		d.close("ul")
	}
	// Narrow screens scroll the drawing instead of shrinking its letters.
	d.open("div", "class", "chart-scroll", "role", "group", "tabindex", "0", "aria-label", title)
	d.svg(title, w, h)
}

func (d *drawing) svg(title string, w, h float64) {
	d.open("svg", "viewBox", "0 0 "+num(w)+" "+num(h), "role", cmp.Or(d.role, "img"), "aria-label", title)
	d.element("title", title)
}

// end closes the figure and adds the numbers as a table.
func (d *drawing) end(head []string, rows [][]string, foot ...string) {
	d.close("svg")
	d.close("div")
	d.open("details", "class", "chart-data")
	d.element("summary", "Show as table")
	d.open("div", "class", "scroll", "role", "group", "tabindex", "0", "aria-label", "Table of the chart")
	d.table(head, rows, foot...)
	d.close("div")
	d.close("details")
	d.close("figure")
}

func (d *drawing) table(head []string, rows [][]string, foot ...string) {
	line := func(cells []string, tag string) {
		d.open("tr")
		for i, c := range cells {
			if i == 0 {
				d.element("th", cmp.Or(c, "–"), "scope", map[bool]string{true: "col", false: "row"}[tag == "th"])
			} else if tag == "th" {
				d.element("th", cmp.Or(c, "–"), "scope", "col", "class", "num")
			} else {
				d.element("td", c, "class", "num")
			}
		}
		d.close("tr")
	}
	d.open("table", "class", "data")
	d.open("thead")
	line(head, "th")
	d.close("thead")
	d.open("tbody")
	for _, r := range rows {
		line(r, "td")
	}
	d.close("tbody")
	if len(foot) > 0 {
		d.open("tfoot")
		line(foot, "td")
		d.close("tfoot")
	}
	d.close("table")
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	d.open("line", "class", class, "x1", num(x1), "y1", num(y1), "x2", num(x2), "y2", num(y2))
	d.close("line")
}

func (d *drawing) rect(class string, x, y, w, h, r float64) {
	d.open("rect", "class", class, "x", num(x), "y", num(y), "width", num(max(0, w)), "height", num(max(0, h)), "rx", num(r))
	d.close("rect")
}

func (d *drawing) text(class, anchor string, x, y float64, text string) {
	d.element("text", text, "class", class, "x", num(x), "y", num(y), "text-anchor", anchor)
}

func (d *drawing) path(class, data string) {
	if data == "" {
		return
	}
	d.open("path", "class", class, "d", data)
	d.close("path")
}

func (d *drawing) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, d.String())
	return err
}

// key is one entry of a legend.
type key struct{ class, name string }

// clean replaces what no XML document may hold (XML 1.0, section 2.2).
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, s)
}

// local is a link within this server, or nothing: a chart leads nowhere else.
// Browsers read a backslash as a slash and skip tabs and line ends, so that
// "/\t/host" is another server.
func local(link string) string {
	other := strings.HasPrefix(link, "//") || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7F })
	if !strings.HasPrefix(link, "/") || other || len(link) > maxLink {
		return ""
	}
	return link
}

// maxLink bounds the bytes of a link: what is longer than a filter may be, in
// the writing of URLs, leads nowhere.
const maxLink = 16 << 10

// num is a coordinate with at most one decimal, which is finer than a pixel.
func num(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "0"
	}
	s := strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

// label is a value as people read it: "1,204", "0.37", "–" when not measurable.
func label(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case x == 0:
		return "0"
	case math.Abs(x) >= 1e15:
		return digits(x)
	case math.Abs(x) < 10 && x != math.Trunc(x):
		return digits(x)
	}
	return thousands(strconv.FormatFloat(math.Round(x), 'f', 0, 64))
}

// tick is a value as it stands at an axis, where there is no room for many
// digits: 1.5 M.
func tick(x float64) string {
	for _, unit := range []struct {
		size float64
		sign string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		// What rounds to a thousand of the lesser unit is one of this.
		if size := math.Abs(x); size >= 0.9995*unit.size && size >= 9995 && size < 0.9995e15 {
			return digits(x/unit.size) + " " + unit.sign
		}
	}
	return label(x)
}

// digits is a number with three digits that count and a real minus sign.
func digits(x float64) string {
	s := strconv.FormatFloat(x, 'g', 3, 64)
	if rest, found := strings.CutPrefix(s, "-"); found {
		return "−" + rest
	}
	return s
}

func thousands(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
