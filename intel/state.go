package intel

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// Part is one file of a feed that is kept.
type Part struct {
	Location string `json:"location"` // URL or path, without secrets
	Edition
	Mark
	SHA256  string    `json:"sha256"`  // of the file as published
	Fetched time.Time `json:"fetched"` // when it was last found to be current
	Length  int       `json:"length"`  // of its facts in the body

	Form       int      `json:"form,omitempty"`       // the source's when the file was read
	Ecosystems []string `json:"ecosystems,omitempty"` // that its packages are of, without suffixes
}

// Mark is what a server gave with a file, to ask later whether it changed.
type Mark struct {
	safehttp.Validator
	Added string    `json:"added,omitempty"` // of a TAXII collection: when its newest object was added, as stated
	Whole time.Time `json:"whole,omitzero"`  // of a TAXII collection: when all of it was read
}

// State is where one feed stands.
type State struct {
	Name      string    `json:"name"`
	Locations []string  `json:"locations,omitempty"` // set by the user instead of the public ones; without secrets
	Parts     []Part    `json:"parts,omitempty"`     // the last good copy
	Asked     bool      `json:"asked,omitempty"`     // somebody asked for a feed that is fetched on request
	Tried     time.Time `json:"tried,omitzero"`      // the last attempt
	Error     string    `json:"error,omitempty"`     // of the last attempt; the good copy is kept
}

// Facts counts what the copy holds.
func (s *State) Facts() (n int) {
	for _, p := range s.Parts {
		n += p.Facts
	}
	return n
}

// Date is that of the oldest part: a feed is as fresh as its stalest file.
func (s *State) Date() time.Time {
	if len(s.Parts) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(s.Parts, func(a, b Part) int { return a.Date.Compare(b.Date) }).Date
}

// Fetched is when the copy was last found to be current.
func (s *State) Fetched() time.Time {
	if len(s.Parts) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(s.Parts, func(a, b Part) int { return a.Fetched.Compare(b.Fetched) }).Fetched
}

// Notice is what was left out of the files, where a feed says so.
func (s *State) Notice() string {
	var all []string
	for _, p := range s.Parts {
		if p.Notice != "" && len(all) < maxTold {
			all = append(all, p.Location+": "+p.Notice)
		}
	}
	return strings.Join(all, "; ")
}

// Version is the publisher's, of the newest part.
func (s *State) Version() string {
	if len(s.Parts) == 0 {
		return ""
	}
	return slices.MaxFunc(s.Parts, func(a, b Part) int { return a.Date.Compare(b.Date) }).Version
}

// Wanted reports whether a feed is fetched without being named: one that is
// large is from when it was first asked for, and one that nobody publishes for
// all from when it was given a location.
func (s *State) Wanted(src Source) bool {
	return s.Asked || len(s.Parts) > 0 || len(s.Locations) > 0 || len(src.URLs) > 0 && !src.OnRequest
}

// Stale reports whether the copy is older than its source allows. A feed that
// nobody wants is missed by nobody.
func (s *State) Stale(src Source, now time.Time) bool {
	return s.Wanted(src) && (len(s.Parts) == 0 || now.Sub(s.Date()) > src.Stale)
}

// part returns the kept part of a location; ok is false if there is none.
func (s *State) part(location string) (i int, ok bool) {
	i = slices.IndexFunc(s.Parts, func(p Part) bool { return p.Location == location })
	return i, i >= 0
}

// Bounds of what is kept of the words of others, for people.
const (
	maxError   = 2000
	maxVersion = 128
)

// tidy is a text of others that may be kept and printed: of at most limit bytes,
// on one line, and without what a terminal would obey.
func tidy(s string, limit int) string {
	cut := len(s) > limit
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), limit)], " "))
	if cut {
		s += "…"
	}
	return s
}
