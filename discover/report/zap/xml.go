package zap

import (
	"encoding/xml"
	"io"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// xmlWalk is the walk over an XML report.
type xmlWalk struct {
	*document
	x *decode.XML
}

func (d *document) readXML(r io.Reader) error {
	w := xmlWalk{d, decode.NewXML(r)}
	return w.x.Document(w.root)
}

func (w xmlWalk) root(e *xml.StartElement) error {
	if e.Name.Local != rootElement {
		return exposure.Errorf(exposure.Invalid, "not a ZAP report: its first element is <%s> and not <%s>", e.Name.Local, rootElement)
	}
	w.about(decode.Attr(e, "version"), decode.Attr(e, "generated"), decode.Attr(e, "created"))
	if err := w.Run(w.run); err != nil {
		return err
	}
	return w.x.Children(func(e *xml.StartElement) error {
		if e.Name.Local != "site" {
			return w.pass()
		}
		w.begin(site{name: decode.Attr(e, "name"), host: decode.Attr(e, "host"), port: decode.Attr(e, "port"), ssl: decode.Attr(e, "ssl")})
		if err := w.x.Children(w.siteChild); err != nil {
			return err
		}
		return w.end()
	})
}

func (w xmlWalk) siteChild(e *xml.StartElement) error {
	if e.Name.Local != "alerts" {
		return w.pass()
	}
	return w.x.Children(func(e *xml.StartElement) error {
		if e.Name.Local != "alertitem" {
			return w.pass()
		}
		return w.alert()
	})
}

// pass goes over an element that may be long.
func (w xmlWalk) pass() error {
	return w.x.Children(func(*xml.StartElement) error {
		if err := w.Alive(w.x.Offset()); err != nil {
			return err
		}
		return w.x.Skip()
	})
}

func (w xmlWalk) alert() error {
	var a alert
	// Before 2.5 an alert is its own, only instance.
	var own instance
	err := w.x.Children(func(e *xml.StartElement) error {
		field := a.field(e.Name.Local)
		switch {
		case field != nil:
		case e.Name.Local == "instances":
			return w.x.Children(func(e *xml.StartElement) error { return w.instance(e, &a) })
		default:
			field = own.field(e.Name.Local)
		}
		if field == nil {
			return w.pass()
		}
		return w.x.Element(e, field)
	})
	if err != nil {
		return err
	}
	if a.found == 0 && own.URI != "" {
		a.add(own)
	}
	return w.state(&a, max(w.x.Record(), 1), w.x.Offset())
}

func (w xmlWalk) instance(e *xml.StartElement, a *alert) error {
	if err := w.Alive(w.x.Offset()); err != nil {
		return err
	}
	if e.Name.Local != "instance" {
		return w.x.Skip()
	}
	if a.full() {
		a.found++
		return w.x.Skip()
	}
	var i instance
	err := w.x.Children(func(e *xml.StartElement) error {
		if field := i.field(e.Name.Local); field != nil {
			return w.x.Element(e, field)
		}
		return w.pass()
	})
	a.add(i)
	return err
}
