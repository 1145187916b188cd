// Package nmap reads the XML output of Nmap (nmap -oX), versions 1.04 and
// later, and that of tools that write the same, such as masscan.
//
// It states one weakness of severity info for each open port, one for each
// entry of the vulners script, and one for each weakness that a script of the
// category vuln found. The products behind the ports are stated as inventory:
// as the component of an open port they would be its identity in place of the
// port.
//
// A report streams by one port at a time. A scan that ended well covers the
// ports that it looked at; that is known only at the end, so the hosts that
// were up are held until then, at most 1,000,000. Beyond that, nothing is
// covered.
package nmap

import (
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Nmap's XML. See https://nmap.org/book/output-formats-xml-output.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "nmap" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Nmap XML output", "https://nmap.org/book/output-formats-xml-output.html"
}

// rootElement is the name of the root of a report.
const rootElement = "nmaprun"

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	head := h.Bytes()
	root, ok := decode.Root(head)
	return ok && root.Name.Local == rootElement
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return decode.Emit(ctx, func(e *decode.Emitter) error {
		d := document{Emitter: e, x: decode.NewXML(r)}
		return d.x.Document(d.root)
	})
}
