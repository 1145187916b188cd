package chart

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Path shows what leads to what: boxes in layers from left to right, joined by
// lines that are wider the more they carry. It draws what it is given and
// computes no path: what boxes and lines mean is for Text to say.
type Path struct {
	Title  string
	Text   string                 // what boxes and lines mean, for people who do not see them
	Name   string                 // what the lines carry: "Expected loss"
	Words  func(x float64) string // a weight in words; nil: the plain number
	Layers []PathLayer            // from left to right; those without nodes are left out
	Edges  []PathEdge
}

// PathLayer is one column of a [Path].
type PathLayer struct {
	Name  string
	Link  string // where those stand that there is no room for, may be empty
	Nodes []PathNode
}

// PathNode is one box. Of two with the same ID the first counts.
type PathNode struct {
	ID     string // by which edges name it, unique in the whole picture
	Name   string
	Note   string  // what is known of it in a few words; empty: its weight
	Weight float64 // at least 0; not a number: not measurable
	Class  string  // "critical" … "low" or empty
	Link   string  // where the box leads, may be empty
	Choke  bool    // most passes through it: it has another shape, and says so
}

// PathEdge is one line, from a node to one of a later layer. An edge that leads
// elsewhere is in the table alone, and one of a node that is not there nowhere.
type PathEdge struct {
	From, To string  // IDs of nodes
	Weight   float64 // at least 0; not a number: not measurable
	Label    string  // one word or two at the line, may be empty
}

const (
	maxPathLayers = 8
	maxPathNodes  = 12  // a layer, with the one that stands for the rest
	maxPathLines  = 120 // the heaviest are drawn
	pathSweeps    = 8

	pathWidth  = 760.0
	pathBox    = 198.0 // width of a box
	pathGap    = 84.0  // least width between two layers
	pathTop    = 30.0
	pathHeight = 46.0
	pathChoke  = 64.0 // height of a box that says that it is a choke point
	pathLane   = 12.0 // height of a long line that passes a layer
	pathSpace  = 14.0 // between two boxes of a layer
	pathEnd    = 8.0  // between two lines that end at a box
)

// chokeWords stand in the box and behind the name in the table.
const chokeWords = "choke point"

// box is a node where it is drawn, the rest of a layer, or the place where a
// long line passes a layer.
type box struct {
	PathNode
	layer       int
	rest, lane  bool
	place       int     // in its layer, from above
	x, y, h     float64 // its upper left corner and its height
	left, right []*box  // neighbours in the layers beside
}

// link is what leads from one box to another, all such edges together.
type link struct {
	from, to *box
	lanes    []*box // that it passes
	weight   float64
	label    string
	step     int // width of the line: 0 is not measurable, 5 the heaviest
	y1, y2   float64
}

// picture is a path as it is laid out.
type picture struct {
	heads  []string
	layers [][]*box
	links  []*link // to a later layer
	back   []*link // to the same or an earlier one
	drawn  []*link
}

// Render writes the chart.
func (p Path) Render(_ context.Context, w io.Writer) error {
	g := p.gather()
	g.choose()
	g.route()
	g.order()
	width, height := g.place()
	note := ""
	if n := len(g.links) + len(g.back) - len(g.drawn); n > 0 {
		note = fmt.Sprintf("%s more in the table: what carries least, or leads back", label(float64(n)))
		height += 22
	}

	var d drawing
	class := "path"
	if len(g.layers) > 3 {
		class += fmt.Sprintf(" l%d", len(g.layers))
	}
	if slices.ContainsFunc(g.boxes(), func(b *box) bool { return local(b.Link) != "" }) {
		d.role = "group" // an image has nothing inside that could be followed
	}
	d.begin(class, p.Title, width, height)
	if p.Text != "" {
		d.element("desc", p.Text)
	}
	if len(g.layers) == 0 {
		d.text("none", "middle", width/2, 40, "Nothing to show yet")
	}
	for i, boxes := range g.layers {
		d.text("layer", "start", boxes[0].x, 14, fit(g.heads[i], 27))
	}
	// What is thin lies above what is wide, or would be lost below it.
	for _, l := range slices.SortedStableFunc(slices.Values(g.drawn), func(a, b *link) int { return b.step - a.step }) {
		p.drawLink(&d, l)
	}
	for _, l := range g.drawn {
		if l.label != "" {
			next := l.next()
			d.text("label", "middle", (l.from.x+pathBox+next.x)/2, (l.y1+l.entry())/2-4, fit(l.label, 12))
		}
	}
	for _, b := range g.boxes() {
		p.drawBox(&d, b)
	}
	if note != "" {
		d.text("tick", "start", 0, height-6, note)
	}
	p.list(&d, g)
	return d.writeTo(w)
}

// gather takes the nodes that there is room for, and the edges between them.
func (p Path) gather() *picture {
	g := &picture{}
	byID := map[string]*box{}
	for _, l := range p.Layers {
		if len(g.layers) == maxPathLayers {
			break
		}
		var all []*box
		for _, n := range l.Nodes {
			if byID[n.ID] != nil {
				continue
			}
			n.Weight = measured(n.Weight)
			b := &box{PathNode: n, layer: len(g.layers)}
			byID[n.ID] = b
			all = append(all, b)
		}
		if len(all) == 0 {
			continue
		}
		if len(all) > maxPathNodes {
			all = collapse(all, byID, l.Link)
		}
		g.heads, g.layers = append(g.heads, l.Name), append(g.layers, all)
	}
	type pair struct{ from, to *box }
	known := map[pair]*link{}
	for _, e := range p.Edges {
		from, to := byID[e.From], byID[e.To]
		if from == nil || to == nil {
			continue
		}
		l := known[pair{from, to}]
		if l == nil {
			l = &link{from: from, to: to, weight: measured(e.Weight), label: e.Label}
			known[pair{from, to}] = l
			if from.layer < to.layer {
				g.links = append(g.links, l)
			} else {
				g.back = append(g.back, l)
			}
			continue
		}
		l.weight = both(l.weight, measured(e.Weight))
		if l.label != e.Label {
			l.label = ""
		}
	}
	return g
}

// collapse keeps the heaviest nodes of a layer and puts one in place of the rest.
func collapse(all []*box, byID map[string]*box, link string) []*box {
	heavy := slices.Clone(all)
	slices.SortStableFunc(heavy, func(a, b *box) int { return cmp.Compare(b.Weight, a.Weight) }) // not a number is least
	rest := &box{layer: all[0].layer, rest: true}
	rest.Link, rest.Weight = link, math.NaN()
	for _, b := range heavy[maxPathNodes-1:] {
		byID[b.ID] = rest
		rest.Weight = both(rest.Weight, b.Weight)
	}
	rest.Name = fmt.Sprintf("and %s more", label(float64(len(heavy)-maxPathNodes+1)))
	kept := slices.DeleteFunc(all, func(b *box) bool { return byID[b.ID] == rest })
	return append(kept, rest)
}

// measured is a weight, or not a number for what is none.
func measured(x float64) float64 {
	if !(x >= 0) || math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// both is the sum of what can be measured of two weights.
func both(a, b float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	}
	return min(a+b, math.MaxFloat64)
}

// choose decides which links are drawn, and how wide.
func (g *picture) choose() {
	g.drawn = g.links
	if len(g.drawn) > maxPathLines {
		heavy := slices.Clone(g.links)
		slices.SortStableFunc(heavy, func(a, b *link) int { return cmp.Compare(b.weight, a.weight) })
		g.drawn = heavy[:maxPathLines]
	}
	top := 0.0
	for _, l := range g.drawn {
		top = max(top, both(0, l.weight))
	}
	for _, l := range g.drawn {
		switch {
		case l.weight > 0:
			l.step = 1 + int(math.Round(4*math.Sqrt(l.weight/top)))
		case l.weight == 0:
			l.step = 1
		}
	}
}

// route gives long links a lane in each layer that they pass, so that they
// cross no box.
func (g *picture) route() {
	join := func(a, b *box) {
		a.right, b.left = append(a.right, b), append(b.left, a)
	}
	for _, l := range g.drawn {
		at := l.from
		for i := l.from.layer + 1; i < l.to.layer; i++ {
			lane := &box{layer: i, lane: true}
			g.layers[i] = append(g.layers[i], lane)
			l.lanes = append(l.lanes, lane)
			join(at, lane)
			at = lane
		}
		join(at, l.to)
	}
	for _, boxes := range g.layers {
		renumber(boxes)
	}
}

func renumber(boxes []*box) {
	for i, b := range boxes {
		b.place = i
	}
}

// order moves each box to the mean place of its neighbours, layer by layer to
// the right and back again, and keeps the order with the fewest crossings. The
// given order stays unless another is better.
func (g *picture) order() {
	best := make([][]*box, len(g.layers))
	keep := func() {
		for i, boxes := range g.layers {
			best[i] = slices.Clone(boxes)
		}
	}
	keep()
	least := g.crossings()
	for sweep := range pathSweeps {
		if least == 0 {
			break
		}
		for i := range g.layers {
			if sweep%2 == 1 {
				i = len(g.layers) - 1 - i
			}
			g.sort(i, sweep%2 == 0)
		}
		if n := g.crossings(); n < least {
			least = n
			keep()
		}
	}
	g.layers = best
	for _, boxes := range g.layers {
		renumber(boxes)
	}
}

func (g *picture) sort(layer int, byLeft bool) {
	boxes := g.layers[layer]
	mean := make(map[*box]float64, len(boxes))
	for _, b := range boxes {
		beside := b.right
		if byLeft {
			beside = b.left
		}
		sum := 0
		for _, o := range beside {
			sum += o.place
		}
		mean[b] = float64(b.place)
		if len(beside) > 0 {
			mean[b] = float64(sum) / float64(len(beside))
		}
	}
	slices.SortStableFunc(boxes, func(a, b *box) int {
		if a.rest != b.rest { // the rest is last
			return map[bool]int{true: 1, false: -1}[a.rest]
		}
		return cmp.Compare(mean[a], mean[b])
	})
	renumber(boxes)
}

// crossings counts the pairs of lines between neighbouring layers that cross.
func (g *picture) crossings() int {
	n := 0
	for _, boxes := range g.layers {
		var ends []int // of the lines from above to below
		for _, b := range boxes {
			from := len(ends)
			for _, o := range b.right {
				for _, end := range ends[:from] {
					if end > o.place {
						n++
					}
				}
				ends = append(ends, o.place)
			}
		}
	}
	return n
}

// place gives every box and every end of a line its coordinates.
func (g *picture) place() (width, height float64) {
	n := float64(len(g.layers))
	width = max(pathWidth, n*pathBox+(n-1)*pathGap)
	ends := map[*box][2]int{}
	for _, l := range g.drawn {
		a, b := ends[l.from], ends[l.to]
		a[1]++
		b[0]++
		ends[l.from], ends[l.to] = a, b
	}
	tallest, most := 0, 0.0
	for i, boxes := range g.layers {
		sum := -pathSpace
		for _, b := range boxes {
			b.h = pathLane
			if !b.lane {
				b.h = max(b.text(), 20+pathEnd*float64(max(ends[b][0], ends[b][1])-1))
			}
			if n > 1 {
				b.x = float64(i) * (width - pathBox) / (n - 1)
			}
			sum += b.h + pathSpace
		}
		if sum > most {
			tallest, most = i, sum
		}
	}
	// The tallest layer is full. The others go by it, so that lines are short.
	beside := func(i int) func(b *box) []*box {
		switch {
		case i < tallest:
			return func(b *box) []*box { return b.right }
		case i > tallest:
			return func(b *box) []*box { return b.left }
		}
		return func(*box) []*box { return nil }
	}
	for i := tallest; i < len(g.layers); i++ {
		stack(g.layers[i], most, beside(i))
	}
	for i := tallest - 1; i >= 0; i-- {
		stack(g.layers[i], most, beside(i))
	}
	g.spread()
	return width, max(80, pathTop+most+8)
}

// stack puts the boxes of a layer below each other, each as near as there is
// room to the middle of those that it is joined to.
func stack(boxes []*box, room float64, joined func(b *box) []*box) {
	above := pathTop
	for _, b := range boxes {
		sum, all := 0.0, joined(b)
		for _, o := range all {
			sum += o.middle()
		}
		if b.y = above; len(all) > 0 {
			b.y = max(b.y, sum/float64(len(all))-b.h/2)
		}
		above = b.y + b.h + pathSpace
	}
	below := pathTop + room
	for _, b := range slices.Backward(boxes) {
		b.y = min(b.y, below-b.h)
		below = b.y - pathSpace
	}
}

// spread parts the ends of the lines along the side of a box, in the order of
// where they lead.
func (g *picture) spread() {
	from, to := map[*box][]*link{}, map[*box][]*link{}
	for _, l := range g.drawn {
		from[l.from] = append(from[l.from], l)
		to[l.to] = append(to[l.to], l)
	}
	for b, all := range from {
		slices.SortStableFunc(all, func(x, y *link) int { return cmp.Compare(x.next().y, y.next().y) })
		for i, l := range all {
			l.y1 = b.side(i, len(all))
		}
	}
	for b, all := range to {
		slices.SortStableFunc(all, func(x, y *link) int { return cmp.Compare(x.last().y, y.last().y) })
		for i, l := range all {
			l.y2 = b.side(i, len(all))
		}
	}
}

// side is the height of the i-th of n ends at a box.
func (b *box) side(i, n int) float64 {
	return b.middle() + (float64(i)-float64(n-1)/2)*pathEnd
}

func (b *box) middle() float64 { return b.y + b.h/2 }

// text is the height that the words of a box take.
func (b *box) text() float64 {
	if b.Choke {
		return pathChoke
	}
	return pathHeight
}

// next is the first that a link comes to, last the one before its end.
func (l *link) next() *box {
	if len(l.lanes) > 0 {
		return l.lanes[0]
	}
	return l.to
}

func (l *link) last() *box {
	if len(l.lanes) > 0 {
		return l.lanes[len(l.lanes)-1]
	}
	return l.from
}

// entry is the height at which a link comes to the next.
func (l *link) entry() float64 {
	if len(l.lanes) > 0 {
		return l.lanes[0].middle()
	}
	return l.y2
}

// boxes are those with something in them, in the order in which people read
// and step through them.
func (g *picture) boxes() (all []*box) {
	for _, boxes := range g.layers {
		for _, b := range boxes {
			if !b.lane {
				all = append(all, b)
			}
		}
	}
	return all
}

func (p Path) words(x float64) string {
	if p.Words == nil || math.IsNaN(x) {
		return label(x)
	}
	return p.Words(x)
}

func (p Path) drawLink(d *drawing, l *link) {
	size := 5 + 0.8*float64(l.step)
	x, y := l.from.x+pathBox, l.y1
	data := "M" + num(x) + " " + num(y)
	curve := func(toX, toY float64) {
		middle := num((x + toX) / 2)
		data += "C" + middle + " " + num(y) + " " + middle + " " + num(toY) + " " + num(toX) + " " + num(toY)
		x, y = toX, toY
	}
	for _, lane := range l.lanes {
		curve(lane.x, lane.middle())
		x += pathBox
		data += "H" + num(x)
	}
	curve(l.to.x-size-1, l.y2)
	d.open("g", "class", fmt.Sprintf("edge w%d", l.step))
	d.element("title", l.from.Name+" → "+l.to.Name+": "+p.words(l.weight))
	d.path("way", data)
	d.path("tip", "M"+num(x)+" "+num(y-size/1.6)+"L"+num(x+size)+" "+num(y)+"L"+num(x)+" "+num(y+size/1.6)+"Z")
	d.close("g")
}

func (p Path) drawBox(d *drawing, b *box) {
	note := cmp.Or(b.Note, p.words(b.Weight))
	href := local(b.Link)
	class := "node"
	if b.rest {
		class += " rest"
	}
	tag := "g"
	if href != "" {
		tag = "a" // its name is what it shows
	}
	d.open(tag, "href", href, "class", class)
	tip := b.Name + ": " + note
	if b.Choke {
		tip += ", " + chokeWords
	}
	d.element("title", tip)
	left := b.x + 12
	if b.Choke {
		const cut = 11.0
		right, below := b.x+pathBox, b.y+b.h
		d.path("box choke", "M"+num(b.x+cut)+" "+num(b.y)+"H"+num(right-cut)+"L"+num(right)+" "+num(b.y+cut)+"V"+num(below-cut)+"L"+num(right-cut)+" "+num(below)+
			"H"+num(b.x+cut)+"L"+num(b.x)+" "+num(below-cut)+"V"+num(b.y+cut)+"Z")
	} else {
		d.rect("box", b.x, b.y, pathBox, b.h, 8)
	}
	if b.Class != "" {
		d.rect("stripe "+b.Class, b.x+8, b.y+11, 4, b.h-22, 2)
		left += 9
	}
	y := b.middle() - b.text()/2
	d.text("name", "start", left, y+20, fitEnds(b.Name, 26))
	d.text("value", "start", left, y+36, fit(note, 28))
	if b.Choke {
		d.text("mark", "start", left, y+53, "Choke point")
	}
	d.close(tag)
}

// list ends the chart with its links as a table, and the nodes that have none.
func (p Path) list(d *drawing, g *picture) {
	named := func(b *box) string {
		if b.Choke {
			return b.Name + " (" + chokeWords + ")"
		}
		return b.Name
	}
	all := append(slices.Clone(g.links), g.back...)
	head := []string{"From", "To", p.Name}
	labels := slices.ContainsFunc(all, func(l *link) bool { return l.label != "" })
	if labels {
		head = append(head, "How")
	}
	var rows [][]string
	add := func(cells ...string) { rows = append(rows, append(cells, "")[:len(head)]) }
	joined := map[*box]bool{}
	for _, l := range all {
		joined[l.from], joined[l.to] = true, true
	}
	for _, l := range all[:min(len(all), maxPoints)] {
		add(named(l.from), named(l.to), p.words(l.weight), l.label)
	}
	if n := len(all) - maxPoints; n > 0 {
		add(fmt.Sprintf("and %s more", label(float64(n))), "", "")
	}
	for _, b := range g.boxes() {
		if !joined[b] {
			add(named(b), "–", p.words(b.Weight))
		}
	}
	d.end(head, rows)
}

// fit cuts a text to a width of about n small letters: a box cannot grow, and
// letters are not all as wide.
func fit(s string, n float64) string {
	if room(s, n) == len(s) {
		return s
	}
	return s[:room(s, n-1)] + "…"
}

// fitEnds is fit that cuts in the middle, as names of images and repositories
// begin alike.
func fitEnds(s string, n float64) string {
	if room(s, n) == len(s) {
		return s
	}
	tail, wide := len(s), 0.0
	for at := len(s); at > 0; {
		r, size := utf8.DecodeLastRuneInString(s[:at])
		if wide += breadth(r); wide > n/2 {
			break
		}
		if at -= size; !unicode.Is(unicode.Mn, r) {
			tail = at // not at a mark without its letter
		}
	}
	return s[:room(s, n/2-1)] + "…" + s[tail:]
}

// room is how many bytes of a text are at most n small letters wide.
func room(s string, n float64) int {
	wide := 0.0
	for i, r := range s {
		if wide += breadth(r); wide > n {
			return i
		}
	}
	return len(s)
}

// breadth is how wide a letter is, in small ones.
func breadth(r rune) float64 {
	switch {
	case unicode.Is(unicode.Mn, r):
		return 0.2 // nothing by itself, but hundreds would tower
	case r >= 0x2E80: // of scripts that are written in squares
		return 1.9
	case r == 'W' || r == 'M' || r == '@' || r == '%':
		return 1.7
	case unicode.IsUpper(r) || r == 'm' || r == 'w':
		return 1.3
	}
	return 1
}
