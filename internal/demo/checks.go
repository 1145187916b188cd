package demo

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// check is what a scanner looks for that is no published weakness of a package.
type check struct {
	tool, class, rule string
	sev               exposure.Severity
	cwe               int // 0: none stated
	title, text, fix  string
	at                []spot
}

// spot is where a check fails.
type spot struct {
	asset string // its short name
	where exposure.Location
	part  exposure.Component
	proof []exposure.Evidence
	span  // when; zero: the dice decide
	state exposure.State
}

// checks is all checks of all tools.
func checks() []check {
	return slices.Concat(hardening(), defaults(), probes(), pages(), code(), secrets(), contents(), infrastructure(), cloud())
}

// The parts of the tables.
type proof = []exposure.Evidence

func output(text string) proof { return proof{{Kind: "output", Text: text}} }
func match(text string) proof  { return proof{{Kind: "match", Text: text}} }

func exchange(request, response, found string) proof {
	lines := strings.NewReplacer("\n", "\r\n")
	return proof{{Kind: "request", Text: lines.Replace(request)}, {Kind: "response", Text: lines.Replace(response)}, {Kind: "match", Text: found}}
}

func tcp(port int) exposure.Location {
	return exposure.Location{Port: port, Protocol: "tcp", Service: service(port)}
}

// on is the same finding on several assets.
func on(where exposure.Location, p proof, assets string) (all []spot) {
	for name := range strings.FieldsSeq(assets) {
		all = append(all, spot{asset: name, where: where, proof: p})
	}
	return all
}

// source is a place in a file of a repository.
func source(asset, file string, line int, snippet string) spot {
	return spot{asset: asset, where: exposure.Location{File: file, Line: line, Snippet: snippet}}
}

// failures are the checks that fail on an asset.
func (w *world) failures(s *scanner, a *asset, all []check) (found []issue) {
	name := a.short()
	for i := range all {
		c := &all[i]
		if c.tool != s.tool || !slices.Contains(s.classes, c.class) {
			continue
		}
		for j := range c.at {
			if at := &c.at[j]; at.asset == name {
				found = append(found, issue{w.when(a, c, at), a, c.tool + ":" + c.rule, c.observe(a, at)})
			}
		}
	}
	return found
}

// when tells how long a check fails.
func (w *world) when(a *asset, c *check, at *spot) span {
	if at.span != (span{}) {
		return at.span
	}
	d := cast("appear", at.asset, c.rule, at.where.File, at.where.Path)
	from := a.arrival()
	if d.percent(26) {
		from = max(from, 30+d.below(days-34)) // configuration and code change
	}
	if c.sev <= low && d.percent(60) {
		return span{from, 0} // nobody takes the time
	}
	return span{from, a.mended(c.rule+at.where.File+at.where.Path, from, c.sev == critical)}
}

func (c *check) observe(a *asset, at *spot) exposure.Observation {
	o := exposure.Observation{
		Kind: exposure.ObservedWeakness, Tool: c.tool, Asset: a.ref(), State: at.state, Class: c.class, Rule: c.rule,
		Title: c.title, Description: c.text, Solution: c.fix, Severity: c.sev,
		Location: at.where, Component: at.part, Evidence: at.proof,
	}
	if c.cwe != 0 {
		o.CWEs = []int{c.cwe}
	}
	switch c.tool {
	case "nessus", "prowler":
		o.Detection, o.Confidence = exposure.DetectionAuthenticated, 97
		if at.where.Port != 0 {
			o.Detection, o.Confidence = exposure.DetectionRemote, 95
		}
	case "nuclei", "nmap":
		o.Detection, o.Confidence = exposure.DetectionRemote, 95
		if c.class == "credential" {
			o.Detection, o.Confidence = exposure.DetectionExploit, 99 // somebody logged in
		}
	case "zap":
		o.Detection, o.Confidence = exposure.DetectionRemote, 70
		if c.sev == high {
			o.Confidence = 95
		}
	default:
		o.Detection, o.Confidence = exposure.DetectionStatic, 80
	}
	return o
}
