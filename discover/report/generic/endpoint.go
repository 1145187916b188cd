package generic

import (
	"github.com/leeward-ctem/leeward/discover/term"
	"strings"
)

// maxEndpoints bounds the endpoints of a finding.
const maxEndpoints = 100_000

// addEndpoints reads a text with endpoints: one, one a line, or with commas or
// spaces between. Of a text with several words only those count that can be
// nothing else.
func (r *record) addEndpoints(s string) {
	if s == "" {
		return
	}
	if !strings.ContainsFunc(s, term.Between) {
		r.addEndpoint(term.ParseEndpoint(s))
		return
	}
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimSpace(line)
		if !strings.ContainsAny(line, " \t,;|") {
			r.addEndpoint(term.ParseEndpoint(line))
			continue
		}
		parts := splitEndpoints(line)
		hosts := !strings.ContainsFunc(line, func(c rune) bool { return c == '/' })
		for _, p := range parts {
			hosts = hosts && !strings.ContainsAny(p, " \t")
		}
		for _, p := range parts {
			for word := range strings.FieldsSeq(p) {
				if e := term.ParseEndpoint(word); hosts || e.Scheme != "" || e.Port != 0 || strings.IndexByte(e.Host, '.') > 0 {
					r.addEndpoint(e)
				}
			}
		}
	}
}

// splitEndpoints parts a line at its commas, semicolons and bars, but not at
// those within a URL: there only where another URL or a space follows.
func splitEndpoints(s string) (parts []string) {
	add := func(p string) {
		if p = strings.Trim(p, ",;| \t"); p != "" {
			parts = append(parts, p)
		}
	}
	for start, i := 0, 0; ; i++ {
		if i == len(s) {
			add(s[start:])
			return parts
		}
		if c := s[i]; c != ',' && c != ';' && c != '|' {
			continue
		}
		next := s[i+1:]
		if end := strings.IndexAny(next, ",;| \t"); end >= 0 {
			next = next[:end]
		}
		if next == "" || strings.Contains(next, "://") || strings.IndexByte(s[start:i], '/') < 0 {
			add(s[start:i])
			start = i + 1
		}
	}
}

func (r *record) addEndpoint(e term.Endpoint) {
	if e.Host != "" && !term.IsHost(e.Host) || e.Host == "" && e.Path == "" {
		return
	}
	if len(r.endpoints) < maxEndpoints {
		r.endpoints = append(r.endpoints, e)
	} else {
		r.overflow = true
	}
}
