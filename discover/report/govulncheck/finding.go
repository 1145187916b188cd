package govulncheck

import (
	"errors"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// finding reads a finding of the stream. Its trace leads from the vulnerable
// symbol to the program's own code.
func (s *stream) finding(r *record.Report, v record.Value) error {
	p := place{id: v.Text("osv"), fixed: v.Text("fixed_version")}
	first := true
	for frame := range v.List("trace") {
		if first {
			p.module, p.version, p.pkg, p.symbol = frame.Text("module"), frame.Text("version"), frame.Text("package"), symbol(frame.Text("receiver"), frame.Text("function"))
			first = false
		}
		p.step(frame)
	}
	return s.state(r, p)
}

// maxFrames bounds the calls that are kept.
const maxFrames = 50

// step adds a call; the last one is that of the program.
func (p *place) step(frame record.Value) {
	name := symbol(frame.Text("receiver", "recv"), frame.Text("function"))
	if name == "" {
		return
	}
	name = frame.Text("package") + "." + name
	at := frame.At("position")
	if file := at.Text("filename"); file != "" {
		name += " at " + file + ":" + at.Text("line")
		p.location = exposure.Location{File: term.File(file), Line: at.Int("line"), Column: at.Int("column")}
	}
	if len(p.frames) < maxFrames {
		p.frames = append(p.frames, name)
	}
}

// symbol is the name of a function or a method.
func symbol(receiver, function string) string {
	receiver = strings.TrimLeft(receiver, "*")
	if receiver == "" || function == "" {
		return function
	}
	return receiver[strings.LastIndexByte(receiver, '.')+1:] + "." + function
}

// vulnerability reads a message of the first months of the stream: all that
// was found of a vulnerability.
func (s *stream) vulnerability(r *record.Report, v record.Value) error {
	id := v.At("osv")
	p := place{}
	if id.IsObject() {
		s.learn(id)
		p.id = id.Text("id")
	} else {
		p.id = id.Text()
	}
	for m := range v.List("modules") {
		p.module, p.version, p.fixed = m.Text("path"), m.Text("found_version"), m.Text("fixed_version")
		p.pkg, p.symbol, p.frames, p.location = "", "", nil, exposure.Location{}
		packages := 0
		for pkg := range m.List("packages") {
			packages++
			if err := s.packaged(r, p, pkg); err != nil {
				return err
			}
		}
		if packages == 0 {
			if err := s.state(r, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// packaged states what is called of a package, or that it is imported.
func (s *stream) packaged(r *record.Report, p place, pkg record.Value) error {
	p.pkg = pkg.Text("path")
	stacks := 0
	for stack := range pkg.List("callstacks") {
		stacks++
		p.symbol, p.frames, p.location = stack.Text("symbol"), nil, exposure.Location{}
		for frame := range stack.List("frames") {
			p.step(frame)
		}
		if err := s.state(r, p); err != nil {
			return err
		}
	}
	if stacks > 0 {
		return nil
	}
	return s.state(r, p)
}

// sinks reads a vulnerable symbol of the one document that govulncheck wrote
// before the stream, with the numbers of the nodes in its graphs of calls,
// imports and modules that reach it; 0 when none does.
func (s *stream) sinks(r *record.Report, v record.Value) error {
	osv := v.At("OSV")
	if !osv.IsObject() {
		return errors.New("a vulnerability without OSV")
	}
	s.learn(osv)
	modules := r.Up(0).At("Requires.Modules")
	p := place{id: osv.Text("id"), module: v.Text("ModPath")}
	if n := v.Text("RequireSink"); n != "" {
		p.version = modules.Member(n).Text("Version")
	}
	if v.Int("ImportSink") != 0 {
		p.pkg = v.Text("PkgPath")
	}
	if n := v.Int("CallSink"); n != 0 {
		p.symbol = v.Text("Symbol")
	}
	for id := range r.Up(0).List("Requires.Entries") {
		s.asset = module(modules.Member(id.Text()).Text("Path"))
		break
	}
	return s.state(r, p)
}
