package cli

import (
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
)

// maxNarrowed bounds the filters that something is kept for beside everything.
// Who works in a scope stays in it for a while.
const maxNarrowed = 8

// onlyOn returns a test of assets by a filter by assets; of an empty one it is
// true for everything.
func onlyOn(v *index.View, f exposure.Filter) (func(exposure.AssetID) bool, error) {
	if len(f.Terms) == 0 {
		return func(exposure.AssetID) bool { return true }, nil
	}
	return v.AssetFilter(f)
}
