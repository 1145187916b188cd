package mobilize

import (
	"cmp"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// Bounds on work that a hostile report could make grow. A component with more
// fixed versions than maxStated keeps the first; where more than maxTried pairs
// of versions and needs would have to be tried, the largest version is taken,
// which clears all too; an upgrade is compared with maxLines of the lines above.
const (
	maxStated = 64
	maxTried  = 100_000
	maxLines  = 8
)

// What stands for the major version in a line that has none.
const (
	lineNone    = "none"    // nobody states a fix
	lineUnknown = "unknown" // nobody can tell which of the stated versions is above the installed one
)

// need is what the findings at places with the same component need.
type need struct {
	subject, line uint32 // numbers of texts
	release       string // of the distribution
	from          string // major version that is installed; "" unknown
	terms         int32
}

// terms are what an upgrade has to meet. Many versions of a package, on many
// releases, have the same.
type terms struct {
	scheme scheme
	major  string   // the line
	fixed  []string // stated, the smallest first unless their order is not known
	least  string   // the smallest of them above the installed one; "" when there is none
}

// needOf reads what is stated of a component.
func (g *grouping) needOf(c *exposure.Component) need {
	s := softwareOf(c)
	t := termsOf(s.scheme, s.installed, statedVersions(c.Fixed))
	name := short(cmp.Or(s.name, s.identity), maxName)
	n := need{subject: g.subject(s.identity, name, exposure.TypeVulnerability), release: s.release, from: s.scheme.major(s.installed)}
	line := t.major
	if n.release != "" {
		line = n.release + "/" + line
	}
	n.line = g.number(line)
	key := strings.Join(append(t.fixed, string(rune('0'+t.scheme)), t.major, t.least), "\x00")
	i, ok := g.termed[key]
	if !ok {
		i = int32(len(g.terms))
		g.termed[key] = i
		g.terms = append(g.terms, t)
	}
	n.terms = i
	return n
}

func termsOf(s scheme, installed string, fixed []string) terms {
	t := terms{scheme: s, fixed: fixed}
	switch {
	case len(fixed) == 0:
		t.major = lineNone
		return t
	case !s.sort(fixed):
	case installed == "":
		t.least = fixed[len(fixed)-1] // this one clears all that can be installed
	default:
		for _, v := range fixed {
			order, known := s.compare(v, installed)
			if !known {
				break
			}
			if order > 0 {
				t.least = v
				break
			}
		}
	}
	if t.major = s.major(t.least); t.major == "" {
		t.least, t.major = "", lineUnknown
	}
	return t
}

// statedVersions takes the versions out of a list such as "5.3.29, 6.0.11" or
// "~> 6.1.7, >= 6.1.7.1, >= 7.0.4", in which the second narrows the first.
func statedVersions(list string) []string {
	var all []string
	within := "" // of the ~> before
	for part := range strings.SplitSeq(list, ",") {
		part = strings.Trim(part, " \t\r\n()[]\"'")
		operator := part[:span(part, func(c byte) bool { return strings.IndexByte("<>=~^!", c) >= 0 })]
		version := strings.TrimSpace(part[len(operator):])
		narrows := within != "" && strings.HasPrefix(version, within)
		within = ""
		switch {
		case version == "" || !strings.ContainsAny(version, "0123456789") || strings.ContainsAny(operator, "<!"):
			continue
		case narrows:
			all = all[:len(all)-1]
		}
		if len(all) == maxStated || slices.Contains(all, version) {
			continue
		}
		all = append(all, version)
		if operator == "~>" {
			within = version[:strings.LastIndexByte(version, '.')+1]
		}
	}
	return all
}

// sort sorts versions and reports whether their order is known. Of equal ones
// the shortest stays first.
func (s scheme) sort(versions []string) bool {
	all := true
	slices.SortFunc(versions, func(a, b string) int {
		order, known := s.compare(a, b)
		all = all && known
		return cmp.Or(order, cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	if len(versions) == 1 {
		_, all = s.compare(versions[0], versions[0])
	}
	return all
}

// clears reports whether version v, of the same software, meets the terms.
// Fixed versions are of branches: 2.13.1 does not have what came with 2.12.6.1
// and 2.13.2.1, because it is nearer to the second than to the first.
func (t *terms) clears(v string) bool {
	if order, known := t.scheme.compare(v, t.least); !known || order < 0 {
		return false
	}
	above := slices.IndexFunc(t.fixed, func(f string) bool {
		order, _ := t.scheme.compare(f, v)
		return order > 0
	})
	switch {
	case above < 0:
		return true
	case above == 0:
		return false
	}
	below := t.fixed[above-1]
	if order, _ := t.scheme.compare(below, v); order == 0 {
		return true
	}
	return shared(v, below) > shared(v, t.fixed[above])
}

// smallest returns the smallest stated version of a major line that meets all
// terms, "" when there is none or the order of versions is not known.
func (g *grouping) smallest(all []int32, major string) string {
	// No version below the greatest of what each needs will do, and that one
	// nearly always does.
	first := &g.terms[all[0]]
	least, branches := first.least, len(first.fixed) > 1
	for _, i := range all[1:] {
		t := &g.terms[i]
		branches = branches || len(t.fixed) > 1
		order, known := first.scheme.compare(t.least, least)
		if !known {
			return ""
		}
		if order > 0 || order == 0 && (len(t.least) < len(least) || len(t.least) == len(least) && t.least < least) {
			least = t.least
		}
	}
	meets := func(v string) bool {
		return !slices.ContainsFunc(all, func(i int32) bool { return !g.terms[i].clears(v) })
	}
	if first.scheme.major(least) == major && (!branches || meets(least)) {
		return least
	}
	var candidates []string
	tried := map[string]bool{}
	for _, i := range all {
		for _, v := range g.terms[i].fixed {
			if !tried[v] && first.scheme.major(v) == major {
				tried[v] = true
				candidates = append(candidates, v)
			}
		}
	}
	if !first.scheme.sort(candidates) {
		return ""
	}
	if len(candidates)*len(all) > maxTried {
		candidates = candidates[len(candidates)-1:]
	}
	if i := slices.IndexFunc(candidates, meets); i >= 0 {
		return candidates[i]
	}
	return ""
}
