package record

import (
	"encoding/xml"
	"io"

	"github.com/leeward-ctem/leeward/discover/decode"
)

// element is an XML element in whole.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

// value makes a Value of an element.
func (e *element) value(f *fault) Value {
	v := Value{kind: '"', text: e.Text, fault: f}
	for _, a := range e.Attrs {
		v.kind = '{'
		v.names, v.kids = append(v.names, "@"+a.Name.Local), append(v.kids, Value{kind: '"', text: a.Value, fault: f})
	}
	for i := range e.Children {
		v.kind = '{'
		v.add(e.Children[i].XMLName.Local, e.Children[i].value(f), true)
	}
	return v
}

func (r *Report) readXML(in io.Reader) error {
	tree := r.spec.tree()
	x := decode.NewXML(in)
	return x.Document(func(root *xml.StartElement) error {
		at := tree.names[root.Name.Local]
		if at == nil {
			return x.Skip()
		}
		err := r.element(x, root, at)
		r.closed = err == nil
		return err
	})
}

// element reads an element that leads to records, or is one.
func (r *Report) element(x *decode.XML, start *xml.StartElement, at *place) error {
	if at.handle != nil {
		r.met = true
		offset := x.Offset()
		var e element
		if err := x.Element(start, &e); err != nil {
			r.number++
			return r.Lose(err)
		}
		if err := r.Alive(offset); err != nil {
			return err
		}
		return r.take(held{handle: at.handle, first: at.first, value: e.value(&r.fault), offset: offset})
	}
	holder := &Value{kind: '{', fault: &r.fault}
	if len(r.up) == 0 {
		holder = r.top
	}
	for _, a := range start.Attr {
		holder.add("@"+a.Name.Local, Value{kind: '"', text: a.Value, fault: &r.fault}, true)
	}
	r.up = append(r.up, holder)
	defer func() { r.up = r.up[:len(r.up)-1] }()
	for name, next := range at.names {
		if next.handle != nil && name != "" {
			r.met = true // the element that would hold records is there
		}
	}
	return x.Children(func(child *xml.StartElement) error {
		if next := at.names[child.Name.Local]; next != nil {
			return r.element(x, child, next)
		}
		if err := r.Alive(x.Offset()); err != nil {
			return err
		}
		if len(holder.kids) > maxMembers {
			return x.Skip()
		}
		before := x.Offset()
		var e element
		if err := x.Element(child, &e); err != nil {
			r.number++
			return r.Lose(err)
		}
		if x.Offset()-before <= maxMember {
			holder.add(child.Name.Local, e.value(&r.fault), true)
		}
		return nil
	})
}
