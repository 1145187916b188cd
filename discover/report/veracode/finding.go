package veracode

import (
	"cmp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// finding is one of the findings API, or of a pipeline scan.
func finding(r *record.Report, v record.Value) error {
	details := v.At("finding_details")
	if !details.Exists() {
		return piped(r, v)
	}
	status := v.At("finding_status")
	o := exposure.Observation{
		Asset: application(v.Text("context_guid")), Severity: severity(details.Text("severity")), State: findingState(status), Seen: status.Time("last_seen_date"),
		CWEs: term.CWEs(details.Text("cwe.id")), Title: details.Text("finding_category.name", "cwe.name"),
		Rule: weakness(details.Text("cwe.id"), details.Text("finding_category.id")),
	}
	o.Description, o.Solution, o.References = spans(v.Text("description"))
	switch kind := v.Text("scan_type"); kind {
	case "SCA":
		library(&o, details)
	case "DYNAMIC":
		web(&o, details)
	default: // static, or found by people
		o.Class, o.Detection = "code", exposure.DetectionStatic
		if kind == "MANUAL" {
			o.Detection = exposure.DetectionUnknown
		}
		place(&o, term.File(details.Text("file_path", "file_name")), v.Text("issue_id"), details.Text("procedure"))
		o.Location.Line = details.Int("file_line_number")
		note(&o, "Function", details.Text("procedure"))
		note(&o, "Call", details.Text("attack_vector"))
		note(&o, "Module", details.Text("module"))
		o.Solution = cmp.Or(o.Solution, details.Text("remediation_desc"))
		note(&o, "Location", details.Text("location"))
		note(&o, "Exploit", details.Text("exploit_desc"))
	}
	for a := range v.List("annotations") {
		note(&o, a.Text("action"), a.Text("comment"))
	}
	r.Weakness(o)
	return nil
}

// findingState reads what became of a finding. A resolution counts once it is
// approved.
func findingState(status record.Value) exposure.State {
	if resolution := status.Text("resolution"); status.Text("resolution_status") == "APPROVED" && resolution != "UNRESOLVED" {
		return decided(resolution)
	}
	if status.Text("status") == "CLOSED" {
		return exposure.StateFixed
	}
	return exposure.StatePresent
}

// spans takes the text of a finding apart: what it is, what to do, where to read
// more.
func spans(text string) (what, todo string, links []string) {
	parts := strings.Split(text, "<span>")
	var said []string
	for _, p := range parts {
		if p = strings.TrimSpace(strings.ReplaceAll(p, "</span>", "")); p == "" {
			continue
		}
		if found := term.Links(p); strings.HasPrefix(p, "<a ") || strings.HasPrefix(p, "References:") {
			links = append(links, found...)
			continue
		}
		said = append(said, term.Plain(p))
	}
	if len(said) > 1 {
		return said[0], strings.Join(said[1:], "\n\n"), links
	}
	return strings.Join(said, ""), "", links
}

// web is a finding of a dynamic scan.
func web(o *exposure.Observation, details record.Value) {
	o.Class, o.Detection = "web", exposure.DetectionRemote
	at := term.ParseEndpoint(details.Text("url", "URL"))
	if at.Host == "" {
		at = term.Endpoint{Host: details.Text("hostname"), Port: details.Int("port"), Path: details.Text("path")}
	}
	if term.IsHost(at.Host) {
		o.Asset = exposure.AssetRef{}
		at.Place(o)
	}
	o.Location.Parameter = details.Text("vulnerable_parameter")
	note(o, "Plug-in", details.Text("plugin"))
	note(o, "Attack", details.Text("attack_vector"))
}

// library is a finding in a third-party component.
func library(o *exposure.Observation, details record.Value) {
	o.Class, o.Detection, o.Rule = "vuln", exposure.DetectionStatic, ""
	cve := details.At("cve")
	advise(o, cve.Text("name"))
	o.References = append(o.References, term.Links(cve.Text("href"))...)
	o.CVSS = term.Vectors(cve.Text("vector"))
	for _, v := range term.Vectors(cve.Text("cvss3.vector")) {
		if !strings.HasPrefix(v, "CVSS:") {
			v = "CVSS:3.1/" + v // they are told apart by where they stand
		}
		o.CVSS = append(o.CVSS, v)
	}
	version := details.Text("version")
	o.Component = exposure.Component{Name: bare(details.Text("component_filename"), version), Version: version, Path: details.Text("component_path.path"), License: details.Text("licenses.license_id")}
	switch language := details.Text("language"); language {
	case "JAVASCRIPT", "PYTHON", "RUBY": // of others the file tells not enough
		o.Component.Purl = term.Purl(language, o.Component.Name, version)
	}
	o.Title = titled(o)
}

// piped is a finding of a pipeline scan.
func piped(r *record.Report, v record.Value) error {
	at := v.At("files.source_file")
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Severity: severity(v.Text("severity")), CWEs: term.CWEs(v.Text("cwe_id")),
		Rule: weakness(v.Text("cwe_id"), v.Text("issue_type_id")), Title: v.Text("issue_type", "title"),
		Location: exposure.Location{File: strings.TrimLeft(term.File(at.Text("file")), "/"), Line: at.Int("line"), Symbol: at.Text("qualified_function_name", "function_name")},
	}
	o.Description, o.Solution, o.References = spans(v.Text("display_text"))
	note(&o, "Function", strings.Trim(at.Text("scope")+" "+at.Text("function_prototype"), " "))
	note(&o, "Call", v.Text("title"))
	r.Weakness(o)
	return nil
}
