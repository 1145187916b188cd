package inventory

import (
	"fmt"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
)

// maxFaults is how many things that went wrong are told one by one.
const maxFaults = 100

// look is one look at one target.
type look struct {
	engine   *Engine
	job      *scan.Job
	files    tree
	yield    func(exposure.Observation, error) bool
	stopped  bool // who asked wants no more
	complete bool // everything was read
	faulty   int
	packages []found
	sources  []string            // directories with a go.mod
	goFiles  []string            // Go source
	unread   bool                // there is more of that
	required map[string][]string // the modules of each go.mod
	imports  map[string]*imports // of the directories with a go.mod that were asked for
}

func (l *look) state(o exposure.Observation) {
	if !l.stopped {
		l.stopped = !l.yield(o, nil)
	}
}

// end states the error that ends the look.
func (l *look) end(err error) {
	if !l.stopped {
		l.yield(exposure.Observation{}, err)
		l.stopped = true
	}
}

// lost states that one thing could not be read. The rest goes on, and nothing
// is covered.
func (l *look) lost(format string, args ...any) {
	if l.faulty++; l.faulty > maxFaults {
		l.complete = false
		return
	}
	l.fault(format, args...)
}

func (l *look) fault(format string, args ...any) {
	l.complete = false
	if !l.stopped {
		err := &exposure.RecordError{Record: min(l.faulty, maxFaults+1), Offset: -1, Err: fmt.Errorf(format, args...)}
		l.stopped = !l.yield(exposure.Observation{}, err)
	}
}
