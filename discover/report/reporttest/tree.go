package reporttest

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The kinds of node beside those of JSON: '{', '[', '"', '0', 't', 'f' and 'n'.
const (
	documents = 'd' // what holds the documents, or the rows
	element   = 'e'
	attribute = 'a'
	row       = 'r'
	cell      = 'c'
)

// node is a piece of a sample in any form: where it stands and what is in it.
type node struct {
	kind       byte
	name       string // of a member, an element, an attribute or a column
	start, end int    // of a JSON value, an element with its tags, what is between an attribute's quotes, a row
	first      int    // where the content of an element begins, and where the name of a member or attribute stands
	up         *node
	kids       []*node
	gaps       []string // what stands before each kid, and behind the last
	text       string   // of a cell
}

// sample is a report taken apart.
type sample struct {
	data  []byte
	root  *node
	comma byte // of a table
	all   []*node
}

// takeApart returns nil for what is no whole document.
func takeApart(data []byte) *sample {
	s := &sample{data: data, root: &node{kind: documents, end: len(data)}}
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	ok := false
	switch {
	case len(text) == 0:
	case text[0] == '<':
		ok = s.xml()
	case text[0] == '{' || text[0] == '[':
		ok = s.json()
	case bytes.IndexByte(text, '\n') >= 0:
		ok = s.table()
	}
	if !ok {
		return nil
	}
	s.collect(s.root)
	return s
}

func (s *sample) collect(n *node) {
	for _, k := range n.kids {
		k.up = n
		s.all = append(s.all, k)
		s.collect(k)
	}
}

// json takes one document apart, or several.
func (s *sample) json() bool {
	body := bytes.TrimPrefix(s.data, []byte("\xef\xbb\xbf"))
	skipped := len(s.data) - len(body)
	d := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	end := 0
	for d.PeekKind() != 0 {
		n, err := jsonNode(d, skipped)
		if err != nil {
			return false
		}
		s.root.gaps = append(s.root.gaps, string(s.data[end:n.start]))
		s.root.kids, end = append(s.root.kids, n), n.end
	}
	s.root.gaps = append(s.root.gaps, string(s.data[end:]))
	_, err := d.ReadToken()
	return err == io.EOF
}

func jsonNode(d *jsontext.Decoder, skipped int) (*node, error) {
	n := &node{kind: byte(d.PeekKind())}
	if n.kind != '{' && n.kind != '[' {
		v, err := d.ReadValue()
		n.end = skipped + int(d.InputOffset())
		n.start = n.end - len(v)
		n.first = n.start
		return n, err
	}
	if _, err := d.ReadToken(); err != nil {
		return n, err
	}
	n.start = skipped + int(d.InputOffset()) - 1
	n.first = n.start
	for k := d.PeekKind(); k != '}' && k != ']'; k = d.PeekKind() {
		name, first := "", -1
		if n.kind == '{' {
			raw, err := d.ReadValue()
			if err != nil {
				return n, err
			}
			first = skipped + int(d.InputOffset()) - len(raw)
			unquoted, _ := jsontext.AppendUnquote(nil, raw)
			name = string(unquoted)
		}
		kid, err := jsonNode(d, skipped)
		if err != nil {
			return n, err
		}
		if first >= 0 {
			kid.name, kid.first = name, first
		}
		n.kids = append(n.kids, kid)
	}
	_, err := d.ReadToken()
	n.end = skipped + int(d.InputOffset())
	return n, err
}

var attributeText = regexp.MustCompile(`([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')`)

// xml takes a document apart that is in UTF-8.
func (s *sample) xml() bool {
	d := xml.NewDecoder(bytes.NewReader(s.data))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	open := []*node{s.root}
	last := 0 // the end of the kid before
	for {
		at := int(d.InputOffset())
		t, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return false
		}
		in := open[len(open)-1]
		switch t := t.(type) {
		case xml.StartElement:
			n := &node{kind: element, name: t.Name.Local, start: at, first: int(d.InputOffset()), up: in}
			for _, m := range attributeText.FindAllSubmatchIndex(s.data[at:n.first], -1) {
				v := m[4:6]
				if v[0] < 0 {
					v = m[6:8]
				}
				n.kids = append(n.kids, &node{kind: attribute, name: string(s.data[at+m[2] : at+m[3]]), start: at + v[0], end: at + v[1], first: at + m[0]})
			}
			in.gaps = append(in.gaps, string(s.data[last:at]))
			in.kids = append(in.kids, n)
			open, last = append(open, n), n.first
		case xml.EndElement:
			if len(open) == 1 {
				return false
			}
			in.gaps, in.end = append(in.gaps, string(s.data[last:at])), int(d.InputOffset())
			open, last = open[:len(open)-1], in.end
		}
	}
	s.root.gaps = append(s.root.gaps, string(s.data[last:]))
	return len(open) == 1 && len(s.root.kids) == 1
}

// table takes a table apart: the header is the first of the rows that have as
// many cells as most do.
func (s *sample) table() bool {
	most := 0
	for line := range bytes.Lines(s.data) {
		for _, d := range []byte(",;\t|") {
			if n := bytes.Count(line, []byte{d}); n > most {
				most, s.comma = n, d
			}
		}
	}
	skipped := len(s.data) - len(bytes.TrimPrefix(s.data, []byte("\xef\xbb\xbf")))
	r := csv.NewReader(bytes.NewReader(s.data[skipped:]))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = rune(s.comma), true, -1
	wide := map[int]int{} // rows by their cells
	var rows []*node
	for most > 0 {
		at := skipped + int(r.InputOffset())
		texts, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return false
		}
		n := &node{kind: row, start: at, end: skipped + int(r.InputOffset()), first: at}
		for _, text := range texts {
			n.kids = append(n.kids, &node{kind: cell, text: text, start: at, end: n.end, first: at})
		}
		rows = append(rows, n)
		wide[len(texts)]++
	}
	for i, n := range rows {
		if cells := len(n.kids); cells > 1 && !slices.ContainsFunc(rows, func(o *node) bool { return wide[len(o.kids)] > wide[cells] }) {
			// What stands above the rows of records stays as it is.
			s.root.kids, s.root.gaps = rows[i+1:], []string{string(s.data[:n.end])}
			s.name(n)
			return true
		}
	}
	return false
}

// name gives each cell the name of its column.
func (s *sample) name(header *node) {
	for _, n := range s.root.kids {
		for i, c := range n.kids {
			if i < len(header.kids) {
				c.name = header.kids[i].text
			}
		}
	}
}

func (s *sample) isTable() bool { return s.comma != 0 }

// change says what is different in a report that is put together again.
type change struct {
	instead map[*node]string                     // the whole text of a value, a cell or an attribute, or an element with its tags
	without map[*node]bool                       // what is left out
	extra   map[*node]string                     // what an object or an element holds before its first member or child
	tag     map[*node]string                     // what an element has behind its attributes
	order   func(in *node, kids []*node) []*node // of what may stand in another order or several times
	cells   func(cells []string) []string        // of rows
	comma   byte                                 // of the rows, with cells
}

// with puts the sample together again.
func (s *sample) with(c change) []byte {
	var b bytes.Buffer
	if s.isTable() {
		s.rows(&b, c)
	} else {
		s.pieces(&b, s.root, c)
	}
	return b.Bytes()
}

// kids are what is in a node now. Attributes stay where they are.
func (c *change) kids(n *node) []*node {
	kids := slices.DeleteFunc(slices.Clone(n.kids), func(k *node) bool { return c.without[k] || k.kind == attribute })
	if c.order != nil && n.kind != '{' {
		kids = c.order(n, kids)
	}
	return kids
}

// pieces writes what is in the sample, or in an element, with what stands between.
func (s *sample) pieces(b *bytes.Buffer, n *node, c change) {
	kids := c.kids(n)
	last := len(n.gaps) - 1
	for i, k := range kids {
		switch {
		case i < last:
			b.WriteString(n.gaps[i])
		case n.kind == documents:
			b.WriteByte('\n')
		}
		s.write(b, k, c)
	}
	if last >= 0 {
		b.WriteString(n.gaps[last])
	}
}

func (s *sample) write(b *bytes.Buffer, n *node, c change) {
	if text, ok := c.instead[n]; ok {
		b.WriteString(text)
		return
	}
	switch n.kind {
	case element:
		s.tagged(b, n, c)
	case '{', '[':
		b.WriteByte(n.kind)
		text := c.extra[n]
		b.WriteString(text)
		for i, k := range c.kids(n) {
			if i > 0 || text != "" {
				b.WriteByte(',')
			}
			b.Write(s.data[k.first:k.start])
			s.write(b, k, c)
		}
		b.WriteByte(n.kind + 2)
	default:
		b.Write(s.data[n.start:n.end])
	}
}

func (s *sample) tagged(b *bytes.Buffer, n *node, c change) {
	tag := s.data[n.start:n.first]
	closed := bytes.HasSuffix(tag, []byte("/>"))
	tag = bytes.TrimSuffix(bytes.TrimSuffix(tag, []byte(">")), []byte("/"))
	at := n.start
	for _, a := range n.kids {
		if a.kind != attribute {
			continue
		}
		b.Write(s.data[at:a.first])
		if !c.without[a] {
			b.Write(s.data[a.first:a.start])
			s.write(b, a, c)
			b.Write(s.data[a.end : a.end+1])
		}
		at = a.end + 1
	}
	b.Write(s.data[at : n.start+len(tag)])
	b.WriteString(c.tag[n])
	if closed {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	b.WriteString(c.extra[n])
	s.pieces(b, n, c)
	b.Write(s.data[n.start+bytes.LastIndexByte(s.data[n.start:n.end], '<') : n.end])
}

func (s *sample) rows(b *bytes.Buffer, c change) {
	comma := cmp.Or(c.comma, s.comma)
	s.header(b, c, comma)
	for _, n := range c.kids(s.root) {
		texts := make([]string, len(n.kids))
		same := c.cells == nil
		for i, k := range n.kids {
			texts[i] = k.text
			if text, ok := c.instead[k]; ok {
				texts[i], same = text, false
			}
		}
		if same {
			b.Write(s.data[n.start:n.end])
			if s.data[n.end-1] != '\n' {
				b.WriteByte('\n')
			}
			continue
		}
		if c.cells != nil {
			texts = c.cells(texts)
		}
		line(b, texts, comma)
	}
}

// header writes the header, which is the last of the lines above the rows.
func (s *sample) header(b *bytes.Buffer, c change, comma byte) {
	above := s.root.gaps[0]
	if c.cells == nil {
		b.WriteString(above)
		return
	}
	at := strings.LastIndexByte(strings.TrimRight(above, "\r\n"), '\n') + 1
	if at == 0 && strings.HasPrefix(above, "\xef\xbb\xbf") {
		at = len("\xef\xbb\xbf")
	}
	b.WriteString(above[:at])
	r := csv.NewReader(strings.NewReader(above[at:]))
	r.Comma, r.LazyQuotes = rune(s.comma), true
	texts, err := r.Read()
	if err != nil {
		b.WriteString(above[at:])
		return
	}
	line(b, c.cells(texts), comma)
}

// line writes a row, with quotation marks around what holds more than letters.
func line(b *bytes.Buffer, texts []string, comma byte) {
	for i, text := range texts {
		if i > 0 {
			b.WriteByte(comma)
		}
		if strings.ContainsAny(text, "\"\r\n,;|\t ") {
			text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
		}
		b.WriteString(text)
	}
	b.WriteByte('\n')
}

// around are what a node is in, from the nearest on, without the whole.
func (n *node) around() (all []*node) {
	for at := n.up; at != nil && at.kind != documents; at = at.up {
		all = append(all, at)
	}
	return all
}

// listed reports whether a node is one of several of its kind: an element of an
// array, one of several documents, a row, or an element beside its like.
func (n *node) listed() bool {
	switch {
	case n.up == nil:
		return false
	case n.kind == row || n.up.kind == '[' || n.up.kind == documents && len(n.up.kids) > 1:
		return true
	case n.kind == element:
		return slices.ContainsFunc(n.up.kids, func(k *node) bool { return k != n && k.kind == element && k.name == n.name })
	}
	return false
}

// path is the place of a node in the tree.
func (n *node) path() (path []int) {
	for at := n; at.up != nil; at = at.up {
		path = append(path, slices.Index(at.up.kids, at))
	}
	slices.Reverse(path)
	return path
}
