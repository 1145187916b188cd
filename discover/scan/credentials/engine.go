// Package credentials finds passwords that anybody can guess: defaults of
// vendors that a service still accepts, and weak ones and weak rules for them in
// files.
//
// Logins are tried only when the job and the engagement allow them, at the level
// "authenticated". They are few: those pairs that the vendor of what answers has
// documented, at most [perAccount] for one account and [perService] for one
// service and run, with a pause between them. They stop at the first that is
// accepted and at the first sign of a lockout. No password is carried from
// account to account. After a login nothing is done but to log out.
//
// Neither passwords nor hashes are part of what is stated.
package credentials

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
)

const class = "credentials"

// Engine implements scan.Engine.
type Engine struct {
	// Pause is between two logins. Zero: [defaultPause].
	Pause time.Duration

	silence time.Duration // see [silence]
}

const defaultPause = 2 * time.Second

// Describe implements scan.Engine.
func (Engine) Describe() scan.Description {
	return scan.Description{
		Name: class, Title: "Weak credentials", Level: exposure.LevelMatch,
		Takes: []scan.Kind{scan.Directory, scan.Image, scan.Service},
	}
}

// Scan implements scan.Engine.
func (e Engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		out := &output{yield: yield}
		var err error
		switch j.Kind {
		case scan.Service:
			err = e.service(ctx, j, out)
		case scan.Directory, scan.Image:
			err = files(ctx, j, out)
		default:
			err = exposure.Errorf(exposure.Invalid, "%s does not look at a %s", class, j.Kind)
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(exposure.Observation{}, err)
		}
	}
}

// errStopped says that nobody listens any more.
var errStopped = errors.New("stopped")

// output is what is stated, as long as somebody listens.
type output struct {
	yield func(exposure.Observation, error) bool
}

func (o *output) state(x exposure.Observation) error {
	x.Class = class
	if !o.yield(x, nil) {
		return errStopped
	}
	return nil
}

// broken states that one thing could not be looked at.
func (o *output) broken(err error) error {
	if !o.yield(exposure.Observation{}, &exposure.RecordError{Record: 1, Offset: -1, Err: err}) {
		return errStopped
	}
	return nil
}
