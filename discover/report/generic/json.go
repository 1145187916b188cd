package generic

import (
	"bytes"
	"errors"
	"fmt"
	"github.com/leeward-ctem/leeward/discover/term"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// list is the walk over a report in JSON.
type list struct {
	*document
	j      *decode.JSON
	record int // findings so far
	run    exposure.Run
	looked []exposure.Observation // coverage, which counts once the document is whole
}

// maxLooked bounds the statements of coverage in a document.
const maxLooked = 100_000

// conclude states what was looked at, after all that was found there.
func (w *list) conclude() error {
	for i := range w.looked {
		if err := w.send(&w.looked[i]); err != nil {
			return err
		}
	}
	w.looked = nil
	return nil
}

// readJSON reads a document with a member findings, an array of findings, or
// findings one after the other; in lines, if they stand so, where a broken
// one costs no other.
func (d *document) readJSON(r io.Reader, head []byte) error {
	w := &list{document: d}
	if inLines(head) {
		d.tool = tool
		return w.lines(r)
	}
	w.j = decode.NewJSON(r)
	w.j.Lost = w.Lose
	for w.j.More() {
		var err error
		w.tool = ""
		switch w.j.Kind() {
		case '[':
			d.found = true
			if err = d.settle(""); err == nil {
				err = w.j.Array(w.next)
			}
		case '{':
			err = w.object()
		default:
			return errNotFindings()
		}
		if err != nil {
			return err
		}
	}
	if err := w.j.End(); err != nil {
		return err
	}
	if !d.found {
		return errNotFindings()
	}
	return nil
}

func errNotFindings() error {
	return exposure.Errorf(exposure.Invalid, "not a list of findings: it has no member \"findings\" and no finding with a title, see docs/formats.md")
}

// inLines reports whether a report is one finding a line: the first line is an
// object by itself, and not the report.
func inLines(head []byte) bool {
	line, rest, more := bytes.Cut(bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n"), []byte("\n"))
	if rest = bytes.TrimSpace(rest); !more || len(rest) == 0 || len(line) == 0 || line[0] != '{' {
		return false
	}
	second, _, _ := bytes.Cut(rest, []byte("\n"))
	if string(bytes.TrimSpace(second)) == "{" {
		return false // objects that take several lines
	}
	return members(line, func(name string, _ jsontext.Value) error {
		if name == "findings" {
			return errSeen
		}
		return nil
	}) == nil
}

// maxLine bounds a finding in JSON Lines, in bytes.
const maxLine = 16 << 20

func (w *list) lines(r io.Reader) error {
	return decode.Lines(r, maxLine, func(line []byte, number int, offset int64, err error) error {
		if alive := w.Alive(offset); alive != nil {
			return alive
		}
		if err == nil {
			var why error
			if why, err = w.finding(line); err != nil {
				return err
			}
			err = why
		}
		if err != nil {
			return w.Lose(&exposure.RecordError{Record: number, Offset: offset, Err: err})
		}
		return nil
	})
}

// next reads a finding of an array.
func (w *list) next() error {
	w.record++
	at := w.j.Offset()
	if at > maxHeld && w.tool == "" {
		if err := w.settle(""); err != nil {
			return err
		}
	}
	raw, err := w.j.Raw()
	if err != nil {
		return err
	}
	why, err := w.finding(raw)
	if err != nil {
		return err
	}
	if why != nil {
		return w.Lose(&exposure.RecordError{Record: w.record, Offset: at, Err: why})
	}
	return w.Alive(at)
}

// finding states one finding. The first error says why it is lost.
func (w *list) finding(raw []byte) (lost, err error) {
	if jsontext.Value(raw).Kind() != '{' {
		return errors.New("it is no object"), nil
	}
	var r record
	if lost = members(raw, func(name string, value jsontext.Value) error { return w.member(&r, name, value) }); lost != nil {
		return lost, nil
	}
	return w.state(&r)
}

// object reads an object that is the report, or one finding.
func (w *list) object() error {
	at := w.j.Offset()
	var own record
	var facts map[string]string
	var fault error
	listed := false
	err := w.j.Object(func(name string) error {
		switch {
		case name == "findings" && (w.j.Kind() == '[' || w.j.Kind() == 'n'):
			listed, w.found = true, true
			if err := w.about(facts, false); err != nil {
				return err
			}
			return w.j.Array(w.next)
		case name == "coverage" && (w.j.Kind() == '[' || w.j.Kind() == '{'):
			return w.coverage()
		}
		raw, err := w.j.Raw()
		if err != nil {
			return err
		}
		if kind := jsontext.Value(raw).Kind(); about(name) && (kind == '"' || kind == '0' && name == "date") {
			if facts == nil {
				facts = map[string]string{}
			}
			facts[name] = text(raw)
		}
		if err := w.member(&own, name, raw); err != nil && fault == nil {
			fault = err
		}
		return w.Alive(w.j.Offset())
	})
	if err != nil {
		return err
	}
	if listed {
		if err := w.about(facts, true); err != nil {
			return err
		}
		return w.conclude()
	}
	w.record++
	if err := w.settle(""); err != nil {
		return err
	}
	if fault == nil {
		if fault, err = w.state(&own); err != nil {
			return err
		}
	}
	if fault != nil {
		if err := w.Lose(&exposure.RecordError{Record: w.record, Offset: at, Err: fault}); err != nil {
			return err
		}
	}
	return w.conclude()
}

// about takes up what a report says of itself, before its findings and at its
// end.
func (w *list) about(facts map[string]string, end bool) error {
	name := toolName(facts["tool"])
	if name == "" {
		name = toolName(facts["type"])
	}
	switch {
	case w.tool == "" && (end || name != ""):
		if err := w.settle(name); err != nil {
			return err
		}
	case name != "" && name != w.tool:
		if err := w.Lose(&exposure.RecordError{Record: w.record, Offset: w.j.Offset(), Err: errLate}); err != nil {
			return err
		}
	}
	run := exposure.Run{Tool: w.tool, Version: term.OneLine(facts["version"]), Finished: term.Date(facts["date"])}
	if w.tool == "" || run == w.run {
		return nil
	}
	w.run = run
	return w.Run(run)
}

// coverage reads what the report says that was looked at completely: a list
// of objects that name an asset, as a finding does, a class of checks, and
// perhaps rules.
func (w *list) coverage() error {
	one := func() error {
		w.record++
		at := w.j.Offset()
		raw, err := w.j.Raw()
		if err != nil {
			return err
		}
		r := record{hosts: w.hosts}
		c := &exposure.Coverage{}
		why := members(raw, func(name string, value jsontext.Value) error {
			if name == "rules" {
				if err := decode.Unmarshal(value, &c.Rules); err != nil {
					return fmt.Errorf("rules: %w", err)
				}
				return nil
			}
			return w.member(&r, name, value)
		})
		if c.Class = class(r.value(fieldClass)); c.Class == "" && why == nil {
			why = errors.New("coverage that states no class of checks")
		}
		r.addEndpoints(r.text[fieldURL])
		targets := r.targets()
		if len(targets) > 1 && why == nil {
			why = errors.New("coverage of more than one asset: state each by itself")
		}
		if len(w.looked) == maxLooked && why == nil {
			why = errors.New("the report states more coverage than can wait for its end: export it in parts")
		}
		if why != nil {
			return w.Lose(&exposure.RecordError{Record: w.record, Offset: at, Err: why})
		}
		w.looked = append(w.looked, exposure.Observation{
			Kind: exposure.ObservedCoverage, Tool: toolName(r.value(fieldTool)), Asset: targets[0].asset, Class: c.Class, Coverage: c,
		})
		return nil
	}
	if w.j.Kind() == '{' {
		return one()
	}
	return w.j.Array(one)
}
