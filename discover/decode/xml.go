package decode

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html/charset"

	"github.com/leeward-ctem/leeward/exposure"
)

// maxDepth bounds the nesting of elements; real reports stay under 20.
const maxDepth = 200

// XML walks one XML document. Entities that a document defines itself are
// never expanded, so neither external entities nor "billion laughs" exist here.
type XML struct {
	dec    *xml.Decoder
	depth  int
	record int
}

// NewXML returns a walker over r. Encodings other than UTF-8 are converted.
func NewXML(r io.Reader) *XML {
	dec := xml.NewDecoder(withoutBOM(r))
	dec.CharsetReader = charset.NewReaderLabel
	dec.Entity = nil
	return &XML{dec: dec}
}

// Next returns the next start or end element at any depth, or io.EOF at the
// clean end of the document. Text, comments and directives are passed over.
func (x *XML) Next() (start *xml.StartElement, end *xml.EndElement, err error) {
	for {
		t, err := x.dec.Token()
		if err == io.EOF {
			return nil, nil, io.EOF
		}
		if err != nil {
			return nil, nil, x.broken(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if x.depth++; x.depth > maxDepth {
				return nil, nil, exposure.Errorf(exposure.Invalid, "elements nest deeper than %d at byte %d: this is not a scanner's report", maxDepth, x.dec.InputOffset())
			}
			c := t.Copy()
			return &c, nil, nil
		case xml.EndElement:
			x.depth--
			return nil, &t, nil
		}
	}
}

// Element decodes the element that start opened into v by the rules of
// encoding/xml. A value of the wrong shape costs this record only and is
// reported as *[exposure.RecordError].
func (x *XML) Element(start *xml.StartElement, v any) error {
	x.record++
	at := x.dec.InputOffset()
	err := x.dec.DecodeElement(v, start)
	x.depth--
	if err == nil {
		return nil
	}
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return x.broken(err)
	}
	var known *exposure.Error
	if errors.As(err, &known) {
		return known
	}
	// encoding/xml stops in the middle of the element: leave it at its end.
	return &exposure.RecordError{Record: x.record, Offset: at, Err: fmt.Errorf("<%s> does not fit the format: %w", start.Name.Local, err)}
}

// Skip passes over the element that a start element just opened.
func (x *XML) Skip() error {
	x.depth--
	if err := x.dec.Skip(); err != nil {
		return x.broken(err)
	}
	return nil
}

// Offset is the number of bytes consumed so far.
func (x *XML) Offset() int64 { return x.dec.InputOffset() }

func (x *XML) broken(err error) error {
	var known *exposure.Error
	if errors.As(err, &known) {
		return known
	}
	at := x.dec.InputOffset()
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	case errors.As(err, &syntax):
		if !strings.Contains(syntax.Msg, "unexpected EOF") {
			return exposure.Errorf(exposure.Invalid, "not valid XML on line %d (%s): export the report again", syntax.Line, syntax.Msg)
		}
	default:
		return fmt.Errorf("read at byte %d: %w", at, err)
	}
	return exposure.Errorf(exposure.Invalid, "the report is cut off at byte %d: export it again", at)
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
