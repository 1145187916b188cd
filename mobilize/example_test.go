package mobilize_test

import (
	"fmt"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/mobilize"
)

func ExampleGroup() {
	place := &exposure.Place{Component: exposure.Component{Purl: "pkg:npm/lodash@4.17.11", Name: "lodash", Version: "4.17.11", Fixed: "4.17.19"}}
	other := &exposure.Place{Component: exposure.Component{Purl: "pkg:npm/lodash@4.17.15", Name: "lodash", Version: "4.17.15", Fixed: "4.17.21"}}
	items := []mobilize.Item{
		{Finding: 1, Asset: 1, Advisory: &exposure.Advisory{Key: "CVE-2020-8203"}, Place: place, Loss: 900, Owner: "Shop"},
		{Finding: 2, Asset: 2, Advisory: &exposure.Advisory{Key: "CVE-2021-23337"}, Place: other, Loss: 500, Owner: "Shop"},
	}
	for _, r := range mobilize.Group(slices.Values(items)) {
		fmt.Printf("%s: %s, removes %.0f\n", r.Owner, r.Title, r.Loss)
	}
	// Output:
	// Shop: Upgrade lodash to 4.17.21 on 2 assets, removes 1400
}
