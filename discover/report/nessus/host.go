package nessus

import (
	"net/url"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxChecks bounds the compliance checks of one host, maxNames its names and
// addresses of each kind.
const (
	maxChecks = 100_000
	maxNames  = 50
)

// host is one ReportHost.
type host struct {
	name  string // as targeted: an address, a name or, in web scans, a URL
	asset exposure.AssetRef

	dns, rdns, netbios, ips, macs []string

	started, finished time.Time
	credentialed      bool // the login worked
	dead              bool // it did not answer
	stated            bool // a weakness was sent
	settled           bool
	checks            []string // compliance checks that had a result
}

func newHost(name string) *host {
	return &host{name: strings.TrimSpace(name), asset: exposure.AssetRef{Kind: exposure.AssetHost}}
}

// property takes up one tag of HostProperties.
func (h *host) property(name, value string) {
	if value == "" {
		return
	}
	switch name {
	case "host-ip":
		h.ips = keep(h.ips, value)
	case "host-fqdn":
		h.dns = keep(h.dns, value)
	case "host-rdns":
		h.rdns = keep(h.rdns, value)
	case "netbios-name":
		h.netbios = keep(h.netbios, value[strings.LastIndexByte(value, '\\')+1:])
	case "mac-address":
		h.macs = keep(h.macs, value)
	case "operating-system":
		h.asset.OS, _, _ = strings.Cut(value, "\n") // the best guess comes first
	case "os":
		if h.asset.OS == "" {
			h.asset.OS = value
		}
	case "Credentialed_Scan":
		h.credentialed = value == "true"
	case "HOST_START":
		h.started = orTime(h.started, value)
	case "HOST_END":
		h.finished = orTime(h.finished, value)
	case "HOST_START_TIMESTAMP":
		if t := term.Date(value); !t.IsZero() {
			h.started = t
		}
	case "HOST_END_TIMESTAMP":
		if t := term.Date(value); !t.IsZero() {
			h.finished = t
		}
	}
}

// oldProperty takes up a child of ReportHost from before version 2.
func (h *host) oldProperty(name, value string) {
	if value == "(unknown)" {
		return
	}
	switch name {
	case "HostName":
		h.name = value
	case "startTime":
		h.property("HOST_START", value)
	case "stopTime":
		h.property("HOST_END", value)
	case "netbios_name":
		h.property("netbios-name", value)
	case "mac_addr":
		h.property("mac-address", value)
	case "dns_name":
		h.property("host-fqdn", value)
	case "os_name":
		h.property("operating-system", value)
	}
}

// settle makes the asset of all that names it, whatever the order of the tags.
func (h *host) settle() {
	if h.settled {
		return
	}
	h.settled = true
	for _, names := range [][]string{h.dns, {h.name}, h.rdns, h.netbios} {
		for _, n := range names {
			h.asset.Add(exposure.IDHostname, hostOf(n))
		}
	}
	for _, ip := range h.ips {
		h.asset.Add(exposure.IDIP, ip)
	}
	for _, mac := range h.macs {
		h.asset.Add(exposure.IDMAC, mac)
	}
	h.dns, h.rdns, h.netbios, h.ips, h.macs = nil, nil, nil, nil, nil
}

// keep appends the words of a property to those known, of which a host has few.
func keep(words []string, value string) []string {
	for w := range strings.FieldsSeq(value) {
		if len(words) == maxNames {
			break
		}
		words = append(words, w)
	}
	return words
}

// seen is when the host was looked at.
func (h *host) seen() time.Time {
	if h.finished.IsZero() {
		return h.started
	}
	return h.finished
}

// hostOf returns the host of a URL, anything else as it is, without dots at
// the end.
func hostOf(name string) string {
	if !strings.Contains(name, "://") {
		return strings.TrimRight(name, ". \t\r\n")
	}
	u, err := url.Parse(name)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Hostname(), ". ")
}

// orTime reads a time unless one is known already. Nessus writes the local time
// of the scanner without its zone; it is taken for UTC.
func orTime(known time.Time, s string) time.Time {
	if !known.IsZero() {
		return known
	}
	return term.Date(s)
}
