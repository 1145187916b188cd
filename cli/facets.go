package cli

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/server"
)

// facetCache keeps what the last filters came to until the index moves: the
// order of a list changes more often than its filter.
type facetCache struct {
	mu    sync.Mutex
	view  *index.View
	today uint16
	known map[string][][]server.GroupRow
}

// maxFacets is how many filters are remembered.
const maxFacets = 64

// Facets counts findings by each of several properties.
func (a *app) Facets(ctx context.Context, filter string, by []string) ([][]server.GroupRow, error) {
	v, today := a.ix.View(), a.today()
	f, err := a.filter(ctx, v, filter)
	if err != nil {
		return nil, err
	}
	key := strings.Join(append(slices.Clone(by), f.String()), " ")
	c := &a.faceted
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.view != v || c.today != today || len(c.known) >= maxFacets {
		c.view, c.today, c.known = v, today, map[string][][]server.GroupRow{}
	}
	if rows, ok := c.known[key]; ok {
		return rows, nil
	}
	groups, err := v.Facets(f, today, by...)
	if err != nil {
		return nil, err
	}
	rows := make([][]server.GroupRow, len(groups))
	for i, all := range groups {
		for _, g := range all {
			rows[i] = append(rows[i], server.GroupRow{Keys: g.Keys, Count: g.Count, Loss: g.Loss})
		}
	}
	if !f.Stored() { // the answer may change while the index does not
		c.known[key] = rows
	}
	return rows, nil
}
