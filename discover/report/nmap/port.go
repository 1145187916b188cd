package nmap

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// port is a <port> with all that is known of it.
type port struct {
	Protocol string `xml:"protocol,attr"`
	Number   string `xml:"portid,attr"`
	State    struct {
		State  string `xml:"state,attr"`
		Reason string `xml:"reason,attr"`
	} `xml:"state"`
	Service struct {
		Name    string   `xml:"name,attr"`
		Product string   `xml:"product,attr"`
		Version string   `xml:"version,attr"`
		Extra   string   `xml:"extrainfo,attr"`
		OS      string   `xml:"ostype,attr"`
		Tunnel  string   `xml:"tunnel,attr"`
		CPEs    []string `xml:"cpe"`
	} `xml:"service"`
	Scripts []script `xml:"script"`
}

// Rules of our own for what Nmap has no id for.
const ruleOpenPort = "open-port"

var errNoPort = errors.New("a port without a number from 0 to 65535")

// port states an open port, the product behind it and what the scripts found.
// Open|filtered means that nothing was heard, so it is left out.
func (d *document) port(h *host, p *port) error {
	if s := p.State.State; s == "open" || s == "closed" {
		h.answered = true
	}
	if p.State.State != "open" {
		return nil
	}
	number, err := strconv.ParseUint(p.Number, 10, 16)
	if err != nil {
		return d.Lose(&exposure.RecordError{Record: d.x.Record(), Offset: d.x.Offset(), Err: errNoPort})
	}
	at := exposure.Location{Port: int(number), Protocol: cmp.Or(p.Protocol, "tcp"), Service: p.service()}
	o := exposure.Observation{
		Kind:       exposure.ObservedWeakness,
		Tool:       d.tool,
		Asset:      h.asset,
		Class:      class,
		Rule:       ruleOpenPort,
		Title:      fmt.Sprintf("Open port %d/%s", at.Port, at.Protocol),
		Severity:   exposure.SeverityInfo,
		Location:   at,
		Detection:  exposure.DetectionRemote,
		Confidence: 95,
		Evidence:   p.evidence(),
		Seen:       h.seen,
	}
	if at.Service != "" {
		o.Title += " (" + at.Service + ")"
	}
	if err := d.Send(o); err != nil {
		return err
	}
	c := p.component()
	if c.Name != "" || !h.asset.IsZero() {
		if err := d.Send(exposure.Observation{Kind: exposure.ObservedInventory, Tool: d.tool, Asset: h.asset, Class: class, Component: c, Location: at, Seen: h.seen}); err != nil {
			return err
		}
	}
	for i := range p.Scripts {
		if err := d.script(h, &p.Scripts[i], at, c); err != nil {
			return err
		}
	}
	return nil
}

// service is the name of the service: "http", or "ssl/http" as Nmap writes it
// for people.
func (p *port) service() string {
	if p.Service.Tunnel != "" && p.Service.Name != "" {
		return p.Service.Tunnel + "/" + p.Service.Name
	}
	return p.Service.Name
}

func (p *port) evidence() []exposure.Evidence {
	var parts []string
	for _, s := range []string{p.Service.Product, p.Service.Version, p.Service.Extra, p.Service.OS} {
		if s = strings.TrimSpace(s); s != "" {
			parts = append(parts, s)
		}
	}
	text := strings.Join(parts, " ")
	if p.State.Reason != "" {
		text = strings.TrimSpace(text + "\nreason: " + p.State.Reason)
	}
	if text == "" {
		return nil
	}
	return []exposure.Evidence{{Kind: "output", Text: text}}
}

// component is the product behind the port: by its name in the CPE of an
// application, which is the same for all tools, else as Nmap calls it.
func (p *port) component() exposure.Component {
	for _, cpe := range p.Service.CPEs {
		if c := cpeComponent(cpe); c.Name != "" {
			c.Version = cmp.Or(c.Version, p.Service.Version)
			return c
		}
	}
	return exposure.Component{Name: p.Service.Product, Version: p.Service.Version}
}

// cpeComponent reads the product and version of an application in a CPE name
// of either binding: cpe:/a:vendor:product:version or
// cpe:2.3:a:vendor:product:version:… See NIST IR 7695.
func cpeComponent(cpe string) exposure.Component {
	rest, ok := strings.CutPrefix(strings.TrimSpace(cpe), "cpe:/a:")
	if !ok {
		if rest, ok = strings.CutPrefix(strings.TrimSpace(cpe), "cpe:2.3:a:"); !ok {
			return exposure.Component{}
		}
	}
	parts := splitCPE(rest)
	if len(parts) < 2 {
		return exposure.Component{}
	}
	c := exposure.Component{Name: unquote(parts[1])}
	if len(parts) > 2 && parts[2] != "*" && parts[2] != "-" {
		c.Version = unquote(parts[2])
	}
	return c
}

// splitCPE splits at the colons that are not quoted.
func splitCPE(s string) (parts []string) {
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ':':
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// unquote undoes the two ways in which CPE names quote.
func unquote(s string) string {
	if !strings.ContainsAny(s, `%\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '%' && i+2 < len(s):
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil && n >= ' ' && n < 0x7f {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
