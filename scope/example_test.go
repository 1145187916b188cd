package scope_test

import (
	"fmt"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/scope"
)

func Example() {
	p, err := scope.Parse("programme.yaml", []byte(`
services:
  - name: shop
    tier: 1
    owner: payments
    impact: {confidentiality: 2000000, integrity: 500000, availability: 1500000}
assets:
  - match: {name: "web-*"}
    reach: internet
    services: [shop]
exclusions:
  - match: {cidr: 10.66.0.0/16}
    reason: medical devices, scanned by their vendor only
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	web := &exposure.Asset{Kind: exposure.AssetHost, Name: "web-1"}
	pump := &exposure.Asset{Kind: exposure.AssetHost, Name: "pump", Identifiers: []exposure.Identifier{{Kind: exposure.IDIP, Value: "10.66.3.4"}}}
	c := p.Context(web)
	fmt.Println(c.Owner, c.Reach, c.Tier, c.Services, p.Context(pump).Excluded)
	fmt.Println(scope.Compare(&scope.Programme{}, p, slices.Values([]*exposure.Asset{web, pump})))
	// Output:
	// payments internet 1 [shop] true
	// 1 service added, 1 rule added, 1 exclusion added; 2 assets change: 1 becomes excluded, 1 gets an owner, 1 gets a tier, 1 gets a reach, 1 supports other services, 1 has more to lose
}

func ExampleParse() {
	_, err := scope.Parse("programme.yaml", []byte(`
assets:
  - match: {name: "web-*", cidr: 10.1.2.3/16}
    servics: [shop]
exclusions:
  - match: {tag: medcal}
`))
	fmt.Println(err)
	// Output:
	// programme.yaml:3: cidr: "10.1.2.3/16" has bits outside the network: write 10.1.0.0/16, or 10.1.2.3 for the one address
	// programme.yaml:4: a rule has no key "servics": use one of match, tags, owner, reach, tier, services, controls
	// programme.yaml:6: tag is "medcal", and no rule gives it: correct the name, or add a rule
}
