package intel

import (
	"context"
	"encoding/json"
	"fmt"
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
		}
		all[name] = state
	}
	return all, nil
}

// bodies returns the encoded facts of each part of the kept copy.
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

func split(s *State, body []byte) ([][]byte, error) {
	var chunks [][]byte
	for _, p := range s.Parts {
		if p.Length < 0 || p.Length > len(body) {
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

func (k *Keeper) put(ctx context.Context, s *State, body []byte) error {
	state, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := k.Store.PutFeed(ctx, s.Name, state, body); err != nil {
		return err
	}
	if body != nil {
		k.snapshot = nil
	}
	return nil
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
