// Package observations reads Leeward's own form: one observation a line, as
// `leeward inspect` prints it. It moves observations between installations,
// and from agents, without loss.
package observations

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads the format. Its memory is one line.
type Reader struct{}

// maxLine bounds one observation.
const maxLine = 16 << 20

// Name is the format's name.
func (Reader) Name() string { return "observations" }

// Describe names the format and its documentation.
func (Reader) Describe() (title, docs string) {
	return "Leeward observations", "https://github.com/leeward-ctem/leeward/blob/main/docs/cli.md"
}

// Sniff recognises the first member of the first line.
func (Reader) Sniff(h *decode.Head) bool {
	head := h.Bytes()
	head = bytes.TrimLeft(head, " \t\r\n\ufeff")
	for _, kind := range []exposure.ObservationKind{exposure.ObservedWeakness, exposure.ObservedInventory, exposure.ObservedCoverage, exposure.ObservedRun} {
		if bytes.HasPrefix(head, fmt.Appendf(nil, `{"kind":%q`, kind)) {
			return true
		}
	}
	return false
}

// Read yields one observation a line; a broken line is a broken record.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		stop := fmt.Errorf("stopped")
		err := decode.Lines(r, maxLine, func(line []byte, number int, offset int64, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var o exposure.Observation
			if err == nil {
				err = decode.Unmarshal(line, &o)
			}
			if err == nil {
				err = check(&o)
			}
			if err != nil {
				o, err = exposure.Observation{}, &exposure.RecordError{Record: number, Offset: offset, Err: err}
			}
			if !yield(o, err) {
				return stop
			}
			return nil
		})
		if err != nil && err != stop {
			yield(exposure.Observation{}, err)
		}
	}
}

// check refuses what no reader of ours would state, and brings identifiers
// into their canonical form.
func check(o *exposure.Observation) error {
	stated := o.Asset.Identifiers
	o.Asset.Identifiers = nil
	for _, id := range stated {
		o.Asset.Add(id.Kind, id.Value)
	}
	switch {
	case o.Kind == exposure.ObservedRun && o.Run == nil:
		return fmt.Errorf("a run without facts")
	case o.Kind == exposure.ObservedRun:
		return nil
	case o.Tool == "":
		return fmt.Errorf("no tool is named")
	case o.Kind == exposure.ObservedCoverage && o.Coverage == nil:
		return fmt.Errorf("coverage without what was covered")
	case o.Kind == exposure.ObservedInventory && o.Asset.IsZero() && o.Component == (exposure.Component{}):
		return fmt.Errorf("an inventory record of nothing")
	case o.Kind == exposure.ObservedWeakness && o.Rule == "" && len(o.Advisories) == 0:
		return fmt.Errorf("neither a rule nor an advisory is named")
	case o.Kind == exposure.ObservedWeakness && o.Title == "":
		return fmt.Errorf("no title is given")
	}
	o.Tool = string(bytes.ToLower([]byte(o.Tool)))
	return nil
}
