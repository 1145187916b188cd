package decode

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Head is the start of a report, by which its format is recognised. What it
// says is worked out once, for all the readers that are asked. It is not safe
// for concurrent use.
type Head struct {
	raw    []byte
	looked bool
	form   byte
	root   string
	space  string
	texts  map[string]string   // first text at each path
	names  map[string]struct{} // of all members and elements
	rows   [][]string          // of what may be a table
}

// The bounds of what is looked at in a head: its paths, and the bytes of a text.
const (
	maxHeadPaths = 4000
	maxHeadText  = 300
	maxHeadRows  = 50
)

// NewHead returns the head of a report, of which raw is the start. A byte order
// mark of UTF-8 says nothing of the format and is left out.
func NewHead(raw []byte) *Head { return &Head{raw: bytes.TrimPrefix(raw, bom)} }

// Peek looks at the start of a report, for formats that come in several forms.
// The reader it returns reads the whole report.
func Peek(in io.Reader) (*Head, io.Reader) {
	br := bufio.NewReaderSize(in, headSize)
	raw, _ := br.Peek(headSize) // an error shows again when the report is read
	return NewHead(bytes.Clone(raw)), br
}

// headSize is how much of a report its head is, in bytes.
const headSize = 64 << 10

// Bytes is the start of the report, up to 64 KiB, without a byte order mark.
func (h *Head) Bytes() []byte { return h.raw }

// Form is '{' for a JSON object, '[' for a JSON array, '<' for XML or HTML and
// 't' for what may be a table or other text; 0 for nothing.
func (h *Head) Form() byte { h.look(); return h.form }

// Root is the name of the root element of XML, and its namespace.
func (h *Head) Root() (name, space string) { h.look(); return h.root, h.space }

// Has reports whether there is a member, attribute or element at each of the
// paths: names with dots between, [] for elements of an array and @ before
// attributes: "results[].id", "[].tool.name", "report.@version".
func (h *Head) Has(paths ...string) bool {
	h.look()
	for _, p := range paths {
		if _, ok := h.texts[p]; !ok {
			return false
		}
	}
	return true
}

// Is reports whether the report is the one JSON document and no more, but for
// the space between: that of a format in which nothing was found.
func (h *Head) Is(document string) bool {
	text := bytes.TrimSpace(h.raw)
	if len(text) > maxHeadText+4*len(document) {
		return false
	}
	compact := jsontext.Value(bytes.Clone(text))
	return compact.Compact() == nil && string(compact) == document
}

// Text is the first text, number or boolean at a path; "" without.
func (h *Head) Text(path string) string { h.look(); return h.texts[path] }

// HasNames reports whether each of the names is that of a member or an element,
// wherever it stands.
func (h *Head) HasNames(names ...string) bool {
	h.look()
	for _, n := range names {
		if _, ok := h.names[n]; !ok {
			return false
		}
	}
	return true
}

// HasRow reports whether one of the first rows has all the cells, as the header
// of a table does. Case and space do not matter.
func (h *Head) HasRow(cells ...string) bool {
	h.look()
	for _, row := range h.rows {
		found := 0
		for _, c := range cells {
			for _, have := range row {
				if strings.EqualFold(c, have) {
					found++
					break
				}
			}
		}
		if found == len(cells) {
			return true
		}
	}
	return false
}

func (h *Head) look() {
	if h.looked {
		return
	}
	h.looked, h.texts, h.names = true, map[string]string{}, map[string]struct{}{}
	text := bytes.TrimLeft(h.raw, " \t\r\n")
	if len(text) == 0 {
		return
	}
	switch text[0] {
	case '{', '[':
		h.form = text[0]
		h.lookJSON(text)
	case '<', '\xff', '\xfe', 0:
		h.form = '<'
		h.lookXML()
	default:
		h.form = 't'
		h.lookRows()
	}
}

// note keeps the text at a path, when it is the first.
func (h *Head) note(path, text string) bool {
	if len(h.texts) >= maxHeadPaths {
		return false
	}
	if old, ok := h.texts[path]; !ok || old == "" {
		if len(text) > maxHeadText {
			text = text[:maxHeadText]
		}
		h.texts[path] = text
	}
	return true
}

// lookJSON walks the tokens until the head ends.
func (h *Head) lookJSON(text []byte) {
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	var path []string // of the value that comes next
	var arrays []bool
	name := false // a name is next
	at := func() string { return strings.Join(path, "") }
	done := func() { // a value ended
		if n := len(arrays); n > 0 && !arrays[n-1] {
			path, name = path[:len(path)-1], true
		}
	}
	for {
		kind := d.PeekKind()
		if kind == 0 {
			return
		}
		if len(arrays) > 200 {
			return
		}
		tok, err := d.ReadToken()
		if err != nil {
			return
		}
		switch {
		case kind == '}':
			arrays, name = arrays[:len(arrays)-1], false
			done()
		case kind == ']':
			path, arrays = path[:len(path)-1], arrays[:len(arrays)-1]
			done()
		case name:
			n := tok.String()
			h.names[n] = struct{}{}
			if len(path) > 0 {
				n = "." + n
			}
			path, name = append(path, n), false
		case kind == '{':
			if !h.note(at(), "") {
				return
			}
			arrays, name = append(arrays, false), true
		case kind == '[':
			if !h.note(at(), "") {
				return
			}
			path, arrays = append(path, "[]"), append(arrays, true)
		default:
			s := tok.String()
			if kind == 'n' {
				s = ""
			}
			if !h.note(at(), s) {
				return
			}
			done()
		}
	}
}

func (h *Head) lookXML() {
	x := NewXML(bytes.NewReader(h.raw))
	var path []string
	for {
		start, end, err := x.Next()
		if err != nil || len(path) > 60 {
			return
		}
		if end != nil {
			path = path[:len(path)-1]
			continue
		}
		if h.root == "" { // what follows the document says nothing of it
			h.root, h.space = start.Name.Local, start.Name.Space
		}
		path = append(path, start.Name.Local)
		h.names[start.Name.Local] = struct{}{}
		at := strings.Join(path, ".")
		if !h.note(at, "") {
			return
		}
		for _, a := range start.Attr {
			h.note(at+".@"+a.Name.Local, a.Value)
		}
	}
}

// lookRows reads the first rows with each delimiter.
func (h *Head) lookRows() {
	text := h.raw[:min(len(h.raw), 32<<10)]
	newline := byte('\n')
	if bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') >= 0 {
		newline = '\r'
	}
	for _, d := range []byte(",;\t|") {
		if bytes.IndexByte(text, d) < 0 {
			continue
		}
		rows := NewRows(bytes.NewReader(text))
		rows.Separate(d, newline)
		for range maxHeadRows {
			err := rows.Next()
			if Lost(err) {
				err = rows.SkipLine()
			} else if err == nil && rows.Cells() > 1 {
				row := make([]string, min(rows.Cells(), MaxColumns))
				for i := range row {
					row[i] = strings.Join(strings.Fields(rows.Text(i, "")), " ")
				}
				h.rows = append(h.rows, row)
			}
			if err != nil {
				break
			}
		}
	}
}
