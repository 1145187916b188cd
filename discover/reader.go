package discover

import (
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader decodes one report format. Implementations are nearly pure functions:
// they see bytes and yield observations; decompression, limits, identity,
// redaction, deduplication and storage are the core's.
//
// A Reader value is stateless and safe for concurrent use.
type Reader interface {
	// Name is the format's short name: lower case, as in `leeward import --format`.
	Name() string
	// Sniff reports whether the report that begins with head, the first up to
	// 64 KiB of it unpacked, is of this format. It must not claim another
	// format's reports; the contract suite tries every sample of every format.
	Sniff(head *decode.Head) bool
	// Read yields the observations of a report as it streams by, without ever
	// holding the whole of it. A broken record is yielded as an
	// *[exposure.RecordError] with a zero observation and the rest goes on. Any
	// other error says that the report ends here (truncated, not of this
	// format) and is the last thing yielded. When the loop breaks early Read
	// stops at once; it checks ctx at least once a record.
	Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error]
}

// Described is implemented by readers that tell more about themselves, for
// `leeward formats` and the documentation.
type Described interface {
	// Describe returns the tool's full name and the address of the
	// documentation of its report format.
	Describe() (title, docs string)
}
