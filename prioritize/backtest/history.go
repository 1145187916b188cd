// Package backtest replays days of the past: it orders the CVEs by what was
// known on a day, and looks at which of them came to be known as exploited in
// the days after it, beside the orders that people use otherwise.
package backtest

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// History is what is known of CVEs, each fact with its day. Days are counted
// from 1970-01-01.
type History struct {
	// Facts are the days of all but scores: listed in KEV, exploits seen first,
	// published.
	Facts map[string]exposure.Threat
	// Base are CVSS base scores, by CVE.
	Base map[string]float64
	// Scores are those of EPSS, in order of their days.
	Scores []Scores
	// Until is the last day of which it is known what was listed in KEV.
	Until int
	// Missing says which kinds of evidence are not there, for people.
	Missing []string
}

// Scores are what EPSS said on a day.
type Scores struct {
	Day   int
	Model string
	Of    map[string]Score
	Whole bool // of all CVEs, rather than of a sample
}

// Score is a probability of exploitation within 30 days and its rank, 0 … 1.
type Score struct{ EPSS, Percentile float64 }

// on returns the scores of all CVEs that were the newest on a day, nil if
// there are none.
func (h *History) on(day int) *Scores {
	for i := len(h.Scores) - 1; i >= 0; i-- {
		if s := &h.Scores[i]; s.Whole && s.Day <= day {
			return s
		}
	}
	return nil
}

// ids are the CVEs of scores, in order.
func (s *Scores) ids() []string { return slices.Sorted(maps.Keys(s.Of)) }

// known is the advisory of a CVE as it was known on the day of scores.
func (h *History) known(cve string, s *Scores, published int) *exposure.Advisory {
	t, score := h.Facts[cve], s.Of[cve]
	for _, d := range []*int{&t.KEVDay, &t.MetasploitDay, &t.NucleiDay, &t.ArchiveDay, &t.PoCDay, &t.ObservedDay} {
		if *d > s.Day {
			*d = 0
		}
	}
	t.EPSS, t.Percentile, t.EPSSModel = score.EPSS, score.Percentile, s.Model
	t.PublishedDay = published
	return &exposure.Advisory{Key: cve, CVEs: []string{cve}, Threat: t}
}

// neighbours is how many CVEs of near numbers on each side tell when one was
// published.
const neighbours = 10

// published says when each CVE with a score was published, as far as was known
// on the day of the scores. Where nobody says, the CVEs of near numbers do:
// numbers are given out in order, more or less. Whoever was scored before was
// published by then, and whoever was not came after.
func (h *History) published(s *Scores) map[string]int {
	type numbered struct{ number, day int }
	byYear := map[string][]numbered{}
	stated := map[string]int{}
	for cve, t := range h.Facts {
		first := 0
		for _, d := range []int{t.PublishedDay, t.PoCDay, t.KEVDay} {
			// The first day of a list of first sightings means "by then".
			if d > 0 && d <= s.Day && (first == 0 || d < first) {
				first = d
			}
		}
		year, number, ok := split(cve)
		if !ok || first == 0 {
			continue
		}
		stated[cve] = first
		byYear[year] = append(byYear[year], numbered{number, first})
	}
	for _, all := range byYear {
		slices.SortFunc(all, func(a, b numbered) int { return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.day, b.day)) })
	}
	earlier := h.before(s)
	out := make(map[string]int, len(s.Of))
	for cve := range s.Of {
		year, number, _ := split(cve)
		all := byYear[year]
		at, _ := slices.BinarySearchFunc(all, number, func(n numbered, to int) int { return cmp.Compare(n.number, to) })
		near := all[max(0, at-neighbours):min(len(all), at+neighbours)]
		day := s.Day
		if len(near) > 0 {
			days := make([]int, len(near))
			for i, n := range near {
				days[i] = n.day
			}
			slices.Sort(days)
			day = days[len(days)/2]
		}
		if first, ok := stated[cve]; ok {
			day = first
		}
		// What EPSS scored, and when, bounds it: it scores a CVE within days.
		for _, e := range earlier {
			if _, scored := e.Of[cve]; scored {
				day = min(day, e.Day)
			} else {
				day = max(day, e.Day-7)
			}
		}
		out[cve] = day
	}
	return out
}

// before are the scores of all CVEs on earlier days.
func (h *History) before(s *Scores) (out []*Scores) {
	for i := range h.Scores {
		if e := &h.Scores[i]; e.Whole && e.Day < s.Day {
			out = append(out, e)
		}
	}
	return out
}

// split parts a CVE id into its year and number.
func split(cve string) (year string, number int, ok bool) {
	if len(cve) < len("CVE-1999-0001") || !strings.HasPrefix(cve, "CVE-") {
		return "", 0, false
	}
	number, err := strconv.Atoi(cve[9:])
	return cve[4:8], number, err == nil
}
