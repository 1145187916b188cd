package index

import (
	"context"
	"encoding/binary"
	"math"
	"runtime"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// Under returns the view as it would be with another model and programme. It is
// a view of its own: the index goes on without it, and what the two say alike
// they share. Its own are the risk and due columns, 4 bytes a finding, and those
// assets of which the programme says something else. c is asked by several
// goroutines at once. An error is that of ctx.
func (v *View) Under(ctx context.Context, m exposure.Model, c Contexts) (*View, error) {
	n := v.next()
	n.scorer = newScorer(m)
	n.advFactors = make([]exposure.AdvisoryFactor, len(n.advisories))
	n.refactor()
	if err := n.under(ctx, c); err != nil {
		return nil, err
	}
	fresh := make([]*chunk, len(n.chunks))
	parallel(len(n.chunks), func(k int) {
		if ctx.Err() == nil {
			fresh[k] = n.rescored(k)
		}
	})
	n.chunks = fresh
	return n, ctx.Err()
}

// said is what a programme says of some of the assets: contexts in the order in
// which they were first met, and of each asset the number of its own.
type said struct {
	contexts []*exposure.Context
	keys     []string
}

// under asks a programme about every asset, on all cores.
func (v *View) under(ctx context.Context, c Contexts) error {
	const block = 1024
	old := v.assets
	v.assets, v.assetContexts = slices.Clone(old), make([]uint32, len(old))
	v.ranks.Store(nil)
	workers := min(runtime.GOMAXPROCS(0), len(old)/block+1)
	parts := make([]said, workers)
	of := func(w int) (first, end int) { return len(old) * w / workers, len(old) * (w + 1) / workers }
	parallel(workers, func(w int) {
		ids, key := map[string]uint32{}, []byte{}
		first, end := of(w)
		for i := first; i < end; i++ {
			if i%block == 0 && ctx.Err() != nil {
				return
			}
			if old[i].Asset == nil {
				continue
			}
			says := c.Context(old[i].Asset)
			key = appendContextKey(key[:0], &says)
			id, ok := ids[string(key)]
			if !ok {
				id = uint32(len(ids))
				ids[string(key)] = id
				parts[w].contexts, parts[w].keys = append(parts[w].contexts, &says), append(parts[w].keys, string(key))
			}
			v.assetContexts[i] = id
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	numbers, owners := v.number(parts)
	parallel(workers, func(w int) {
		first, end := of(w)
		for i := first; i < end; i++ {
			if old[i].Asset == nil {
				continue
			}
			id := numbers[w][v.assetContexts[i]]
			v.assetContexts[i] = id
			a := &v.assets[i]
			a.context, a.owner = id, owners[id]
			if a.Context != v.contexts[id] {
				other := *a.Asset
				other.Context = v.contexts[id]
				a.Asset = &other
			}
		}
	})
	return ctx.Err()
}

// number makes one dictionary of the contexts that the workers met, with the
// old ones where they say the same. It returns the number of each worker's
// contexts, and of each context the owner.
func (v *View) number(parts []said) (numbers [][]uint32, owners []uint32) {
	known := make(map[string]*exposure.Context, len(v.contexts))
	for _, c := range v.contexts[1:] {
		known[contextKey(c)] = c
	}
	v.contexts, v.owners = []*exposure.Context{{}}, []string{""}
	v.ctxFactors = []exposure.ContextFactor{v.scorer.model.Context(&exposure.Context{})}
	ids, names := map[string]uint32{}, map[string]uint32{"": 0}
	numbers, owners = make([][]uint32, len(parts)), []uint32{0}
	for w := range parts {
		for i, key := range parts[w].keys {
			id, ok := ids[key]
			if !ok {
				c := parts[w].contexts[i]
				if old := known[key]; old != nil {
					c = old
				}
				id = uint32(len(v.contexts))
				ids[key] = id
				v.contexts, v.ctxFactors = append(v.contexts, c), append(v.ctxFactors, v.scorer.model.Context(c))
				owner, ok := names[c.Owner]
				if !ok {
					owner = uint32(len(v.owners))
					names[c.Owner] = owner
					v.owners = append(v.owners, c.Owner)
				}
				owners = append(owners, owner)
			}
			numbers[w] = append(numbers[w], id)
		}
	}
	return numbers, owners
}

// appendContextKey appends a text that two contexts share only when they are
// equal.
func appendContextKey(b []byte, c *exposure.Context) []byte {
	b = append(b, byte(c.Reach), byte(bit(c.Excluded)))
	b = binary.AppendVarint(b, int64(c.Tier))
	for _, x := range [...]float64{c.Controls, c.Loss.Confidentiality, c.Loss.Integrity, c.Loss.Availability} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	b = appendText(b, c.Owner)
	for _, names := range [...][]string{c.Tags, c.Services, c.Scopes, c.Data, c.Regulations} {
		b = binary.AppendUvarint(b, uint64(len(names)))
		for _, name := range names {
			b = appendText(b, name)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
