// Package nessus reads the .nessus files of Tenable Nessus, Tenable
// Vulnerability Management, Tenable Security Center and Tenable Web App
// Scanning (NessusClientData_v2), the older NessusClientData of Nessus 3, and
// the tables that these products export as CSV.
//
// A report streams by one ReportItem at a time. What is held is the policy's
// list of plug-ins, at most 20,000, and the compliance checks of one host, at
// most 100,000.
//
// # Classes and coverage
//
// A scan with a login sees what a scan without one cannot, so its results, and
// those of local checks, are of class "vuln-authenticated", the others of class
// "vuln". A host that was examined to its end covers "vuln", and
// "vuln-authenticated" too if the login worked: when it fails one day, nothing
// is closed. Web application scans are of class "web", compliance checks of
// class "misconfig".
//
// A host has no coverage when the policy runs but some of the plug-ins and
// there are too many to list. Nor has one in a table: what was looked for is not
// in it, save for compliance checks, of which those that passed are listed too.
package nessus

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads .nessus files. See
// https://docs.tenable.com/quick-reference/nessus-file-format/Content/PDF/NessusFileFormat.pdf
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "nessus" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Tenable Nessus, Vulnerability Management, Security Center and Web App Scanning (.nessus, CSV)", "https://docs.tenable.com/quick-reference/nessus-file-format/Content/PDF/NessusFileFormat.pdf"
}

// The names of the root element.
const (
	version2 = "NessusClientData_v2"
	version1 = "NessusClientData"
)

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch root, _ := h.Root(); root {
	case version1, version2:
		return true
	}
	for _, columns := range headers() {
		if h.HasRow(columns...) {
			return true
		}
	}
	return false
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	in := bufio.NewReaderSize(r, 64<<10)
	if head, _ := in.Peek(4 << 10); table(head) {
		return readTable(ctx, in)
	}
	return decode.Emit(ctx, func(e *decode.Emitter) error {
		d := document{Emitter: e, x: decode.NewXML(in)}
		return d.x.Document(d.root)
	})
}

// table reports whether a report begins as a table does: with a letter or a
// quotation mark.
func table(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(head) > 0 && (head[0] == '"' || head[0]|0x20 >= 'a' && head[0]|0x20 <= 'z')
}
