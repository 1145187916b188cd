package nmap

import (
	"cmp"
	"encoding/xml"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// The hosts that are held for their coverage are bounded, in number and in the
// bytes of their names.
const (
	maxHosts = 1_000_000
	maxHeld  = 256 << 20
)

// document is the walk over one report.
type document struct {
	*decode.Emitter
	x    *decode.XML
	tool string
	run  exposure.Run

	scanned []exposure.PortRange
	vague   bool // not all that was scanned is known
	up      []exposure.AssetRef
	held    int  // bytes of their names
	many    bool // too many to be held
	success bool // the scan says that it ended well
}

func (d *document) root(e *xml.StartElement) error {
	if e.Name.Local != rootElement {
		return exposure.Errorf(exposure.Invalid, "not an Nmap report: its first element is <%s> and not <%s>", e.Name.Local, rootElement)
	}
	d.tool = strings.ToLower(cmp.Or(decode.Attr(e, "scanner"), "nmap"))
	d.run = exposure.Run{Tool: d.tool, Version: decode.Attr(e, "version"), Format: decode.Attr(e, "xmloutputversion"), Started: term.Date(decode.Attr(e, "start"))}
	if err := d.Run(d.run); err != nil {
		return err
	}
	err := d.children(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "scaninfo":
			d.scaninfo(e)
		case "host":
			return d.host(e)
		case "runstats":
			return d.runstats()
		}
		return d.x.Skip()
	})
	if err != nil {
		return err
	}
	return d.cover()
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

// runstats reads how the scan ended. Nmap before 6 does not say.
func (d *document) runstats() error {
	return d.children(func(e *xml.StartElement) error {
		if e.Name.Local != "finished" {
			return d.x.Skip()
		}
		d.run.Finished = term.Date(decode.Attr(e, "time"))
		exit := decode.Attr(e, "exit")
		d.success = exit == "success"
		if exit == "error" {
			d.run.Failed, d.run.Failure = true, decode.Attr(e, "errormsg")
		}
		if err := d.Run(d.run); err != nil {
			return err
		}
		return d.x.Skip()
	})
}
