package mobilize

import (
	"errors"
	"time"
)

const (
	firstWait    = time.Minute
	longestWait  = 6 * time.Hour
	longestAsked = 24 * time.Hour // of what a receiver asks for
)

// wait returns how long to leave a message alone after its nth failed try:
// twice as long each time, spread over the next as much again so that messages
// that failed together do not come back together. A receiver may ask for more.
func (r *round) wait(n int, err error) (wait time.Duration, asked bool) {
	wait = longestWait / 2
	if shift := n - 1; shift < 16 {
		wait = min(wait, firstWait<<shift)
	}
	if r.Jitter != nil {
		wait += time.Duration(float64(wait) * min(max(r.Jitter(), 0), 1))
	}
	var e *RetryError
	if errors.As(err, &e) && e.After > 0 {
		return max(wait, min(e.After, longestAsked)), true
	}
	return wait, false
}
