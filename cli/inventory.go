package cli

import (
	"context"

	"github.com/leeward-ctem/leeward/discover/scan/inventory"
	"github.com/leeward-ctem/leeward/intel"
)

// advisories are those that the feeds keep.
type advisories struct{ keeper *intel.Keeper }

// Match implements inventory.Advisories.
func (a advisories) Match(ctx context.Context, purls []string) (all inventory.Matched, err error) {
	found, err := a.keeper.Match(ctx, purls)
	if err != nil {
		return all, err
	}
	known, err := a.keeper.Snapshot(ctx)
	if err != nil {
		return all, err
	}
	for i := range found.Concerns {
		c := &found.Concerns[i]
		all.Concerns = append(all.Concerns, inventory.Concern{
			Purl: c.Purl, ID: c.ID, Names: c.Names, Fixed: c.Fixed, Unknown: c.Unknown, Malicious: c.Malicious(),
			Vector: known.Threat(append([]string{c.ID}, c.Names...)).Vector,
		})
	}
	for _, u := range found.Unmatched {
		all.Unmatched = append(all.Unmatched, inventory.Unmatched(u))
	}
	return all, nil
}
