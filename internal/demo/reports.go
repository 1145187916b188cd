package demo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/exposure"
)

// Reports returns what the company's scanners reported until yesterday, in the
// order in which they did.
func Reports(today time.Time) []Report {
	w := newWorld(today)
	checks := checks()
	var all []Report
	for _, s := range scanners() {
		lines := w.lines(&s, checks)
		for day := range days {
			if s.runs(day) {
				all = append(all, w.report(&s, day, lines))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Report) int { return a.At.Compare(b.At) })
	return all
}

// line is one observation as it is written, and when.
type line struct {
	span
	kind  exposure.ObservationKind
	asset int // number, for a run that breaks off
	json  []byte
}

// lines are all observations a scanner ever makes, asset by asset: what an
// asset has, what is wrong, and that it was looked at completely.
func (w *world) lines(s *scanner, checks []check) (all []line) {
	for n := range w.assets {
		a := &w.assets[n]
		if !s.looks(a) {
			continue
		}
		add := func(at span, o exposure.Observation) {
			o.Tool, o.Asset = s.tool, a.ref()
			all = append(all, line{at, o.Kind, n, encode(&o)})
		}
		here := span{a.arrival(), 0}
		for _, i := range w.inventory(s, a) {
			add(i.since(here.from), i.o)
		}
		for _, i := range w.issues(s, a, checks) {
			add(i.span, i.o)
		}
		for _, class := range s.classes {
			c := exposure.Coverage{Class: class}
			if class == "ports" {
				c.Ports = []exposure.PortRange{{Protocol: "tcp", First: 1, Last: 65535}, {Protocol: "udp", First: 161, Last: 161}}
			}
			add(here, exposure.Observation{Kind: exposure.ObservedCoverage, Coverage: &c})
		}
	}
	return all
}

// report is the report of one day.
func (w *world) report(s *scanner, day int, lines []line) Report {
	d := cast(s.tool, s.classes[0], fmt.Sprint(day))
	end := w.at(day, s.hour, s.minute).Add(time.Duration(d.below(600)) * time.Second)
	run := exposure.Run{Tool: s.tool, Version: s.version, Started: end.Add(-time.Duration(s.takes)*time.Minute - time.Duration(d.below(240))*time.Second), Finished: end}
	last := len(w.assets)
	if day == s.fails {
		last /= 3
		run.Failed, run.Failure = true, "the scanner's uplink went down: the networks after 10.20.2.0/24 were not reached"
	}
	var b bytes.Buffer
	b.Write(encode(&exposure.Observation{Kind: exposure.ObservedRun, Tool: s.tool, Run: &run}))
	for _, l := range lines {
		if l.holds(day) && l.asset < last && !(run.Failed && l.kind == exposure.ObservedCoverage) {
			b.Write(l.json)
		}
	}
	return Report{Name: fmt.Sprintf("%s-%s-%s.jsonl", s.tool, s.label(), end.Format(time.DateOnly)), At: end, Data: b.Bytes()}
}

// label tells what the scanner looks at, for the names of its files.
func (s *scanner) label() string {
	switch s.tool {
	case "nessus", "nmap":
		return "machines"
	case "nuclei", "zap":
		return "web"
	case "prowler":
		return "cloud"
	case "grype":
		return "images"
	case "trivy":
		if s.classes[0] == "misconfig" {
			return "cluster"
		}
		return "images"
	}
	return "repositories"
}

// inventory is what a scanner says of the things on an asset.
func (w *world) inventory(s *scanner, a *asset) (all []issue) {
	state := func(at span, o exposure.Observation) {
		o.Kind = exposure.ObservedInventory
		all = append(all, issue{span: at, o: o})
	}
	switch {
	case s.tool == "nmap":
		for _, p := range w.ports(a) {
			state(span{}, exposure.Observation{Location: exposure.Location{Port: p.number, Protocol: p.protocol, Service: p.service}, Component: p.component})
		}
	case a.kind == exposure.AssetImage && s.classes[0] == "vuln-os":
		for _, p := range w.has(a) {
			for _, st := range w.stages(a, p) {
				state(st.span, exposure.Observation{Component: exposure.Component{Purl: "pkg:" + p.purl + "@" + st.version, Name: p.name, Version: st.version}})
			}
		}
	default:
		state(span{}, exposure.Observation{})
	}
	return all
}

func encode(o *exposure.Observation) []byte {
	b, err := json.Marshal(o)
	if err != nil {
		// Not reached: the tables hold nothing that JSON does not know.
		panic(fmt.Sprintf("demo: %v", err))
	}
	return append(b, '\n')
}

// port is an open port and what answers there.
type port struct {
	number    int
	protocol  string
	service   string
	component exposure.Component
}

// ports are the open ports of a machine, by number.
func (w *world) ports(a *asset) (all []port) {
	for _, p := range w.has(a) {
		if p.port != 0 {
			all = append(all, port{p.port, "tcp", service(p.port), exposure.Component{Name: p.name}})
		}
	}
	for _, p := range extraPorts(a.ports) {
		if !slices.ContainsFunc(all, func(q port) bool { return q.number == p.number }) {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(x, y port) int { return cmp.Compare(x.number, y.number) })
	return all
}
