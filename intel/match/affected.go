package match

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Affected is what an advisory says of one package.
type Affected struct {
	Ecosystem string   `json:"ecosystem"` // as OSV spells it, with its suffix: Go, Debian:12
	Name      string   `json:"name"`
	Ranges    []Range  `json:"ranges,omitempty"`
	Versions  []string `json:"versions,omitempty"` // affected ones that no range holds
	// Partial: there is more than could be kept, such as ranges of commits. A
	// version that is not found may be affected all the same.
	Partial bool `json:"partial,omitempty"`
}

// Range is a range of versions by what happened at some of them.
type Range struct {
	Semver bool    `json:"semver,omitempty"` // ordered by https://semver.org, else as the ecosystem does
	Events []Event `json:"events"`
}

// Event is what happened at a version.
type Event struct {
	Kind    Kind   `json:"kind"`
	Version string `json:"version"`
}

// Kind is the kind of an event, see
// https://ossf.github.io/osv-schema/#affectedrangesevents-fields
type Kind string

// The kinds of event.
const (
	Introduced   Kind = "introduced" // "0" is before all versions
	Fixed        Kind = "fixed"
	LastAffected Kind = "last_affected"
	Limit        Kind = "limit" // of the range; "*" is none
)

// Bounds of what is said of one package. In the OSV databases of 2026 the
// longest names of packages have some 200 bytes, and no range of versions has
// more than some hundred events.
const (
	MaxEcosystem = 100
	MaxName      = 400
	MaxVersion   = 128
	MaxRanges    = 256
	MaxEvents    = 1024 // of one range
	MaxVersions  = 4096
	MaxText      = 128 << 10 // of all versions
)

// Check says what is wrong, nil when nothing is.
func (a *Affected) Check() error {
	switch {
	case !line(a.Ecosystem, MaxEcosystem):
		return fmt.Errorf("ecosystem %q", cut(a.Ecosystem))
	case !line(a.Name, MaxName):
		return fmt.Errorf("package %q", cut(a.Name))
	case len(a.Ranges) > MaxRanges || len(a.Versions) > MaxVersions:
		return fmt.Errorf("%d ranges and %d versions of %s", len(a.Ranges), len(a.Versions), cut(a.Name))
	case !a.Partial && len(a.Ranges) == 0 && len(a.Versions) == 0:
		return fmt.Errorf("no version of %s", cut(a.Name))
	}
	size := 0
	for _, r := range a.Ranges {
		if len(r.Events) == 0 || len(r.Events) > MaxEvents {
			return fmt.Errorf("%d events of %s", len(r.Events), cut(a.Name))
		}
		for _, e := range r.Events {
			if !ValidVersion(e.Version) || kindNumber(e.Kind) < 0 {
				return fmt.Errorf("event %q at %q of %s", cut(string(e.Kind)), cut(e.Version), cut(a.Name))
			}
			size += len(e.Version)
		}
	}
	for _, v := range a.Versions {
		if !ValidVersion(v) {
			return fmt.Errorf("version %q of %s", cut(v), cut(a.Name))
		}
		size += len(v)
	}
	if size > MaxText {
		return fmt.Errorf("versions of %s of %d bytes", cut(a.Name), size)
	}
	return nil
}

// Work is how many versions may be compared for one advisory.
const Work = 1_000_000

// Condense leaves out what the ranges hold anyhow, and what is more than can be
// kept, which makes it partial. Databases list every version that was published
// beside the ranges. What the comparisons took is taken from work, and when
// that is used up the rest of the versions counts as not held.
func (a *Affected) Condense(work *int) {
	size, events := 0, 0
	for i := range a.Ranges {
		events += len(a.Ranges[i].Events)
		for _, e := range a.Ranges[i].Events {
			size += len(e.Version)
		}
		if size > MaxText {
			a.Ranges, a.Partial = a.Ranges[:i], true
			break
		}
	}
	o := schemeOf(a.Ecosystem).ordering()
	kept := a.Versions[:0]
	for _, v := range a.Versions {
		if len(kept) > 0 && v == kept[len(kept)-1] {
			continue
		}
		if *work > 0 {
			if *work -= events; a.ranged(o, v) {
				continue
			}
		}
		if size += len(v); !ValidVersion(v) || len(kept) == MaxVersions || size > MaxText {
			a.Partial = true
			continue
		}
		kept = append(kept, v)
	}
	if a.Versions = kept; len(kept) == 0 {
		a.Versions = nil
	}
}

// ranged reports whether a range holds a version for sure.
func (a *Affected) ranged(o *ordering, v string) bool {
	if len(a.Ranges) == 0 {
		return false
	}
	p := o.point(v)
	ranges := Affected{Ranges: a.Ranges}
	s, _ := ranges.state(p, p.semver())
	return s == IsAffected
}

// ValidVersion reports whether a text can be kept as a version.
func ValidVersion(v string) bool { return line(v, MaxVersion) }

// line reports whether s is one line of at most n bytes without marks of
// control, and not empty.
func line(s string, n int) bool {
	if s == "" || len(s) > n || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	return true
}

func cut(s string) string { return s[:min(len(s), 80)] }

// State is whether a version is affected.
type State uint8

// The states, from the best to the worst.
const (
	NotAffected State = iota
	Unknown           // it cannot be told
	IsAffected
)

// state tells whether a version is affected, and by which version that is over.
func (a *Affected) state(p *point, semantic *point) (s State, fixed []string) {
	if a.Partial {
		s = Unknown
	}
	for i := range a.Ranges {
		r := &a.Ranges[i]
		at := p
		if r.Semver {
			at = semantic
		}
		in, fix := r.holds(at)
		s = max(s, in)
		if in == IsAffected && fix != "" && !slices.Contains(fixed, fix) {
			fixed = append(fixed, fix)
		}
	}
	if s != IsAffected && slices.ContainsFunc(a.Versions, p.is) {
		s = IsAffected
	}
	return s, fixed
}

// holds tells whether a version lies in a range, and of those that fix it which
// comes next. What happened last, at the version or before, decides; of
// several events at one version the one that is stated last.
func (r *Range) holds(p *point) (s State, next string) {
	var last *Event
	limited, below := false, false
	for i := range r.Events {
		e := &r.Events[i]
		if e.Kind == Limit {
			limited = true
			c, known := -1, true
			if e.Version != "*" {
				c, known = p.compare(e.Version)
			}
			if !known {
				return Unknown, ""
			}
			below = below || c < 0
			continue
		}
		reached := e.first()
		if !reached {
			c, known := p.compare(e.Version)
			if !known {
				return Unknown, ""
			}
			reached = c > 0 || c == 0 && e.Kind != LastAffected
		}
		switch {
		case reached && (last == nil || !p.before(e, last)):
			last = e
		case !reached && e.Kind == Fixed && (next == "" || p.before(e, &Event{Kind: Fixed, Version: next})):
			next = e.Version
		}
	}
	if limited && !below || last == nil || last.Kind != Introduced {
		return NotAffected, ""
	}
	return IsAffected, next
}

// first reports whether an event is before all versions.
func (e *Event) first() bool { return e.Kind == Introduced && e.Version == "0" }
