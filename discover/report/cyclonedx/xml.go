package cyclonedx

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// xml walks an XML document.
func (d *document) xml(r io.Reader) error {
	x := decode.NewXML(r)
	return x.Document(func(root *xml.StartElement) error { return d.bom(x, root) })
}

// bom walks the root element.
func (d *document) bom(x *decode.XML, root *xml.StartElement) error {
	if root.Name.Local != "bom" {
		return exposure.Errorf(exposure.Invalid, "not a CycloneDX document: its first element is not <bom>")
	}
	d.version = root.Name.Space[strings.LastIndexByte(root.Name.Space, '/')+1:]
	w := xmlWalk{d, x}
	err := w.each(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "metadata":
			return w.metadata()
		case "components":
			err := w.components(false)
			d.complete = true
			return err
		case "services":
			return w.components(true)
		case "vulnerabilities":
			if d.complete {
				if err := w.settle(); err != nil {
					return err
				}
			}
			return w.vulnerabilities(w.vulnerability)
		}
		// It may be long: the dependencies of a large product.
		return w.each(func(*xml.StartElement) error {
			if err := x.Skip(); err != nil {
				return err
			}
			return w.alive(x.Offset())
		})
	})
	if err != nil {
		return err
	}
	return d.end()
}

type xmlWalk struct {
	*document
	x *decode.XML
}

// each calls f with each child of the element that was just opened; f must
// consume it.
func (w xmlWalk) each(f func(e *xml.StartElement) error) error {
	for {
		start, end, err := w.x.Next()
		switch {
		case errors.Is(err, io.EOF):
			return exposure.Errorf(exposure.Invalid, "the report is cut off at byte %d: export it again", w.x.Offset())
		case err != nil:
			return err
		case end != nil:
			return nil
		}
		if err := f(start); err != nil {
			return err
		}
	}
}

func (w xmlWalk) metadata() error {
	var m metadata
	err := w.each(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "timestamp":
			return w.x.Element(e, &m.Timestamp)
		case "tools":
			return w.tools(&m)
		case "component":
			_, err := w.fields(e, &m.Component)
			return err
		}
		return w.x.Skip()
	})
	if err != nil {
		return err
	}
	w.about(&m)
	return w.sendRun()
}

// tools reads <tool> of old, or the <components> and <services> of today.
func (w xmlWalk) tools(m *metadata) error {
	return w.each(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "components", "services":
			return w.tools(m)
		case "tool", "component", "service":
			var t named
			if err := w.x.Element(e, &t); err != nil {
				return err
			}
			if len(m.Tools) < maxTools {
				m.Tools = append(m.Tools, t)
			}
			return nil
		}
		return w.x.Skip()
	})
}

func (w xmlWalk) components(service bool) error {
	return w.each(func(e *xml.StartElement) error {
		if e.Name.Local != "component" && e.Name.Local != "service" {
			return w.x.Skip() // of a later version, or an extension
		}
		w.record++
		c := component{service: service}
		at := w.x.Offset()
		own, err := w.fields(e, &c)
		if err != nil {
			return err
		}
		if c.Name == "" && c.Purl == "" && c.Ref == "" {
			return w.lose(at, errNameless)
		}
		if err := w.component(&c, at); err != nil {
			return err
		}
		found := c.indexed().Component
		for _, v := range own {
			w.record++
			v.Own = &found
			if err := w.vulnerability(v.vulnerability, v.at); err != nil {
				return err
			}
		}
		return nil
	})
}

// placed is a vulnerability and where it stands in the document.
type placed struct {
	*vulnerability
	at int64
}

// fields reads the attributes and children of a component. own are the
// vulnerabilities that the old extension puts inside of it.
func (w xmlWalk) fields(e *xml.StartElement, c *component) (own []placed, err error) {
	c.Type, c.Ref = text(decode.Attr(e, "type")), text(decode.Attr(e, "bom-ref"))
	texts := map[string]*text{"group": &c.Group, "name": &c.Name, "version": &c.Version, "purl": &c.Purl}
	err = w.each(func(e *xml.StartElement) error {
		if t := texts[e.Name.Local]; t != nil {
			return w.x.Element(e, t)
		}
		switch e.Name.Local {
		case "components":
			return w.components(false)
		case "services":
			return w.components(true)
		case "licenses":
			var l struct {
				License []struct {
					ID   text `xml:"id"`
					Name text `xml:"name"`
				} `xml:"license"`
				Expression []text `xml:"expression"`
			}
			if err := w.x.Element(e, &l); err != nil {
				return tolerate(err)
			}
			for _, x := range l.Expression {
				c.licensed(x)
			}
			for _, x := range l.License {
				c.licensed(x.ID, x.Name)
			}
			return nil
		case "properties":
			return w.each(func(e *xml.StartElement) error {
				var p property
				if err := w.x.Element(e, &p); err != nil {
					return tolerate(err)
				}
				c.keep(p)
				return nil
			})
		case "vulnerabilities":
			return w.vulnerabilities(func(v *vulnerability, at int64) error {
				own = append(own, placed{v, at})
				return nil
			})
		}
		return w.x.Skip()
	})
	return own, err
}

func (w xmlWalk) vulnerabilities(f func(v *vulnerability, at int64) error) error {
	return w.each(func(e *xml.StartElement) error {
		if e.Name.Local != "vulnerability" {
			return w.x.Skip()
		}
		w.record++
		at := w.x.Offset()
		var v vulnerability
		err := w.x.Element(e, &v)
		var rec *exposure.RecordError
		if errors.As(err, &rec) {
			return w.lose(rec.Offset, rec.Err)
		}
		if err != nil {
			return err
		}
		return f(&v, at)
	})
}
