package openvas

import (
	"cmp"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// The classes of checks.
const (
	classVuln       = "vuln"
	classCompliance = "misconfig"
)

// result states what one result says. Errors of tests are none.
func result(r *record.Report, v record.Value) error {
	threat := v.Text("threat")
	if threat == "Error" || v.Text("severity") == "-3.0" {
		return nil
	}
	nvt, tags := v.At("nvt"), tagsOf(v.Text("nvt.tags"))
	o := exposure.Observation{
		Class: classVuln, Title: v.Text("name", "nvt.name"),
		Description: term.Paragraphs(tags["summary"], tags["insight"], tags["impact"], tags["affected"]),
		Solution:    term.Paragraphs(cmp.Or(nvt.Text("solution"), tags["solution"])),
		Severity:    severity(threat, v.Text("severity")),
		Seen:        v.Time("modification_time", "creation_time"),
	}
	o.Location.Port, o.Location.Protocol, o.Location.Service = port(v.Text("port"))
	o.Asset = asset(v.Text("host"), v.Text("host.hostname"))
	oid := nvt.Text("@oid")
	o.Rule = rule(oid, o.Title)
	refer(&o, nvt, oid)
	o.CVSS = vectors(nvt, tags["cvss_base_vector"])
	o.Confidence = v.Int("qod.value")
	o.Detection = detection(v.Text("qod.type"), o.Confidence, nvt.Text("family"))
	o.Component = component(v)
	o.Evidence = evidence(v, nvt, tags)
	if threat == "False Positive" || v.Text("severity") == "-1.0" {
		o.State = exposure.StateNotAffected
		o.Severity = severity(v.Text("original_threat"), v.Text("original_severity"))
	}
	if v.Text("delta") == "gone" { // of a report that compares two
		o.State = exposure.StateFixed
	}
	if c := v.Text("compliance"); c != "" && c != "undefined" {
		o.Class = classCompliance
		if c == "incomplete" {
			return nil // it could not be told
		}
		r.Covered(o.Asset, classCompliance, o.Rule)
		if c == "yes" {
			return nil
		}
	}
	r.Weakness(o)
	return nil
}

// asset is the host of a result.
func asset(address, name string) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetHost}
	a.Add(exposure.IDHostname, name)
	a.Add(exposure.IDHostname, address) // which it is, as a rule
	return a
}

// rule is the OID of the test; port scanners of old have none.
func rule(oid, name string) string {
	if oid == "" || oid == "0" {
		return cmp.Or(name, "open-port")
	}
	return oid
}

// severity is the threat, as the report calls the class of the severity; words
// of old versions are known too.
func severity(threat, score string) exposure.Severity {
	switch threat {
	case "Log", "Debug", "Log Message", "Debug Message":
		return exposure.SeverityInfo
	case "Security Hole", "Alarm":
		return exposure.SeverityHigh
	case "Security Warning":
		return exposure.SeverityMedium
	case "Security Note":
		return exposure.SeverityLow
	}
	if s := term.Severity(threat); s != exposure.SeverityUnknown {
		return s
	}
	return term.Rated(score)
}

// port reads "443/tcp", "general/tcp" and, of old versions, "https (443/tcp)".
func port(s string) (number int, protocol, service string) {
	if before, in, ok := strings.Cut(s, " ("); ok {
		service, s = before, strings.TrimSuffix(in, ")")
	}
	name, protocol, _ := strings.Cut(s, "/")
	if number = term.Port(name); number == 0 {
		return 0, "", ""
	}
	return number, strings.ToLower(cmp.Or(protocol, "tcp")), service
}

// tagsOf takes the tags of a test apart: summary=…|insight=…
func tagsOf(s string) map[string]string {
	tags := map[string]string{}
	last := ""
	for part := range strings.SplitSeq(s, "|") {
		name, value, ok := strings.Cut(part, "=")
		if ok && name != "" && len(name) < 40 && !strings.ContainsAny(name, " \t\r\n") {
			last = name
			tags[name] = value
		} else if last != "" {
			tags[last] += "|" + part // a text with a bar in it
		}
	}
	return tags
}

// refer states the advisories and references of a test.
func refer(o *exposure.Observation, nvt record.Value, oid string) {
	cves := []string{oid, nvt.Text("cve")} // the CVE scanner names its tests so
	links := []string{nvt.Text("xref")}
	for ref := range nvt.List("refs.ref") {
		switch id := ref.Text("@id"); strings.ToLower(ref.Text("@type")) {
		case "cve":
			cves = append(cves, id)
		case "url":
			links = append(links, withScheme(id))
		}
	}
	o.Advisories, _ = term.Advisories(strings.Join(cves, ","), "")
	o.References = term.Links(strings.Join(links, " "))
}

// withScheme is a reference as an address.
func withScheme(s string) string {
	if strings.HasPrefix(s, "www.") {
		return "https://" + s
	}
	return s
}

func vectors(nvt record.Value, tag string) []string {
	var all []string
	for s := range nvt.List("severities.severity") {
		all = append(all, s.Text("value"))
	}
	return term.Vectors(strings.Join(append(all, tag), " "))
}

// detection is how the test knows, by the type of the quality of detection or
// its value alone. See
// https://docs.greenbone.net/GSM-Manual/gos-24.10/en/reports.html#quality-of-detection-concept
func detection(kind string, value int, family string) exposure.Detection {
	switch {
	case kind == "exploit", kind == "" && value == 100:
		return exposure.DetectionExploit
	case kind == "package", kind == "registry", kind == "executable_version", kind == "" && value == 97, local(family):
		return exposure.DetectionAuthenticated
	case strings.Contains(kind, "banner"), strings.HasSuffix(kind, "_unreliable"), kind == "" && (value == 80 || value == 30):
		return exposure.DetectionBanner
	case kind == "general_note", kind == "" && value < 50:
		return exposure.DetectionUnknown
	}
	return exposure.DetectionRemote
}

// local reports whether a family of tests needs a login.
func local(family string) bool {
	return strings.HasSuffix(family, "Local Security Checks") || family == "Windows : Microsoft Bulletins"
}

// component is the product that was detected, by a test before.
func component(v record.Value) (c exposure.Component) {
	for d := range v.List("detection.result.details.detail") {
		switch value := d.Text("value"); d.Text("name") {
		case "product":
			_, _, c.Name, c.Version = term.CPE(value)
		case "location":
			if strings.ContainsAny(value, `/\`) && term.Port(strings.SplitN(value, "/", 2)[0]) == 0 {
				c.Path = value
			}
		}
	}
	if c.Name == "" {
		return exposure.Component{}
	}
	return c
}

func evidence(v, nvt record.Value, tags map[string]string) (all []exposure.Evidence) {
	if s := v.Text("description"); s != "" {
		all = append(all, exposure.Evidence{Kind: "output", Text: s})
	}
	var notes []string
	if s := cmp.Or(nvt.Text("solution.@type"), tags["solution_type"]); s != "" {
		notes = append(notes, "solution type: "+s)
	}
	var named []string
	for ref := range nvt.List("refs.ref") {
		if kind := strings.ToLower(ref.Text("@type")); kind != "cve" && kind != "url" {
			named = append(named, ref.Text("@id"))
		}
	}
	if named = slices.Compact(named); len(named) > 0 {
		notes = append(notes, "further references: "+strings.Join(named, ", "))
	}
	for n := range v.List("notes.note") {
		notes = append(notes, "note: "+n.Text("text"))
	}
	for n := range v.List("overrides.override") {
		notes = append(notes, "override to "+cmp.Or(n.Text("new_threat"), n.Text("new_severity"), "another severity")+": "+n.Text("text"))
	}
	if len(notes) > 0 {
		all = append(all, exposure.Evidence{Kind: "note", Text: strings.Join(notes, "\n")})
	}
	return all
}

// host states that a host was there, and what was found out about it.
func host(r *record.Report, v record.Value) error {
	a := exposure.AssetRef{Kind: exposure.AssetHost}
	for d := range v.List("detail") {
		switch value := d.Text("value"); d.Text("name") {
		case "hostname", "DNS-via-TargetDefinition":
			a.Add(exposure.IDHostname, value)
		case "MAC":
			a.Add(exposure.IDMAC, value)
		case "best_os_txt":
			a.OS = value
		case "OS":
			if a.OS == "" && !strings.HasPrefix(value, "cpe:") {
				a.OS = value
			}
		}
	}
	a.Add(exposure.IDHostname, v.Text("ip"))
	r.Inventory(a, exposure.Component{})
	return nil
}

// row states what a row of the CSV report says.
func row(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Class: classVuln, Title: v.Text("NVT Name"), Rule: rule(v.Text("NVT OID"), v.Text("NVT Name")),
		Description: term.Paragraphs(cell(v, "Summary"), cell(v, "Vulnerability Insight"), cell(v, "Impact"), cell(v, "Affected Software/OS")),
		Solution:    term.Paragraphs(cell(v, "Solution")),
		Severity:    severity(v.Text("Severity"), v.Text("CVSS")),
		References:  term.Links(v.Text("Other References")),
		Asset:       asset(v.Text("IP"), v.Text("Hostname")),
		Confidence:  v.Int("QoD"),
		Seen:        v.Time("Timestamp"),
	}
	if v.Text("NVT OID", "NVT Name") == "" || v.Text("Severity") == "Error" {
		return nil // no result
	}
	if v.Text("Severity") == "False Positive" {
		o.State, o.Severity = exposure.StateNotAffected, term.Rated(v.Text("CVSS"))
	}
	o.Location.Port, o.Location.Protocol, _ = port(v.Text("Port") + "/" + v.Text("Port Protocol"))
	o.Advisories, _ = term.Advisories(v.Text("NVT OID")+","+v.Text("CVEs"), "")
	o.Detection = detection("", o.Confidence, "")
	if _, cpe, ok := strings.Cut(v.Text("Product Detection Result"), "Product:"); ok {
		cpe, _, _ = strings.Cut(strings.TrimSpace(cpe), "\n")
		_, _, o.Component.Name, o.Component.Version = term.CPE(cpe)
	}
	if s := cell(v, "Specific Result"); s != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: s})
	}
	var notes []string
	for _, name := range []string{"Solution Type", "BIDs", "CERTs"} {
		if s := v.Text(name); s != "" {
			notes = append(notes, name+": "+s)
		}
	}
	if notes != nil {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: strings.Join(notes, "\n")})
	}
	r.Weakness(o)
	return nil
}

func cell(v record.Value, name string) string { return term.Unguarded(v.Text(name)) }
