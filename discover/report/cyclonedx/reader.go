// Package cyclonedx reads CycloneDX documents, JSON and XML, of every version
// from 1.0 to 1.7: bills of materials, with or without vulnerabilities, and VEX
// documents. The vulnerability extension of XML from before version 1.4
// (http://cyclonedx.org/schema/ext/vulnerability/1.0) is read as well.
//
// A document streams by one component and one vulnerability at a time. A
// vulnerability names what it affects by reference, so the components are kept
// in an index: at most 2,000,000 of them or 200 MB of text. Vulnerabilities
// that come before the components, and those of a VEX document, which has
// none, are held to the end, at most 128 MiB. Beyond a limit the document is
// refused.
//
// A document states what was found and not what was looked for, so it never
// covers an asset: nothing is closed because a CycloneDX document is silent.
package cyclonedx

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads CycloneDX. See https://cyclonedx.org/docs/1.7/json/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "cyclonedx" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "CycloneDX SBOM and VEX (JSON, XML)", "https://cyclonedx.org/specification/overview/"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	head := h.Bytes()
	if isXML(head) {
		x := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))))
		x.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // names are ASCII
		for {
			t, err := x.RawToken()
			if err != nil {
				return false
			}
			if e, ok := t.(xml.StartElement); ok {
				return e.Name.Local == "bom" && bytes.Contains(head, []byte("cyclonedx.org/schema/bom"))
			}
		}
	}
	j := decode.NewJSON(bytes.NewReader(head))
	if j.Kind() != '{' {
		return false
	}
	found := false
	_ = j.Object(func(name string) error { // the head may end anywhere
		if name != "bomFormat" && name != "$schema" {
			return j.Skip()
		}
		var word text
		if err := j.Value(&word); err != nil {
			return err
		}
		if name == "bomFormat" && strings.EqualFold(string(word), "CycloneDX") || name == "$schema" && strings.Contains(string(word), "cyclonedx.org/schema/bom") {
			found = true
			return errStop
		}
		return nil
	})
	return found
}

func isXML(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"), []byte("<"))
}

// errStop ends a walk whose loop ended.
var errStop = errors.New("stop")

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		d := &document{ctx: ctx, yield: yield, run: exposure.Run{Tool: "cyclonedx"}, index: newIndex()}
		if err := d.read(r); err != nil && !errors.Is(err, errStop) {
			yield(exposure.Observation{}, err)
		}
	}
}
