package zap

import (
	"cmp"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

const tool = "zap"

var errNameless = errors.New("an alert without pluginid and name has no identity")

// document is what a walk over either form feeds.
type document struct {
	*decode.Emitter
	run    exposure.Run
	asset  exposure.AssetRef // of the site that is read
	at     exposure.Location
	stated bool // the site has an alert
}

// about takes up the facts of the report and reports whether they changed.
// The time is that of the report, which is written when the scan is done; old
// versions write it in the local time and language of the machine.
func (d *document) about(version, generated, created string) bool {
	before := d.run
	d.run.Version = version
	for _, s := range []string{created, generated} {
		if d.run.Finished.IsZero() {
			d.run.Finished = term.Date(s)
		}
	}
	return d.run != before
}

// site is where alerts were raised, as its attributes state it.
type site struct{ name, host, port, ssl string }

// begin makes the asset and the location of a site.
func (d *document) begin(s site) {
	d.stated = false
	d.asset = exposure.AssetRef{Kind: exposure.AssetHost}
	d.at = exposure.Location{}
	u, err := url.Parse(s.name)
	if err != nil {
		u = &url.URL{}
	}
	d.asset.Add(exposure.IDHostname, strings.TrimRight(cmp.Or(strings.TrimSpace(s.host), u.Hostname()), ". \t\r\n"))
	d.at.Service = strings.ToLower(u.Scheme)
	if d.at.Service == "" && s.ssl != "" {
		d.at.Service = "http"
	}
	if s.ssl == "true" {
		d.at.Service = "https"
	}
	d.at.Port, d.at.Protocol = portOf(cmp.Or(strings.TrimSpace(s.port), u.Port()), d.at.Service), "tcp"
	if d.at.Port == 0 {
		d.at.Protocol = ""
	}
}

func portOf(port, service string) int {
	if n, err := strconv.Atoi(port); err == nil && n > 0 && n <= 65535 {
		return n
	}
	switch service {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}

// end states that a site without alerts exists.
func (d *document) end() error {
	if d.stated || d.asset.IsZero() {
		return nil
	}
	return d.Send(exposure.Observation{Kind: exposure.ObservedInventory, Tool: tool, Asset: d.asset, Location: d.at})
}

// state sends an alert.
func (d *document) state(a *alert, record int, at int64) error {
	o := a.observation()
	if o.Rule == "" {
		return d.Lose(&exposure.RecordError{Record: record, Offset: at, Err: errNameless})
	}
	o.Asset, o.Location = d.asset, d.at
	if len(a.instances) > 0 && o.Asset.IsZero() {
		// Without the site's own facts, the first instance tells them.
		own := *d
		own.begin(site{name: a.instances[0].URI})
		o.Asset, o.Location = own.asset, own.at
	}
	d.stated = true
	return d.Send(o)
}
