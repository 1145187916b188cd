package decode

import "io"

// NewStandardXML returns a walker that leaves everything to encoding/xml.
func NewStandardXML(r io.Reader) *XML {
	x := NewXML(r)
	x.src.never, x.layouts = true, nil
	return x
}
