package nessus

import (
	"encoding/xml"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

const tool = "nessus"

// The classes of checks.
const (
	classVuln          = "vuln"
	classAuthenticated = "vuln-authenticated"
	classCompliance    = "misconfig"
	classWeb           = "web"
)

// document is the walk over one report.
type document struct {
	*decode.Emitter
	x      *decode.XML
	run    exposure.Run
	policy policy
	old    bool // NessusClientData without _v2
	web    bool // of a web application scanner
	at     item // the item at hand
}

func (d *document) root(e *xml.StartElement) error {
	switch e.Name.Local {
	case version1:
		d.old = true
	case version2:
	default:
		return exposure.Errorf(exposure.Invalid, "not a Nessus report: its first element is <%s> and not <%s>", e.Name.Local, version2)
	}
	d.run = exposure.Run{Tool: tool, Format: e.Name.Local}
	if err := d.Run(d.run); err != nil {
		return err
	}
	err := d.children(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "Policy":
			return d.readPolicy()
		case "Report":
			return d.report(e)
		}
		return d.pass()
	})
	if err != nil {
		return err
	}
	return d.Run(d.run)
}

// children is [decode.XML.Children] with signs of life.
func (d *document) children(f func(e *xml.StartElement) error) error {
	return d.x.Children(func(e *xml.StartElement) error {
		if err := d.Alive(d.x.Offset()); err != nil {
			return err
		}
		return f(e)
	})
}

// pass goes over an element that may be long.
func (d *document) pass() error {
	return d.children(func(*xml.StartElement) error {
		return d.children(func(*xml.StartElement) error { return d.x.Skip() })
	})
}

// text returns the text of an element.
func (d *document) text(e *xml.StartElement) (string, error) {
	var s string
	err := d.x.Element(e, &s)
	return strings.TrimSpace(s), err
}

func (d *document) report(e *xml.StartElement) error {
	d.web = decode.Attr(e, "type") == "was"
	return d.children(func(e *xml.StartElement) error {
		if e.Name.Local != "ReportHost" {
			return d.pass()
		}
		return d.host(e)
	})
}

// host reads a ReportHost. Its properties come before its items.
func (d *document) host(e *xml.StartElement) error {
	h := newHost(decode.Attr(e, "name"))
	err := d.children(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "HostProperties":
			err := d.children(func(e *xml.StartElement) error {
				value, err := d.text(e)
				if err != nil {
					return d.Lose(err)
				}
				h.property(decode.Attr(e, "name"), value)
				return nil
			})
			h.settle()
			return err
		case "ReportItem":
			h.settle()
			at := d.x.Offset()
			if err := decodeItem(d.x, e, &d.at); err != nil {
				return d.Lose(err)
			}
			return d.item(h, &d.at, at)
		}
		if !d.old {
			return d.pass()
		}
		value, err := d.text(e)
		if err != nil {
			return d.Lose(err)
		}
		h.oldProperty(e.Name.Local, value)
		return nil
	})
	if err != nil {
		return err
	}
	return d.hostEnd(h)
}

// item sends what one ReportItem states.
func (d *document) item(h *host, it *item, at int64) error {
	if d.old {
		it.modernise()
	}
	if it.PluginID == "" {
		return d.Lose(&exposure.RecordError{Record: d.x.Record(), Offset: at, Err: errNoPlugin})
	}
	it.learn(d, h)
	o, keep := it.observation(d, h)
	if !keep {
		return nil
	}
	h.stated = true
	return d.Send(o)
}

// hostEnd states what the host itself says: that it exists, and what was
// examined completely.
func (d *document) hostEnd(h *host) error {
	h.settle()
	if r := &d.run; !h.started.IsZero() && (r.Started.IsZero() || h.started.Before(r.Started)) {
		r.Started = h.started
	}
	if h.finished.After(d.run.Finished) {
		d.run.Finished = h.finished
	}
	if h.asset.IsZero() {
		return nil
	}
	if !h.stated {
		if err := d.Send(exposure.Observation{Kind: exposure.ObservedInventory, Tool: tool, Asset: h.asset, Seen: h.seen()}); err != nil {
			return err
		}
	}
	for _, c := range d.coverage(h) {
		if err := d.Send(exposure.Observation{Kind: exposure.ObservedCoverage, Tool: tool, Asset: h.asset, Class: c.Class, Coverage: &c, Seen: h.seen()}); err != nil {
			return err
		}
	}
	return nil
}

// coverage is what was examined completely on a host: nothing unless the scan
// of it ended, and nothing of a host that did not answer.
func (d *document) coverage(h *host) (all []exposure.Coverage) {
	if h.finished.IsZero() || h.dead || d.old {
		return nil
	}
	if rules, ok := d.policy.rules(d.web); ok {
		class := classVuln
		if d.web {
			class = classWeb
		}
		all = append(all, exposure.Coverage{Class: class, Rules: rules})
		if h.credentialed && !d.web {
			all = append(all, exposure.Coverage{Class: classAuthenticated, Rules: rules})
		}
	}
	if len(h.checks) > 0 && len(h.checks) <= maxChecks {
		all = append(all, exposure.Coverage{Class: classCompliance, Rules: h.checks})
	}
	return all
}
