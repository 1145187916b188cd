package chart

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// component is a chart, as pages use it.
type component interface {
	Render(ctx context.Context, w io.Writer) error
}

func render(t testing.TB, c component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// node is an element of a chart's markup.
type node struct {
	name  string
	attrs map[string]string
	own   string // text between its children
	kids  []*node
}

// text is that of the element and its children.
func (n *node) text() string {
	var b strings.Builder
	b.WriteString(n.own)
	for _, k := range n.kids {
		b.WriteString(k.text())
	}
	return b.String()
}

// all returns the elements with a name, in their order.
func (n *node) all(name string) (found []*node) {
	if n.name == name {
		found = append(found, n)
	}
	for _, k := range n.kids {
		found = append(found, k.all(name)...)
	}
	return found
}

// texts returns the texts of the elements with a name.
func (n *node) texts(name string) (all []string) {
	for _, f := range n.all(name) {
		all = append(all, f.text())
	}
	return all
}

// classed returns the elements that have a class.
func (n *node) classed(class string) (found []*node) {
	for _, c := range strings.Fields(n.attrs["class"]) {
		if c == class {
			found = append(found, n)
		}
	}
	for _, k := range n.kids {
		found = append(found, k.classed(class)...)
	}
	return found
}

// inspect reads markup as XML, which is stricter than what browsers do, and
// checks what every chart promises: one root, known elements, no code and no
// link to elsewhere, a title, texts and numbers within bounds, and nothing
// drawn outside the drawing.
func inspect(t testing.TB, markup string) *node {
	t.Helper()
	root := tree(t, markup)
	check(t, root, nil)
	for _, svg := range root.all("svg") {
		titles := svg.all("title")
		if svg.attrs["role"] != map[bool]string{true: "group", false: "img"}[len(svg.all("a")) > 0] || len(titles) == 0 || svg.kids[0] != titles[0] || svg.attrs["aria-label"] != titles[0].text() {
			t.Errorf("the drawing does not say what it is: %v", svg.attrs)
		}
	}
	return root
}

func tree(t testing.TB, markup string) *node {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(markup))
	top := &node{}
	open := []*node{top}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v in %.2000s", err, markup)
		}
		last := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := n.attrs[a.Name.Local]; twice {
					t.Errorf("<%s> has %s twice", n.name, a.Name.Local)
				}
				n.attrs[a.Name.Local] = a.Value
			}
			last.kids = append(last.kids, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.own += string(token)
		default:
			t.Errorf("unexpected %T in the markup", token)
		}
	}
	if len(top.kids) != 1 || top.own != "" {
		t.Fatalf("%d roots, or text beside them: %.500s", len(top.kids), markup)
	}
	return top.kids[0]
}

var (
	elements = strings.Fields("figure ul li div svg title desc g a line rect text path circle details summary table caption thead tbody tfoot tr th td span")
	attrs    = strings.Fields("class role tabindex aria-label scope dir href viewBox x y x1 y1 x2 y2 cx cy r rx d width height text-anchor")
	number   = regexp.MustCompile(`^-?[0-9]{1,6}(\.[0-9])?$`)
	command  = regexp.MustCompile(`[MLHVCZ][^MLHVCZ]*`)
)

func check(t testing.TB, n *node, box []float64) {
	t.Helper()
	if !slices.Contains(elements, n.name) {
		t.Errorf("element <%s>", n.name)
	}
	if len(n.own) > maxText && utf8.RuneCountInString(n.own) > maxText {
		t.Errorf("<%s> holds %d characters: the limit is %d", n.name, utf8.RuneCountInString(n.own), maxText)
	}
	for name, v := range n.attrs {
		switch {
		case !slices.Contains(attrs, name):
			t.Errorf("<%s> has the attribute %s", n.name, name)
		case name == "aria-label" && utf8.RuneCountInString(v) > maxText:
			t.Errorf("the label of <%s> holds %d characters", n.name, utf8.RuneCountInString(v))
		case name == "href" && (!strings.HasPrefix(v, "/") || strings.HasPrefix(v, "//") || strings.ContainsAny(v, "\t\n\r\\")):
			t.Errorf("a link to elsewhere: %q", v)
		}
	}
	if n.name == "svg" {
		box = numbers(t, strings.Fields(n.attrs["viewBox"]))
		if len(box) != 4 || box[0] != 0 || box[1] != 0 || box[2] <= 0 || box[3] <= 0 {
			t.Fatalf("the drawing is %v", n.attrs["viewBox"])
		}
	}
	if box != nil {
		inside(t, n, box[2], box[3])
	}
	for _, k := range n.kids {
		check(t, k, box)
	}
}

// inside reports what is drawn beyond a drawing of w × h.
func inside(t testing.TB, n *node, w, h float64) {
	t.Helper()
	at := func(x, y float64) {
		if x < -1 || x > w+1 || y < -1 || y > h+1 {
			t.Errorf("<%s> %v is drawn at %g, %g of %g × %g", n.name, n.attrs, x, y, w, h)
		}
	}
	num := func(name string) float64 {
		if n.attrs[name] == "" {
			t.Fatalf("<%s> has no %s: %v", n.name, name, n.attrs)
		}
		return numbers(t, []string{n.attrs[name]})[0]
	}
	switch n.name {
	case "line":
		at(num("x1"), num("y1"))
		at(num("x2"), num("y2"))
	case "rect":
		at(num("x"), num("y"))
		at(num("x")+num("width"), num("y")+num("height"))
		if num("width") < 0 || num("height") < 0 {
			t.Errorf("a rectangle of %s × %s", n.attrs["width"], n.attrs["height"])
		}
	case "circle":
		at(num("cx"), num("cy"))
	case "text":
		at(num("x"), num("y"))
	case "path":
		x, y := 0.0, 0.0
		if commands := command.FindAllString(n.attrs["d"], -1); strings.Join(commands, "") != n.attrs["d"] || n.attrs["d"][0] != 'M' {
			t.Errorf("path %.200q", n.attrs["d"])
		}
		for _, c := range command.FindAllString(n.attrs["d"], -1) {
			v := numbers(t, strings.Fields(c[1:]))
			switch {
			case len(v) == 2 && (c[0] == 'M' || c[0] == 'L'):
				x, y = v[0], v[1]
			case len(v) == 6 && c[0] == 'C': // within its four points
				at(v[0], v[1])
				at(v[2], v[3])
				x, y = v[4], v[5]
			case len(v) == 1 && c[0] == 'H':
				x = v[0]
			case len(v) == 1 && c[0] == 'V':
				y = v[0]
			case len(v) != 0 || c[0] != 'Z':
				t.Errorf("step %q of a path", c)
			}
			at(x, y)
		}
	}
}

func numbers(t testing.TB, words []string) []float64 {
	t.Helper()
	out := make([]float64, len(words))
	for i, w := range words {
		x, err := strconv.ParseFloat(w, 64)
		if err != nil || !number.MatchString(w) || math.IsInf(x, 0) {
			t.Fatalf("%q is no coordinate", w)
		}
		out[i] = x
	}
	return out
}
