package discover

import (
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/exposure"
)

// Readers reads reports by the name of their format, for those who know it and
// have no use for an import: what a tool that we run ourselves writes.
type Readers []Reader

// Read yields the observations of a report, with bounded memory, see [Guarded].
// Its contract is that of [Reader].
func (all Readers) Read(ctx context.Context, format string, r io.Reader) iter.Seq2[exposure.Observation, error] {
	for _, reader := range all {
		if reader.Name() == format {
			return Guarded(ctx, reader, r)
		}
	}
	return func(yield func(exposure.Observation, error) bool) {
		yield(exposure.Observation{}, exposure.Errorf(exposure.Invalid, "there is no report format %q", format))
	}
}
