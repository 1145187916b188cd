package nessus

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// headers are the columns of the tables: of Nessus, Tenable Vulnerability
// Management and Web App Scanning; of Security Center; of the exports of
// findings in Tenable Vulnerability Management.
func headers() [][]string {
	return [][]string{
		{"Plugin ID", "Host", "Name"}, {"Plugin", "Plugin Name", "IP Address"}, {"Plugin ID", "Plugin Name", "IP Address"},
		{"definition.id", "definition.name"}, {"definition.id", "asset.name"},
	}
}

// readTable reads a table. A plug-in that knows several CVEs has a row for each;
// together they are what a .nessus file states as one item.
func readTable(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: tool, Headers: headers(), Vary: []string{"CVE", "BID", "XREF", "MSKB", "Indexed At"},
		Records: map[string]record.Handler{"row": row},
	}.Read(ctx, r)
}

func row(r *record.Report, v record.Value) error {
	it := itemOf(v)
	if it.PluginID == "" || strings.Trim(it.PluginID, "0123456789") != "" {
		return errNoPlugin
	}
	h, state := hostOfRow(v)
	h.credentialed = it.local() || it.Type == "local" // such checks need a login
	protocol := strings.ToLower(v.Text("Protocol"))
	if it.Protocol == "http" || it.Protocol == "https" { // of web applications
		it.Protocol, it.Service = "tcp", it.Protocol
	}
	o, found := it.observation(&document{web: strings.HasPrefix(protocol, "http")}, h)
	if it.Result != "" {
		r.Covered(h.asset, classCompliance, it.rule())
	}
	if !found {
		return nil
	}
	o.State = state
	o.Component = component(v.Text("CPE", "definition.cpe"))
	r.Weakness(o)
	return nil
}

// itemOf makes of the rows of one item what a .nessus file would say.
func itemOf(v record.Value) item {
	it := item{
		PluginID: v.Text("Plugin ID", "Plugin", "definition.id"), PluginName: v.Text("Name", "Plugin Name", "definition.name"), Family: v.Text("Plugin Family", "Family", "definition.family"),
		Risk: v.Text("Risk", "Severity", "Risk Factor"), Type: strings.ToLower(v.Text("Plugin Type", "Check Type", "definition.type")),
		Port: v.Text("Port", "asset.port"), Protocol: strings.ToLower(v.Text("Protocol")), Service: v.Text("Service"),
		Synopsis: v.Text("Synopsis", "definition.synopsis"), Description: v.Text("Description", "definition.description"), Solution: v.Text("Solution", "definition.solution"),
		Output:  plain(v.Text("Plugin Output", "Plugin Text", "output")),
		SeeAlso: term.Links(v.Text("See Also", "definition.see_also")),
		CWEs:    strings.FieldsFunc(v.Text("CWE", "definition.cwe"), listed),
		Vector2: term.Vectors(v.Text("CVSS V2 Vector", "CVSS v2.0 Vector", "CVSS Vector", "definition.cvss2.base_vector")),
		Vector3: term.Versioned(term.Vectors(v.Text("CVSS V3 Vector", "CVSS v3.0 Vector", "CVSS3 Vector", "definition.cvss3.base_vector"))),
		Vector4: term.Vectors(v.Text("CVSS V4 Vector", "CVSS v4.0 Vector", "CVSS4 Vector", "definition.cvss4.base_vector")),
		Ease:    v.Text("Exploit Ease", "definition.exploitability_ease"),
	}
	if v.Yes("Exploit Available", "Exploit?", "definition.exploit_available") {
		it.Exploit = "true"
	}
	if v.Yes("Exploited by Malware", "definition.exploited_by_malware") {
		it.Malware = "true"
	}
	if strings.Trim(it.Risk, "0123456789") == "" {
		it.Severity = it.Risk
	}
	for line := range v.List("") {
		it.CVEs = append(it.CVEs, term.Find(line.Text("CVE", "definition.cve"))...)
		for ref := range strings.FieldsFuncSeq(line.Text("XREF", "Cross References", "definition.xrefs"), func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
			it.XRefs = append(it.XRefs, strings.Replace(strings.TrimSpace(ref), " #", ":", 1))
		}
	}
	it.compliance()
	return it
}

// compliance takes up the result of a compliance check, which stands in the
// place of the risk; its name begins the description: "1.2 …" : [FAILED]
func (it *item) compliance() {
	switch it.Risk {
	case "FAILED":
		it.Severity = "3"
	case "WARNING":
		it.Severity = "2"
	case "PASSED", "ERROR", "SKIPPED":
	default:
		return
	}
	it.Result = it.Risk
	if name, rest, ok := strings.Cut(it.Description, " : ["); ok {
		it.Check = strings.Trim(name, `" `)
		_, rest, _ = strings.Cut(rest, "]")
		it.CheckInfo = strings.TrimSpace(rest)
	}
}

// plain is the output of a plug-in without what Security Center puts around it.
func plain(s string) string {
	s = strings.TrimPrefix(s, "Plugin Output:")
	s = strings.TrimPrefix(strings.TrimSpace(s), "<plugin_output>")
	return strings.TrimSuffix(s, "</plugin_output>")
}

// listed reports whether r stands between or around the elements of a list.
func listed(r rune) bool { return term.Between(r) || strings.ContainsRune(`[]'"`, r) }

// hostOfRow is the host of a row, and what the row says of the weakness on it.
func hostOfRow(v record.Value) (*host, exposure.State) {
	name := v.Text("Host", "asset.host_name", "asset.name")
	if !term.IsHost(hostOf(name)) {
		name = ""
	}
	h := newHost(name)
	for property, columns := range map[string][]string{
		"host-fqdn":    {"FQDN", "DNS Name", "asset.fqdn", "asset.fqdns", "asset.host_name"},
		"netbios-name": {"NetBios", "NetBIOS Name", "asset.netbios_name"},
		"host-ip":      {"IP Address", "asset.display_ipv4_address", "asset.ipv4_addresses", "asset.display_ipv6_address", "asset.ipv6_addresses"},
		"mac-address":  {"MAC Address", "asset.mac_addresses", "asset.display_mac_address"},
	} {
		for _, column := range columns {
			h.property(property, strings.Join(strings.FieldsFunc(v.Text(column), listed), " "))
		}
	}
	h.property("operating-system", strings.Trim(v.Text("OS", "Operating System", "asset.display_operating_system", "asset.operating_system"), `[]'"`))
	h.settle()
	h.asset.Add(exposure.IDAgent, v.Text("Agent ID"))
	state := term.State(v.Text("Vulnerability State", "state"))
	h.finished = v.Time("Last Found", "Last Observed", "last_seen", "last_observed", "Host End")
	if state == exposure.StateFixed {
		h.finished = v.Time("Last Fixed", "last_fixed", "Last Mitigated")
	}
	if state == exposure.StatePresent && (strings.HasPrefix(v.Text("Modification", "risk_modified"), "ACCEPT") || !term.Nothing(v.Text("Accept Risk Comment"))) {
		state = exposure.StateSuppressed
	}
	return h, state
}

// component is the first application that a list of CPE names.
func component(cpes string) (c exposure.Component) {
	for name := range strings.FieldsFuncSeq(cpes, listed) {
		if kind, _, product, version := term.CPE(name); kind == "a" && product != "" {
			return exposure.Component{Name: product, Version: version}
		}
	}
	return c
}
