// Package zap reads the "traditional" XML and JSON reports of ZAP (OWASP ZAP),
// with and without requests and responses, of version 2.4 and later.
//
// A report streams by one alert at a time, and an alert by one instance at a
// time, of which the first 50 are kept. An alert lists where something was
// found, not where it was looked for, so a report covers nothing.
package zap

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads ZAP reports. See
// https://www.zaproxy.org/docs/desktop/addons/report-generation/report-traditional-xml/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "zap" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "ZAP (OWASP ZAP) traditional report (XML, JSON)", "https://www.zaproxy.org/docs/desktop/addons/report-generation/report-traditional-xml/"
}

// rootElement is the name of the root of an XML report.
const rootElement = "OWASPZAPReport"

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	head := h.Bytes()
	if isXML(head) {
		root, ok := decode.Root(head)
		return ok && root.Name.Local == rootElement
	}
	return sniffJSON(head)
}

func isXML(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00<"} { // UTF-16
		if bytes.HasPrefix(head, []byte(mark)) {
			return true
		}
	}
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("<"))
}

// errFound ends the walk of Sniff.
var errFound = errors.New("found")

// sniffJSON looks for what only ZAP writes: a site whose members begin with @,
// in a document whose facts do.
func sniffJSON(head []byte) bool {
	j := decode.NewJSON(bytes.NewReader(head))
	if j.Kind() != '{' {
		return false
	}
	facts, sites := false, false
	member := func(name string) error {
		if name == "@name" || name == "@host" {
			sites = true
			return errFound
		}
		return j.Skip()
	}
	_ = j.Object(func(name string) error { // the head may end anywhere
		switch name {
		case "@programName", "@version", "@generated":
			facts = true
		case "site":
			if j.Kind() == '{' {
				return j.Object(member)
			}
			if facts && j.Kind() == '[' {
				sites = true // it may be empty
				return errFound
			}
			return j.Array(func() error { return j.Object(member) })
		}
		return j.Skip()
	})
	return sites
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return decode.Emit(ctx, func(e *decode.Emitter) error {
		br := bufio.NewReader(r)
		head, _ := br.Peek(512)
		d := document{Emitter: e, run: exposure.Run{Tool: tool}}
		if isXML(head) {
			return d.readXML(br)
		}
		return d.readJSON(br)
	})
}
