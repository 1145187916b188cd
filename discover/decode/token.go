package decode

import (
	"bytes"
	"encoding/xml"
	"io"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// token is a piece of an XML document.
type token struct {
	kind  tokenKind
	name  xml.Name   // of an element, as it is written: Space is the prefix
	attrs []xml.Attr // valid until the next token
	text  []byte     // valid until the next token
}

type tokenKind uint8

const (
	tokenOther tokenKind = iota // a comment, an instruction, a directive
	tokenStart
	tokenEnd
	tokenText
)

// xmlTokens parts a document into tokens. Those of the usual forms, which are
// nearly all, it finds itself in the buffer of the source. Whatever is unusual,
// wrong, or larger than the buffer it leaves to encoding/xml, one token at a
// time, so that this package has no opinion of its own on what XML is.
//
// It also keeps the limit of the nesting, for whoever reads: the walker, or
// encoding/xml within an element.
type xmlTokens struct {
	text  *xmlSource
	raw   *xml.Decoder // of text, for what is unusual
	held  bool         // raw holds something back, so the next token is its
	never bool         // nothing is usual, for tests
	depth int          // elements that are open

	names  map[string]xml.Name
	recent [64]written // some of them, found without hashing
	attrs  []xml.Attr
	scrap  []byte   // of a text that does not stand in the document as it is
	closed xml.Name // of <closed/>, whose end comes next
	closes bool
	last   token
	again  bool // Token gives the last token again
	texts  bool // Token gives texts, too
	kept   [][]xml.Attr
}

func newXMLTokens(text io.Reader) *xmlTokens {
	s := &xmlTokens{text: newXMLSource(text), names: map[string]xml.Name{}}
	s.raw = xml.NewDecoder(s.text)
	s.raw.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 by now
	return s
}

// written is a name as it stands in the document.
type written struct {
	text string
	name xml.Name
}

// maxNames bounds the names of elements and attributes that are kept.
const maxNames = 4096

// next finds the next token. After an error there is none.
func (s *xmlTokens) next(t *token) error {
	t.kind, t.attrs, t.text = tokenOther, nil, nil
	switch {
	case s.closes:
		s.closes = false
		t.kind, t.name = tokenEnd, s.closed
	case s.held || s.never || !s.usual(t):
		if err := s.standard(t); err != nil {
			return err
		}
	}
	switch t.kind {
	case tokenStart:
		if s.depth++; s.depth > maxDepth {
			s.held = true
			return exposure.Errorf(exposure.Invalid, "elements nest deeper than %d at byte %d: this is not a scanner's report", maxDepth, s.offset())
		}
	case tokenEnd:
		s.depth--
	}
	return nil
}

// standard takes the next token from encoding/xml.
func (s *xmlTokens) standard(t *token) error {
	s.text.mark()
	rt, err := s.raw.RawToken()
	if err != nil {
		s.held = true
		return err
	}
	// It reads one byte too many behind a text, and gives <a/> as two tokens.
	s.held = s.text.handed != s.raw.InputOffset()
	switch rt := rt.(type) {
	case xml.StartElement:
		s.held = true
		t.kind, t.name, t.attrs = tokenStart, rt.Name, rt.Attr
	case xml.EndElement:
		t.kind, t.name = tokenEnd, rt.Name
	case xml.CharData:
		t.kind, t.text = tokenText, rt
	}
	return nil
}

// Token implements xml.TokenReader, with no more than its user looks at.
func (s *xmlTokens) Token() (xml.Token, error) {
	for t := &s.last; ; {
		if !s.again {
			if err := s.next(t); err != nil {
				return nil, err
			}
		}
		s.again = false
		switch {
		case t.kind == tokenStart:
			return xml.StartElement{Name: t.name, Attr: s.keep(t.attrs)}, nil
		case t.kind == tokenEnd:
			return xml.EndElement{Name: t.name}, nil
		case t.kind == tokenText && s.texts:
			return xml.CharData(t.text), nil
		}
	}
}

// keep returns a copy of the attributes of the element that was opened last,
// which is valid until the next element on its level.
func (s *xmlTokens) keep(attrs []xml.Attr) []xml.Attr {
	for len(s.kept) < s.depth {
		s.kept = append(s.kept, nil)
	}
	kept := append(s.kept[s.depth-1][:0], attrs...)
	s.kept[s.depth-1] = kept
	return kept
}

// offset is the number of bytes of the source that the tokens so far took.
func (s *xmlTokens) offset() int64 {
	return s.text.before + int64(s.text.pos) - (s.text.handed - s.raw.InputOffset())
}

// line is the number of the line at the offset.
func (s *xmlTokens) line() int {
	seen := max(0, int(s.offset()-s.text.before))
	return 1 + s.text.lines + bytes.Count(s.text.buf[:seen], []byte{'\n'})
}

// usual finds the next token if it is of a usual form and fits in the buffer.
func (s *xmlTokens) usual(t *token) bool {
	src := s.text
	for {
		n, more := s.lex(src.buf[src.pos:src.done], t)
		if n > 0 {
			src.pos += n
			return true
		}
		if !more || !src.more() {
			return false
		}
	}
}

// lex finds the token at the start of b and returns its length, 0 if it is
// unusual, or if more is to be read before that can be told.
func (s *xmlTokens) lex(b []byte, t *token) (n int, more bool) {
	if len(b) < 2 {
		return 0, true
	}
	if b[0] != '<' {
		return s.lexText(b, t)
	}
	switch b[1] {
	case '/':
		return s.lexEnd(b, t)
	case '!':
		return s.lexMarked(b, t)
	case '?':
		return 0, false
	}
	return s.lexStart(b, t)
}

func (s *xmlTokens) lexText(b []byte, t *token) (n int, more bool) {
	n = bytes.IndexByte(b, '<')
	if n < 0 {
		return 0, true
	}
	text, ok := s.plain(b[:n])
	if !ok || bytes.Contains(b[:n], []byte("]]>")) {
		return 0, false
	}
	t.kind, t.text = tokenText, text
	return n, false
}

func (s *xmlTokens) lexEnd(b []byte, t *token) (n int, more bool) {
	name, n := s.lexName(b, 2)
	if n == 0 {
		return 0, false
	}
	n = space(b, n)
	switch {
	case n == len(b):
		return 0, true
	case b[n] != '>':
		return 0, false
	}
	t.kind, t.name = tokenEnd, name
	return n + 1, false
}

// lexMarked finds comments and CDATA sections.
func (s *xmlTokens) lexMarked(b []byte, t *token) (n int, more bool) {
	const comment, cdata, cdataEnd = "<!--", "<![CDATA[", "]]>"
	switch {
	case len(b) < len(cdata):
		return 0, true
	case bytes.HasPrefix(b, []byte(comment)):
		n = bytes.Index(b[len(comment):], []byte("--"))
		if n += len(comment); n < len(comment) || n+2 == len(b) {
			return 0, true
		}
		if b[n+2] != '>' {
			return 0, false
		}
		return n + 3, false
	case bytes.HasPrefix(b, []byte(cdata)):
		n = bytes.Index(b, []byte(cdataEnd))
		if n < 0 {
			return 0, true
		}
		t.kind, t.text = tokenText, b[len(cdata):n]
		if bytes.IndexByte(t.text, '\r') >= 0 {
			s.scrap, _ = unescape(s.scrap[:0], t.text, false)
			t.text = s.scrap
		}
		return n + len(cdataEnd), false
	}
	return 0, false
}

func (s *xmlTokens) lexStart(b []byte, t *token) (n int, more bool) {
	name, i := s.lexName(b, 1)
	if i == 0 {
		return 0, false
	}
	s.attrs = s.attrs[:0]
	for {
		if i = space(b, i); i+1 >= len(b) && (i == len(b) || b[i] != '>') {
			return 0, true
		}
		switch b[i] {
		case '/':
			if b[i+1] != '>' {
				return 0, false
			}
			s.closed, s.closes = name, true
			i++
			fallthrough
		case '>':
			t.kind, t.name, t.attrs = tokenStart, name, s.attrs
			return i + 1, false
		}
		var a xml.Attr
		a.Name, i = s.lexName(b, i)
		if i == 0 {
			return 0, false
		}
		if i = space(b, i); i == len(b) {
			return 0, true
		}
		if b[i] != '=' {
			return 0, false
		}
		if i = space(b, i+1); i == len(b) {
			return 0, true
		}
		quote := b[i]
		if quote != '"' && quote != '\'' {
			return 0, false
		}
		i++
		end := bytes.IndexByte(b[i:], quote)
		if end < 0 {
			return 0, true
		}
		value, ok := s.plain(b[i : i+end])
		if !ok || bytes.IndexByte(b[i:i+end], '<') >= 0 {
			return 0, false
		}
		a.Value = string(value)
		s.attrs = append(s.attrs, a)
		i += end + 1
	}
}

// lexName finds the name at b[at:], and where it ends: 0 if it is unusual, or
// ends with the buffer, which is rare enough to be left to encoding/xml.
func (s *xmlTokens) lexName(b []byte, at int) (name xml.Name, end int) {
	for end = at; end < len(b) && nameBytes[b[end]]; end++ {
	}
	if end == len(b) || end == at || b[at] == '.' || b[at] == '-' || b[at] >= '0' && b[at] <= '9' || b[end] >= 0x80 {
		return name, 0
	}
	recent := &s.recent[(int(b[at])+7*int(b[end-1])+31*(end-at))%len(s.recent)]
	if recent.text == string(b[at:end]) {
		return recent.name, end
	}
	name, ok := s.names[string(b[at:end])]
	if ok {
		*recent = written{name.Local, name}
		if name.Space != "" {
			recent.text = name.Space + ":" + name.Local
		}
		return name, end
	}
	text := string(b[at:end])
	prefix, local, ok := strings.Cut(text, ":")
	switch {
	case !ok:
		name = xml.Name{Local: text}
	case prefix == "" || local == "" || strings.Contains(local, ":"):
		return name, 0
	default:
		name = xml.Name{Space: prefix, Local: local}
	}
	if len(s.names) < maxNames {
		s.names[text] = name
	}
	return name, end
}

// nameBytes are the letters that usual names consist of.
var nameBytes = func() (set [256]bool) {
	for c := range set {
		set[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == ':' || c == '-' || c == '.'
	}
	return set
}()

// space returns where what is no space begins at or behind b[at].
func space(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\n' || b[at] == '\r' || b[at] == '\t') {
		at++
	}
	return at
}

// plain returns text with its references resolved and its line ends made one,
// see https://www.w3.org/TR/xml/#sec-line-ends. It is false for references
// that are unusual.
func (s *xmlTokens) plain(text []byte) (plain []byte, ok bool) {
	if bytes.IndexByte(text, '&') < 0 && bytes.IndexByte(text, '\r') < 0 {
		return text, true
	}
	s.scrap, ok = unescape(s.scrap[:0], text, true)
	return s.scrap, ok
}

func unescape(to, text []byte, references bool) (all []byte, ok bool) {
	for {
		i := bytes.IndexAny(text, "&\r")
		if i < 0 {
			return append(to, text...), true
		}
		to = append(to, text[:i]...)
		text = text[i:]
		switch {
		case text[0] == '\r':
			to = append(to, '\n')
			if text = text[1:]; len(text) > 0 && text[0] == '\n' {
				text = text[1:]
			}
			continue
		case !references:
			to, text = append(to, '&'), text[1:]
			continue
		}
		end := bytes.IndexByte(text[:min(len(text), maxReference)], ';')
		if end < 0 {
			return to, false
		}
		if to, ok = resolve(to, text[1:end]); !ok {
			return to, false
		}
		text = text[end+1:]
	}
}

// resolve appends what a reference stands for.
func resolve(to, name []byte) (all []byte, ok bool) {
	switch string(name) {
	case "lt":
		return append(to, '<'), true
	case "gt":
		return append(to, '>'), true
	case "amp":
		return append(to, '&'), true
	case "quot":
		return append(to, '"'), true
	case "apos":
		return append(to, '\''), true
	}
	if len(name) < 2 || name[0] != '#' {
		return to, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	c, err := strconv.ParseUint(string(digits), base, 32)
	if err != nil || !allowed(c) {
		return to, false
	}
	return append(to, string(rune(c))...), true
}
