package discover

import (
	"io"

	"github.com/leeward-ctem/leeward/exposure"
)

// recordLimit is the most that may be read for one record of a report. The
// largest real ones, pages of HTML in the evidence of web scanners, stay below 20 MiB.
const recordLimit = 64 << 20

// recordGuard bounds how much is read between two records, so that no single
// value of a hostile report can grow memory. The import calls Reset at each
// observation that a format yields.
type recordGuard struct {
	r     io.Reader
	limit int64
	read  int64 // bytes read in all
	start int64 // bytes read at the last Reset
}

func newRecordGuard(r io.Reader) *recordGuard { return &recordGuard{r: r, limit: recordLimit} }

// Reset says that a record ended.
func (g *recordGuard) Reset() { g.start = g.read }

func (g *recordGuard) Read(p []byte) (int, error) {
	left := g.limit - (g.read - g.start)
	if left < 0 {
		return 0, exposure.Errorf(exposure.Invalid, "a record at byte %d is larger than %s: no scanner writes such a record, check the report", g.start, size(g.limit))
	}
	// One byte over the limit may be read, so that a record of just the limit
	// is told from a larger one.
	if int64(len(p)) > left+1 {
		p = p[:left+1]
	}
	n, err := g.r.Read(p)
	g.read += int64(n)
	return n, err
}
