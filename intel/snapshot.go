package intel

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Snapshot is the merged knowledge of all feeds at one moment. It is immutable
// and safe for concurrent use. Nearly all weaknesses have an EPSS score and
// nothing else, so scores are kept in columns of 12 bytes a weakness, and the
// rest in a map. The zero Snapshot knows nothing.
type Snapshot struct {
	model  string   // of the scores
	cves   []uint32 // sorted, see pack
	scores []uint32 // in units of 1e-9: exact for what is published
	ranks  []uint32 // percentiles, likewise

	facts   map[string]exposure.Threat
	aliases map[string]string // id → canonical id, only where they differ
}

// pack makes a CVE id a number: the year since 1990 and the counter. ok is
// false for other ids and for counters beyond 33 million.
func pack(id string) (n uint32, ok bool) {
	if len(id) < 13 || id[:4] != "CVE-" || id[8] != '-' {
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

// exact is a probability in units of 1e-9.
func exact(p float64) uint32 { return uint32(math.Round(min(max(p, 0), 1) * 1e9)) }

// builder collects facts of several feeds.
type builder struct {
	model  string
	scored []scored
	facts  map[string]exposure.Threat
	links  map[string][]string // id → ids that are said to be the same weakness
}

type scored struct{ cve, score, rank uint32 }

func newBuilder() *builder {
	return &builder{facts: map[string]exposure.Threat{}, links: map[string][]string{}}
}

func (b *builder) add(f Fact) error {
	rest := f.Threat
	if n, ok := pack(f.ID); ok && rest.EPSSModel != "" && (b.model == "" || b.model == rest.EPSSModel) {
		b.model = rest.EPSSModel
		b.scored = append(b.scored, scored{n, exact(rest.EPSS), exact(rest.Percentile)})
		rest.EPSS, rest.Percentile, rest.EPSSModel = 0, 0, ""
	}
	if rest != (exposure.Threat{}) {
		merged := b.facts[f.ID]
		Merge(&merged, &rest)
		merged.Withdrawn = rest.Withdrawn || b.facts[f.ID].Withdrawn
		b.facts[f.ID] = merged
	}
	for _, alias := range f.Aliases {
		if alias != f.ID && alias != "" {
			b.links[f.ID] = append(b.links[f.ID], alias)
			b.links[alias] = append(b.links[alias], f.ID)
		}
	}
	return nil
}

func (b *builder) snapshot() *Snapshot {
	slices.SortFunc(b.scored, func(x, y scored) int { return cmp.Or(cmp.Compare(x.cve, y.cve), cmp.Compare(x.score, y.score)) })
	s := &Snapshot{model: b.model, facts: b.facts, aliases: map[string]string{}}
	for i, sc := range b.scored {
		if i+1 < len(b.scored) && b.scored[i+1].cve == sc.cve {
			continue // listed twice: the higher counts
		}
		s.cves, s.scores, s.ranks = append(s.cves, sc.cve), append(s.scores, sc.score), append(s.ranks, sc.rank)
	}
	for id := range b.links {
		if to := b.canonical(id); to != id {
			s.aliases[id] = to
		}
	}
	return s
}

// canonical is the one name of a weakness: its CVE id when there is exactly
// one, directly or by way of another name; a CVE id is its own. A name that
// covers several CVEs stays itself, because merging them would lose findings.
// Without a CVE the only GHSA id is the name.
func (b *builder) canonical(id string) string {
	if strings.HasPrefix(id, "CVE-") {
		return id
	}
	near := map[string]bool{id: true}
	for _, other := range b.links[id] {
		near[other] = true
		if !strings.HasPrefix(other, "CVE-") {
			for _, further := range b.links[other] {
				near[further] = true
			}
		}
	}
	for _, kind := range []string{"CVE-", "GHSA-"} {
		only, several := "", false
		for name := range near {
			if strings.HasPrefix(name, kind) {
				several = several || only != ""
				only = name
			}
		}
		switch {
		case several:
			return id
		case only != "":
			return only
		}
	}
	return id
}

// Canonical resolves an alias: GHSA-jfh8-c2jp-5v3q to CVE-2021-44228. An id
// that no feed speaks of is its own.
func (s *Snapshot) Canonical(id string) string {
	if to, ok := s.aliases[id]; ok {
		return to
	}
	return id
}

// Threat returns the worst of what is known about several ids.
func (s *Snapshot) Threat(ids []string) exposure.Threat {
	var t exposure.Threat
	for i, id := range ids {
		s.threat(id, &t)
		if to := s.Canonical(id); to != id && !slices.Contains(ids[:i], to) {
			s.threat(to, &t)
		}
	}
	if len(ids) == 1 {
		t.Withdrawn = s.facts[ids[0]].Withdrawn
	}
	return t
}

func (s *Snapshot) threat(id string, t *exposure.Threat) {
	if n, ok := pack(id); ok {
		if i, found := slices.BinarySearch(s.cves, n); found {
			Merge(t, &exposure.Threat{EPSS: float64(s.scores[i]) / 1e9, Percentile: float64(s.ranks[i]) / 1e9, EPSSModel: s.model})
		}
	}
	if f, ok := s.facts[id]; ok {
		Merge(t, &f)
	}
}

// Scores is the number of weaknesses with a score.
func (s *Snapshot) Scores() int { return len(s.cves) }

// Merge adds what u knows to t, the worse of the two where both speak: the
// higher score, the earliest day of an exploit, the latest of an observation.
// Withdrawn is not merged: one name may be withdrawn and another not.
func Merge(t, u *exposure.Threat) {
	if u.EPSSModel != "" && (t.EPSSModel == "" || u.EPSS > t.EPSS) {
		t.EPSS, t.Percentile, t.EPSSModel = u.EPSS, u.Percentile, u.EPSSModel
	}
	for _, day := range [][2]*int{
		{&t.KEVDay, &u.KEVDay}, {&t.KEVDueDay, &u.KEVDueDay}, {&t.MetasploitDay, &u.MetasploitDay}, {&t.NucleiDay, &u.NucleiDay},
		{&t.ArchiveDay, &u.ArchiveDay}, {&t.PoCDay, &u.PoCDay}, {&t.PublishedDay, &u.PublishedDay},
	} {
		if *day[0] == 0 || *day[1] != 0 && *day[1] < *day[0] {
			*day[0] = *day[1]
		}
	}
	t.ObservedDay = max(t.ObservedDay, u.ObservedDay)
	t.Sightings = max(t.Sightings, u.Sightings)
	t.Ransomware = t.Ransomware || u.Ransomware
	t.Automatable = worse(t.Automatable, u.Automatable, "yes")
	t.Impact = worse(t.Impact, u.Impact, "total")
}

func worse(a, b, worst string) string {
	if a == "" || b == worst {
		return b
	}
	return a
}
