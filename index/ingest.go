package index

import (
	"github.com/leeward-ctem/leeward/exposure"
)

// OnAssets calls f with every finding on the assets for which want is true,
// in order of their numbers.
func (v *View) OnAssets(want func(exposure.AssetID) bool, f func(exposure.FindingID, exposure.AssetID)) {
	wanted := newBitset(len(v.assets))
	for i := range v.assets {
		if want(exposure.AssetID(i)) {
			wanted.set(i)
		}
	}
	for k, c := range v.chunks {
		for j := range min(chunkRows, v.n-k*chunkRows) {
			if wanted.has(c.asset.at(j)) && c.state[j]&15 != removed {
				f(exposure.FindingID(k*chunkRows+j+1), exposure.AssetID(c.asset.at(j)))
			}
		}
	}
}
