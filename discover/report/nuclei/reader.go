// Package nuclei reads the results of ProjectDiscovery's Nuclei: JSON lines
// (-jsonl, -jsonl-export), the JSON array (-json-export), and the same results
// written with line breaks, of version 2.1 and later, with the names of fields
// of every version.
//
// A report streams by one result at a time, of at most 48 MiB. Of requests and
// responses the first 32 KiB are taken.
//
// A report lists what matched and nothing else, so it covers nothing: which
// templates ran against which hosts is written nowhere. Results with
// "matcher-status": false are what -matcher-status adds for checks that did
// not match, and are passed over. An empty report is a scan without a match.
package nuclei

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

const tool = "nuclei"

// Reader reads the results of Nuclei. See
// https://docs.projectdiscovery.io/opensource/nuclei/running#output
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return tool }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Nuclei (JSON lines, JSON)", "https://docs.projectdiscovery.io/opensource/nuclei/running"
}

// Sniff implements discover.Reader: the first result names a template and
// what it matched.
func (Reader) Sniff(h *decode.Head) bool {
	head := h.Bytes()
	j := decode.NewJSON(bytes.NewReader(head))
	var template, id, info, match bool
	member := func(name string) error {
		switch name {
		case "template-id", "templateID", "template_id":
			id = true
		case "template":
			template = true
		case "info", "severity":
			info = true
		case "matched-at", "matched", "matched_at", "matcher-status", "type", "extracted-results", "host":
			match = true
		}
		return j.Skip()
	}
	switch j.Kind() { // the head may end anywhere
	case '{':
		_ = j.Object(member)
	case '[':
		_ = j.Array(func() error {
			_ = j.Object(member)
			return io.EOF // one result tells
		})
	}
	return (template || id) && info && match
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return decode.Emit(ctx, func(e *decode.Emitter) error {
		br := bufio.NewReader(r)
		head, _ := br.Peek(1024)
		w := newWalk(e)
		head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
		first, _, _ := bytes.Cut(head, []byte("\n"))
		switch {
		case bytes.HasPrefix(head, []byte("[")):
			return w.array(br)
		case string(bytes.TrimSpace(first)) == "{":
			return w.sequence(br)
		}
		return w.lines(br)
	})
}
