// Package record reads reports that are lists of records in JSON, JSON lines,
// XML or a table, and keeps the contract of a reader for them: records stream
// by, a broken one costs itself and names its place, nothing grows without a
// bound, and values of a wrong shape are said to be so.
//
// A format says where its records are and what becomes of each:
//
//	record.Spec{
//		Tool:  "example",
//		About: func(top record.Value, run *exposure.Run) { run.Version = top.Text("version") },
//		Records: map[string]record.Handler{
//			"results[].issues[]": func(r *record.Report, v record.Value) error {
//				r.Weakness(exposure.Observation{Rule: v.Text("rule"), Title: v.Text("title")})
//				return nil
//			},
//		},
//	}.Read(ctx, in)
//
// What leads to the record, such as the target that holds the issues, is told
// by [Report.Up]. Small reports are held until their end, so that it does not
// matter whether facts come before the records that they concern or after; of
// large ones (8 MiB) only what came before is known.
package record

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"sort"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// The usual bounds of what is held, in bytes; of covered assets, their number.
const (
	maxHeld   = 8 << 20
	maxMember = 256 << 10 // of what leads to records
	maxCover  = 100_000
)

// Report is the report being read.
type Report struct {
	*decode.Emitter
	spec *Spec

	run    exposure.Run
	stated bool // the run was stated as it is
	top    *Value
	topped bool // top is that of a document
	up     []*Value
	number int
	offset int64 // of the record at hand
	fault  fault
	whole  markup // the XML element at hand
	tree   tree
	out    []exposure.Observation
	missed []error

	held    []held
	holding int  // bytes
	flow    bool // too much was held: records go on at once
	met     bool // a place of records was there
	cut     bool // it did not end well
	alike   held // rows that are one record, see Spec.Vary
	closed  bool // the document ended, whatever stands behind it
	rules   glossary
	cover   map[string]*exposure.Observation
	order   []string
	State   any // whatever the handlers of a format share
}

// held is a record that waits for the rest of the report.
type held struct {
	handle Handler
	first  bool
	up     []*Value
	raw    []byte // JSON
	value  Value  // of other forms
	key    string
	number int
	offset int64
}

// Read yields the observations of a report, in any of the forms.
func (s Spec) Read(ctx context.Context, in io.Reader) iter.Seq2[exposure.Observation, error] {
	return decode.Emit(ctx, func(e *decode.Emitter) error {
		r := &Report{Emitter: e, spec: &s, run: exposure.Run{Tool: s.Tool}}
		r.top = &Value{kind: '{', fault: &r.fault}
		r.whole.fault = &r.fault
		br := bufio.NewReaderSize(in, 64<<10)
		head, _ := br.Peek(4 << 10)
		var err error
		switch f := form(head); {
		case f == '<':
			err = r.readXML(br)
		case f == '{', s.Lines && lines(head):
			err = r.readJSON(br, head)
		default:
			if s.headers() == nil {
				return exposure.Errorf(exposure.Invalid, "not a report of %s: it is neither JSON nor XML", s.Tool)
			}
			err = r.readTable(br)
		}
		if err != nil && (s.Whole || s.Exact) && !r.closed {
			r.held = nil
		}
		// What was found stays found, however the report ends.
		r.cut = err != nil
		if flushed := r.rest(); flushed != nil {
			return flushed
		}
		if r.closed {
			if released := r.release(); released != nil {
				return released
			}
		}
		if err != nil {
			return err
		}
		if !r.met && (s.Bare == nil || !s.Bare(*r.top)) {
			return exposure.Errorf(exposure.Invalid, "not a report of %s: it has no %s", s.Tool, strings.Join(s.places(), " or "))
		}
		return r.finish()
	})
}

// form tells the form of a report by its start: '{' for JSON, '<' for XML, 't'
// for a table.
func form(head []byte) byte {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 {
		return '{' // which says that it is empty
	}
	switch head[0] {
	case '{', '[':
		return '{'
	case '<', '\xff', '\xfe', 0:
		return '<'
	}
	for _, word := range []string{"null", "true", "false"} {
		if bytes.HasPrefix(head, []byte(word)) {
			return '{'
		}
	}
	return 't'
}

// Top is the document of the record without its records, as far as it is known.
func (r *Report) Top() Value {
	if len(r.up) > 0 {
		return *r.up[0]
	}
	return *r.top
}

// Up is what holds the record: 0 is the nearest object or element around it, 1
// the one around that.
func (r *Report) Up(n int) Value {
	if n = len(r.up) - 1 - n; n < 0 {
		return Value{fault: &r.fault}
	}
	return *r.up[n]
}

// Cut reports whether the report broke off, as far as that is known, so that
// facts may be missing. A record that would say something else with them is
// better lost.
func (r *Report) Cut() bool { return r.cut }

// Number is the number of the record in the report, from 1.
func (r *Report) Number() int { return r.number }

// Facts are those of the scan, as [Spec] About told them.
func (r *Report) Facts() *exposure.Run { return &r.run }

// Weakness states a weakness. The tool is that of the report when o has none.
func (r *Report) Weakness(o exposure.Observation) {
	o.Kind = exposure.ObservedWeakness
	r.Say(o)
}

// Say states any observation, once the record turns out to be whole.
func (r *Report) Say(o exposure.Observation) {
	if o.Tool == "" {
		o.Tool = r.run.Tool
	}
	r.out = append(r.out, o)
}

// Miss says that a part of the record is lost, while the rest of it is stated.
func (r *Report) Miss(why error) { r.missed = append(r.missed, why) }

// Inventory states that an asset exists, and perhaps what is on it.
func (r *Report) Inventory(a exposure.AssetRef, c exposure.Component) {
	if !a.IsZero() || c != (exposure.Component{}) {
		r.Say(exposure.Observation{Kind: exposure.ObservedInventory, Asset: a, Component: c})
	}
}

// finish states what follows from the whole report.
func (r *Report) finish() error {
	if r.spec.End != nil {
		r.spec.End(r)
	}
	if err := r.about(); err != nil {
		return err
	}
	for _, o := range r.out {
		if err := r.Send(o); err != nil {
			return err
		}
	}
	for _, key := range r.order {
		o := r.cover[key]
		o.Tool = cmp.Or(o.Tool, r.run.Tool)
		if len(o.Coverage.Rules) > 0 {
			sort.Strings(o.Coverage.Rules)
			kept := o.Coverage.Rules[:1]
			for _, rule := range o.Coverage.Rules[1:] {
				if rule != kept[len(kept)-1] {
					kept = append(kept, rule)
				}
			}
			o.Coverage.Rules = kept
		}
		if err := r.Send(*o); err != nil {
			return err
		}
	}
	return nil
}

// about states the facts of the scan when they are not stated yet.
func (r *Report) about() error {
	run := exposure.Run{Tool: r.spec.Tool}
	if r.spec.About != nil {
		r.spec.About(*r.top, &run)
		r.fault.err, r.fault.odd = nil, nil // a fact that is no text is not known
	}
	if r.stated && reflect.DeepEqual(run, r.run) {
		return nil
	}
	r.run, r.stated = run, true
	return r.Run(run)
}

// take takes a record: it is held for now, or handled.
func (r *Report) take(h held) error {
	r.number++
	h.number = r.number
	h.up = append([]*Value(nil), r.up...)
	size := len(h.raw) + 64
	if h.raw == nil {
		size += h.value.size()
	}
	if !r.flow {
		if r.holding += size; r.holding <= cmp.Or(r.spec.Hold, maxHeld) {
			h.raw = bytes.Clone(h.raw)
			r.held = append(r.held, h)
			return nil
		}
		if r.spec.Exact && h.raw != nil {
			return exposure.Errorf(exposure.Invalid, "more than %d MiB of records come before what they are about", cmp.Or(r.spec.Hold, maxHeld)>>20)
		}
		r.flow = true
		if err := r.flush(); err != nil {
			return err
		}
	}
	return r.handle(h)
}

// flush handles the records that were held, those that others need first.
func (r *Report) flush() error {
	all := r.held
	r.held, r.holding = nil, 0
	for _, h := range all {
		if !h.first {
			continue
		}
		if err := r.handle(h); err != nil {
			return err
		}
	}
	if err := r.about(); err != nil {
		return err
	}
	for _, h := range all {
		if h.first {
			continue
		}
		if err := r.handle(h); err != nil {
			return err
		}
	}
	return nil
}

// rest states what is left to say once no record comes any more.
func (r *Report) rest() error {
	if err := r.flush(); err != nil || r.spec.Rest == nil {
		return err
	}
	r.out = r.out[:0]
	r.spec.Rest(r)
	all := r.out
	for i := range all {
		err := sane(&all[i])
		if err != nil {
			err = r.Lose(&exposure.RecordError{Record: max(r.number, 1), Err: err})
		} else {
			err = r.Send(all[i])
		}
		if err != nil {
			return err
		}
	}
	r.out = nil
	return nil
}

func (r *Report) handle(h held) error {
	r.fault.err, r.fault.odd, r.out, r.rules.new, r.missed = nil, nil, r.out[:0], r.rules.new[:0], r.missed[:0]
	v, err := h.value, error(nil)
	if h.raw != nil {
		v, err = r.parse(h.raw)
	}
	v.Key = h.key
	up, number := r.up, r.number
	r.up, r.number, r.offset = h.up, h.number, h.offset
	if err == nil {
		err = h.handle(r, v)
	}
	r.up, r.number = up, number
	if err == nil {
		err = r.fault.err
	}
	if r.fault.odd != nil && err == nil {
		r.Miss(r.fault.odd)
	}
	if err == nil && h.raw != nil && v.kind != '{' && len(r.out)+len(r.rules.new) == 0 && !v.blank() {
		err = errors.New("it is no object")
	}
	for i := 0; err == nil && i < len(r.out); i++ {
		err = sane(&r.out[i])
	}
	if err == nil {
		err = r.keep()
	}
	if err != nil {
		r.out = r.out[:0]
		return r.Lose(&exposure.RecordError{Record: h.number, Offset: h.offset, Err: err})
	}
	for _, o := range r.out {
		if err := r.Send(o); err != nil {
			return err
		}
	}
	r.out = r.out[:0]
	for _, why := range r.missed {
		if err := r.Lose(&exposure.RecordError{Record: h.number, Offset: h.offset, Err: why}); err != nil {
			return err
		}
	}
	return nil
}

// Parts handles each value as a record of its own, for records that hold many:
// a broken one costs itself and not its siblings. A handler returns what it
// returns.
func (r *Report) Parts(values iter.Seq[Value], h Handler) error {
	if r.fault.err != nil {
		return r.fault.err
	}
	whole := r.out
	defer func() { r.out = whole }()
	for v := range values {
		r.out = nil
		rules := len(r.rules.new)
		err := h(r, v)
		if err == nil {
			err = r.fault.err
		}
		for i := 0; err == nil && i < len(r.out); i++ {
			err = sane(&r.out[i])
		}
		if r.fault.err = nil; err == nil {
			whole = append(whole, r.out...)
			continue
		}
		r.rules.new = r.rules.new[:rules]
		if err = r.Lose(&exposure.RecordError{Record: r.number, Offset: r.offset, Err: err}); err != nil {
			return err
		}
	}
	return nil
}

// sane checks what every weakness needs.
func sane(o *exposure.Observation) error {
	if o.Kind != exposure.ObservedWeakness {
		return nil
	}
	if o.Rule == "" && len(o.Advisories) == 0 {
		return fmt.Errorf("it has neither a rule nor an advisory, so it has no identity")
	}
	if o.Title = term.OneLine(o.Title); o.Title == "" {
		o.Title = o.Rule
		if o.Title == "" {
			o.Title = o.Advisories[0]
		}
	}
	for _, s := range []*string{&o.Rule, &o.Location.File, &o.Location.Resource, &o.Location.Path} {
		if len(*s) > maxName {
			return fmt.Errorf("a name in it has more than %d bytes", maxName)
		}
	}
	return nil
}

// maxName bounds the texts that make an identity.
const maxName = 16 << 10

// size is roughly how many bytes a value takes.
func (v *Value) size() int {
	n := 80 + len(v.text)
	for i := range v.kids {
		n += v.kids[i].size()
	}
	for _, name := range v.names {
		n += len(name)
	}
	return n
}
