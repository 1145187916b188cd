package ports

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

//go:embed top.txt
var top string

const lastPort = 65535

// Top returns the ports that are looked at when nobody says which.
func Top() ([]exposure.PortRange, error) { return parse(top) }

// parse reads a list of ports: numbers and ranges between blanks and commas,
// with comments from # to the end of a line.
func parse(list string) ([]exposure.PortRange, error) {
	var ranges []exposure.PortRange
	for line := range strings.Lines(list) {
		line, _, _ = strings.Cut(line, "#")
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' || r == '\r' }) {
			first, last, isRange := strings.Cut(word, "-")
			if !isRange {
				last = first
			}
			a, errA := strconv.Atoi(first)
			b, errB := strconv.Atoi(last)
			if errA != nil || errB != nil || a < 1 || b < a || b > lastPort {
				return nil, exposure.Errorf(exposure.Invalid, "%q are no ports: write 443 or 8000-8100, at most %d", word, lastPort)
			}
			ranges = append(ranges, exposure.PortRange{Protocol: "tcp", First: a, Last: b})
		}
	}
	return merge(ranges), nil
}

// wanted are the ports of TCP to look at, in order and each once.
func wanted(ranges []exposure.PortRange) ([]exposure.PortRange, error) {
	if len(ranges) == 0 {
		return Top()
	}
	var tcp []exposure.PortRange
	for _, r := range ranges {
		switch {
		case r.First < 1 || r.Last < r.First || r.Last > lastPort:
			return nil, exposure.Errorf(exposure.Invalid, "%d-%d are no ports: they go from 1 to %d", r.First, r.Last, lastPort)
		case r.Protocol == "" || r.Protocol == "tcp":
			tcp = append(tcp, exposure.PortRange{Protocol: "tcp", First: r.First, Last: r.Last})
		}
	}
	return merge(tcp), nil
}

// merge puts ranges in order and together where they touch.
func merge(ranges []exposure.PortRange) []exposure.PortRange {
	slices.SortFunc(ranges, func(a, b exposure.PortRange) int { return a.First - b.First })
	merged := ranges[:0]
	for _, r := range ranges {
		if n := len(merged); n > 0 && r.First <= merged[n-1].Last+1 {
			merged[n-1].Last = max(merged[n-1].Last, r.Last)
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

func count(ranges []exposure.PortRange) (n int) {
	for _, r := range ranges {
		n += r.Last - r.First + 1
	}
	return n
}
