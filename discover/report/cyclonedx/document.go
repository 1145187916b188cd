package cyclonedx

import (
	"bufio"
	"context"
	"encoding/json"
	"io"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// heldLimit bounds the vulnerabilities that are held until what they affect is known.
const heldLimit = 128 << 20

// document is what a walk over either form feeds.
type document struct {
	ctx   context.Context
	yield func(exposure.Observation, error) bool

	run     exposure.Run
	runSent exposure.Run
	version string // specVersion, or that of the XML namespace
	asset   exposure.AssetRef
	subject indexed // the component that the document is about

	index     index
	metadata  bool // read
	complete  bool // the components were read: references can be resolved
	deferred  bool // components are still to be stated as inventory, once the asset is known
	held      [][]byte
	heldBytes int
	record    int
	spoke     int64 // where the last observation was yielded
}

// silence is how far a walk goes without yielding anything. The import takes a
// long stretch of a report without a record for one huge record.
const silence = 16 << 20

func (d *document) read(r io.Reader) error {
	br := bufio.NewReaderSize(r, 64<<10)
	head, _ := br.Peek(512)
	if isXML(head) {
		return d.xml(br)
	}
	return d.json(br)
}

func (d *document) send(o exposure.Observation) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	if !d.yield(o, nil) {
		return errStop
	}
	return nil
}

// lose reports a record that is lost; the rest goes on.
func (d *document) lose(at int64, err error) error {
	if !d.yield(exposure.Observation{}, &exposure.RecordError{Record: d.record, Offset: at, Err: err}) {
		return errStop
	}
	return nil
}

// alive states the run once more when nothing was yielded for a while.
func (d *document) alive(at int64) error {
	if at-d.spoke < silence {
		return nil
	}
	d.spoke = at
	d.runSent = exposure.Run{}
	return d.sendRun()
}

// sendRun states what is known of the run, once more when more is known.
func (d *document) sendRun() error {
	d.run.Format = d.version
	if d.run == d.runSent {
		return nil
	}
	run := d.run
	d.runSent = run
	return d.send(exposure.Observation{Kind: exposure.ObservedRun, Tool: run.Tool, Run: &run})
}

// about takes in the metadata: when, by what and about what.
func (d *document) about(m *metadata) {
	d.metadata = true
	d.run.Finished = term.Date(string(m.Timestamp))
	if name, version := m.tool(); name != "" {
		d.run.Tool, d.run.Version = name, version
	}
	d.asset = m.Component.asset()
	d.subject = m.Component.indexed()
	if m.Component.Ref != "" {
		_ = d.index.add(string(m.Component.Ref), d.subject) // the first is always in bounds
	}
}

// component takes in one component, its nested ones not included.
func (d *document) component(c *component, at int64) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	found := c.indexed()
	if err := d.index.add(string(c.Ref), found); err != nil {
		return err
	}
	if !d.metadata {
		// The metadata may still follow, and with it the asset.
		if found.inventory {
			d.index.defers(found)
			d.deferred = true
		}
		return d.alive(at)
	}
	d.spoke = at
	return d.inventory(found)
}

func (d *document) inventory(c indexed) error {
	if !c.inventory {
		return nil
	}
	if err := d.sendRun(); err != nil {
		return err
	}
	return d.send(exposure.Observation{Kind: exposure.ObservedInventory, Tool: d.run.Tool, Asset: d.asset, Class: class, Component: c.Component})
}

// settle states what waited for the metadata. It is called when no metadata
// can follow any more: the order of members is metadata, components,
// vulnerabilities in the specification, and the same when a tool sorts all but
// the metadata by name.
func (d *document) settle() error {
	if err := d.sendRun(); err != nil {
		return err
	}
	if !d.deferred {
		return nil
	}
	d.deferred = false
	for _, c := range d.index.deferred() {
		if err := d.inventory(c); err != nil {
			return err
		}
	}
	return nil
}

// vulnerability takes in one vulnerability. It is held when the components are
// still to come.
func (d *document) vulnerability(v *vulnerability, at int64) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	if d.complete || v.Own != nil && d.metadata {
		d.spoke = at
		return d.state(v, at)
	}
	// The encoded form is what bounds memory honestly: a value of few bytes
	// can be large when decoded.
	raw, err := json.Marshal(waiting{At: at, Record: d.record, Vulnerability: v})
	if err != nil {
		return err
	}
	if d.heldBytes += len(raw) + 24; d.heldBytes > heldLimit {
		return exposure.Errorf(exposure.Invalid, "more than 128 MiB of vulnerabilities come before the components that they affect at byte %d: write the components first", at)
	}
	d.held = append(d.held, raw)
	return d.alive(at)
}

type waiting struct {
	At            int64          `json:"at"`
	Record        int            `json:"record"`
	Vulnerability *vulnerability `json:"v"`
}

// end states everything that waited for the end of the document.
func (d *document) end() error {
	if err := d.settle(); err != nil {
		return err
	}
	for i, raw := range d.held {
		var w waiting
		if err := json.Unmarshal(raw, &w); err != nil {
			return err
		}
		d.held[i] = nil
		d.record = w.Record
		if err := d.state(w.Vulnerability, w.At); err != nil {
			return err
		}
	}
	if !d.asset.IsZero() {
		return d.send(exposure.Observation{Kind: exposure.ObservedInventory, Tool: d.run.Tool, Asset: d.asset})
	}
	return nil
}
