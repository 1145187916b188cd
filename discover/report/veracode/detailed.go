package veracode

import (
	"cmp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// flaw is one flaw of a detailed report, static, dynamic or found by people.
func flaw(r *record.Report, v record.Value) error {
	cwe := cmp.Or(v.Text("@cweid"), r.Up(1).Text("@cweid"))
	category := r.Up(2)
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Asset: application(r.Top().Text("@app_name")),
		Rule: weakness(cwe, v.Text("@categoryid")), Title: v.Text("@categoryname"), CWEs: term.CWEs(cwe),
		Severity: severity(v.Text("@severity")), State: flawState(v), Seen: v.Time("@date_last_occurrence"),
		Description: term.Paragraphs(r.Up(1).Text("description.text.@text"), paragraphs(category, "desc.para")),
		Solution:    paragraphs(category, "recommendations.para"),
		References:  term.Links(v.Text("@description")),
	}
	// What a flaw says of itself is not true of others of its kind.
	if own := term.Plain(v.Text("@description")); o.Description == "" {
		o.Description = own
	} else if own != "" {
		o.Evidence = []exposure.Evidence{{Kind: "output", Text: own}}
	}
	if url := v.Text("@url"); url != "" {
		o.Class, o.Detection, o.Asset = "web", exposure.DetectionRemote, exposure.AssetRef{}
		term.ParseEndpoint(url).Place(&o)
		o.Location.Parameter = v.Text("@vuln_parameter")
		if o.Asset.IsZero() {
			o.Asset = application(r.Top().Text("@app_name"))
		}
	} else {
		place(&o, path(v.Text("@sourcefilepath"), v.Text("@sourcefile")), v.Text("@issueid"), v.Text("@functionprototype"))
		o.Location.Line = v.Int("@line")
		if o.Location.File == "" { // found by people
			o.Detection = exposure.DetectionUnknown
		}
	}
	note(&o, "Function", strings.Trim(v.Text("@scope")+" "+v.Text("@functionprototype"), " "))
	note(&o, "Call", v.Text("@type"))
	note(&o, "Module", v.Text("@module"))
	note(&o, "Input", v.Text("@inputvector", "@input_vector"))
	for m := range v.List("mitigations.mitigation") {
		note(&o, m.Text("@action"), m.Text("@description"))
	}
	r.Weakness(o)
	return nil
}

// weakness is the rule of a flaw: Veracode has one for each CWE.
func weakness(cwe, category string) string {
	if cwe != "" && cwe != "0" {
		return "CWE-" + cwe
	}
	if category == "" {
		return ""
	}
	return "category-" + category
}

func path(dir, name string) string {
	if dir != "" && name != "" && !strings.HasSuffix(dir, "/") {
		dir += "/"
	}
	return term.File(dir + name)
}

// paragraphs are those of a text with lists in it.
func paragraphs(v record.Value, where string) string {
	var all []string
	for p := range v.List(where) {
		all = append(all, p.Text("@text"))
		for item := range p.List("bulletitem") {
			all = append(all, "- "+item.Text("@text"))
		}
	}
	return strings.TrimSpace(strings.Join(all, "\n"))
}

// flawState reads what became of a flaw. A mitigation counts once it is accepted.
func flawState(v record.Value) exposure.State {
	status := v.Text("@remediation_status")
	if strings.EqualFold(status, "Fixed") {
		return exposure.StateFixed
	}
	if !strings.EqualFold(v.Text("@mitigation_status"), "accepted") {
		return exposure.StatePresent
	}
	state := decided(status)
	for m := range v.List("mitigations.mitigation") {
		if decided(m.Text("@action")) == exposure.StateNotAffected {
			state = exposure.StateNotAffected
		}
	}
	return state
}

// component is a third-party component with its weaknesses.
func component(r *record.Report, v record.Value) error {
	asset := application(r.Top().Text("@app_name"))
	c := coordinates(v)
	c.Path = v.Text("file_paths.file_path.@value")
	c.License = v.Text("licenses.license.@spdx_id", "licenses.license.@name")
	r.Inventory(asset, c)
	for w := range v.List("vulnerabilities.vulnerability") {
		o := exposure.Observation{
			Class: "vuln", Detection: exposure.DetectionStatic, Asset: asset, Component: c,
			Severity: severity(w.Text("@severity")), CWEs: term.CWEs(w.Text("@cwe_id")), Description: w.Text("@cve_summary"), CVSS: term.Vectors(w.Text("@cvss_vector")),
		}
		advise(&o, w.Text("@cve_id"))
		if w.Yes("@mitigation") {
			o.State = exposure.StateSuppressed
		}
		for m := range w.List("mitigations.mitigation") {
			if s := decided(m.Text("@action")); o.State != exposure.StatePresent && s == exposure.StateNotAffected {
				o.State = s
			}
			note(&o, m.Text("@action"), m.Text("@description"))
		}
		o.Title = titled(&o)
		r.Weakness(o)
	}
	return nil
}

// advise states the advisory that a weakness of a component has.
func advise(o *exposure.Observation, id string) {
	if term.IsAdvisory(id) {
		o.Advisories = []string{exposure.NormalAdvisory(id)}
	} else {
		o.Rule = id
	}
}

// coordinates is the component of an id such as "maven:group:artifact:1.3:", or
// what is told of its library.
func coordinates(v record.Value) exposure.Component {
	c := exposure.Component{Name: v.Text("@library"), Version: v.Text("@version")}
	parts := strings.Split(v.Text("@library_id"), ":")
	if len(parts) >= 3 && parts[1] != "" {
		name := parts[1]
		if parts[2] != "" {
			c.Name, name = parts[2], parts[1]+":"+parts[2]
		}
		c.Name = cmp.Or(c.Name, name)
		c.Purl = term.Purl(parts[0], name, c.Version)
	}
	if c.Name == "" {
		c.Name = bare(v.Text("@file_name"), c.Version)
	}
	return c
}

// bare is the name of a file of a component without its version and suffix.
func bare(name, version string) string {
	if name = term.Archive(name); version != "" {
		name = strings.TrimRight(strings.TrimSuffix(name, version), "-_.")
	}
	return name
}
