package exposure

import "slices"

// Covers reports whether the coverage includes the check rule of a class at a
// location. Class names nest by dashes: "vuln" covers "vuln-os". Coverage with
// ports says nothing about locations without one.
func (c *Coverage) Covers(class, rule string, l *Location) bool {
	if c.Class != class && (len(class) <= len(c.Class) || class[:len(c.Class)] != c.Class || class[len(c.Class)] != '-') {
		return false
	}
	if len(c.Rules) > 0 && !slices.Contains(c.Rules, rule) {
		return false
	}
	if len(c.Ports) == 0 {
		return true
	}
	return l.Port != 0 && slices.ContainsFunc(c.Ports, func(r PortRange) bool {
		return orElse(r.Protocol, "tcp") == orElse(l.Protocol, "tcp") && r.First <= l.Port && l.Port <= r.Last
	})
}

// Covered is the newest complete look of one source at one asset.
type Covered struct {
	Source SourceID
	Asset  AssetID
	Scan   ScanID
	At     int64 // unix milliseconds
	What   Coverage
}
