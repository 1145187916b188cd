package record

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/term"
)

// Value is a value of a report in whatever form it was written: a JSON value,
// an XML element or a row of a table. The zero Value is one that is not there;
// asking it for more gives zero Values.
//
// Of an XML element the members are its child elements and, with @ before their
// names, its attributes; its text is the text of the value. Repeated elements
// and the elements of a JSON array are a list alike, see [Value.List].
//
// Where a text is asked for and a list or an object stands, the record at hand
// is faulty and lost with a message that says so. Where more is asked of a text or
// a number in JSON, the record is stated with what else it says, and a message says
// that something is missing.
type Value struct {
	Key string // the name it has in an object of records, see [Spec]

	kind  byte // '{', '[', '"', '0', 't', 'f', 'n', or 0 when it is not there
	text  string
	names []string
	kids  []Value
	fault *fault
}

// columns are the names of the columns of a table, and where those are that were
// asked for: the same few are, for each row.
type columns struct {
	names []string
	known map[string]int
}

func (c *columns) find(name string) int {
	i, ok := c.known[name]
	if !ok {
		if i = find(c.names, name); len(c.known) < maxMembers {
			c.known[name] = i
		}
	}
	return i
}

// row reports whether the value is a row of the table that is being read.
func (v Value) row() bool {
	return v.fault != nil && v.fault.columns != nil && len(v.names) > 0 && &v.names[0] == &v.fault.columns.names[0]
}

// find returns where the last of the names is that is this one, or else is this
// one in another case; -1 if none is.
func find(names []string, name string) int {
	for i := len(names) - 1; i >= 0; i-- {
		if names[i] == name {
			return i
		}
	}
	for i := len(names) - 1; i >= 0; i-- {
		if strings.EqualFold(names[i], name) {
			return i
		}
	}
	return -1
}

// fault is the first thing that did not fit in what is being read.
type fault struct {
	err  error
	odd  error // it costs a part of the record, perhaps
	json bool

	columns *columns // of the table that is being read, if it is one
}

func (f *fault) set(format string, args ...any) {
	if f != nil && f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// object notes that an object is expected where a value of another kind stands.
// In XML and tables an element or a cell without members is no fault.
func (v Value) object(name string) {
	if v.fault != nil && v.fault.json && v.fault.odd == nil && (v.kind == '0' || v.kind == 't' || v.kind == '"') && !v.blank() {
		v.fault.odd = fmt.Errorf("a value without members stands where one with %s is expected", name)
	}
}

// Exists reports whether the value is there and not null.
func (v Value) Exists() bool { return v.kind != 0 && v.kind != 'n' }

// blank reports whether a value says nothing: it is not there, null, a text of
// space, or without members.
func (v Value) blank() bool {
	return !v.Exists() || len(v.kids) == 0 && (v.kind == '{' || v.kind == '[' || v.kind == '"' && strings.TrimSpace(v.text) == "")
}

// At is the value at a path of names with dots between: "info.severity". Of a
// member that is there several times the last counts in JSON, the first in XML.
// Names match without regard to case where none matches exactly.
//
// A name may hold dots itself, as columns of tables do.
func (v Value) At(path string) Value {
	whole := v.member(path)
	switch {
	case whole.kind != 0:
		return whole
	case path != "" && strings.IndexByte(path, '.') < 0:
		v.object(path)
		return whole
	}
	for path != "" {
		name, rest, _ := strings.Cut(path, ".")
		v.object(name)
		v, path = v.member(name), rest
	}
	return v
}

// Member is the value of a name that may hold dots.
func (v Value) Member(name string) Value {
	v.object(name)
	return v.member(name)
}

func (v Value) member(name string) Value {
	if v.kind == '[' && len(v.kids) > 0 && len(v.names) == 0 {
		v = v.kids[0] // repeated where one is expected
	}
	at := -1
	if v.row() {
		at = v.fault.columns.find(name)
	} else {
		at = find(v.names, name)
	}
	if at < 0 {
		return Value{fault: v.fault}
	}
	return v.kids[at]
}

// Text is the text of the first of several paths that says something, without
// space around it; of no path, of the value itself. Numbers and booleans are
// texts as they are written.
func (v Value) Text(paths ...string) string {
	if len(paths) == 0 {
		return v.scalar("a value")
	}
	for _, p := range paths {
		if s := v.At(p).scalar(p); s != "" {
			return s
		}
	}
	return ""
}

func (v Value) scalar(where string) string {
	switch v.kind {
	case '"':
		return strings.TrimSpace(v.text)
	case '0', 't', 'f':
		return v.text
	case '{':
		if v.text != "" || v.attributes() { // an XML element with attributes
			return strings.TrimSpace(v.text)
		}
		v.fault.set("%s is an object where a text is expected", where)
	case '[':
		if len(v.kids) == 1 {
			return v.kids[0].scalar(where)
		}
		if len(v.kids) > 1 || v.text == "" {
			v.fault.set("%s is a list where a text is expected", where)
		}
	}
	return ""
}

func (v Value) attributes() bool {
	for _, n := range v.names {
		if !strings.HasPrefix(n, "@") {
			return false
		}
	}
	return len(v.names) > 0
}

// Prose is the text of an XML element and of all elements within it, each on
// lines of its own, and of the attributes of the given names. The text of an
// element stands before that of the elements in it.
func (v Value) Prose(attributes ...string) string {
	var b strings.Builder
	v.prose(&b, attributes)
	return strings.TrimSpace(b.String())
}

func (v Value) prose(b *strings.Builder, attributes []string) {
	for line := range strings.Lines(v.text) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			b.WriteString(line + "\n")
		}
	}
	for i, k := range v.kids {
		if v.kind == '{' && strings.HasPrefix(v.names[i], "@") && !slices.Contains(attributes, v.names[i][1:]) {
			continue
		}
		k.prose(b, attributes)
	}
}

// Texts are the texts in a list, or the one text there is. What is no text in
// it is passed over.
func (v Value) Texts(path string) []string {
	var all []string
	for e := range v.At(path).List("") {
		switch e.kind {
		case '"', '0', 't', 'f':
			if s := e.scalar(path); s != "" {
				all = append(all, s)
			}
		case '{':
			if s := strings.TrimSpace(e.text); s != "" {
				all = append(all, s)
			}
		}
	}
	return all
}

// List yields the elements of a list, or the one value there is.
func (v Value) List(path string) iter.Seq[Value] {
	at := v
	if path != "" {
		at = v.At(path)
	}
	return func(yield func(Value) bool) {
		switch {
		case !at.Exists():
		case at.kind != '[':
			yield(at)
		default:
			for _, k := range at.kids {
				if k.Exists() && !yield(k) {
					return
				}
			}
		}
	}
}

// Members yields the members of an object by their names, in order. Of those
// that are there several times the last counts.
func (v Value) Members(path string) iter.Seq2[string, Value] {
	at := v
	if path != "" {
		at = v.At(path)
	}
	return func(yield func(string, Value) bool) {
		if at.kind != '{' {
			at.object("names")
			return
		}
		last := make(map[string]int, len(at.names))
		for i, n := range at.names {
			last[n] = i
		}
		for i, n := range at.names {
			if last[n] == i && !yield(n, at.kids[i]) {
				return
			}
		}
	}
}

// IsList, IsObject and IsText tell what a value is, for formats that wrote it
// in several ways over time.
func (v Value) IsList() bool   { return v.kind == '[' }
func (v Value) IsObject() bool { return v.kind == '{' }
func (v Value) IsText() bool   { return v.kind == '"' }

// Object is [Value.IsObject] where nothing else can stand: what does is noted as
// a fault of the record.
func (v Value) Object() bool {
	v.object("members")
	return v.kind == '{'
}

// Decoded is the text at a path, out of base64 if its attribute base64 says so.
func (v Value) Decoded(path string) string {
	at := v.At(path)
	text := at.scalar(path)
	if at.Yes("@base64") {
		if raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
			text = strings.ToValidUTF8(strings.ReplaceAll(string(raw), "\x00", "\uFFFD"), "\uFFFD")
		}
	}
	return strings.TrimSpace(text)
}

// Int is a whole number, 0 for what is none.
func (v Value) Int(paths ...string) int {
	s := v.Text(paths...)
	n, sign := 0, 1
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		s, sign = rest, -1
	}
	s, _, _ = strings.Cut(s, ".")
	if s == "" || len(s) > 15 {
		return 0
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		n = n*10 + int(s[i]-'0')
	}
	return sign * n
}

// Yes reports whether a value says yes.
func (v Value) Yes(paths ...string) bool {
	yes, _ := term.Bool(v.Text(paths...))
	return yes
}

// Time is a time in any form, zero for what is none.
func (v Value) Time(paths ...string) time.Time { return term.Date(v.Text(paths...)) }

// maxDepth bounds the nesting that is kept; what lies deeper is not there.
const maxDepth = 60

// parse makes a Value of JSON that is valid.
func (r *Report) parse(raw []byte) (Value, error) {
	r.tree.fault = &r.fault
	if decode.Take(string(raw), &r.tree) {
		return r.tree.taken(), nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	return value(d, &r.fault, 0)
}

// tree makes a Value as value does, faster.
type tree struct {
	top   Value
	fault *fault
	depth int

	// Of the objects and lists that are not at their end:
	names []string
	kids  []Value
}

// mostKids is for how many members and elements the room is kept.
const mostKids = 200

// taken returns the Value, and keeps the room for the next one.
func (t *tree) taken() Value {
	v := t.top
	t.top = Value{}
	if cap(t.kids) > mostKids {
		t.names, t.kids = nil, nil
	}
	clear(t.kids[:cap(t.kids)])
	return v
}

// Quick implements decode.Quick.
func (t *tree) Quick(c *decode.Cursor) { t.top = t.value(c) }

func (t *tree) value(c *decode.Cursor) Value {
	v := Value{kind: c.Kind(), fault: t.fault}
	if t.depth > maxDepth {
		c.Skip()
		return Value{fault: t.fault}
	}
	names, kids := len(t.names), len(t.kids)
	t.depth++
	switch v.kind {
	case '"':
		v.text = c.Text()
	case '{':
		c.Object(func(name string) {
			t.names = append(t.names, c.Part(name))
			t.kids = append(t.kids, t.value(c))
		})
	case '[':
		c.Array(func() { t.kids = append(t.kids, t.value(c)) })
	case 't', 'f', 'n':
		v.text = c.Scalar()
	default:
		v.kind, v.text = '0', c.Scalar()
	}
	t.depth--
	if len(t.kids) > kids {
		v.kids = slices.Clone(t.kids[kids:])
	}
	if len(t.names) > names {
		v.names = slices.Clone(t.names[names:])
	}
	t.names, t.kids = t.names[:names], t.kids[:kids]
	return v
}

func value(d *jsontext.Decoder, f *fault, depth int) (Value, error) {
	v := Value{kind: byte(d.PeekKind()), fault: f}
	if depth > maxDepth {
		return Value{fault: f}, d.SkipValue()
	}
	if v.kind != '{' && v.kind != '[' {
		raw, err := d.ReadValue()
		if err != nil {
			return v, err
		}
		if v.kind == '"' {
			v.text = decode.Text(raw)
		} else {
			v.text = string(raw)
		}
		return v, nil
	}
	end := jsontext.Kind(v.kind + 2) // '}' and ']' stand two behind
	if _, err := d.ReadToken(); err != nil {
		return v, err
	}
	for d.PeekKind() != end {
		if v.kind == '{' {
			t, err := d.ReadToken()
			if err != nil {
				return v, err
			}
			v.names = append(v.names, strings.ReplaceAll(t.String(), "\x00", "\uFFFD"))
		}
		k, err := value(d, f, depth+1)
		if err != nil {
			return v, err
		}
		v.kids = append(v.kids, k)
	}
	_, err := d.ReadToken()
	return v, err
}

// add sets a member, or one more of the same name.
func (v *Value) add(name string, k Value, list bool) {
	if list {
		for i, n := range v.names {
			if n == name {
				if v.kids[i].kind != '[' {
					v.kids[i] = Value{kind: '[', kids: []Value{v.kids[i]}, fault: v.fault}
				}
				v.kids[i].kids = append(v.kids[i].kids, k)
				return
			}
		}
	}
	v.names, v.kids = append(v.names, name), append(v.kids, k)
}
