// Package harbor reads the vulnerabilities of artifacts as the registry Harbor
// reports them, whichever scanner found them: the report of an artifact, as its
// API and the pluggable scanners write it, the list of its security hub, and
// the CSV that it exports.
//
// A report lists what was found, and covers nothing.
package harbor

import (
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

// Reader reads reports of Harbor. See
// https://github.com/goharbor/pluggable-scanner-spec
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "harbor" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Harbor vulnerabilities (JSON, CSV)", "https://github.com/goharbor/pluggable-scanner-spec"
}

// kinds are the types of report, under which the API lists them.
func kinds() []string {
	return []string{
		"application/vnd.security.vulnerability.report; version=1.1", "application/vnd.security.vulnerability.report; version=1.0",
		"application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0",
	}
}

// header are columns that only the export has.
func header() []string { return []string{"Repository", "Artifact Digest", "CVE", "Current Version"} }

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	for _, k := range kinds() {
		if h.Has(k) {
			return true
		}
	}
	return h.Has("generated_at", "scanner.vendor") || h.Has("vulnerabilities[].fix_version", "vulnerabilities[].package", "vulnerabilities[].id") ||
		h.Has("[].repository_name", "[].cve_id", "[].package") || h.HasRow(header()...)
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	records := map[string]record.Handler{"vulnerabilities[]": item, "[]": listed, "row": row}
	for _, k := range kinds() {
		records["'"+k+"'.vulnerabilities[]"] = item
	}
	return record.Spec{
		Tool: "harbor", Header: header(), Records: records,
		About: func(top record.Value, run *exposure.Run) {
			run.Finished = top.Time("generated_at")
			run.Version = strings.TrimSpace(top.Text("scanner.name") + " " + top.Text("scanner.version"))
		},
	}.Read(ctx, r)
}

// item is a vulnerability in the report of an artifact.
func item(r *record.Report, v record.Value) error {
	report := r.Up(0)
	o := vulnerability(v.Text("id"), v.Text("package"), v.Text("version"), v.Text("fix_version"))
	o.Severity, o.Description, o.Seen = term.Severity(v.Text("severity")), v.Text("description"), report.Time("generated_at")
	o.References = v.Texts("links")
	o.CWEs = term.CWEs(strings.Join(v.Texts("cwe_ids"), " "))
	o.CVSS = append(term.Vectors(v.Text("preferred_cvss.vector_v3")), term.Vectors(v.Text("preferred_cvss.vector_v2"))...)
	for _, by := range v.Members("vendor_attributes.CVSS") {
		for _, name := range []string{"V40Vector", "V3Vector", "V2Vector"} {
			for _, vector := range term.Vectors(by.Text(name)) {
				if !slices.Contains(o.CVSS, vector) {
					o.CVSS = append(o.CVSS, vector)
				}
			}
		}
	}
	var digests []string
	for d := range v.List("artifact_digests") {
		digests = append(digests, d.Text())
	}
	if one := v.Text("artifact_digest"); one != "" {
		digests = append(digests, one)
	}
	if len(digests) == 0 {
		digests = []string{report.Text("artifact.digest")}
	}
	for _, digest := range digests {
		o.Asset = image(report.Text("artifact.repository"), report.Text("artifact.tag"), digest)
		r.Weakness(o)
	}
	return nil
}

// image is an image of the registry. Without a tag its repository is no identity.
func image(repository, tag, digest string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetImage}
	if repository != "" && tag != "" {
		ref.Add(exposure.IDImage, repository+":"+tag)
	}
	ref.Add(exposure.IDDigest, digest)
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	if tag == "" {
		ref.Name = repository
	}
	return ref
}

func vulnerability(id, name, version, fixed string) exposure.Observation {
	o := exposure.Observation{
		Class: "vuln", Rule: id, Title: id, Detection: exposure.DetectionAuthenticated, Confidence: sure,
		Component: exposure.Component{Name: name, Version: version, Fixed: fixed},
	}
	if name != "" && id != "" {
		o.Title = id + " in " + name
	}
	o.Advisories, _ = term.Advisories("", id)
	return o
}

// sure is the certainty of a match with an advisory on the scale of OpenVAS.
const sure = 97

// listed is a vulnerability in the list of the security hub.
func listed(r *record.Report, v record.Value) error {
	o := vulnerability(v.Text("cve_id"), v.Text("package"), v.Text("version"), v.Text("fixed_version"))
	o.Severity, o.Description = term.Severity(v.Text("severity")), v.Text("desc")
	o.References = v.Texts("links")
	o.Asset = image(v.Text("repository_name"), first(v.Texts("tags")), v.Text("digest"))
	r.Weakness(o)
	return nil
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// row is a row of the export.
func row(r *record.Report, v record.Value) error {
	o := vulnerability(v.Text("CVE"), v.Text("Package"), v.Text("Current Version"), v.Text("Fixed in version"))
	o.Severity = term.Severity(v.Text("Severity"))
	o.CWEs = term.CWEs(v.Text("CWE Ids"))
	o.CVSS = append(term.Vectors(v.Text("CVSS V3 Vector")), term.Vectors(v.Text("CVSS V2 Vector"))...)
	o.Asset = image(v.Text("Repository"), "", v.Text("Artifact Digest"))
	r.Weakness(o)
	return nil
}
