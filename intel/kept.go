package intel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// states reads the state of every registered feed.
func (k *Keeper) states(ctx context.Context) (map[string]State, error) {
	kept, err := k.Store.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]State{}
	for _, f := range k.Registered {
		name := f.Source().Name
		state := State{Name: name}
		if body := kept[name]; body != nil {
			if err := json.Unmarshal(body, &state); err != nil {
				return nil, fmt.Errorf("state of the feed %s: %w", name, err)
			}
			state.Name = name
		}
		all[name] = state
	}
	return all, nil
}

// States returns where every registered feed stands, in the registry's order.
func (k *Keeper) States(ctx context.Context) ([]State, error) {
	known, err := k.states(ctx)
	if err != nil {
		return nil, err
	}
	var all []State
	for _, f := range k.Registered {
		all = append(all, known[f.Source().Name])
	}
	return all, nil
}

// bodies returns the encoded facts of each part of the kept copy; errDamaged
// if it is not the one that the state speaks of.
func (k *Keeper) bodies(ctx context.Context, s *State) ([][]byte, error) {
	if len(s.Parts) == 0 {
		return nil, nil
	}
	body, err := k.Store.FeedBody(ctx, s.Name)
	if err != nil {
		return nil, err
	}
	return split(s, body)
}

// known is bodies for an update: of a damaged copy the chunks are nil, and
// what is known of its parts still guards against older editions.
func (k *Keeper) known(ctx context.Context, s *State) ([][]byte, error) {
	chunks, err := k.bodies(ctx, s)
	if errors.Is(err, errDamaged) {
		return make([][]byte, len(s.Parts)), nil
	}
	for i, c := range chunks {
		if !whole(c, s.Parts[i].Facts) {
			chunks[i] = nil
		}
	}
	return chunks, err
}

func split(s *State, body []byte) ([][]byte, error) {
	var chunks [][]byte
	for _, p := range s.Parts {
		if p.Length <= 0 || p.Length > len(body) {
			return nil, errDamaged
		}
		chunks = append(chunks, body[:p.Length])
		body = body[p.Length:]
	}
	if len(body) != 0 {
		return nil, errDamaged
	}
	return chunks, nil
}

// counter is a taker that only counts.
type counter int

func (n *counter) score(string, uint32, uint32, uint32) error { *n++; return nil }

func (n *counter) fact(*Fact) error { *n++; return nil }

// whole reports whether a chunk can be read to its end and holds n facts.
func whole(chunk []byte, n int) bool {
	var c counter
	return decode(chunk, &c) == nil && int(c) == n
}

// put keeps a feed.
func (k *Keeper) put(ctx context.Context, s *State, body []byte) error {
	state, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := k.Store.PutFeed(ctx, s.Name, state, body); err != nil {
		return err
	}
	if body != nil {
		k.changes.Add(1)
		k.loaded.Store(nil)
	}
	return nil
}

// loaded is the snapshot of the kept copies, or why there is none.
type loaded struct {
	snapshot *Snapshot
	err      error
}

// Snapshot returns what all kept copies know together. It is made once and
// again after a copy changed; otherwise asking for it costs nothing.
func (k *Keeper) Snapshot(ctx context.Context) (*Snapshot, error) {
	if l := k.loaded.Load(); l != nil {
		return l.snapshot, l.err
	}
	k.loading.Lock()
	defer k.loading.Unlock()
	if l := k.loaded.Load(); l != nil {
		return l.snapshot, l.err
	}
	var l loaded
	for tries := 0; ; tries++ {
		at := k.changes.Load()
		l.snapshot, l.err = k.load(ctx)
		// A copy that changed meanwhile does not fit its state, here or, told
		// by nobody, in another process.
		if k.changes.Load() == at && !(errors.Is(l.err, errDamaged) && tries == 0) || tries == 3 {
			if l.err == nil || errors.Is(l.err, errDamaged) {
				k.loaded.Store(&l)
			}
			if k.changes.Load() != at {
				k.loaded.Store(nil)
			}
			return l.snapshot, l.err
		}
	}
}

// load merges the kept copies.
func (k *Keeper) load(ctx context.Context) (*Snapshot, error) {
	b := newBuilder()
	known, err := k.states(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		state := known[name]
		chunks, err := k.bodies(ctx, &state)
		before := len(b.entries) + len(b.edges)
		for i := 0; err == nil && i < len(chunks); i++ {
			b.expect(state.Parts[i].Facts)
			err = decode(chunks[i], b)
		}
		if errors.Is(err, errDamaged) {
			return nil, exposure.Errorf(exposure.Unavailable, "the kept copy of the feed %s cannot be read: run `leeward feeds update %s` (%w)", name, name, err)
		}
		if err != nil {
			return nil, err
		}
		if len(b.entries)+len(b.edges) > before {
			b.tellers = append(b.tellers, name)
		}
	}
	return b.snapshot(), nil
}

// Release forgets the merged snapshot and all matchers; the next to ask makes
// them again.
func (k *Keeper) Release() {
	k.loaded.Store(nil)
	k.matchers.forget()
}

func (k *Keeper) find(name string) Feed {
	for _, f := range k.Registered {
		if f.Source().Name == name {
			return f
		}
	}
	return nil
}

func (k *Keeper) unknown(name string) error {
	var names []string
	for _, f := range k.Registered {
		names = append(names, f.Source().Name)
	}
	return exposure.Errorf(exposure.Invalid, "there is no feed %q: use %s", name, strings.Join(names, ", "))
}
