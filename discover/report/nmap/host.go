package nmap

import (
	"encoding/xml"
	"strconv"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// host is one host that was scanned.
type host struct {
	asset    exposure.AssetRef
	state    string // up, down, unknown; "" when not stated
	forced   bool   // taken to be up without having answered
	answered bool   // at a port
	timedOut bool
	seen     time.Time

	accuracy int // of the guess at the operating system
}

// down reports whether nothing was there to be scanned.
func (h *host) down() bool { return h.state != "" && h.state != "up" }

// host reads a host. What names it comes before its ports; the operating
// system comes after them and is stated with the inventory.
func (d *document) host(e *xml.StartElement) error {
	h := &host{
		asset:    exposure.AssetRef{Kind: exposure.AssetHost},
		timedOut: decode.Attr(e, "timedout") == "true",
		seen:     term.Date(decode.Attr(e, "endtime")),
	}
	err := d.children(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "status":
			h.state = decode.Attr(e, "state")
			h.forced = decode.Attr(e, "reason") == "user-set"
		case "address":
			h.address(e)
		case "hostnames":
			return d.children(func(e *xml.StartElement) error {
				if kind := decode.Attr(e, "type"); kind == "user" || kind == "PTR" {
					h.name(exposure.IDHostname, strings.TrimRight(decode.Attr(e, "name"), ". \t\r\n"))
				}
				return d.x.Skip()
			})
		case "ports":
			if !h.down() {
				return d.children(func(e *xml.StartElement) error { return d.portsChild(h, e) })
			}
		case "os":
			return d.children(func(e *xml.StartElement) error {
				h.system(e)
				return d.x.Skip()
			})
		case "hostscript":
			if !h.down() {
				return d.children(func(e *xml.StartElement) error { return d.hostScript(h, e) })
			}
		}
		return d.x.Skip()
	})
	if err != nil || h.down() || h.asset.IsZero() {
		return err
	}
	if !h.timedOut && (!h.forced || h.answered) {
		d.hold(h.asset)
	}
	return d.Send(exposure.Observation{Kind: exposure.ObservedInventory, Tool: d.tool, Asset: h.asset, Seen: h.seen})
}

// maxNames bounds the names and addresses of one host.
const maxNames = 100

func (h *host) name(kind exposure.IdentifierKind, value string) {
	if len(h.asset.Identifiers) < maxNames {
		h.asset.Add(kind, value)
	}
}

func (h *host) address(e *xml.StartElement) {
	addr := decode.Attr(e, "addr")
	switch decode.Attr(e, "addrtype") {
	case "mac":
		h.name(exposure.IDMAC, addr)
	default:
		h.name(exposure.IDIP, addr)
	}
}

// system takes up the best guess at the operating system.
func (h *host) system(e *xml.StartElement) {
	if e.Name.Local != "osmatch" {
		return
	}
	accuracy, _ := strconv.Atoi(decode.Attr(e, "accuracy"))
	if h.asset.OS == "" || accuracy > h.accuracy {
		h.asset.OS, h.accuracy = decode.Attr(e, "name"), accuracy
	}
}

func (d *document) portsChild(h *host, e *xml.StartElement) error {
	switch e.Name.Local {
	case "port":
		var p port
		if err := d.x.Element(e, &p); err != nil {
			return d.Lose(err)
		}
		return d.port(h, &p)
	case "extraports":
		if decode.Attr(e, "state") == "closed" {
			h.answered = true
		}
	}
	return d.x.Skip()
}

func (d *document) hostScript(h *host, e *xml.StartElement) error {
	var s script
	if err := d.x.Element(e, &s); err != nil {
		return d.Lose(err)
	}
	return d.script(h, &s, exposure.Location{}, exposure.Component{})
}
