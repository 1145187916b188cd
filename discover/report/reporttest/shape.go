package reporttest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover"
	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// heard is what a reader makes of a report: what it says by identity, and how
// often.
type heard struct {
	ids   map[string]int // of weaknesses
	cover map[string]bool
	n     int // weaknesses
	recs  []*exposure.RecordError
	fatal error
}

func hear(ctx context.Context, r discover.Reader, in io.Reader) heard {
	h := heard{ids: map[string]int{}, cover: map[string]bool{}}
	for o, err := range r.Read(ctx, in) {
		var rec *exposure.RecordError
		switch {
		case errors.As(err, &rec):
			h.recs = append(h.recs, rec)
		case err != nil:
			h.fatal = err
		case o.Kind == exposure.ObservedWeakness:
			h.ids[identity(&o)]++
			h.n++
		case o.Kind == exposure.ObservedCoverage:
			h.cover[covering(&o)] = true
		}
	}
	return h
}

// identity is what the fingerprint of a finding is made of.
func identity(o *exposure.Observation) string {
	component := o.Component.Purl
	if component == "" && o.Component.Name != "" {
		component = "generic/" + strings.ToLower(o.Component.Name)
	}
	weakness := o.WeaknessKey(func(id string) string { return exposure.NormalAdvisory(id) })
	return o.Asset.Key() + " " + weakness + " " + o.Location.Key(component)
}

func covering(o *exposure.Observation) string {
	rules := slices.Compact(slices.Sorted(slices.Values(o.Coverage.Rules)))
	ports := slices.Clone(o.Coverage.Ports)
	slices.SortFunc(ports, func(a, b exposure.PortRange) int {
		return cmp.Or(strings.Compare(a.Protocol, b.Protocol), a.First-b.First, a.Last-b.Last)
	})
	return fmt.Sprint(o.Tool, " ", o.Asset.Key(), " ", o.Coverage.Class, rules, slices.Compact(ports))
}

// lost are the weaknesses of h that are not among those of other.
func (h *heard) lost(other *heard) map[string]int {
	lost := map[string]int{}
	for id, n := range h.ids {
		if n > other.ids[id] {
			lost[id] = n - other.ids[id]
		}
	}
	return lost
}

// fewer is how many weaknesses less other has.
func (h *heard) fewer(other *heard) int { return max(0, h.n-other.n) }

// worth knows what a reader makes of a sample, and of it without each of its
// nodes.
type worth struct {
	t    *testing.T
	opts options
	r    discover.Reader
	s    *sample
	all  heard
	kept map[*node]map[string]int
}

func weigh(t *testing.T, r discover.Reader, s *sample, opts options) *worth {
	return &worth{t: t, opts: opts, r: r, s: s, all: hear(t.Context(), r, bytes.NewReader(s.data)), kept: map[*node]map[string]int{}}
}

// of returns the weaknesses that are not said without a node.
func (w *worth) of(n *node) map[string]int {
	ids, ok := w.kept[n]
	if !ok {
		without := hear(w.t.Context(), w.r, bytes.NewReader(w.s.with(change{without: map[*node]bool{n: true}})))
		ids = w.all.lost(&without)
		w.kept[n] = ids
	}
	return ids
}

// Most nodes of a sample that are changed, one at a time.
const mostNodes = 40

// wrongTypes puts values of other types in the place of each member, element,
// attribute and cell, and leaves it out. That costs at most the record that it
// is in, and says so.
func wrongTypes(t *testing.T, r discover.Reader, data []byte, opts options) {
	s := takeApart(data)
	if s == nil {
		return
	}
	w := weigh(t, r, s, opts)
	var nodes []*node
	for _, n := range s.all {
		if n.up.kind != documents || n.listed() {
			nodes = append(nodes, n)
		}
	}
	for _, n := range some(nodes, mostNodes) {
		for _, other := range s.others(n) {
			in := s.with(change{instead: map[*node]string{n: other}})
			w.costs(n, in, fmt.Sprintf("%q instead of %s %.60q", other, n.name, data[n.start:n.end]), other)
		}
		if n.kind != cell && n.up.kind != documents {
			in := s.with(change{without: map[*node]bool{n: true}})
			w.costs(n, in, fmt.Sprintf("without %s %.60q", n.name, data[n.start:n.end]), "")
		}
	}
}

// others are values of other types for a node.
func (s *sample) others(n *node) []string {
	switch n.kind {
	case attribute:
		return []string{"", "x"}
	case element:
		return []string{"<" + n.name + "/>", "<" + n.name + ">x</" + n.name + ">"}
	case cell:
		return []string{"", "x", "\"[{;,\n"}
	case row:
		return nil
	}
	return slices.DeleteFunc([]string{"null", "7", `"x"`, "[]", "{}"}, func(other string) bool { return other == string(s.data[n.start:n.end]) })
}

// costs checks what a change of a node costs.
func (w *worth) costs(n *node, in []byte, what, other string) {
	got := hear(w.t.Context(), w.r, bytes.NewReader(in))
	for _, rec := range got.recs {
		if rec.Record < 1 || rec.Offset < 0 || rec.Offset > int64(len(in)) {
			w.t.Errorf("%s: a broken record is nowhere: number %d, byte %d of %d: %v", what, rec.Record, rec.Offset, len(in), rec.Err)
		}
	}
	if got.fatal != nil && exposure.KindOf(got.fatal) == exposure.Invalid || len(got.recs) > len(w.all.recs) {
		if !w.r.Sniff(decode.NewHead(in)) {
			return // it is no such report any more, and that is said
		}
	}
	of := append([]*node{n}, n.around()...)
	listed := slices.IndexFunc(of, func(a *node) bool { return a.listed() && len(w.of(a)) > 0 })
	container := n.kind == '{' || n.kind == '[' || n.kind == element
	if got.fatal != nil && w.all.fatal == nil {
		if slices.ContainsFunc(of, (*node).listed) || !container {
			w.t.Errorf("%s ends the report: %v", what, got.fatal)
		}
		return
	}
	lost := w.all.lost(&got)
	if len(lost) == 0 {
		return
	}
	told := len(got.recs) > len(w.all.recs)
	allowed := maps.Clone(w.of(n))
	for _, rec := range got.recs {
		if at := where(n, in, int(rec.Offset)); at != nil {
			told = true
			maps.Copy(allowed, w.of(at))
		}
	}
	if listed < 0 {
		allowed = w.all.ids
	} else {
		maps.Copy(allowed, w.of(of[listed]))
	}
	for id, n := range lost {
		if n > allowed[id] {
			w.t.Errorf("%s costs %s, which is of another record; said are %v", what, id, got.recs)
			return
		}
	}
	// What says nothing, or is a text where another stood, may mean that there is nothing.
	if n.kind == '[' && w.all.fewer(&got) < len(n.kids) {
		return // one value stands for a list of one
	}
	if w.opts.either[n.name] != "" || n.name == "" && w.opts.either[n.up.name] != "" {
		return
	}
	silent := other == "null" || other == "[]" || other == "{}" || other == "" || n.kind == element || !container
	if fewer := w.all.fewer(&got); fewer > 0 && !told && !silent {
		w.t.Errorf("%s costs %d weaknesses, and nothing says so", what, fewer)
	}
}

// where is the node around n, or n itself, of which a record error speaks by
// its place in the changed report.
func where(n *node, in []byte, offset int) *node {
	changed := takeApart(in)
	if changed == nil {
		return nil
	}
	var found *node
	for _, c := range changed.all {
		switch {
		case changed.isTable():
			if c.kind == row && c.start <= offset && offset < c.end {
				found = c
			}
		case c.kind == element && c.first == offset, c.kind != element && c.kind != attribute && found == nil && c.start >= offset:
			found = c
		}
	}
	if found == nil {
		return nil
	}
	path, own := found.path(), n.path()
	for i, at := len(own), n; at.up != nil; i, at = i-1, at.up {
		if slices.Equal(path, own[:i]) {
			return at
		}
	}
	return nil
}

// unknown adds members, elements, attributes and columns that no format has.
// They make no difference.
func unknown(t *testing.T, r discover.Reader, data []byte, opts options) {
	s := takeApart(data)
	if s == nil {
		return
	}
	whole := readAll(t.Context(), r, bytes.NewReader(s.with(change{})))
	try := func(what string, c change) {
		got := readAll(t.Context(), r, bytes.NewReader(s.with(c)))
		if diff := gocmp.Diff(whole.lines, got.lines); diff != "" || (got.fatal == nil) != (whole.fatal == nil) || len(got.bad) != len(whole.bad) {
			t.Errorf("%s makes a difference: lost %q, ends %v (-without +with):\n%s", what, got.bad, got.fatal, diff)
		}
	}
	if s.isTable() {
		if len(whole.bad) > 0 {
			return // rows that are broken cannot be put together again
		}
		try("an unknown first column", change{cells: func(cells []string) []string { return append([]string{"x-unknown"}, cells...) }})
		columns := 0
		try("an unknown last column", change{cells: func(cells []string) []string {
			columns = cmp.Or(columns, len(cells)) // the header is the first
			return slices.Insert(slices.Clone(cells), min(columns, len(cells)), "x-unknown")
		}})
		return
	}
	var in []*node
	for _, n := range s.all {
		if opts.open[n.name] != "" {
			continue
		}
		if n.kind == '{' || n.kind == element && slices.ContainsFunc(n.kids, func(k *node) bool { return k.kind == element }) {
			in = append(in, n)
		}
		if n.kind == element {
			in = append(in, n)
		}
	}
	for i, n := range some(in, mostNodes) {
		c := change{extra: map[*node]string{}, tag: map[*node]string{}}
		switch {
		case n.kind == '{':
			c.extra[n] = [...]string{`"x-unknown":{"x":[1]}`, `"x-unknown":"x"`, `"x-unknown":[{"id":"x","name":"x"}]`}[i%3]
		case i%2 == 0 && slices.ContainsFunc(n.kids, func(k *node) bool { return k.kind == element }):
			c.extra[n] = `<x-unknown id="x"><name>x</name></x-unknown>`
		default:
			c.tag[n] = ` x-unknown="x"`
		}
		try(fmt.Sprintf("something unknown in %s %.60q", n.name, data[n.start:n.end]), c)
	}
}
