// Package scope is the first stage of the loop: which business services and
// assets count, whose they are, and what must be left alone. An organisation
// says so in one YAML file, the programme, which is reviewed and versioned
// like code:
//
//	services:
//	  - name: shop
//	    tier: 1
//	    owner: payments
//	    impact: {confidentiality: 2000000, integrity: 500000, availability: 1500000}
//	assets:
//	  - match: {name: "web-*"}
//	    reach: internet
//	    services: [shop]
//	exclusions:
//	  - match: {cidr: 10.66.0.0/16}
//	    reason: medical devices, scanned by their vendor only
//
// [Parse] reads the file strictly: an unknown key is an error with its line,
// because a misspelt exclusion that is ignored is the worst that can happen.
// [Programme.Context] then says of each asset what the file means for it.
// [Compare] tells what a new version of the file would change before it is
// applied, and [Programme.Coverage] which assets nobody spoke of.
//
// The format with a complete example is in docs/programme.md.
package scope
