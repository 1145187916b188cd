// Package wazuh reads the vulnerabilities that Wazuh detects: answers of its API
// before version 4.8, documents of its index and tables of its dashboard since
// then, and its alerts of both.
//
// What is listed is a selection, so nothing is covered.
package wazuh

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads vulnerabilities of Wazuh. See
// https://documentation.wazuh.com/current/user-manual/capabilities/vulnerability-detection/index.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "wazuh" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Wazuh vulnerabilities (JSON of API and index, alerts, CSV of the dashboard)", "https://documentation.wazuh.com/current/user-manual/capabilities/vulnerability-detection/index.html"
}

// header are columns of the table of the dashboard.
func header() []string { return []string{"package.name", "vulnerability.id"} }

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	if h.Has("data.affected_items[].cve") || h.Has("data.total_affected_items", "data.affected_items") || strings.HasPrefix(h.Text("hits.hits[]._index"), "wazuh-states-vulnerabilities") ||
		h.HasRow(header()...) {
		return true
	}
	for _, at := range []string{"hits.hits[]._source.", "[]._source.", "[].", ""} {
		if document(h, at) {
			return true
		}
	}
	return false
}

// document reports whether there is one of the index, or an alert.
func document(h *decode.Head, at string) bool {
	return h.Has(at+"vulnerability.id", at+"package.name", at+"agent.id") || h.Has(at+"vulnerability.id", at+"package.name", at+"wazuh") ||
		h.Has(at+"data.vulnerability.cve", at+"agent.id")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	h, r := decode.Peek(r)
	spec := record.Spec{Tool: "wazuh", Header: header(), Records: map[string]record.Handler{"data.affected_items[]": item, "hits.hits[]": hit, "[]": hit, "row": hit}}
	if h.Form() == '{' && (document(h, "") || document(h, "_source.")) { // one document a line
		spec.Lines, spec.Records = true, map[string]record.Handler{"": hit}
	}
	return spec.Read(ctx, r)
}

// item is one of the API.
func item(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Rule: v.Text("cve"), Title: v.Text("title"), Severity: term.Severity(v.Text("severity")),
		References: term.Links(strings.Join(v.Texts("external_references"), "\n")), Asset: host(v.Text("agent_name"), v.Text("agent_ip"), v.Text("agent_id"), "", ""),
		Component: exposure.Component{Name: v.Text("name"), Version: v.Text("version")},
	}
	if v.Text("status") == "OBSOLETE" { // it was removed or updated
		o.State = exposure.StateFixed
	}
	return state(r, o, v.Text("condition"))
}

// hit is a document of the index, with or without what the search says of it.
func hit(r *record.Report, v record.Value) error {
	if s := v.At("_source"); s.Exists() {
		v = s
	}
	if v.At("data.vulnerability").Exists() {
		return alert(r, v)
	}
	if v.At("rule").Exists() && !v.At("vulnerability").Exists() {
		return nil // another alert
	}
	os := v.Text("host.os.full", "wazuh.agent.host.os.full")
	if os == "" {
		os = strings.TrimSpace(v.Text("host.os.name") + " " + v.Text("host.os.version"))
	}
	o := exposure.Observation{
		Rule: v.Text("vulnerability.id"), Description: term.Plain(v.Text("vulnerability.description")), Severity: term.Severity(v.Text("vulnerability.severity")),
		CVSS: term.Vectors(v.Text("vulnerability.score.vector")), References: term.Links(strings.ReplaceAll(v.Text("vulnerability.reference"), ",", " ")),
		Asset: host(v.Text("wazuh.agent.host.hostname", "agent.name", "wazuh.agent.name"), v.Text("agent.ip", "agent.host.ip"), v.Text("agent.id", "wazuh.agent.id"), v.Text("wazuh.cluster.name"), os),
		Component: exposure.Component{
			Purl: purl(v.Text("package.type"), v.Text("host.os.platform", "wazuh.agent.host.os.platform"), v.Text("package.name"), v.Text("package.version")),
			Name: v.Text("package.name"), Version: v.Text("package.version"), Path: v.Text("package.path"),
		},
	}
	return state(r, o, v.Text("vulnerability.scanner.condition"))
}

// alert says what changed: a vulnerability appeared, or was solved.
func alert(r *record.Report, v record.Value) error {
	weak := v.At("data.vulnerability")
	o := exposure.Observation{
		Rule: weak.Text("cve"), Title: weak.Text("title"), Description: term.Plain(weak.Text("rationale")), Severity: term.Severity(weak.Text("severity")),
		CWEs: term.CWEs(weak.Text("cwe_reference")), References: term.Links(strings.Join(append(weak.Texts("references"), weak.Texts("reference")...), "\n")),
		Asset: host(v.Text("agent.name"), v.Text("agent.ip"), v.Text("agent.id"), "", ""), Seen: v.Time("timestamp", "@timestamp"),
		Component: exposure.Component{Name: weak.Text("package.name"), Version: weak.Text("package.version")},
	}
	if strings.EqualFold(weak.Text("status"), "solved") {
		o.State = exposure.StateFixed
	}
	return state(r, o, weak.Text("package.condition"))
}

// state states a vulnerability by its id, and what the condition says of the
// versions that have it.
func state(r *record.Report, o exposure.Observation, condition string) error {
	if o.Rule == "" {
		return errors.New("it names no vulnerability")
	}
	o.Class, o.Detection = "vuln", exposure.DetectionAuthenticated
	o.Advisories, _ = term.Advisories("", o.Rule)
	if o.Title == "" {
		o.Title = strings.TrimSuffix(o.Rule+" in "+o.Component.Name, " in ")
	}
	if fixed, ok := strings.CutPrefix(condition, "Package less than "); ok {
		o.Component.Fixed = fixed
	}
	if condition != "" {
		o.Evidence = []exposure.Evidence{{Kind: "note", Text: "Condition: " + condition}}
	}
	r.Weakness(o)
	return nil
}

// host is the machine of an agent. Agents have the name of their host unless
// somebody named them; their ids are numbers that every manager gives anew.
func host(name, ip, id, cluster, os string) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetHost, OS: os}
	if term.IsHost(name) {
		a.Add(exposure.IDHostname, name)
	} else if name != "" {
		a.Add(exposure.IDName, name)
	} else if id != "" {
		a.Add(exposure.IDAgent, strings.TrimPrefix(cluster+"/"+id, "/"))
	}
	if ip != "any" {
		a.Add(exposure.IDIP, ip)
	}
	if len(a.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return a
}

// namespace is that of packages by the platform of a host, where the two are
// called otherwise.
func namespace(platform string) string {
	switch platform {
	case "rhel":
		return "redhat"
	case "amzn":
		return "amazon"
	case "ol":
		return "oracle"
	case "almalinux":
		return "alma"
	case "sles", "sled":
		return "suse"
	}
	return platform
}

func purl(kind, platform, name, version string) string {
	switch kind {
	case "deb", "rpm", "apk":
		if platform = namespace(platform); platform != "" {
			name = platform + "/" + name
		}
	case "pypi", "npm":
	default: // programs of Windows and macOS
		return program(name, version)
	}
	return term.Purl(kind, name, version)
}

// program names a program that has its version in its name; the next version is
// the same program.
func program(name, version string) string {
	if version == "" || !strings.Contains(name, version) {
		return ""
	}
	if name = strings.Join(strings.Fields(strings.ReplaceAll(name, version, " ")), " "); name == "" {
		return ""
	}
	return packageurl.NewPackageURL(packageurl.TypeGeneric, "", name, version, nil, "").ToString()
}
