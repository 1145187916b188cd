// Package inventory reads which packages are in a directory, a root file system
// or an image, and states which of them have known weaknesses. Manifests, lock
// files, package databases, binaries and bills of materials are read by the
// single extractors of https://github.com/google/osv-scalibr. It needs no
// network: advisories are those that are kept.
package inventory

import (
	"context"
	"iter"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
)

const class = "inventory"

// Advisories says what is known of packages. It is safe for concurrent use.
type Advisories interface {
	// Match looks packages up by their package URLs. Those in Unmatched could
	// not be looked up: nothing is known of them.
	Match(ctx context.Context, purls []string) (Matched, error)
}

// Matched is what is known of packages.
type Matched struct {
	Concerns  []Concern
	Unmatched []Unmatched
}

// Concern is a weakness that a package has.
type Concern struct {
	Purl    string
	ID      string   // the canonical name of the weakness
	Names   []string // its other ones
	Title   string   // may be empty
	Vector  string   // of CVSS; may be empty
	Fixed   []string // the next versions without it
	Unknown bool     // whether this version has it cannot be told
	// Malicious: the package itself is what is wrong.
	Malicious bool
}

// Unmatched is a package that could not be looked up.
type Unmatched struct{ Purl, Reason string }

// Engine is the engine "inventory".
type Engine struct {
	advisories Advisories
	readers    []reader
	limits     limits
}

// New makes the engine. Without advisories it states the packages alone, and
// covers nothing.
func New(advisories Advisories) *Engine {
	silence()
	return &Engine{advisories, readers(), defaultLimits}
}

// Describe implements scan.Engine.
func (e *Engine) Describe() scan.Description {
	return scan.Description{
		Name: class, Title: "Packages and their known weaknesses",
		Level: exposure.LevelMatch, Takes: []scan.Kind{scan.Directory, scan.Image, scan.Bill},
	}
}

// Scan implements scan.Engine.
func (e *Engine) Scan(ctx context.Context, j *scan.Job) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		l := look{engine: e, job: j, yield: yield, complete: true, required: map[string][]string{}}
		if j.Files == nil {
			l.end(exposure.Errorf(exposure.Invalid, "%s: there are no files to look at", j.Name))
			return
		}
		l.files = tree{j.Files}
		l.walk(ctx)
		if partial, ok := j.Files.(interface{ Lost() []string }); ok {
			for _, what := range partial.Lost() {
				l.lost("%s", what)
			}
		}
		l.match(ctx)
		if l.faulty > maxFaults {
			l.fault("%d more things could not be read", l.faulty-maxFaults)
		}
		if err := ctx.Err(); err != nil {
			l.end(err)
			return
		}
		if l.complete {
			l.state(exposure.Observation{Kind: exposure.ObservedCoverage, Class: class, Coverage: &exposure.Coverage{Class: class}})
		}
	}
}
