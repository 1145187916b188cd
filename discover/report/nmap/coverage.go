package nmap

import (
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// class is that of open ports.
const class = "ports"

// scaninfo takes up the ports of one kind of scan: services="1,3-4,80".
func (d *document) scaninfo(e *xml.StartElement) {
	protocol := decode.Attr(e, "protocol")
	for list := range strings.SplitSeq(decode.Attr(e, "services"), ",") {
		if list == "" {
			continue
		}
		r, ok := portRange(protocol, list)
		if !ok || len(d.scanned) > 1<<16 {
			d.vague = true
			return
		}
		d.scanned = append(d.scanned, r)
	}
}

func portRange(protocol, s string) (exposure.PortRange, bool) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	a, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return exposure.PortRange{}, false
	}
	b, err := strconv.ParseUint(last, 10, 16)
	return exposure.PortRange{Protocol: protocol, First: int(a), Last: int(b)}, err == nil && a <= b && protocol != ""
}

// hold keeps a host until the scan says how it ended.
func (d *document) hold(asset exposure.AssetRef) {
	for _, id := range asset.Identifiers {
		d.held += len(id.Value)
	}
	if len(d.up) == maxHosts || d.held > maxHeld {
		d.many, d.up = true, nil
	}
	if !d.many {
		asset.OS = ""
		d.up = append(d.up, asset)
	}
}

// cover states what was examined completely, if the scan ended well and looked
// at ports at all: a ping scan does not.
func (d *document) cover() error {
	if !d.success || d.vague || d.many || len(d.scanned) == 0 {
		return nil
	}
	what := &exposure.Coverage{Class: class, Ports: d.scanned}
	for _, asset := range d.up {
		if err := d.Send(exposure.Observation{Kind: exposure.ObservedCoverage, Tool: d.tool, Asset: asset, Class: class, Coverage: what}); err != nil {
			return err
		}
	}
	return nil
}
