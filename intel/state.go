package intel

import (
	"slices"
	"strings"
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

// Configured reports whether there is anything to read the feed from, or a
// copy of it. What nobody publishes for all has to be given a location first.
func (s *State) Configured(src Source) bool {
	return len(src.URLs) > 0 || len(s.Locations) > 0 || len(s.Parts) > 0
}

// Stale reports whether the copy is older than its source allows. A feed that
// is not configured is not missed.
func (s *State) Stale(src Source, now time.Time) bool {
	if len(s.Parts) == 0 {
		return s.Configured(src)
	}
	return now.Sub(s.Date()) > src.Stale
}

// part returns the kept part of a location; ok is false if there is none.
func (s *State) part(location string) (i int, ok bool) {
	i = slices.IndexFunc(s.Parts, func(p Part) bool { return p.Location == location })
	return i, i >= 0
}
