// Package nexusiq reads the raw reports of Sonatype Lifecycle (Nexus IQ): the
// components of an application with their security issues and licences, which
// the API gives as JSON.
//
// The report lists every component that it knows of, with or without an issue.
// It covers the application when it holds as many as its summary counts.
package nexusiq

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads raw reports of Nexus IQ. See
// https://help.sonatype.com/en/report-related-rest-apis.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "nexus-iq" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Sonatype Lifecycle, Nexus IQ (raw report, JSON)", "https://help.sonatype.com/en/report-related-rest-apis.html"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("matchSummary", "components") || h.Has("components[].matchState", "components[].componentIdentifier") || h.Has("components[].matchState", "components[].hash")
}

const class = "vuln"

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	n := 0
	return record.Spec{
		Tool: "nexus-iq", Exact: true, Hold: 64 << 20,
		About: func(top record.Value, run *exposure.Run) { run.Finished = top.Time("reportTime", "evaluationDate") },
		Records: map[string]record.Handler{"components[]": func(r *record.Report, v record.Value) error {
			n++
			return component(r, v)
		}},
		End: func(r *record.Report) {
			if total := r.Top().Text("matchSummary.totalComponentCount"); total != "" && r.Top().Int("matchSummary.totalComponentCount") == n {
				r.Covered(application(r.Top()), class)
			}
		},
	}.Read(ctx, r)
}

// application is what the report is of, when it says so.
func application(top record.Value) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetRepository, Name: top.Text("application.name")}
	ref.Add(exposure.IDName, top.Text("application.publicId", "applicationPublicId", "application.name"))
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

// sure says how certain the kinds of match are, on the scale of OpenVAS.
func sure(match string) int {
	if match == "exact" {
		return 97
	}
	return 50 // by the likeness of its content
}

func component(r *record.Report, v record.Value) error {
	asset := application(r.Top())
	what, paths := identify(v)
	r.Inventory(asset, what)
	for issue := range v.List("securityData.securityIssues") {
		id := issue.Text("reference")
		o := exposure.Observation{
			Class: class, Asset: asset, State: term.State(issue.Text("status")), Rule: id, Title: id, Component: what, Detection: exposure.DetectionAuthenticated,
			Confidence: sure(v.Text("matchState")), Description: issue.Text("description"), Severity: severity(issue), CWEs: term.CWEs(issue.Text("cwe")),
			CVSS: term.Vectors(issue.Text("cvssVector")), References: term.Links(issue.Text("url")),
		}
		if what.Name != "" && id != "" {
			o.Title = id + " in " + what.Name
		}
		o.Advisories, _ = term.Advisories("", id)
		if text := issue.Text("analysis.justification", "analysis.detail"); text != "" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: text})
		}
		if paths != "" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "path", Text: paths})
		}
		r.Weakness(o)
	}
	return nil
}

// severity is that of the score; the category of the threat is Sonatype's own
// scale, by which a score of 7 is critical already.
func severity(issue record.Value) exposure.Severity {
	if score := term.Rated(issue.Text("severity")); score != exposure.SeverityUnknown {
		return score
	}
	if word := issue.Text("threatCategory"); word != "severe" {
		return term.Severity(word)
	}
	return exposure.SeverityHigh // between critical and moderate
}

// maxPaths bounds the paths that are kept of a component.
const maxPaths = 20

// identify tells what a component is and, when it lies in several places, where.
func identify(v record.Value) (c exposure.Component, paths string) {
	at := v.At("componentIdentifier.coordinates")
	c.Name, c.Version = at.Text("name", "packageId", "artifactId"), at.Text("version")
	if group := at.Text("groupId", "namespace", "organization"); group != "" {
		c.Name = group + ":" + c.Name
	}
	c.Purl = v.Text("packageUrl")
	if rest, ok := strings.CutPrefix(c.Purl, "pkg:a-name/"); ok {
		c.Purl = "pkg:npm/" + rest // a package in JavaScript that was known by its files
	}
	if !strings.HasPrefix(c.Purl, "pkg:") {
		c.Purl = term.Purl(v.Text("componentIdentifier.format"), c.Name, c.Version)
	}
	if artifact := at.Text("artifactId"); artifact != "" && c.Purl != "" {
		c.Name = artifact // the package URL has its group
	}
	if c.Name == "" {
		c.Name = v.Text("displayName")
	}
	var licenses, all []string
	for l := range v.List("licenseData.declaredLicenses") {
		licenses = append(licenses, l.Text("licenseId"))
	}
	c.License = strings.Join(licenses, ", ")
	for _, p := range v.Texts("pathnames") {
		if c.Path == "" {
			c.Path = p
		}
		if len(all) < maxPaths {
			all = append(all, p)
		}
	}
	if c.Name == "" && c.Purl == "" {
		c.Name = c.Path
	}
	if len(all) > 1 {
		paths = strings.Join(all, "\n")
	}
	return c, paths
}
