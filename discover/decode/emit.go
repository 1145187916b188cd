package decode

import (
	"context"
	"errors"
	"iter"

	"github.com/leeward-ctem/leeward/exposure"
)

// errStopped says that the loop over the observations ended.
var errStopped = errors.New("the loop over the report ended")

// silence is how far a walk goes without a sign of life, in bytes. The import
// takes a long stretch of a report without a record for one huge record.
const silence = 16 << 20

// Emit returns the observations that walk sends. An error that walk returns is
// the last thing yielded; when the loop breaks early, the Emitter's methods
// return an error that walk must return at once.
func Emit(ctx context.Context, walk func(e *Emitter) error) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		e := &Emitter{ctx: ctx, yield: yield}
		if err := walk(e); err != nil && !errors.Is(err, errStopped) {
			yield(exposure.Observation{}, err)
		}
	}
}

// Emitter hands what a walk finds to the loop over it.
type Emitter struct {
	ctx   context.Context // of one walk, which is one call
	yield func(exposure.Observation, error) bool
	run   exposure.Run
	spoke int64 // offset of the last sign of life
	quiet bool  // nothing was sent since
	over  bool  // the loop ended, and must not be called again
}

// Send yields one observation.
func (e *Emitter) Send(o exposure.Observation) error {
	if err := e.ctx.Err(); err != nil {
		return err
	}
	return e.hand(o, nil)
}

// hand calls the loop, unless it ended: a walk may have something left to say
// when it hears of that.
func (e *Emitter) hand(o exposure.Observation, err error) error {
	if e.quiet = false; e.over || !e.yield(o, err) {
		e.over = true
		return errStopped
	}
	return nil
}

// Run yields the facts of the scan that are known so far.
func (e *Emitter) Run(r exposure.Run) error {
	e.run = r
	return e.Send(exposure.Observation{Kind: exposure.ObservedRun, Run: &r})
}

// Lose yields err if it is an *[exposure.RecordError], and the walk goes on;
// any other error is returned.
func (e *Emitter) Lose(err error) error {
	var rec *exposure.RecordError
	if !errors.As(err, &rec) {
		return err
	}
	return e.hand(exposure.Observation{}, rec)
}

// Alive is called now and then where much is passed over, with the offset in
// the report. After a long silence it states the run again, which adds nothing
// and tells the import that this is not one endless record.
func (e *Emitter) Alive(at int64) error {
	switch {
	case !e.quiet:
		e.quiet, e.spoke = true, at
	case at-e.spoke > silence:
		return e.Run(e.run)
	}
	return e.ctx.Err()
}
