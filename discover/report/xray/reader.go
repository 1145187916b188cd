// Package xray reads what JFrog Xray finds: its reports of vulnerabilities and
// violations, the export of the security data of a component, the summary of
// artifacts, and what the JFrog CLI writes of a scan as json or simple-json.
//
// None of them lists what was looked at, so they cover nothing. An issue of Xray
// may be several CVEs: it is then known by its own number.
package xray

import (
	"cmp"
	"context"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads reports of Xray. See
// https://jfrog.com/help/r/xray-rest-apis/reports
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "xray" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "JFrog Xray reports and exports, JFrog CLI scans (JSON)", "https://jfrog.com/help/r/xray-rest-apis/reports"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch h.Form() {
	case '[':
		return h.Has("[].scan_id") || h.Has("[].vulnerabilities[].issue_id") || h.Has("[].violations[].issue_id")
	case '{':
		return h.Has("total_rows", "rows") || h.Has("rows[].impacted_artifact") || h.Has("total_count", "data[].component_versions") || h.Has("data[].source_comp_id") ||
			h.Has("total_count", "data") && h.Text("total_count") == "0" ||
			h.Has("artifacts[].general.component_id") || h.Has("artifacts[].issues[].impact_path") ||
			h.Has("vulnerabilities[].issueId") || h.Has("vulnerabilities[].impactedPackageName") || h.Has("securityViolations", "licensesViolations") ||
			h.Has("scan_id", "vulnerabilities") || h.Has("vulnerabilities[].issue_id", "vulnerabilities[].components") || h.Has("violations[].issue_id")
	}
	return false
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	records := map[string]record.Handler{
		"rows[]": row, "data[]": exported, "artifacts[].issues[]": summarised,
		"vulnerabilities[]": scanned, "violations[]": scanned, "[].vulnerabilities[]": scanned, "[].violations[]": scanned, "securityViolations[]": scanned,
	}
	for name, s := range sources() {
		records[name+"[]"] = s.read
	}
	return record.Spec{Tool: "xray", Exact: true, Hold: 64 << 20, Records: records}.Read(ctx, r)
}

// sure is the certainty of a match with an advisory on the scale of OpenVAS.
const sure = 97

// weakness is what all forms say alike. cves is the list of its CVEs.
func weakness(id string, v, cves record.Value) exposure.Observation {
	o := exposure.Observation{
		Class: "vuln", Rule: id, Title: v.Text("summary"), Description: v.Text("description"), Severity: term.Severity(v.Text("severity")),
		Detection: exposure.DetectionAuthenticated, Confidence: sure,
	}
	for cve := range cves.List("") {
		ids, _ := term.Advisories("", cve.Text("cve", "id"))
		for _, id := range ids {
			if !slices.Contains(o.Advisories, id) {
				o.Advisories = append(o.Advisories, id)
			}
		}
		for _, name := range []string{"cvss_v3_vector", "cvss_v3", "cvss_v2_vector", "cvss_v2"} {
			for _, vector := range term.Vectors(cve.Text(name)) {
				if !slices.Contains(o.CVSS, vector) {
					o.CVSS = append(o.CVSS, vector)
				}
			}
		}
		for _, n := range term.CWEs(strings.Join(cve.Texts("cwe"), " ")) {
			if !slices.Contains(o.CWEs, n) {
				o.CWEs = append(o.CWEs, n)
			}
		}
		if cve.Text("applicability.status") != "" {
			o.State = applicable(cve.Text("applicability.status"))
		}
	}
	o.Aliased = term.Aliased(o.Advisories)
	for _, link := range v.Texts("references") {
		o.References = append(o.References, term.Links(link)...)
	}
	if o.Rule == "" && len(o.Advisories) == 0 {
		o.Rule = o.Title // an export without numbers
	}
	if o.Title == "" {
		o.Title = cmp.Or(id, strings.Join(o.Advisories, ", "))
	}
	return o
}

// applicable is the state by the contextual analysis, which looks whether an
// artifact uses what is vulnerable.
func applicable(word string) exposure.State {
	switch strings.ToLower(strings.ReplaceAll(word, " ", "_")) {
	case "not_applicable":
		return exposure.StateNotAffected
	}
	return exposure.StatePresent
}

// fixes are the versions that are fixed, as stated.
func fixes(v record.Value, path string) string { return strings.Join(v.Texts(path), ", ") }

func evidence(o *exposure.Observation, kind, text string) {
	if text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: kind, Text: text})
	}
}

// row is a row of a report of vulnerabilities or violations.
func row(r *record.Report, v record.Value) error {
	id := v.Text("issue_id")
	o := weakness(id, v, v.At("cves"))
	o.State = applicable(v.Text("applicability_result"))
	o.Seen = v.Time("artifact_scan_time", "scan_date")
	path := v.Text("path")
	o.Asset = artifact(v.Text("impacted_artifact"), path)
	o.Component = identify(v.Text("vulnerable_component", "component"))
	o.Component.Fixed, o.Component.Path = fixes(v, "fixed_versions"), path
	evidence(&o, "path", v.Text("component_physical_path"))
	evidence(&o, "path", strings.Join(v.Texts("impact_path"), "\n"))
	switch kind := strings.ToLower(v.Text("type")); {
	case strings.HasPrefix(kind, "licen") || v.Text("license") != "" && id == "":
		o.Class, o.Component.License = "license", v.Text("license", "license_name")
		o.Rule = cmp.Or(o.Component.License, id)
		o.Title = cmp.Or(v.Text("summary"), "License "+o.Rule)
	case strings.Contains(kind, "risk"):
		o.Class, o.Rule = "risk", "operational-risk"
		o.Title = cmp.Or(v.Text("summary"), "Operational risk")
	}
	if v.Yes("ignored") {
		o.State = exposure.StateSuppressed
	}
	r.Weakness(o)
	return nil
}

// exported is an issue in the security export of a component.
func exported(r *record.Report, v record.Value) error {
	o := weakness(v.Text("id"), v, v.At("component_versions.more_details.cves"))
	o.Component = identify(v.Text("source_comp_id"))
	o.Component.Name = cmp.Or(v.Text("component"), o.Component.Name)
	o.Component.Fixed = fixes(v, "component_versions.fixed_versions")
	if v.Text("issue_type") == "license" {
		o.Class = "license"
	}
	r.Weakness(o)
	return nil
}

// summarised is an issue in the summary of an artifact.
func summarised(r *record.Report, v record.Value) error {
	o := weakness(v.Text("issue_id", "id"), v, v.At("cves"))
	general := r.Up(0).At("general")
	path := general.Text("path")
	o.Asset = artifact(general.Text("component_id"), path)
	if sum := general.Text("sha256"); sum != "" && !o.Asset.IsZero() {
		o.Asset.Add(exposure.IDDigest, "sha256:"+sum)
	}
	if v.Text("issue_type") == "license" {
		o.Class = "license"
	}
	evidence(&o, "path", strings.Join(v.Texts("impact_path"), "\n"))
	n := 0
	for c := range v.List("components") {
		one := o
		one.Component = identify(c.Text("component_id"))
		one.Component.Fixed, one.Component.Path = fixes(c, "fixed_versions"), path
		r.Weakness(one)
		n++
	}
	if n == 0 {
		o.Component.Path = path
		r.Weakness(o)
	}
	return nil
}

// scanned is an issue in what the command line writes, in either form.
func scanned(r *record.Report, v record.Value) error {
	o := weakness(v.Text("issue_id", "issueId"), v, v.At("cves"))
	scan := r.Up(0)
	o.Asset = artifact(scan.Text("component_id"), "")
	if word := v.Text("applicable"); word != "" {
		o.State = applicable(word)
	}
	o.Solution = v.Text("extended_information.remediation", "jfrogResearchInformation.remediation")
	if v.Text("type") == "license" {
		o.Class, o.Rule = "license", cmp.Or(v.Text("license_key"), o.Rule)
	}
	if name := v.Text("impactedPackageName"); name != "" {
		version := v.Text("impactedPackageVersion")
		o.Component = exposure.Component{Name: name, Version: version, Purl: purl(v.Text("impactedPackageType"), name, version), Fixed: fixes(v, "fixedVersions")}
		o.Component.Path = v.Text("components.location.file")
		r.Weakness(o)
		return nil
	}
	n := 0
	for id, c := range v.Members("components") {
		one := o
		one.Component = identify(id)
		one.Component.Fixed = fixes(c, "fixed_versions")
		var steps []string
		for path := range c.List("impact_paths") {
			for step := range path.List("") {
				steps = append(steps, step.Text("component_id"))
				one.Component.Path = cmp.Or(step.Text("full_path"), one.Component.Path)
			}
			break // one way to it is enough
		}
		evidence(&one, "path", strings.Join(steps, "\n"))
		r.Weakness(one)
		n++
	}
	if n == 0 {
		r.Weakness(o)
	}
	return nil
}

// source is a list of weaknesses in source code, which simple-json has.
type source struct {
	class string
}

func sources() map[string]source {
	return map[string]source{"secrets": {"secret"}, "iacViolations": {"misconfig"}, "sastViolations": {"code"}, "secretsViolations": {"secret"}, "iac": {"misconfig"}, "sast": {"code"}}
}

func (s source) read(r *record.Report, v record.Value) error {
	r.Weakness(exposure.Observation{
		Class: s.class, Rule: v.Text("ruleId", "finding"), Title: v.Text("finding"), Description: v.Text("scannerDescription"), Severity: term.Severity(v.Text("severity")),
		Detection: exposure.DetectionStatic, CWEs: term.CWEs(strings.Join(v.Texts("cwe"), " ")),
		Location: exposure.Location{File: term.File(v.Text("file")), Line: v.Int("startLine"), Column: v.Int("startColumn"), Snippet: s.snippet(v)},
	})
	return nil
}

// snippet is the code, unless it may be a secret.
func (s source) snippet(v record.Value) string {
	if s.class == "secret" {
		return ""
	}
	return v.Text("snippet")
}
