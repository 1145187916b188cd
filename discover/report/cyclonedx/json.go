package cyclonedx

import (
	"errors"
	"fmt"
	"io"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// json walks a JSON document.
func (d *document) json(r io.Reader) error {
	j := decode.NewJSON(r)
	j.Lost = func(err error) error {
		var rec *exposure.RecordError
		if !errors.As(err, &rec) {
			return err
		}
		d.record++
		return d.lose(rec.Offset, rec.Err)
	}
	if k := j.Kind(); k != '{' && k != 0 {
		return exposure.Errorf(exposure.Invalid, "not a CycloneDX document: it does not start with an object")
	}
	if j.Kind() == 0 {
		return j.Skip() // says what is wrong
	}
	w := jsonWalk{d, j}
	err := j.Object(func(name string) error {
		switch name {
		case "specVersion":
			var v text
			err := w.value(name, &v)
			d.version = v.trim()
			return err
		case "metadata":
			return w.metadata()
		case "components":
			err := w.components(false)
			d.complete = true
			return err
		case "services":
			return w.components(true)
		case "vulnerabilities":
			return w.vulnerabilities()
		}
		return w.skip()
	})
	if err != nil {
		return err
	}
	if err := d.end(); err != nil {
		return err
	}
	return j.End()
}

type jsonWalk struct {
	*document
	j *decode.JSON
}

// value decodes a field. A value of the wrong shape is as good as absent.
func (w jsonWalk) value(name string, v any) error {
	err := w.j.Value(v)
	var rec *exposure.RecordError
	if errors.As(err, &rec) {
		w.record++
		return w.lose(rec.Offset, fmt.Errorf("%q does not fit the format", name))
	}
	return err
}

// skip passes over a member of the document, which may be long: the
// dependencies of a large product.
func (w jsonWalk) skip() error {
	if w.j.Kind() != '[' {
		return w.j.Skip()
	}
	return w.j.Array(func() error {
		if err := w.j.Skip(); err != nil {
			return err
		}
		return w.alive(w.j.Offset())
	})
}

func (w jsonWalk) metadata() error {
	var m metadata
	err := w.j.Object(func(name string) error {
		switch name {
		case "timestamp":
			return w.value(name, &m.Timestamp)
		case "tools":
			return w.tools(&m)
		case "component":
			return w.fields(&m.Component, w.components)
		}
		return w.j.Skip()
	})
	if err != nil {
		return err
	}
	w.about(&m)
	return w.sendRun()
}

// tools reads the list of up to version 1.4, or the object of later ones.
func (w jsonWalk) tools(m *metadata) error {
	list := func() error {
		return w.j.Array(func() error {
			var t named
			if err := w.value("tools", &t); err != nil {
				return err
			}
			if len(m.Tools) < maxTools {
				m.Tools = append(m.Tools, t)
			}
			return nil
		})
	}
	if w.j.Kind() == '[' {
		return list()
	}
	return w.j.Object(func(name string) error {
		if name == "components" || name == "services" {
			return list()
		}
		return w.j.Skip()
	})
}

// maxTools is how many tools of a document are looked at.
const maxTools = 100

func (w jsonWalk) components(service bool) error {
	return w.j.Array(func() error {
		c := component{service: service}
		w.record++
		at := w.j.Offset()
		if err := w.fields(&c, w.components); err != nil {
			return err
		}
		if c.Name == "" && c.Purl == "" && c.Ref == "" {
			return w.lose(at, errNameless)
		}
		return w.component(&c, w.j.Offset())
	})
}

var errNameless = errors.New("a component without name")

// fields reads the members of a component. nested reads its own components
// (false) or services (true).
func (w jsonWalk) fields(c *component, nested func(service bool) error) error {
	texts := map[string]*text{"type": &c.Type, "bom-ref": &c.Ref, "group": &c.Group, "name": &c.Name, "version": &c.Version, "purl": &c.Purl}
	return w.j.Object(func(name string) error {
		if t := texts[name]; t != nil {
			return w.value(name, t)
		}
		switch name {
		case "components":
			return nested(false)
		case "services":
			return nested(true)
		case "licenses":
			return w.licenses(c)
		case "properties":
			return w.j.Array(func() error {
				var p property
				if err := w.j.Value(&p); err != nil {
					return tolerate(err)
				}
				c.keep(p)
				return nil
			})
		}
		return w.j.Skip()
	})
}

func (w jsonWalk) licenses(c *component) error {
	return w.j.Array(func() error {
		var l struct {
			License    struct{ ID, Name text }
			Expression text
		}
		if err := w.j.Value(&l); err != nil {
			return tolerate(err)
		}
		c.licensed(l.Expression, l.License.ID, l.License.Name)
		return nil
	})
}

// tolerate passes over what is only of interest when it is well formed.
func tolerate(err error) error {
	var rec *exposure.RecordError
	if errors.As(err, &rec) {
		return nil
	}
	return err
}

func (w jsonWalk) vulnerabilities() error {
	if w.document.complete {
		if err := w.settle(); err != nil {
			return err
		}
	}
	return w.j.Array(func() error {
		w.record++
		at := w.j.Offset()
		var v vulnerability
		err := w.j.Value(&v)
		var rec *exposure.RecordError
		if errors.As(err, &rec) {
			return w.lose(rec.Offset, rec.Err)
		}
		if err != nil {
			return err
		}
		v.Own, v.Ref, v.Recommended = nil, "", nil // of the XML extension only
		return w.vulnerability(&v, at)
	})
}
