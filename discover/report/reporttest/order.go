package reporttest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leeward-ctem/leeward/discover"
)

// order gives the records of a sample in other orders, and each of them twice.
// The findings are the same, and nothing more is covered.
func order(t *testing.T, r discover.Reader, data []byte, opts options) {
	s := takeApart(data)
	if s == nil {
		return
	}
	whole := hear(t.Context(), r, bytes.NewReader(data))
	for name, f := range map[string]func([]*node) []*node{
		"backwards": func(like []*node) []*node { like = slices.Clone(like); slices.Reverse(like); return like },
		"shuffled":  func(like []*node) []*node { return append(slices.Clone(like[len(like)/2:]), like[:len(like)/2]...) },
		"twice, one behind the other": func(like []*node) (all []*node) {
			for _, n := range like {
				all = append(all, n, n)
			}
			return all
		},
		"twice": func(like []*node) []*node { return append(slices.Clone(like), like...) },
	} {
		in := s.with(change{order: func(in *node, kids []*node) []*node { return opts.reordered(in, kids, f) }})
		got := hear(t.Context(), r, bytes.NewReader(in))
		diff := cmp.Diff(slices.Sorted(maps.Keys(whole.ids)), slices.Sorted(maps.Keys(got.ids)))
		for covered := range got.cover {
			if !whole.cover[covered] {
				diff += fmt.Sprintf("covers %s and %v\n", covered, whole.cover)
			}
		}
		if diff != "" || (got.fatal == nil) != (whole.fatal == nil) {
			t.Errorf("records %s make other findings, or the report ends %v (-once +%s):\n%s", name, got.fatal, name, diff)
		}
	}
}

// reordered changes the order of what is listed in a node: the objects of an
// array, documents, rows, and elements of one name.
func (o *options) reordered(in *node, kids []*node, f func([]*node) []*node) []*node {
	object := func(n *node) bool { return n.kind == '{' || n.kind == row }
	switch {
	case in.kind != element && o.ordered[in.name] != "":
		return kids
	case in.kind != element && (len(kids) < 2 || slices.ContainsFunc(kids, func(n *node) bool { return !object(n) })):
		return kids
	case in.kind != element:
		return f(kids)
	}
	like := map[string][]*node{}
	for _, k := range kids {
		like[k.name] = append(like[k.name], k)
	}
	var all []*node
	for _, k := range kids {
		if group := like[k.name]; group[0] == k {
			if len(group) > 1 && o.ordered[k.name] == "" {
				group = f(group)
			}
			all = append(all, group...)
		}
	}
	return all
}
