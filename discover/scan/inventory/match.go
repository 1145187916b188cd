package inventory

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/intel/match"
)

// match states the weaknesses of the packages that were found.
func (l *look) match(ctx context.Context) {
	if l.stopped || ctx.Err() != nil {
		return
	}
	if l.engine.advisories == nil {
		l.complete = false
		return
	}
	at := map[string][]int{} // the packages of each package URL
	var purls []string
	for i := range l.packages {
		c := &l.packages[i].component
		if c.Purl == "" || c.Version == own {
			continue
		}
		if at[c.Purl] == nil {
			purls = append(purls, c.Purl)
		}
		at[c.Purl] = append(at[c.Purl], i)
	}
	known, err := l.engine.advisories.Match(ctx, l.versioned(purls, at))
	if err != nil {
		l.end(err)
		return
	}
	for i := range known.Concerns {
		c := &known.Concerns[i]
		for _, j := range at[c.Purl] {
			if ctx.Err() != nil {
				return
			}
			l.state(l.weakness(ctx, c, &l.packages[j]))
		}
	}
	l.unmatched(known.Unmatched)
}

// versioned are the package URLs with a version. What has none is told, not
// looked up: every advisory about the package would be said to be about it.
func (l *look) versioned(purls []string, at map[string][]int) []string {
	var without int
	var first *exposure.Component
	kept := slices.DeleteFunc(purls, func(purl string) bool {
		c := &l.packages[at[purl][0]].component
		if c.Version != "" {
			return false
		}
		if _, err := match.FromPurl(purl); err != nil {
			return true // there are no advisories for what it is
		}
		if without++; first == nil {
			first = c
		}
		return true
	})
	if without > 0 {
		l.lost("%d packages were not looked up because no version is stated, such as %s in %s: pin versions or add a lock file", without, first.Name, first.Path)
	}
	return kept
}

// unmatched tells of which packages nothing is known, and why. Those of kinds
// that nobody writes advisories for are in the inventory, and no more can be
// said of them.
func (l *look) unmatched(all []Unmatched) {
	counts := map[string]int{}
	var reasons []string
	for _, u := range all {
		p, err := match.FromPurl(u.Purl)
		reason := ""
		switch exposure.KindOf(err) {
		case exposure.Unsupported:
			continue
		case exposure.Invalid:
			reason = err.Error()
		default:
			reason = fmt.Sprintf("no advisories of %s are kept: run `leeward feeds update osv`", p.Ecosystem)
		}
		if counts[reason]++; counts[reason] == 1 {
			reasons = append(reasons, reason)
		}
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		l.lost("%d packages were not looked up: %s", counts[reason], reason)
	}
}

// weakness is an advisory about a package at a place.
func (l *look) weakness(ctx context.Context, c *Concern, p *found) exposure.Observation {
	o := exposure.Observation{
		Class: class, Advisories: append([]string{c.ID}, c.Names...), Aliased: true, Title: title(c, p),
		Component: p.component, Location: exposure.Location{File: p.component.Path, Line: p.line},
		Detection: exposure.DetectionStatic, Confidence: confidences[p.from],
	}
	o.Component.Fixed = strings.Join(c.Fixed, ", ")
	if c.Vector != "" {
		o.CVSS, o.Severity = []string{c.Vector}, rated(c.Vector)
	}
	if len(c.Fixed) > 0 {
		o.Solution = "Update " + p.component.Name + " to " + strings.Join(c.Fixed, " or ") + " or later."
	}
	if p.from == installed || p.from == database {
		o.Detection = exposure.DetectionAuthenticated
	}
	if c.Malicious {
		o.Severity, o.Solution = exposure.SeverityCritical, "Remove the package, and treat what it could reach as taken."
	}
	if p.lowest {
		o.Confidence = min(o.Confidence, 50)
		o.Evidence = append(o.Evidence, note("This is the lowest version that is allowed; another may be installed."))
	}
	if p.from == locked && path.Base(p.component.Path) == "go.mod" && p.component.Name != "stdlib" {
		evidence, used := l.use(ctx, p)
		if evidence != "" {
			o.Evidence = append(o.Evidence, note(evidence))
		}
		if !used {
			o.Confidence = min(o.Confidence, 40)
		}
	}
	if c.Unknown {
		o.Confidence = min(o.Confidence, 30)
		o.Evidence = append(o.Evidence, note("Whether this version is affected cannot be told from the advisory."))
	}
	return o
}

// confidences are on the scale of OpenVAS, see
// https://docs.greenbone.net/GSM-Manual/gos-22.04/en/reports.html: 97 is a
// package database read with credentials, 80 what is declared.
var confidences = [...]int{locked: 80, installed: 95, database: 97, billed: 70}

func note(text string) exposure.Evidence { return exposure.Evidence{Kind: "note", Text: text} }

const maxTitle = 200

func title(c *Concern, p *found) string {
	t := c.Title
	switch {
	case t != "":
	case c.Malicious:
		t = "Malicious package " + p.component.Name + " (" + c.ID + ")"
	default:
		t = c.ID + " in " + p.component.Name
	}
	if len(t) > maxTitle {
		t = strings.ToValidUTF8(t[:maxTitle-3], "") + "…"
	}
	return t
}
