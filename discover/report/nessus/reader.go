// Package nessus reads the .nessus files of Tenable Nessus, Tenable
// Vulnerability Management, Tenable Security Center and Tenable Web App
// Scanning (NessusClientData_v2), and the older NessusClientData of Nessus 3.
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
// there are too many to list.
package nessus

import (
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
	return "Tenable Nessus and Web App Scanning (.nessus)", "https://docs.tenable.com/quick-reference/nessus-file-format/Content/PDF/NessusFileFormat.pdf"
}

// The names of the root element.
const (
	version2 = "NessusClientData_v2"
	version1 = "NessusClientData"
)

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	head := h.Bytes()
	root, ok := decode.Root(head)
	return ok && (root.Name.Local == version2 || root.Name.Local == version1)
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return decode.Emit(ctx, func(e *decode.Emitter) error {
		d := document{Emitter: e, x: decode.NewXML(r)}
		return d.x.Document(d.root)
	})
}
