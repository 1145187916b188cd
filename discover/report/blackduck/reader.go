// Package blackduck reads the version reports of Black Duck: the tables of
// vulnerabilities, of components and of source files that are in its archive.
// The one of source files tells where the components of the vulnerabilities lie.
//
// Vulnerabilities become findings, the other tables inventory. The reports list
// what was found, so they cover nothing.
package blackduck

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

// Reader reads version reports of Black Duck. See
// https://documentation.blackduck.com/bundle/bd-hub/page/Reporting/VersionReport.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "blackduck" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Black Duck version report (CSV, or the zip of them)", "https://documentation.blackduck.com/bundle/bd-hub/page/Reporting/VersionReport.html"
}

// table is one of the tables of a report.
type table struct {
	header []string
	row    record.Handler
}

// tables are told apart by columns that they have had in all versions. at joins
// them, nil reads each by itself.
func tables(at *paths) []table {
	return []table{
		{[]string{"Vulnerability id", "Vulnerability source", "Remediation status"}, vulnerability(at)},
		{[]string{"Component id", "Component name", "License names", "Operational Risk"}, component},
		{[]string{"Component id", "Component name", "Match type", "Path", "Archive context"}, source(at)},
	}
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return slices.ContainsFunc(tables(nil), func(t table) bool { return h.HasRow(t.header...) })
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return read(ctx, r, nil)
}

// read reads any of the tables.
func read(ctx context.Context, r io.Reader, at *paths) iter.Seq2[exposure.Observation, error] {
	h, r := decode.Peek(r)
	all := tables(at)
	use := all[0]
	for _, t := range all {
		if h.HasRow(t.header...) {
			use = t
			break
		}
	}
	return record.Spec{Tool: "blackduck", Header: use.header, Records: map[string]record.Handler{"row": use.row}}.Read(ctx, r)
}

// vulnerability is for the rows of the table of vulnerabilities.
func vulnerability(at *paths) record.Handler {
	return func(r *record.Report, v record.Value) error {
		o := vulnerable(v)
		at.apply(&o, v)
		r.Weakness(o)
		return nil
	}
}

func vulnerable(v record.Value) exposure.Observation {
	id := v.Text("Vulnerability id") // or two of them: BDSA-2026-1 (CVE-2026-1)
	ids, other := term.Advisories("", id)
	o := exposure.Observation{
		Class: "vuln", Asset: project(v), State: state(v.Text("Remediation status")), Advisories: ids, Aliased: term.Aliased(ids), Rule: other,
		Description: term.Plain(v.Text("Description")), Solution: term.Plain(v.Text("Solution", "How to fix")), Severity: term.Severity(v.Text("Security Risk")),
		CWEs: term.CWEs(v.Text("CWE Ids", "CWE Id", "CWE ids")), References: term.Links(v.Text("URL")), CVSS: term.Vectors(v.Text("CVSS vector", "Vector")),
		Component: used(v), Detection: exposure.DetectionStatic,
	}
	if len(ids) > 0 {
		o.Rule = ids[0]
	}
	if o.Severity == exposure.SeverityUnknown {
		o.Severity = term.Rated(v.Text("Overall score", "Base score"))
	}
	if o.Rule != "" {
		o.Title = strings.TrimSuffix(id+" in "+o.Component.Name, " in ")
	}
	for _, n := range [][2]string{{"Remediation comment", ""}, {"Reachable", "Reachable: "}, {"Exploit available", "Exploit available: "}, {"Match type", "Match type: "}} {
		if text := v.Text(n[0]); text != "" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: n[1] + text})
		}
	}
	return o
}

// state is that of the remediation, as people set it.
func state(status string) exposure.State {
	switch status {
	case "REMEDIATION_COMPLETE":
		return exposure.StateFixed
	case "MITIGATED": // the weakness is there, something else stands before it
		return exposure.StateSuppressed
	}
	return term.State(status)
}

// component states what a project contains.
func component(r *record.Report, v record.Value) error {
	r.Inventory(project(v), used(v))
	return nil
}

// source is for the rows of the table of source files.
func source(at *paths) record.Handler {
	return func(r *record.Report, v record.Value) error {
		at.keep(v)
		return component(r, v)
	}
}

// used is the component of a row. Its project and version in the knowledge base
// are called those of a project in older reports.
func used(v record.Value) exposure.Component {
	c := exposure.Component{
		Name: v.Text("Component name", "Project name"), Version: v.Text("Component version name", "Version"),
		Path: v.Text("Path", "File Paths"), License: v.Text("License names"),
	}
	c.Purl = purl(v.Text("Component origin name", "Channel version origin", "Origin name"), v.Text("Component origin id", "Channel version origin id", "Origin name id", "Origin id"))
	return c
}

// purl makes a package URL of an origin, which is called by the name of its
// package manager, and the id there: group:artifact:version, name/version or
// name/version/architecture.
func purl(origin, id string) string {
	separator, distribution := "/", false
	switch origin {
	case "maven", "golang", "packagist", "cocoapods":
		separator = ":"
	case "debian", "ubuntu", "centos", "fedora", "redhat", "opensuse", "alpine", "oracle_linux":
		distribution = true
	}
	var version string
	parts := strings.Split(id, separator)
	switch n := len(parts); {
	case n < 2:
		return ""
	case distribution && n > 2: // the architecture stands last
		id, version = strings.Join(parts[:n-2], separator), parts[n-2]
	default:
		id, version = strings.Join(parts[:n-1], separator), parts[n-1]
	}
	ecosystem := origin
	switch origin {
	case "npmjs":
		ecosystem = "npm"
	case "crates":
		ecosystem = "cargo"
	case "anaconda":
		ecosystem = "conda"
	case "fedora", "opensuse", "oracle_linux":
		ecosystem = "rpm"
	}
	if distribution {
		id = origin + "/" + id
	}
	return term.Purl(ecosystem, id, version)
}

// project is the asset. The path of a project ends in its version, without which
// it is the same project.
func project(v record.Value) exposure.AssetRef {
	path := v.Text("Project path")
	name := path
	if i := strings.LastIndexByte(path, ' '); i > 0 && isVersion(path[i+1:]) {
		name = strings.TrimSpace(path[:i])
	}
	if name == "" {
		return exposure.AssetRef{}
	}
	a := exposure.AssetRef{Kind: exposure.AssetRepository, Name: name}
	a.Add(exposure.IDName, name)
	return a
}

// isVersion reports whether a word is a version rather than part of a name.
func isVersion(word string) bool {
	switch strings.ToLower(word) {
	case "latest", "main", "master", "develop", "dev", "trunk", "head", "default", "release":
		return true
	}
	word = strings.TrimLeft(word, "vV")
	return word != "" && word[0] >= '0' && word[0] <= '9'
}
