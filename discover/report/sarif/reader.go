// Package sarif reads SARIF, the Static Analysis Results Interchange Format:
// version 2.1.0, and what differs in the drafts of 2.0.0.
//
// A result makes one observation a location, or one when it has none. Results
// of a kind other than "fail" are passed over; a suppressed result is stated as
// suppressed, and one whose baselineState is "absent" as fixed.
//
// # Memory
//
// What a result means is told by the rules, artifacts and the repository of
// its run, and tools write these before or after the results. So the results
// of a run are held until the run ends, at most 64 MiB of them. When there are
// more, those at hand are read with what is known by then, and the others as
// they come: rules that follow are then too late, and the results speak for
// themselves. Rules, artifacts and taxonomies are kept, at most 64 MiB of their
// text and 500,000 of each. A report that is cut off yields nothing of the run
// in which it ends.
//
// # Coverage
//
// A run covers a repository when an invocation says that it was successful,
// none says that it was not or reports an error, and versionControlProvenance
// names the repository. It covers the enabled rules that the tool lists, or
// all rules of the classes of its results when it lists none.
package sarif

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads SARIF. See https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "sarif" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "SARIF 2.1.0", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"
}

// errFound ends the walk of Sniff.
var errFound = errors.New("found")

// Sniff implements discover.Reader: a document with a schema of SARIF, or with
// runs of a tool.
func (Reader) Sniff(h *decode.Head) bool {
	head := h.Bytes()
	j := decode.NewJSON(bytes.NewReader(head))
	if j.Kind() != '{' {
		return false
	}
	found := false
	_ = j.Object(func(name string) error { // the head may end anywhere
		switch name {
		case "$schema":
			var s text
			if err := j.Value(&s); err != nil {
				return err
			}
			if found = strings.Contains(strings.ToLower(string(s)), "sarif"); found {
				return errFound
			}
			return nil
		case "runs":
			return j.Array(func() error {
				return j.Object(func(name string) error {
					if found = name == "tool" || name == "results" || name == "originalUriBaseIds"; found {
						return errFound
					}
					return j.Skip()
				})
			})
		}
		return j.Skip()
	})
	return found
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return decode.Emit(ctx, func(e *decode.Emitter) error {
		w := &walk{Emitter: e, json: decode.NewJSON(r)}
		w.json.Lost = func(err error) error { w.lost = true; return w.Lose(err) }
		return w.document()
	})
}
