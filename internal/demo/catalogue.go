package demo

import "github.com/leeward-ctem/leeward/exposure"

// product is a piece of software in the version that the company runs.
type product struct {
	key        string // what the estate calls it
	purl       string // package URL without scheme and version; empty: known by name alone
	name       string
	version    string
	port       int // where it listens; 0: nowhere
	weaknesses []weakness
}

// weakness is a published weakness of a product.
type weakness struct {
	cve    string
	fixed  string // first version of the product's branch without it
	sev    exposure.Severity
	cwe    int    // 0: none stated
	vector string // CVSS 3.1, base metrics
	title  string
	text   string
}

// The severities, short for the tables.
const (
	info     = exposure.SeverityInfo
	low      = exposure.SeverityLow
	medium   = exposure.SeverityMedium
	high     = exposure.SeverityHigh
	critical = exposure.SeverityCritical
)

// catalogue is all products by key.
func catalogue() map[string]*product {
	all := map[string]*product{}
	for _, list := range [][]product{perimeter(), servers(), systems(), java(), node(), scripts(), distributions()} {
		for i := range list {
			all[list[i].key] = &list[i]
		}
	}
	return all
}

// observe states a weakness of the product as a scanner that knows packages
// would.
func (p *product) observe(w *weakness) exposure.Observation {
	o := exposure.Observation{
		Advisories:  []string{w.cve},
		Title:       w.title,
		Description: p.name + ": " + w.text,
		Solution:    "Upgrade " + p.name + " to " + w.fixed + " or later.",
		Severity:    w.sev,
		CVSS:        []string{"CVSS:3.1/" + w.vector},
		References:  []string{"https://www.cve.org/CVERecord?id=" + w.cve},
		Component:   exposure.Component{Name: p.name, Version: p.version, Fixed: w.fixed},
		Detection:   exposure.DetectionAuthenticated,
		Confidence:  97,
	}
	if w.cwe != 0 {
		o.CWEs = []int{w.cwe}
	}
	if p.purl != "" {
		o.Component.Purl = "pkg:" + p.purl + "@" + p.version
	}
	if p.port != 0 {
		o.Location.Port, o.Location.Protocol = p.port, "tcp"
	}
	return o
}
