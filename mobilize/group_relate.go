package mobilize

import (
	"fmt"
	"slices"
	"strings"
)

// plan is what is known of an upgrade.
type plan struct {
	terms  []int32 // distinct
	major  string  // the line; "" for what is no upgrade of a component
	target string
	also   string
	jumps  bool // from another major version, for some
}

// relate finds what to upgrade to, and what a higher line would clear too.
func (g *grouping) relate() {
	type software struct {
		subject, owner uint32
		release        string
	}
	lines := map[software][]*group{}
	marks := make([]int, len(g.terms)) // the last group that they were seen in, from 1
	for i := range g.groups {
		r := &g.groups[i]
		if r.kind != upgrade || r.members[0].need < 0 {
			continue
		}
		for _, m := range r.members {
			n := &g.needs[m.need]
			if marks[n.terms] != i+1 {
				marks[n.terms] = i + 1
				r.terms = append(r.terms, n.terms)
			}
			r.jumps = r.jumps || n.from != "" && n.from != g.terms[n.terms].major
		}
		r.major = g.terms[r.terms[0]].major
		switch r.major {
		case lineNone, lineUnknown:
			r.jumps = false
		default:
			r.target = g.smallest(r.terms, r.major)
			key := software{r.subject, r.owner, g.needs[r.members[0].need].release}
			lines[key] = append(lines[key], r)
		}
		if r.target == "" && r.major != lineNone {
			r.also = g.said(r.terms)
		}
	}
	for _, l := range lines {
		slices.SortFunc(l, func(a, b *group) int { return compareMajors(a.major, b.major) })
		for i, r := range l {
			if r.target != "" {
				g.higher(r, l[i+1:min(len(l), i+1+maxLines)])
			}
		}
	}
}

// higher looks for the line above that clears most of what r leaves: findings
// on assets of r that come from the same line and have no fix in it.
func (g *grouping) higher(r *group, above []*group) {
	most := 0
	for _, h := range above {
		count := 0
		all := slices.Clone(r.terms)
		own := r.members
		for _, m := range h.members {
			for len(own) > 0 && own[0].asset < m.asset {
				own = own[1:]
			}
			n := &g.needs[m.need]
			if len(own) == 0 || own[0].asset != m.asset || n.from != r.major {
				continue
			}
			count++
			if !slices.Contains(all[max(len(r.terms), len(all)-maxStated):], n.terms) {
				all = append(all, n.terms)
			}
		}
		if count <= most {
			continue
		}
		if v := g.smallest(all, h.major); v != "" {
			most = count
			r.also = fmt.Sprintf("%s also clears %d more", shown(v), count)
		}
	}
}

// said lists what scanners name where no version can be chosen, at most three.
func (g *grouping) said(all []int32) string {
	var versions []string
	for _, i := range all[:min(len(all), maxStated)] {
		for _, v := range g.terms[i].fixed {
			versions = append(versions, shown(v))
		}
	}
	slices.Sort(versions)
	versions = slices.Compact(versions)
	more := ""
	if len(versions) > 3 {
		versions, more = versions[:3], " and others"
	}
	return "scanners name " + strings.Join(versions, ", ") + more
}
