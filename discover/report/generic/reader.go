// Package generic reads findings that no other format fits: tables in CSV and
// lists in JSON, written by a script, a person or another platform. It
// understands the columns and members that DefectDojo documents for its
// generic import, plain names of our own, and common spellings of both; the
// page format.md beside this file is their documentation, and part of
// docs/formats.md.
//
// A finding becomes one observation for each host that it names. Nothing is
// covered by such a report unless it says so itself, which only JSON can: a
// list made by hand is no proof of what is not on it.
package generic

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads the format.
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return tool }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Findings as CSV or JSON, of any origin", "https://github.com/leeward-ctem/leeward/blob/main/docs/formats.md#generic"
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return decode.Emit(ctx, func(e *decode.Emitter) error {
		d := document{Emitter: e, names: newDictionary(), hosts: newHosts()}
		br := bufio.NewReaderSize(r, headSize)
		head, _ := br.Peek(headSize) // an error comes again
		switch start(head) {
		case '[', '{':
			return d.readJSON(br, head)
		case '<':
			return exposure.Errorf(exposure.Invalid, "not a list of findings: it is XML or HTML, see docs/formats.md for what is read")
		}
		return d.readCSV(br)
	})
}

// headSize is how much of a report is looked at to tell its form.
const headSize = 64 << 10

// start returns the first byte that says something, 0 if there is none.
func start(head []byte) byte {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n")
	if len(head) == 0 {
		return 0
	}
	return head[0]
}
