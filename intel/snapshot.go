package intel

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Snapshot is the merged knowledge of all feeds at one moment. It is immutable
// and safe for concurrent use. Nearly all weaknesses have an EPSS score, and
// what describes a CVE, and nothing else. So scores take 12 bytes a weakness,
// and descriptions and aliases 12 bytes beside the name; the rest is in maps.
// The zero Snapshot knows nothing.
type Snapshot struct {
	model  string   // of the scores
	scored []scored // by CVE id

	names   *names
	briefs  []brief  // by name
	vectors []string // by the number that stands in briefs
	alias   []uint32 // by name: the canonical name's number
	facts   map[uint32]exposure.Threat
	covers  map[uint32][]uint32 // the CVE ids of a name that covers several

	landscape *Landscape
}

// scored is the score of a CVE id, in units that are exact for all published.
type scored struct{ cve, score, rank uint32 }

// pack makes a CVE id a number: the year since 1990 and the counter. ok is
// false for other ids and for counters beyond 33 million.
func pack(id string) (n uint32, ok bool) {
	if !ValidCVE(id) {
		return 0, false
	}
	year, err := strconv.ParseUint(id[4:8], 10, 16)
	if err != nil || year < 1990 || year > 1990+127 {
		return 0, false
	}
	counter := id[9:]
	if len(counter) > 4 && counter[0] == '0' {
		return 0, false // two spellings would be one number
	}
	number, err := strconv.ParseUint(counter, 10, 32)
	if err != nil || number >= 1<<25 {
		return 0, false
	}
	return uint32(year-1990)<<25 | uint32(number), true
}

// unpack is the id of a packed number.
func unpack(n uint32) string { return fmt.Sprintf("CVE-%d-%04d", 1990+n>>25, n&(1<<25-1)) }

// exact is a probability in units of 1e-9.
func exact(p float64) uint32 { return uint32(math.Round(min(max(p, 0), 1) * scoreUnits)) }

func probability(n uint32) float64 { return float64(n) / scoreUnits }

// Canonical resolves an alias: GHSA-jfh8-c2jp-5v3q to CVE-2021-44228. An id
// that no feed speaks of is its own, and so is one that covers several CVE
// ids, because giving it one of their names would merge findings that differ.
// It is idempotent.
func (s *Snapshot) Canonical(id string) string {
	if strings.HasPrefix(id, "CVE-") {
		return id
	}
	if n, ok := s.names.find(id); ok && s.alias[n] != n {
		return s.names.at(s.alias[n])
	}
	return id
}

// Threat returns the worst of what is known about several ids, under all their
// names; an id that covers several CVE ids is as bad as the worst of them. It
// counts as withdrawn only when each of the ids is, and nobody saw it used.
func (s *Snapshot) Threat(ids []string) exposure.Threat {
	var t exposure.Threat
	withdrawn := len(ids) > 0
	for _, id := range ids {
		s.score(id, &t)
		n, ok := s.names.find(id)
		if !ok {
			withdrawn = false
			continue
		}
		withdrawn = withdrawn && s.briefs[n].withdrawn()
		s.fact(n, &t)
		to := s.alias[n]
		if to != n {
			s.score(s.names.at(to), &t)
			s.fact(to, &t)
		}
		for _, to := range s.covers[to] {
			s.score(s.names.at(to), &t)
			s.fact(to, &t)
		}
	}
	t.Withdrawn = withdrawn && t.KEVDay == 0 && t.ObservedDay == 0
	return t
}

// score merges the score of a CVE id.
func (s *Snapshot) score(id string, t *exposure.Threat) {
	n, ok := pack(id)
	if !ok {
		return
	}
	i, found := slices.BinarySearchFunc(s.scored, n, func(sc scored, n uint32) int { return int(int64(sc.cve) - int64(n)) })
	if found {
		Merge(t, &exposure.Threat{EPSS: probability(s.scored[i].score), Percentile: probability(s.scored[i].rank), EPSSModel: s.model})
	}
}

// fact merges what is known of a name besides its score.
func (s *Snapshot) fact(n uint32, t *exposure.Threat) {
	s.briefs[n].to(t, s.vectors)
	if f, ok := s.facts[n]; ok {
		Merge(t, &f)
	}
}

// Scores is the number of weaknesses with a score.
func (s *Snapshot) Scores() int { return len(s.scored) }
