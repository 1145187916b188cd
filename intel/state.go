package intel

import (
	"slices"
	"time"

	"github.com/leeward-ctem/leeward/internal/safehttp"
)

// Part is one file of a feed that is kept.
type Part struct {
	Location string `json:"location"` // URL or path, without secrets
	Edition
	safehttp.Validator
	SHA256  string    `json:"sha256"`  // of the file as published
	Fetched time.Time `json:"fetched"` // when it was last found to be current
	Length  int       `json:"length"`  // of its facts in the body

	Form       int      `json:"form,omitempty"`       // the source's when the file was read
	Ecosystems []string `json:"ecosystems,omitempty"` // that its packages are of, without suffixes
}

// State is where one feed stands.
type State struct {
	Name      string    `json:"name"`
	Locations []string  `json:"locations,omitempty"` // set by the user instead of the public ones; without secrets
	Parts     []Part    `json:"parts,omitempty"`     // the last good copy
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

// Version is the publisher's, of the newest part.
func (s *State) Version() string {
	if len(s.Parts) == 0 {
		return ""
	}
	return slices.MaxFunc(s.Parts, func(a, b Part) int { return a.Date.Compare(b.Date) }).Version
}

// Stale reports whether the copy is older than its source allows.
func (s *State) Stale(src Source, now time.Time) bool {
	return len(s.Parts) == 0 || now.Sub(s.Date()) > src.Stale
}

// part returns the kept part of a location; ok is false if there is none.
func (s *State) part(location string) (i int, ok bool) {
	i = slices.IndexFunc(s.Parts, func(p Part) bool { return p.Location == location })
	return i, i >= 0
}
