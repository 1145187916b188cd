// Package dependencycheck reads the XML and JSON reports of OWASP
// Dependency-Check, of all versions.
//
// A report lists every file that was looked at, with what is suppressed, so it
// covers the project that it names, unless it says that the analysis failed.
package dependencycheck

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Dependency-Check reports. See
// https://dependency-check.github.io/DependencyCheck/general/thereport.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "dependency-check" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "OWASP Dependency-Check (XML, JSON)", "https://dependency-check.github.io/DependencyCheck/general/thereport.html"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	root, space := h.Root()
	if root == "analysis" {
		return strings.Contains(strings.ToLower(space), "dependencycheck") || strings.Contains(space, "dependency-check") || h.Has("analysis.dependencies", "analysis.projectInfo")
	}
	return h.Has("reportSchema", "scanInfo") || h.Has("scanInfo.engineVersion", "projectInfo")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "dependency-check",
		About: func(top record.Value, run *exposure.Run) {
			run.Version, run.Format, run.Finished = top.Text("scanInfo.engineVersion"), top.Text("reportSchema"), top.Time("projectInfo.reportDate")
		},
		Records: map[string]record.Handler{
			"analysis.dependencies.dependency": dependency,
			"dependencies[]":                   dependency,
		},
		End: func(r *record.Report) {
			project := project(r.Top())
			if !project.IsZero() && r.Number() > 0 && !r.Top().At("scanInfo.analysisExceptions").Exists() {
				r.Covered(project, "vuln")
			}
		},
	}.Read(ctx, r)
}

// project is what was examined: by its coordinates, if it has any.
func project(top record.Value) (ref exposure.AssetRef) {
	p := top.At("projectInfo")
	ref.Name = p.Text("name")
	id := ref.Name
	if group, artifact := p.Text("groupID"), p.Text("artifactID"); group != "" && artifact != "" {
		id = group + ":" + artifact
	}
	if id == "" {
		return ref
	}
	ref.Kind = exposure.AssetRepository
	ref.Add(exposure.IDName, id)
	return ref
}

// dependency is a file that was looked at.
func dependency(r *record.Report, v record.Value) error {
	if v.Text("fileName") == "" && v.Text("filePath") == "" {
		return errors.New("a dependency without fileName")
	}
	d := examined{asset: project(r.Top()), component: component(v), confidence: confidence(v), evidence: paths(v)}
	r.Inventory(d.asset, d.component)
	// In XML the two kinds stand in one element, in JSON in two lists.
	present, suppressed := v.List("vulnerabilities.vulnerability"), v.List("vulnerabilities.suppressedVulnerability")
	if v.At("vulnerabilities").IsList() || !v.At("vulnerabilities").Exists() {
		present, suppressed = v.List("vulnerabilities"), v.List("suppressedVulnerabilities")
	}
	err := r.Parts(present, func(r *record.Report, v record.Value) error { return d.vulnerability(r, v, exposure.StatePresent) })
	if err != nil {
		return err
	}
	return r.Parts(suppressed, func(r *record.Report, v record.Value) error { return d.vulnerability(r, v, exposure.StateSuppressed) })
}

// examined is what the vulnerabilities of a file have in common.
type examined struct {
	asset      exposure.AssetRef
	component  exposure.Component
	confidence int
	evidence   []exposure.Evidence
}

func (d examined) vulnerability(r *record.Report, v record.Value, state exposure.State) error {
	name := v.Text("name")
	if name == "" {
		return errors.New("a vulnerability without name")
	}
	o := exposure.Observation{
		Class: "vuln", Asset: d.asset, State: state, Rule: name, Description: term.Plain(v.Text("description")), Severity: severity(v),
		CWEs: cwes(v), CVSS: vectors(v), References: references(v), Detection: exposure.DetectionAuthenticated, Confidence: d.confidence,
		Component: d.component, Evidence: append([]exposure.Evidence(nil), d.evidence...),
	}
	if term.IsAdvisory(name) {
		o.Advisories = []string{name}
		o.Title = name + " in " + d.component.Name
	}
	o.Component.Fixed = fixed(v)
	if notes := v.Text("notes"); notes != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: notes})
	}
	r.Weakness(o)
	return nil
}

// severity is the word of the vulnerability, or of its newest rating. What is
// suppressed has no word of its own.
func severity(v record.Value) exposure.Severity {
	for _, at := range []string{"severity", "cvssV4.baseSeverity", "cvssV3.baseSeverity", "cvssV3.baseSeverity>", "cvssV2.severity"} {
		if s := term.Severity(v.Text(at)); s != exposure.SeverityUnknown {
			return s
		}
	}
	if score := v.Text("cvssV4.baseScore", "cvssV3.baseScore", "cvssV2.score", "cvssScore", "severity"); score != "" {
		return term.Rated(score)
	}
	return exposure.SeverityUnknown
}

func cwes(v record.Value) []int {
	all := append(v.Texts("cwe"), v.Texts("cwes.cwe")...)
	if v.At("cwes").IsList() {
		all = v.Texts("cwes")
	}
	return term.CWEs(strings.Join(all, " "))
}

func references(v record.Value) []string {
	list := v.List("references.reference")
	if v.At("references").IsList() {
		list = v.List("references")
	}
	var all []string
	for ref := range list {
		all = append(all, ref.Text("url"))
	}
	return term.Links(strings.Join(all, "\n"))
}

// fixed is the version that ends the range in which the file's own is.
func fixed(v record.Value) string {
	list := v.List("vulnerableSoftware.software")
	if v.At("vulnerableSoftware").IsList() {
		list = v.List("vulnerableSoftware")
	}
	for s := range list {
		if in := s.At("software"); in.IsObject() {
			s = in
		}
		if s.Yes("@vulnerabilityIdMatched", "vulnerabilityIdMatched", "@matched") {
			return s.Text("@versionEndExcluding", "versionEndExcluding")
		}
	}
	return ""
}

// confidence is that in the name of the software, on the scale of OpenVAS.
func confidence(v record.Value) int {
	best := 0
	for _, at := range []string{"identifiers.vulnerabilityIds", "identifiers.package", "vulnerabilityIds", "packages", "identifiers.identifier", "identifiers"} {
		for id := range v.List(at) {
			n := 0
			switch strings.ToUpper(cmp.Or(id.Text("@confidence"), id.Text("confidence"))) {
			case "HIGHEST":
				n = 95
			case "HIGH":
				n = 80
			case "MEDIUM":
				n = 50
			case "LOW":
				n = 30
			}
			best = max(best, n)
		}
		if best > 0 {
			return best
		}
	}
	return best
}

// maxPaths bounds the places of a file that are kept.
const maxPaths = 50

// paths are the places of the file and its copies, and the projects that need
// it.
func paths(v record.Value) (all []exposure.Evidence) {
	list := []string{v.Text("filePath")}
	copies := v.List("relatedDependencies.relatedDependency")
	if v.At("relatedDependencies").IsList() {
		copies = v.List("relatedDependencies")
	}
	for c := range copies {
		if path := c.Text("filePath"); path != "" && len(list) < maxPaths {
			list = append(list, path)
		}
	}
	if text := strings.TrimSpace(strings.Join(list, "\n")); text != "" {
		all = append(all, exposure.Evidence{Kind: "path", Text: text})
	}
	needed := v.Texts("projectReferences.projectReference")
	if v.At("projectReferences").IsList() {
		needed = v.Texts("projectReferences")
	}
	if len(needed) > 0 {
		all = append(all, exposure.Evidence{Kind: "note", Text: "Needed by " + strings.Join(needed[:min(len(needed), maxPaths)], ", ")})
	}
	return all
}
