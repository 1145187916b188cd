package cli

import (
	"context"
	"sync"

	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/server"
)

// matching looks packages up in the advisories that are kept: by the
// application itself, or by its server.
type matching interface {
	Match(ctx context.Context, purls []string) (server.MatchResult, error)
}

// advisories are those of a house, in the words of the engine that finds
// packages.
type advisories struct{ of matching }

// Match implements inventory.Advisories.
func (a advisories) Match(ctx context.Context, purls []string) (all inventory.Matched, err error) {
	if len(purls) == 0 {
		return all, nil
	}
	found, err := a.of.Match(ctx, purls)
	if err != nil {
		return all, err
	}
	for i := range found.Concerns {
		c := &found.Concerns[i]
		all.Concerns = append(all.Concerns, inventory.Concern{
			Purl: c.Purl, ID: c.Advisory, Names: c.Names, Vector: c.Vector, Fixed: c.Fixed, Unknown: c.Unknown, Malicious: c.Malicious,
		})
	}
	for _, u := range found.Unmatched {
		all.Unmatched = append(all.Unmatched, inventory.Unmatched(u))
	}
	return all, nil
}

// houseMatching opens the house when there is something to look up, and not
// for longer: what is found may be stored there.
type houseMatching struct {
	run *run
	mu  sync.Mutex
}

// Match implements matching.
func (h *houseMatching) Match(ctx context.Context, purls []string) (server.MatchResult, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	house, done, err := h.run.house(ctx)
	if err != nil {
		return server.MatchResult{}, err
	}
	defer done()
	return house.Match(ctx, purls)
}

// advisories are those of the house.
func (r *run) advisories() inventory.Advisories { return advisories{&houseMatching{run: r}} }
