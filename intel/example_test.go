package intel_test

import (
	"context"
	"fmt"
	"time"

	"github.com/leeward-ctem/leeward/intel"
	"github.com/leeward-ctem/leeward/intel/feed/kev"
)

// A keeper reads a feed once and keeps it; the snapshot answers from then on.
func ExampleKeeper() {
	ctx := context.Background()
	keeper := &intel.Keeper{Registered: []intel.Feed{kev.Feed{}}, Store: newShelf(), Now: time.Now}
	states, _, err := keeper.Update(ctx, nil, intel.Options{
		Locations: map[string][]string{"kev": {"feed/kev/testdata/catalogue.json"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(states[0].Name, states[0].Version(), states[0].Facts(), "facts")

	snapshot, err := keeper.Snapshot(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	threat := snapshot.Threat([]string{"CVE-2024-90002"})
	fmt.Println("used by ransomware:", threat.Ransomware)
	// Output:
	// kev 2025.09.25 4 facts
	// used by ransomware: true
}
