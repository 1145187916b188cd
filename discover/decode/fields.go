package decode

import (
	"encoding"
	"encoding/xml"
	"reflect"
	"strings"
)

// layout is how an element becomes a value of a type: a text, a list of one
// value for each element, or a struct of them.
type layout struct {
	list     *layout
	attrs    map[string]int // the number of the field
	elements map[string]child
	text     int // the field of the text, or none
	isText   bool
}

type child struct {
	field  int
	layout *layout
}

const noField = -1

// layouts are those of the types met so far, nil for a type that is left to
// encoding/xml.
type layouts map[reflect.Type]*layout

// of returns the shape of a type, nil unless it consists of what is understood
// here: texts, and structs and lists of them, named by plain tags.
func (s layouts) of(t reflect.Type) *layout {
	if known, ok := s[t]; ok || s == nil {
		return known
	}
	sh := &layout{text: noField}
	s[t] = sh // types may hold themselves
	if !s.understand(t, sh) {
		clear(s) // what was built on it
		s[t] = nil
		return nil
	}
	return sh
}

var unmarshalers = []reflect.Type{reflect.TypeFor[xml.Unmarshaler](), reflect.TypeFor[xml.UnmarshalerAttr](), reflect.TypeFor[encoding.TextUnmarshaler]()}

func (s layouts) understand(t reflect.Type, sh *layout) bool {
	for _, u := range unmarshalers {
		if reflect.PointerTo(t).Implements(u) {
			return false
		}
	}
	switch t.Kind() {
	case reflect.String:
		sh.isText = true
		return true
	case reflect.Slice:
		sh.list = s.of(t.Elem())
		return sh.list != nil && sh.list.list == nil
	case reflect.Struct:
		return s.fields(t, sh)
	}
	return false
}

// fields understands the fields of a struct by their tags.
func (s layouts) fields(t reflect.Type, sh *layout) bool {
	sh.attrs, sh.elements = map[string]int{}, map[string]child{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("xml")
		name, form, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-":
			continue
		case !f.IsExported(), f.Anonymous, f.Name == "XMLName", strings.ContainsAny(name, "> "):
			return false
		case name == "" && form == "chardata" && f.Type.Kind() == reflect.String && s.of(f.Type) != nil && sh.text == noField:
			sh.text = i
			continue
		case name == "":
			return false
		}
		switch form {
		case "attr":
			if _, taken := sh.attrs[name]; taken || f.Type.Kind() != reflect.String || s.of(f.Type) == nil {
				return false
			}
			sh.attrs[name] = i
		case "":
			of := s.of(f.Type)
			if _, taken := sh.elements[name]; taken || of == nil {
				return false
			}
			sh.elements[name] = child{i, of}
		default:
			return false
		}
	}
	return true
}

// filler fills a value with what is within an element. It is a [Visitor].
type filler struct {
	open    []filling
	text    []byte // of the values, one behind the other
	ignored int    // elements that are open within one that is not asked for
}

// filling is a value that is being filled.
type filling struct {
	to     reflect.Value
	layout *layout
	text   int // where its text begins
}

// begin begins with the value of the outermost element.
func (f *filler) begin(to reflect.Value, sh *layout, attrs []xml.Attr) {
	f.open, f.text, f.ignored = f.open[:0], f.text[:0], 0
	f.fill(to, sh, attrs)
}

func (f *filler) fill(to reflect.Value, sh *layout, attrs []xml.Attr) {
	if sh.list != nil {
		n := to.Len()
		to.Grow(1)
		to.SetLen(n + 1)
		to, sh = to.Index(n), sh.list
	}
	f.open = append(f.open, filling{to, sh, len(f.text)})
	for _, a := range attrs {
		if i, ok := sh.attrs[a.Name.Local]; ok {
			to.Field(i).SetString(a.Value)
		}
	}
}

// Open implements Visitor.
func (f *filler) Open(name xml.Name, attrs []xml.Attr) {
	if f.ignored == 0 {
		in := &f.open[len(f.open)-1]
		if c, ok := in.layout.elements[name.Local]; ok {
			f.fill(in.to.Field(c.field), c.layout, attrs)
			return
		}
	}
	f.ignored++
}

// Text implements Visitor.
func (f *filler) Text(text []byte) {
	if in := f.open[len(f.open)-1].layout; f.ignored == 0 && (in.isText || in.text != noField) {
		f.text = append(f.text, text...)
	}
}

// Close implements Visitor.
func (f *filler) Close() {
	if f.ignored > 0 {
		f.ignored--
		return
	}
	in := &f.open[len(f.open)-1]
	switch {
	case in.layout.isText:
		in.to.SetString(string(f.text[in.text:]))
	case in.layout.text != noField:
		in.to.Field(in.layout.text).SetString(string(f.text[in.text:]))
	}
	f.text = f.text[:in.text]
	*in = filling{}
	f.open = f.open[:len(f.open)-1]
}
