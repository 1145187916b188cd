package safehttp

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// meter counts what is read.
type meter struct {
	io.Reader
	n atomic.Int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.n.Add(int64(n))
	return n, err
}

// watch ends a transfer that is slower than it may be: one that hangs, and one
// that is kept alive by a byte now and then. The returned function ends the
// watch.
func (l Limits) watch(m *meter, end context.CancelCauseFunc) (stop func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(l.Window)
		defer tick.Stop()
		for before := int64(0); ; {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			n := m.n.Load()
			if n-before < l.Least {
				end(fmt.Errorf("it sent %d bytes within %v, and less than %d are too slow; the file can be fetched by other means, and its path given", n-before, l.Window, l.Least))
				return
			}
			before = n
		}
	}()
	return func() { close(done) }
}
