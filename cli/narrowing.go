package cli

import (
	"slices"
	"sync"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
)

// narrowing keeps an answer for everything and one for each of the filters that
// were asked for last. The zero T is one that keeps nothing yet.
type narrowing[T any] struct {
	mu    sync.Mutex
	whole T
	parts []narrowedTo[T] // the one that was asked for last is the last
}

type narrowedTo[T any] struct {
	filter string
	kept   *T
}

// maxNarrowed bounds the filters that something is kept for beside everything.
// Who works in a scope stays in it for a while.
const maxNarrowed = 8

// of returns what is kept for a filter.
func (n *narrowing[T]) of(f exposure.Filter) *T {
	if len(f.Terms) == 0 {
		return &n.whole
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	part := narrowedTo[T]{f.String(), new(T)}
	if i := slices.IndexFunc(n.parts, func(p narrowedTo[T]) bool { return p.filter == part.filter }); i >= 0 {
		part = n.parts[i]
		n.parts = slices.Delete(n.parts, i, i+1)
	} else if len(n.parts) == maxNarrowed {
		n.parts = slices.Delete(n.parts, 0, 1)
	}
	n.parts = append(n.parts, part)
	return part.kept
}

// forget lets go of what is kept of parts, and returns what is of everything.
func (n *narrowing[T]) forget() *T {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.parts = nil
	return &n.whole
}

// onlyOn returns a test of assets by a filter by assets; of an empty one it is
// true for everything.
func onlyOn(v *index.View, f exposure.Filter) (func(exposure.AssetID) bool, error) {
	if len(f.Terms) == 0 {
		return func(exposure.AssetID) bool { return true }, nil
	}
	return v.AssetFilter(f)
}

// both is a filter with the terms of another behind its own.
func both(filter string, f exposure.Filter) string {
	if len(f.Terms) == 0 {
		return filter
	}
	return filter + " " + f.String()
}
