package record

import (
	"encoding/xml"
	"io"

	"github.com/leeward-ctem/leeward/discover/decode"
)

// markup makes a Value of an element and of all that is within it. It is a
// [decode.Visitor].
type markup struct {
	open  []branch
	text  []byte // of the open elements, one behind the other
	fault *fault
}

// branch is an element that is open.
type branch struct {
	name  string
	value Value
	text  int // where its text begins
}

// value makes a Value of the element that was opened last.
func (t *markup) value(x *decode.XML, start *xml.StartElement) (Value, error) {
	t.open, t.text = t.open[:0], t.text[:0]
	t.Open(start.Name, start.Attr)
	if err := x.Within(t); err != nil {
		return Value{}, err
	}
	return t.end(), nil
}

// Open implements [decode.Visitor].
func (t *markup) Open(name xml.Name, attrs []xml.Attr) {
	v := Value{kind: '"', fault: t.fault}
	if len(attrs) > 0 {
		v.kind = '{'
		v.names, v.kids = make([]string, len(attrs)), make([]Value, len(attrs))
		for i, a := range attrs {
			v.names[i], v.kids[i] = "@"+a.Name.Local, Value{kind: '"', text: a.Value, fault: t.fault}
		}
	}
	t.open = append(t.open, branch{name.Local, v, len(t.text)})
}

// Text implements [decode.Visitor].
func (t *markup) Text(text []byte) { t.text = append(t.text, text...) }

// Close implements [decode.Visitor].
func (t *markup) Close() {
	name := t.open[len(t.open)-1].name
	v := t.end()
	parent := &t.open[len(t.open)-1].value
	parent.kind = '{'
	parent.add(name, v, true)
}

// end ends the innermost element.
func (t *markup) end() Value {
	b := &t.open[len(t.open)-1]
	v := b.value
	v.text = string(t.text[b.text:])
	t.text = t.text[:b.text]
	*b = branch{}
	t.open = t.open[:len(t.open)-1]
	return v
}

func (r *Report) readXML(in io.Reader) error {
	places := r.spec.tree()
	x := decode.NewXML(in)
	return x.Document(func(root *xml.StartElement) error {
		at := places.names[root.Name.Local]
		if at == nil {
			return x.Skip()
		}
		r.met = true // even when nothing is in it
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
		value, err := r.whole.value(x, start)
		if err != nil {
			return err
		}
		if err := r.Alive(offset); err != nil {
			return err
		}
		return r.take(held{handle: at.handle, first: at.first, value: value, offset: offset})
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
		value, err := r.whole.value(x, child)
		if err != nil {
			return err
		}
		if x.Offset()-before <= maxMember {
			holder.add(child.Name.Local, value, true)
		}
		return nil
	})
}
