// Package dependencytrack reads the findings that OWASP Dependency-Track exports
// in its Finding Packaging Format, and the lists of findings of its API.
//
// They list what was found in a project and not which components were analysed,
// so they cover nothing.
package dependencytrack

import (
	"cmp"
	"context"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads findings of Dependency-Track. See
// https://docs.dependencytrack.org/integrations/file-formats/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "dependency-track" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Dependency-Track findings (FPF and API, JSON)", "https://docs.dependencytrack.org/integrations/file-formats/"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Text("meta.application") == "Dependency-Track" && h.Has("meta.version") || h.Has("findings[].component", "findings[].vulnerability.vulnId") ||
		h.Has("[].component", "[].vulnerability.vulnId", "[].analysis")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "dependency-track",
		About: func(top record.Value, run *exposure.Run) {
			run.Version, run.Finished = top.Text("meta.version"), top.Time("meta.timestamp")
			if v := top.Text("version"); v != "" {
				run.Format = "FPF " + v
			}
		},
		Records: map[string]record.Handler{"findings[]": finding, "[]": finding},
		Bare:    func(top record.Value) bool { return top.At("meta").IsObject() },
	}.Read(ctx, r)
}

func finding(r *record.Report, v record.Value) error {
	weak, c := v.At("vulnerability"), component(v.At("component"))
	id := weak.Text("vulnId")
	o := exposure.Observation{
		Class: "vuln", Asset: project(r.Top().At("project"), v.At("component")), State: state(v.At("analysis")),
		Rule: id, Title: weak.Text("title"), Severity: term.Severity(weak.Text("severity")),
		Description: term.Plain(weak.Text("description")), Solution: term.Plain(weak.Text("recommendation")),
		References: links(weak.Text("references"), v.Text("attribution.referenceUrl")), CWEs: cwes(weak), Component: c,
		Detection: exposure.DetectionAuthenticated, Confidence: 80,
	}
	for _, name := range []string{"cvssV4Vector", "cvssV3Vector", "cvssV2Vector"} {
		o.CVSS = append(o.CVSS, term.Vectors(weak.Text(name))...)
	}
	o.Advisories, o.Aliased = names(id, weak)
	if o.Title == "" && id != "" {
		o.Title = strings.TrimSuffix(id+" in "+c.Name, " in ")
	}
	for _, note := range [][2]string{{"justification", "Justification: "}, {"response", "Response: "}, {"detail", ""}} {
		if text := v.At("analysis").Text(note[0]); text != "" && text != "NOT_SET" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: note[1] + text})
		}
	}
	r.Weakness(o)
	return nil
}

// state is that of the analysis by people.
func state(analysis record.Value) exposure.State {
	switch analysis.Text("state") {
	case "RESOLVED":
		return exposure.StateFixed
	case "FALSE_POSITIVE", "NOT_AFFECTED":
		return exposure.StateNotAffected
	}
	if analysis.Yes("isSuppressed") {
		return exposure.StateSuppressed
	}
	return exposure.StatePresent
}

// names are those of the weakness. Aliases come from several sources, and some
// of them gather what has several CVEs: a CVE that is named itself is no other.
func names(id string, weak record.Value) (ids []string, aliased bool) {
	add := func(name string) {
		if !term.IsAdvisory(name) || term.IsCVE(name) && term.IsCVE(id) && !strings.EqualFold(name, id) {
			return
		}
		if name = exposure.NormalAdvisory(name); !slices.Contains(ids, name) {
			ids = append(ids, name)
		}
	}
	if weak.Text("source") != "INTERNAL" { // its ids mean nothing elsewhere
		add(id)
	}
	for alias := range weak.List("aliases") {
		for _, from := range []string{"cveId", "ghsaId", "osvId", "snykId", "sonatypeId", "gsdId"} {
			add(alias.Text(from))
		}
		for source, name := range alias.Members("allBySource") {
			if source != "INTERNAL" {
				add(name.Text())
			}
		}
	}
	cves := 0
	for _, name := range ids {
		if term.IsCVE(name) {
			cves++
		}
	}
	return ids, len(ids) > 1 && cves < 2
}

func cwes(weak record.Value) []int {
	var all []string
	for c := range weak.List("cwes") {
		all = append(all, c.Text("cweId"))
	}
	return term.CWEs(strings.Join(append(all, weak.Text("cweId")), " "))
}

func component(v record.Value) exposure.Component {
	c := exposure.Component{Purl: v.Text("purl"), Name: v.Text("name"), Version: v.Text("version"), License: v.Text("license", "resolvedLicense.licenseId")}
	if group := v.Text("group"); group != "" && c.Purl == "" {
		c.Name = group + "/" + c.Name
	}
	return c
}

// project is the asset: the project without its version, since the next version
// is the same project. Lists of the API name it beside each component.
func project(p, component record.Value) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetRepository, Name: cmp.Or(p.Text("name"), component.Text("projectName"))}
	if own, err := packageurl.FromString(p.Text("purl")); err == nil {
		a.Add(exposure.IDPurl, packageurl.NewPackageURL(own.Type, own.Namespace, own.Name, "", nil, "").ToString())
	}
	a.Add(exposure.IDName, cmp.Or(a.Name, p.Text("uuid"), component.Text("project")))
	if len(a.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return a
}

// links are the addresses in Markdown.
func links(texts ...string) []string {
	return term.Links(strings.ReplaceAll(strings.Join(texts, "\n"), "](", " "))
}
