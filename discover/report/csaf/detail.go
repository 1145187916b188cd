package csaf

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// details are what a vulnerability says of some of its products.
type details struct {
	tree   *tree
	all    []detail // of every product
	listed map[string][]detail
	groups map[string][]detail
}

// detail is one of them. rank orders what says the same thing, the best first.
type detail struct {
	severity exposure.Severity
	rank     int
	vector   string
	solution string
	note     string
}

// The ranks of severities: the vendor's own word, CVSS by its version.
const (
	rankImpact = iota
	rankCVSS4
	rankCVSS3
	rankCVSS2
)

func (t *tree) details(v record.Value) *details {
	d := &details{tree: t, listed: map[string][]detail{}, groups: map[string][]detail{}}
	for s := range v.List("scores") {
		d.score(s, s)
	}
	for m := range v.List("metrics") { // since 2.1
		d.score(m.At("content"), m)
	}
	for th := range v.List("threats") {
		text := th.Text("details")
		switch th.Text("category") {
		case "impact":
			d.add(th, detail{severity: term.Severity(text), rank: rankImpact, note: label("Impact", text)})
		case "exploit_status":
			d.add(th, detail{note: label("Exploit status", text)})
		case "target_set":
			d.add(th, detail{note: label("Targets", text)})
		}
	}
	for f := range v.List("flags") {
		d.add(f, detail{note: label("Justification", f.Text("label"))})
	}
	for m := range v.List("remediations") {
		text := label(measure(m.Text("category")), m.Text("details"))
		if url := m.Text("url"); url != "" {
			text = strings.TrimSpace(text + "\n" + url)
		}
		d.add(m, detail{solution: text})
	}
	return d
}

func label(what, text string) string {
	if what == "" || text == "" {
		return text
	}
	return what + ": " + text
}

func (d *details) score(content, at record.Value) {
	for _, c := range []struct {
		name string
		rank int
	}{{"cvss_v4", rankCVSS4}, {"cvss_v3", rankCVSS3}, {"cvss_v2", rankCVSS2}} {
		v := content.At(c.name)
		if !v.Exists() {
			continue
		}
		found := detail{severity: term.Severity(v.Text("baseSeverity")), rank: c.rank}
		if found.severity == exposure.SeverityUnknown {
			found.severity = term.Rated(v.Text("baseScore"))
		}
		if vectors := term.Vectors(v.Text("vectorString")); len(vectors) > 0 {
			found.vector = vectors[0]
		}
		d.add(at, found)
	}
	if ssvc := content.Text("qualitative_severity_rating"); ssvc != "" {
		d.add(at, detail{severity: term.Severity(ssvc), rank: rankImpact})
	}
}

// add keeps a detail for the products and groups that v lists; without any it
// is of every product.
func (d *details) add(v record.Value, one detail) {
	ids, groups := append(v.Texts("product_ids"), v.Texts("products")...), v.Texts("group_ids")
	for _, id := range ids {
		d.listed[id] = append(d.listed[id], one)
	}
	for _, g := range groups {
		d.groups[g] = append(d.groups[g], one)
	}
	if len(ids) == 0 && len(groups) == 0 {
		d.all = append(d.all, one)
	}
}

// apply adds what is said of a product to an observation of it.
func (d *details) apply(o *exposure.Observation, id string, otherwise exposure.Severity) {
	found := slices.Concat(d.listed[id], d.all)
	for _, g := range d.tree.groups[id] {
		found = append(found, d.groups[g]...)
	}
	slices.SortStableFunc(found, func(a, b detail) int { return a.rank - b.rank })
	var solutions []string
	o.Evidence = slices.Clone(o.Evidence)
	for _, f := range found {
		if o.Severity == exposure.SeverityUnknown {
			o.Severity = f.severity
		}
		if f.vector != "" && !slices.Contains(o.CVSS, f.vector) {
			o.CVSS = append(o.CVSS, f.vector)
		}
		if f.solution != "" && !slices.Contains(solutions, f.solution) {
			solutions = append(solutions, f.solution)
		}
		if f.note != "" && len(o.Evidence) < maxNotes {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: f.note})
		}
	}
	o.Solution = strings.Join(solutions, "\n")
	if o.Severity == exposure.SeverityUnknown {
		o.Severity = otherwise
	}
}

// maxNotes bounds the notes of an observation.
const maxNotes = 20

// measure is a category of remediations for people.
func measure(category string) string {
	switch category {
	case "vendor_fix":
		return "Vendor fix"
	case "workaround":
		return "Workaround"
	case "mitigation":
		return "Mitigation"
	case "no_fix_planned":
		return "No fix is planned"
	case "none_available":
		return "No fix is available"
	case "fix_planned": // since 2.1
		return "A fix is planned"
	case "optional_patch":
		return "Optional patch"
	}
	return ""
}
