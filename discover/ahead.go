package discover

import (
	"context"
	"iter"

	"github.com/leeward-ctem/leeward/exposure"
)

// statement is what a reader yielded, and how much of the document it had read
// by then.
type statement struct {
	observation exposure.Observation
	err         error
	at          int64
}

// How far reading goes ahead of what is done with it: two chunks of so many
// statements, or of the first that exceeds so many bytes of the document.
const (
	aheadStatements = 256
	aheadBytes      = 1 << 20
)

// ahead reads a document in a goroutine of its own: decoding is the larger half
// of taking in a report that is known already. The loop over it may change a
// statement but not keep it. When the loop ends, reading has ended.
func ahead(ctx context.Context, read Reading, in *counter) iter.Seq[*statement] {
	return func(yield func(*statement) bool) {
		ctx, stop := context.WithCancel(ctx)
		chunks, spare := make(chan []statement), make(chan []statement, 2)
		spare <- make([]statement, 0, aheadStatements)
		spare <- make([]statement, 0, aheadStatements)
		go func() {
			defer close(chunks)
			chunk, start := <-spare, in.n
			send := func() bool {
				select {
				case chunks <- chunk:
					chunk, start = <-spare, in.n
					return true
				case <-ctx.Done():
					return false
				}
			}
			for o, err := range guarded(ctx, read, in) {
				chunk = append(chunk, statement{o, err, in.n})
				if (len(chunk) == aheadStatements || in.n-start > aheadBytes) && !send() {
					return
				}
			}
			if len(chunk) > 0 {
				send()
			}
		}()
		defer func() {
			stop()
			for chunk := range chunks {
				spare <- chunk[:0]
			}
		}()
		for chunk := range chunks {
			for i := range chunk {
				if !yield(&chunk[i]) {
					spare <- chunk[:0]
					return
				}
			}
			clear(chunk)
			spare <- chunk[:0]
		}
	}
}
