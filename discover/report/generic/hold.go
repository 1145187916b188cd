package generic

import (
	"cmp"
	"errors"

	"github.com/leeward-ctem/leeward/exposure"
)

// A JSON report may name its tool behind the findings, as it does when
// something sorted its members. The tool is part of what a finding is known
// by, so observations wait for it, for as much of a report as most are long.

// maxHeld is how far into a report observations wait, in bytes, and maxWaiting
// how many may.
const (
	maxHeld    = 8 << 20
	maxWaiting = 20_000
)

var errLate = errors.New("the tool is named behind the findings, which went on without it: name it before them")

// send sends an observation with the tool of the report, or holds it.
func (d *document) send(o *exposure.Observation) error {
	if o.Tool == "" && d.tool == "" {
		if d.held = append(d.held, *o); len(d.held) < maxWaiting {
			return nil
		}
		return d.settle("")
	}
	own := o.Tool
	o.Tool = cmp.Or(own, d.tool)
	err := d.Send(*o)
	o.Tool = own
	return err
}

// settle decides on the tool and sends what waits for it.
func (d *document) settle(name string) error {
	d.tool = cmp.Or(name, tool)
	held := d.held
	d.held = nil
	for _, o := range held {
		o.Tool = d.tool
		if err := d.Send(o); err != nil {
			return err
		}
	}
	return nil
}
