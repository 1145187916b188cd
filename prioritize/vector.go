package prioritize

import (
	"strings"
	"sync"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/leeward-ctem/leeward/exposure"
)

// vector is what the model takes from a CVSS vector of any version.
type vector struct {
	reach         int     // row of ContextFactor.Reach: 0 N, 1 A, 2 L, 3 P, 4 unknown
	preconditions float64 // S: what must hold for an attack to work, 0…1
	c, i, a       int     // impact: 0 none, 1 low, 2 high
	known         bool
	byFeeds       bool // stated by the feeds, not by a report
	automatable   bool // as far as the vector tells: network, no privileges, no user, low complexity
}

const unknownVector = exposure.Vectors - 1

// metric reads metrics of one parsed vector.
type metric interface{ Get(string) (string, error) }

// parsed remembers vectors: there are few, and they are read again for every
// advisory after each change of a feed.
type parsed struct {
	mu   sync.RWMutex
	byID map[string]parsedVector
}

type parsedVector struct {
	v       vector
	version int
	ok      bool
}

// maxParsed bounds the memory of what is remembered.
const maxParsed = 50_000

func (p *parsed) get(s string) (v vector, version int, ok bool) {
	p.mu.RLock()
	known, found := p.byID[s]
	p.mu.RUnlock()
	if !found {
		known.v, known.version, known.ok = parseVector(s)
		p.mu.Lock()
		if p.byID == nil || len(p.byID) >= maxParsed {
			p.byID = map[string]parsedVector{}
		}
		p.byID[s] = known
		p.mu.Unlock()
	}
	return known.v, known.version, known.ok
}

// parseMetrics reads a vector of any version, and its base score.
func parseMetrics(s string) (m metric, score float64, version int, err error) {
	switch {
	case strings.HasPrefix(s, "CVSS:4.0/"):
		v, err := gocvss40.ParseVector(s)
		if err != nil {
			return nil, 0, 0, err
		}
		return v, v.Score(), 40, nil
	case strings.HasPrefix(s, "CVSS:3.1/"):
		v, err := gocvss31.ParseVector(s)
		if err != nil {
			return nil, 0, 0, err
		}
		return v, v.BaseScore(), 31, nil
	case strings.HasPrefix(s, "CVSS:3.0/"):
		v, err := gocvss30.ParseVector(s)
		if err != nil {
			return nil, 0, 0, err
		}
		return v, v.BaseScore(), 30, nil
	}
	v, err := gocvss20.ParseVector(strings.TrimSuffix(strings.TrimPrefix(s, "("), ")"))
	if err != nil {
		return nil, 0, 0, err
	}
	return v, v.BaseScore(), 20, nil
}

// VectorSeverity is the word for the base score of a CVSS vector, by the scale of
// CVSS 3 (https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale);
// unknown for what is no vector. It is not the risk, which is the model's.
func VectorSeverity(s string) exposure.Severity {
	_, score, _, err := parseMetrics(s)
	switch {
	case err != nil:
		return exposure.SeverityUnknown
	case score >= 9:
		return exposure.SeverityCritical
	case score >= 7:
		return exposure.SeverityHigh
	case score >= 4:
		return exposure.SeverityMedium
	case score > 0:
		return exposure.SeverityLow
	}
	return exposure.SeverityInfo
}

// parseVector reads one vector string. ok is false when it is none.
func parseVector(s string) (v vector, version int, ok bool) {
	m, _, version, err := parseMetrics(s)
	if err != nil {
		return v, 0, false
	}
	get := func(names ...string) string {
		for _, n := range names {
			if x, err := m.Get(n); err == nil {
				return x
			}
		}
		return ""
	}
	v.known = true
	v.reach = map[string]int{"N": 0, "A": 1, "L": 2, "P": 3}[get("AV")]
	v.preconditions = 1
	switch get("AC") {
	case "H":
		v.preconditions *= 0.5
	case "M":
		v.preconditions *= 0.8
	}
	if get("AT") == "P" {
		v.preconditions *= 0.6
	}
	switch get("PR", "Au") {
	case "L", "S":
		v.preconditions *= 0.6
	case "H", "M":
		v.preconditions *= 0.3
	}
	switch get("UI") {
	case "R", "A":
		v.preconditions *= 0.5
	case "P":
		v.preconditions *= 0.7
	}
	level := map[string]int{"": 0, "N": 0, "L": 1, "P": 1, "H": 2, "C": 2}
	v.c, v.i, v.a = level[get("VC", "C")], level[get("VI", "I")], level[get("VA", "A")]
	if version == 40 { // what lies behind the system may be lost too
		v.c, v.i, v.a = max(v.c, level[get("SC")]), max(v.i, level[get("SI")]), max(v.a, level[get("SA")])
	}
	v.automatable = v.reach == 0 && v.preconditions == 1
	return v, version, true
}

// vectorOf picks the vector that counts: of the newest version that a report
// states, the worst, since sources disagree and the worse one may be right;
// without any, that of the feeds. The report's comes first because a scanner
// may know how its target is built.
func (m *Model) vectorOf(a *exposure.Advisory) vector {
	var best vector
	newest := 0
	for _, s := range a.CVSS {
		v, version, ok := m.vectors.get(s)
		if !ok || version < newest {
			continue
		}
		if version > newest || v.weight() > best.weight() {
			best, newest = v, version
		}
	}
	if newest > 0 {
		return best
	}
	if s := a.Threat.Vector; s != "" {
		if v, _, ok := m.vectors.get(s); ok {
			v.byFeeds = true
			return v
		}
	}
	// No vector: what the severity suggests, without a claim about reach.
	best = vector{reach: unknownVector, preconditions: 0.7}
	switch a.Severity {
	case exposure.SeverityCritical:
		best.c, best.i, best.a = 2, 2, 2
	case exposure.SeverityHigh:
		best.c, best.i, best.a = 2, 2, 1
	case exposure.SeverityMedium, exposure.SeverityUnknown:
		best.c, best.i, best.a = 1, 1, 1
	case exposure.SeverityLow:
		best.c, best.i = 1, 0
	}
	return best
}

// weight orders vectors by how bad they are in general.
func (v vector) weight() float64 {
	reach := [...]float64{1, 0.25, 0.1, 0.02, 0.5}
	return reach[v.reach] * v.preconditions * (1 + fraction[v.c] + fraction[v.i] + fraction[v.a])
}

func (v vector) impact() uint8 { return uint8(v.c*9 + v.i*3 + v.a) }

// fraction of a loss that none, low and high impact stand for.
var fraction = [...]float64{0, 0.4, 1}
