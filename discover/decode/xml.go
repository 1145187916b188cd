package decode

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxDepth bounds the nesting of elements; real reports stay under 20.
const maxDepth = 200

// maxParts bounds the elements and attributes within an element that is held,
// each of which costs far more memory than the few bytes it may consist of.
const maxParts = 1 << 20

// XML walks one XML document. Entities that a document defines itself are
// never expanded, so neither external entities nor "billion laughs" exist here.
// A text or tag of more than 32 MiB, and nesting deeper than 200, end the
// document; characters that XML forbids become question marks.
//
// After an error that is no *[exposure.RecordError] the walk is over: every
// further call returns that error.
type XML struct {
	dec     *xml.Decoder // checks and decodes the tokens of src
	src     *xmlTokens
	skipped int64      // bytes before the decoder's first
	open    []xml.Name // what has not ended yet, for Within
	layouts layouts
	filler  filler
	record  int
	err     error
}

// NewXML returns a walker over r. Encodings other than UTF-8 are converted.
func NewXML(r io.Reader) *XML {
	x := &XML{layouts: layouts{}}
	text, skipped, err := xmlText(r)
	if err != nil {
		text, x.err = bytes.NewReader(nil), err
	}
	x.skipped = skipped
	x.src = newXMLTokens(text)
	x.dec = xml.NewTokenDecoder(x.src)
	return x
}

// Next returns the next start or end element at any depth, or io.EOF at the
// clean end of the document. Text, comments and directives are passed over. The
// attributes of an element are valid until the next one on its level.
func (x *XML) Next() (start *xml.StartElement, end *xml.EndElement, err error) {
	for x.err == nil {
		t, err := x.dec.Token()
		if err != nil {
			if err != io.EOF {
				err = x.broken(err)
			}
			x.err = err
			break
		}
		switch t := t.(type) {
		case xml.StartElement:
			return &t, nil, nil
		case xml.EndElement:
			return nil, &t, nil
		}
	}
	return nil, nil, x.err
}

// Document calls f with the root element, which f must consume, and then
// checks that the document ends there.
func (x *XML) Document(f func(root *xml.StartElement) error) error {
	root, _, err := x.Next()
	if err == io.EOF {
		return x.cutOff()
	}
	if err != nil {
		return err
	}
	if err := f(root); err != nil {
		return err
	}
	switch start, _, err := x.Next(); {
	case err == io.EOF:
		return nil
	case err != nil:
		return err
	default:
		x.err = exposure.Errorf(exposure.Invalid, "a second document, <%s>, begins at byte %d: import each in a file of its own", start.Name.Local, x.Offset())
		return x.err
	}
}

// Children calls f with each child of the element that was opened last. f must
// consume the child by [XML.Element], [XML.Skip] or [XML.Children].
func (x *XML) Children(f func(child *xml.StartElement) error) error {
	for {
		start, end, err := x.Next()
		switch {
		case err == io.EOF:
			return x.cutOff()
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

// Element decodes the element that start opened into v by the rules of
// encoding/xml, save for ",innerxml". A value of the wrong shape costs this
// record only and is reported as *[exposure.RecordError]; the walk goes on
// behind the element.
func (x *XML) Element(start *xml.StartElement, v any) error {
	if x.err != nil {
		return x.ended()
	}
	x.record++
	to := reflect.ValueOf(v).Elem()
	if layout := x.layouts.of(to.Type()); layout != nil {
		x.filler.begin(to, layout, start.Attr)
		if err := x.Within(&x.filler); err != nil {
			return err
		}
		x.filler.Close()
		return nil
	}
	at, outside := x.Offset(), x.src.depth-1
	x.src.texts = true
	defer func() { x.src.texts = false }()
	err := x.dec.DecodeElement(v, start)
	if err == nil {
		return nil
	}
	if fatal(err) {
		x.err = x.broken(err)
		return x.err
	}
	// encoding/xml stopped somewhere within: go to the end.
	for x.src.depth > outside {
		if _, err := x.dec.Token(); err != nil {
			x.err = x.broken(err)
			return x.err
		}
	}
	return &exposure.RecordError{Record: x.record, Offset: at, Err: fmt.Errorf("<%s> does not fit the format: %w", start.Name.Local, err)}
}

// Skip passes over the element that a start element just opened.
func (x *XML) Skip() error {
	if x.err != nil {
		return x.ended()
	}
	return x.within(passed{}, math.MaxInt)
}

// Visitor is told of what is within an element.
type Visitor interface {
	// Open says that an element begins. attrs is valid until it returns.
	Open(name xml.Name, attrs []xml.Attr)
	// Text gives a part of the text of the element that began last and has not
	// ended yet. It is valid until Text returns.
	Text(text []byte)
	// Close says that this element ends.
	Close()
}

// passed is told in vain.
type passed struct{}

func (passed) Open(xml.Name, []xml.Attr) {}
func (passed) Text([]byte)               {}
func (passed) Close()                    {}

// Within tells v of all that is within the element that was opened last and
// goes behind it. Names are as they are written: their Space is the prefix.
// More than a million elements and attributes end the document.
func (x *XML) Within(v Visitor) error { return x.within(v, maxParts) }

func (x *XML) within(v Visitor, parts int) error {
	if x.err != nil {
		return x.ended()
	}
	x.open = x.open[:0]
	for t := &x.src.last; ; {
		if err := x.src.next(t); err != nil {
			x.err = x.broken(err)
			return x.err
		}
		switch t.kind {
		case tokenStart:
			if parts -= 1 + len(t.attrs); parts < 0 {
				x.err = exposure.Errorf(exposure.Invalid, "an element that ends behind byte %d has more than %d parts: no scanner writes such a record, check the report", x.Offset(), maxParts)
				return x.err
			}
			x.open = append(x.open, t.name)
			v.Open(t.name, t.attrs)
		case tokenText:
			v.Text(t.text)
		case tokenEnd:
			n := len(x.open) - 1
			if n < 0 {
				return x.close()
			}
			if x.open[n] != t.name {
				x.err = x.mismatch(x.open[n], t.name)
				return x.err
			}
			x.open = x.open[:n]
			v.Close()
		}
	}
}

// close lets encoding/xml see the end of the element that it saw begin.
func (x *XML) close() error {
	x.src.again = true
	if _, err := x.dec.Token(); err != nil {
		x.err = x.broken(err)
		return x.err
	}
	return nil
}

// mismatch says that an element ends by the tag of another.
func (x *XML) mismatch(open, end xml.Name) error {
	msg := "element <" + open.Local + "> closed by </" + end.Local + ">"
	if open.Local == end.Local {
		msg = fmt.Sprintf("element <%s> in space %s closed by </%s> in space %s", open.Local, open.Space, end.Local, cmp.Or(end.Space, `""`))
	}
	return x.broken(&xml.SyntaxError{Msg: msg})
}

// Record is the number of elements decoded so far.
func (x *XML) Record() int { return x.record }

// Offset is the number of bytes consumed so far, of the document in UTF-8.
func (x *XML) Offset() int64 { return x.skipped + x.src.offset() }

// fatal reports whether err is surely one of the document rather than of a
// value in it. An error of the reader below need not show here: it comes again
// with the next token.
func fatal(err error) bool {
	var syntax *xml.SyntaxError
	var known *exposure.Error
	return errors.As(err, &syntax) || errors.As(err, &known) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// ended is the error for a call after the end.
func (x *XML) ended() error {
	if x.err == io.EOF {
		return x.cutOff()
	}
	return x.err
}

func (x *XML) cutOff() error {
	return exposure.Errorf(exposure.Invalid, "the report is cut off at byte %d: export it again", x.Offset())
}

func (x *XML) broken(err error) error {
	var known *exposure.Error
	if errors.As(err, &known) {
		return known
	}
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return x.cutOff()
	case errors.As(err, &syntax):
		if strings.Contains(syntax.Msg, "unexpected EOF") {
			return x.cutOff()
		}
		return exposure.Errorf(exposure.Invalid, "not valid XML on line %d (%s): export the report again", x.src.line(), syntax.Msg)
	}
	return fmt.Errorf("read at byte %d: %w", x.Offset(), err)
}

// Root returns the root element of a document of which head is the start. ok
// is false when it is not XML, or the tag lies behind head.
func Root(head []byte) (root *xml.StartElement, ok bool) {
	root, _, err := NewXML(bytes.NewReader(head)).Next()
	return root, err == nil && root != nil
}

// Attr returns the value of the attribute name, or "".
func Attr(e *xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
