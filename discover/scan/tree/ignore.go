package tree

import (
	"fmt"
	"path"
	"strings"
)

// Bounds of an ignore file.
const (
	maxIgnore   = 64 << 10 // bytes
	maxPatterns = 1000
	maxParts    = 32
)

// pattern is a line of an ignore file.
type pattern struct {
	parts []string // between slashes; ** is any number of directories
	dir   bool     // it names directories only
	not   bool     // what an earlier one names is looked at after all
}

type patterns []pattern

func parsePatterns(text string) (all patterns, err error) {
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" || line[0] == '#' {
			continue
		}
		var p pattern
		if p.not = line[0] == '!'; p.not {
			line = line[1:]
		}
		line, p.dir = strings.CutSuffix(line, "/")
		// A slash inside ties a pattern to the root; without, it holds anywhere.
		if !strings.Contains(line, "/") {
			line = "**/" + line
		}
		p.parts = strings.Split(strings.TrimPrefix(line, "/"), "/")
		stars := 0
		for _, part := range p.parts {
			if _, err := path.Match(part, ""); err != nil || part == "" {
				return nil, fmt.Errorf("line %d is no pattern: write it as in .gitignore", n+1)
			}
			if part == "**" {
				stars++
			}
		}
		if all = append(all, p); len(all) > maxPatterns || len(p.parts) > maxParts || stars > 3 {
			return nil, fmt.Errorf("line %d: at most %d patterns of %d parts are read, with ** thrice", n+1, maxPatterns, maxParts)
		}
	}
	return all, nil
}

// match reports whether the last pattern that names a path leaves it out.
func (all patterns) match(name string, dir bool) (ignored bool) {
	parts := strings.Split(name, "/")
	for i := range all {
		if p := &all[i]; p.not == ignored && (dir || !p.dir) && matchParts(p.parts, parts) {
			ignored = !p.not
		}
	}
	return ignored
}

func matchParts(pattern, parts []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(parts) + 1 {
				if matchParts(pattern[1:], parts[i:]) {
					return len(pattern) > 1 || len(parts) > 0
				}
			}
			return false
		}
		if len(parts) == 0 {
			return false
		}
		if ok, _ := path.Match(pattern[0], parts[0]); !ok {
			return false
		}
		pattern, parts = pattern[1:], parts[1:]
	}
	return len(parts) == 0
}
