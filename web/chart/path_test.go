package chart

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// ladder is a path of two layers whose nodes are joined in a given order.
func ladder(to ...int) Path {
	p := Path{Layers: make([]PathLayer, 2)}
	for i, j := range to {
		a, b := fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i)
		p.Layers[0].Nodes = append(p.Layers[0].Nodes, PathNode{ID: a, Name: a})
		p.Layers[1].Nodes = append(p.Layers[1].Nodes, PathNode{ID: b, Name: b})
		p.Edges = append(p.Edges, PathEdge{From: a, To: fmt.Sprintf("b%d", j), Weight: 1})
	}
	return p
}

// laid is a path after its boxes have found their places.
func laid(p Path) *picture {
	g := p.gather()
	g.choose()
	g.route()
	g.order()
	g.place()
	return g
}

func names(boxes []*box) (all []string) {
	for _, b := range boxes {
		all = append(all, b.Name)
	}
	return all
}

func TestPathCrossesLittle(t *testing.T) {
	t.Parallel()
	g := laid(ladder(3, 2, 1, 0))
	if n := g.crossings(); n != 0 {
		t.Errorf("%d lines cross that need not: %v, %v", n, names(g.layers[0]), names(g.layers[1]))
	}
	// What crosses nothing stays as it was given.
	g = laid(ladder(0, 1, 1, 3))
	if got := append(names(g.layers[0]), names(g.layers[1])...); !slices.Equal(got, []string{"a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3"}) {
		t.Errorf("the order is %v", got)
	}
	// Other orders are better at times, and never worse than the given one.
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		p := network("x", 1+r.IntN(9), func(int) float64 { return float64(r.IntN(100)) })
		before := p.gather()
		before.choose()
		before.route()
		if after := laid(p).crossings(); after > before.crossings() {
			t.Fatalf("%d lines cross, and %d did as they were given", after, before.crossings())
		}
	}
}

// Boxes of a layer lie below each other, and a line that passes a layer has
// room of its own there.
func TestPathBoxesLieApart(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		g := laid(network("x", 1+r.IntN(15), func(int) float64 { return float64(r.IntN(1000)) }))
		for _, boxes := range g.layers {
			for i, b := range boxes {
				if i > 0 && b.y < boxes[i-1].y+boxes[i-1].h+pathSpace-1e-6 {
					t.Fatalf("a box at %g lies upon one that ends at %g", b.y, boxes[i-1].y+boxes[i-1].h)
				}
			}
		}
		for _, l := range g.drawn {
			if l.from.layer >= l.to.layer || len(l.lanes) != l.to.layer-l.from.layer-1 {
				t.Fatalf("a line from layer %d to %d has %d lanes", l.from.layer, l.to.layer, len(l.lanes))
			}
			if l.y1 < l.from.y+1 || l.y1 > l.from.y+l.from.h-1 || l.y2 < l.to.y+1 || l.y2 > l.to.y+l.to.h-1 {
				t.Fatalf("a line begins or ends beside its box")
			}
		}
	}
}

// A layer shows its heaviest, and the weight of the rest in one.
func TestPathRest(t *testing.T) {
	t.Parallel()
	p := Path{Name: "Loss", Layers: []PathLayer{{Name: "From", Link: "/assets"}, {Name: "To", Nodes: []PathNode{{ID: "to", Name: "to", Weight: 5}}}}}
	for i := range 30 {
		id := fmt.Sprint("n", i)
		p.Layers[0].Nodes = append(p.Layers[0].Nodes, PathNode{ID: id, Name: id, Weight: float64(i)})
		p.Edges = append(p.Edges, PathEdge{From: id, To: "to", Weight: float64(i)})
	}
	p.Layers[0].Nodes[3].Weight, p.Layers[0].Nodes[4].Weight = nan, -7
	g := laid(p)
	want := append(strings.Fields("n19 n20 n21 n22 n23 n24 n25 n26 n27 n28 n29"), "and 19 more")
	if got := names(g.layers[0]); !slices.Equal(got, want) {
		t.Errorf("shown are %v, want %v", got, want)
	}
	root := inspect(t, render(t, p))
	if tips := root.texts("title"); !slices.Contains(tips, "and 19 more: 164") || !slices.Contains(tips, "and 19 more → to: 171") {
		t.Errorf("the rest says %q", tips)
	}
	if rest := root.classed("rest"); len(rest) != 1 || rest[0].attrs["href"] != "/assets" {
		t.Errorf("the rest leads nowhere: %v", rest)
	}
}

// Edges that lead back, round or nowhere break nothing and are not lost.
func TestPathOddEdges(t *testing.T) {
	t.Parallel()
	p := ladder(0, 1)
	p.Layers = slices.Insert(p.Layers, 1, PathLayer{Name: "empty"}, PathLayer{Name: "the same", Nodes: p.Layers[0].Nodes})
	p.Edges = append(p.Edges,
		PathEdge{From: "b0", To: "a0", Weight: 2}, PathEdge{From: "a0", To: "a0", Weight: 3}, PathEdge{From: "a0", To: "a1", Weight: inf},
		PathEdge{From: "a0", To: "gone", Weight: 4}, PathEdge{From: "", To: "a0", Weight: 4}, PathEdge{From: "a0", To: "b0", Weight: -5}, PathEdge{From: "a0", To: "b0", Weight: 6},
	)
	root := inspect(t, render(t, p))
	if n := len(root.classed("edge")); n != 2 {
		t.Errorf("%d lines, want 2", n)
	}
	if n := len(root.classed("node")); n != 4 {
		t.Errorf("%d boxes, want 4", n)
	}
	var rows []string
	for _, tr := range root.all("tr")[1:] {
		rows = append(rows, tr.kids[0].text()+" "+tr.kids[1].text()+" "+tr.kids[2].text())
	}
	if diff := cmp.Diff([]string{"a0 b0 7", "a1 b1 1", "b0 a0 2", "a0 a0 3", "a0 a1 –"}, rows); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
	if notes := root.classed("tick"); len(notes) != 1 || notes[0].text() != "3 more in the table: what carries least, or leads back" {
		t.Errorf("the drawing does not say what it leaves out: %v", notes)
	}
}

// The heavier, the wider; what is nothing is thin, and what cannot be measured
// looks different.
func TestPathWidths(t *testing.T) {
	t.Parallel()
	p := ladder(0, 1, 2, 3, 4)
	for i, w := range []float64{0, nan, 1, 25, 100} {
		p.Edges[i].Weight = w
	}
	var got []string
	for _, e := range inspect(t, render(t, p)).classed("edge") {
		got = append(got, e.kids[0].text()+" "+e.attrs["class"])
	}
	if diff := cmp.Diff([]string{"a4 → b4: 100 edge w5", "a3 → b3: 25 edge w3", "a0 → b0: 0 edge w1", "a2 → b2: 1 edge w1", "a1 → b1: – edge w0"}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// A choke point is told by its shape and by words, in the drawing and the table.
func TestPathChoke(t *testing.T) {
	t.Parallel()
	root := inspect(t, render(t, typical()["path"]))
	if shape := root.classed("choke"); len(shape) != 1 || shape[0].name != "path" {
		t.Errorf("the shape of the choke point is %v", shape)
	}
	if mark := root.classed("mark"); len(mark) != 1 || mark[0].text() != "Choke point" {
		t.Errorf("the choke point says %v", mark)
	}
	if desc := root.texts("desc"); len(desc) != 1 || desc[0] != "Lines are as wide as the expected loss they carry." {
		t.Errorf("the description is %q", desc)
	}
}

func TestPathBounds(t *testing.T) {
	t.Parallel()
	p := network("a", 10_000, func(i int) float64 { return float64(i % 977) })
	for i := range 8 { // all with all
		for j := range 50 {
			for k := range 50 {
				p.Edges = append(p.Edges, PathEdge{From: fmt.Sprint("a", i, j), To: fmt.Sprint("a", (i+1+k%3)%10, k), Weight: 1})
			}
		}
	}
	root := inspect(t, render(t, p))
	if n := len(root.classed("node")); n > maxPathLayers*maxPathNodes {
		t.Errorf("%d boxes", n)
	}
	if n := len(root.classed("edge")); n != maxPathLines {
		t.Errorf("%d lines, want %d", n, maxPathLines)
	}
	if n := len(root.all("tr")); n < maxPoints+2 || n > maxPoints+2+maxPathLayers*maxPathNodes {
		t.Errorf("%d rows, want %d and those of boxes without lines", n, maxPoints+2)
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want, ends string }{
		{"short", "short", "short"},
		{"registry.example/shop/cart", "registry.…", "regi…/cart"},
		{"WWWWWWWWWWWW", "WWWWW…", "WW…WW"},
		{"漢字漢字漢字漢字", "漢字漢字…", "漢字…漢字"},
		{strings.Repeat("e\u0301", 12), strings.Repeat("e\u0301", 7) + "…", strings.Repeat("e\u0301", 3) + "…" + strings.Repeat("e\u0301", 4)},
		{"", "", ""},
	} {
		if got := fit(test.in, 10); got != test.want {
			t.Errorf("%q is cut to %q, want %q", test.in, got, test.want)
		}
		if got := fitEnds(test.in, 10); got != test.ends {
			t.Errorf("%q is cut in the middle to %q, want %q", test.in, got, test.ends)
		}
	}
	for _, s := range []string{"\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe", strings.Repeat("☃\u202e", 5000)} {
		if got := fitEnds(s, 10); utf8.RuneCountInString(got) > 22 {
			t.Errorf("%.20q is cut to %q", s, got)
		}
	}
}
