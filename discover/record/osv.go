package record

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// OSV is what a vulnerability in the schema of OSV says of a package, or of all
// its packages when the name is "". Several scanners put it into their reports.
// Its id is the rule. See https://ossf.github.io/osv-schema/
func OSV(v Value, name string) exposure.Observation {
	id := v.Text("id")
	o := exposure.Observation{
		Class: "vuln", Rule: id, Title: v.Text("summary"), Description: v.Text("details"),
		Severity: term.Severity(v.Text("database_specific.severity")),
		CWEs:     term.CWEs(strings.Join(v.Texts("database_specific.cwe_ids"), " ")),
	}
	o.CVSS, o.Severity = scores(v, o.CVSS, o.Severity)
	var links, fixed []string
	for a := range v.List("affected") {
		if its := a.Text("package.name"); name != "" && its != "" && !strings.EqualFold(its, name) {
			continue
		}
		o.CVSS, o.Severity = scores(a, o.CVSS, o.Severity)
		for w := range a.List("database_specific.cwes") {
			for _, n := range term.CWEs(w.Text("cweId")) {
				o.CWEs = unique(o.CWEs, n)
			}
		}
		for r := range a.List("ranges") {
			if r.Text("type") == "GIT" {
				continue // commits say little to people, and there may be hundreds
			}
			for e := range r.List("events") {
				fixed = unique(fixed, e.Text("fixed"))
			}
		}
	}
	o.Component.Fixed = strings.Join(fixed, ", ")
	for r := range v.List("references") {
		links = append(links, r.Text("url"))
	}
	o.References = term.Links(strings.Join(append(links, v.Text("database_specific.url")), "\n"))
	o.Advisories, o.Aliased = names(v, id)
	return o
}

// names are the ids of a vulnerability, and whether they are names of one. A
// distribution's advisory may cover several vulnerabilities, which are upstream
// of it.
func names(v Value, id string) (ids []string, aliased bool) {
	for _, known := range append(append([]string{id}, term.Find(id)...), v.Texts("aliases")...) {
		if term.IsAdvisory(known) {
			ids = unique(ids, exposure.NormalAdvisory(known))
		}
	}
	own := len(ids)
	for _, known := range v.Texts("upstream") {
		if term.IsCVE(known) {
			ids = unique(ids, exposure.NormalAdvisory(known))
		}
	}
	if len(ids) > own {
		return ids, term.Aliased(ids)
	}
	return ids, own > 1
}

// scores adds the vectors in a list of severities, and the word of a
// distribution when nothing else tells the severity.
func scores(v Value, vectors []string, severity exposure.Severity) ([]string, exposure.Severity) {
	for s := range v.List("severity") {
		score := s.Text("score")
		for _, vector := range term.Vectors(score) {
			vectors = unique(vectors, vector)
		}
		if severity == exposure.SeverityUnknown {
			severity = term.Severity(score)
		}
	}
	return vectors, severity
}

// maxUnique bounds the lists of a vulnerability.
const maxUnique = 200

func unique[T comparable](list []T, v T) []T {
	var zero T
	if v == zero || len(list) == maxUnique || slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
