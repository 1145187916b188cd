package qualys

import (
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// row states what a row of one of the reports in CSV says. The rows below the
// findings, which list hosts without one, have no QID.
func row(r *record.Report, v record.Value) error {
	inventory := v.Member("Asset IPV4").Exists() || v.Member("Asset Id").Exists()
	a := machine(v, "DNS", "NetBIOS", "IP", "OS")
	if inventory {
		a = asset(v)
	}
	qid := v.Text("QID")
	if qid == "" || strings.Trim(qid, "0123456789") != "" {
		if v.Text("IP Status") != "" {
			r.Inventory(a, exposure.Component{})
		}
		return nil
	}
	kind := v.Text("Type", "Type Detected")
	o := exposure.Observation{
		Class: classVuln, Asset: a, Rule: qid, Title: v.Text("Title"), Severity: severity(v.Text("Severity", "KB Severity"), kind), Confidence: confidence(kind),
		Description: term.Paragraphs(cell(v, "CVE-Description"), cell(v, "Threat"), cell(v, "Impact")),
		Solution:    term.Paragraphs(cell(v, "Solution")),
		Detection:   detection(v.Text("Tracking Method") + v.Text("Detection Source")),
		Evidence:    output(v.Text("Results")),
		CVSS:        term.Versioned(term.Vectors(strings.Join([]string{v.Text("CVSS3 Base", "CVSS3.1 Base"), v.Text("CVSS Base")}, " "))),
	}
	o.Asset.Add(exposure.IDAgent, v.Text("QG Host ID"))
	o.Advisories, _ = term.Advisories(v.Text("CVE ID", "CVE", "CVE IDs"), "")
	o.References = term.Links(strings.Join([]string{v.Text("Vendor Reference"), v.Text("Threat"), v.Text("Solution")}, " "))
	o.State, o.Seen = state(v, []string{"Vuln Status", "Status"}, []string{"Date Last Fixed", "Last Fixed"}, []string{"Last Detected"})
	if o.State == exposure.StatePresent && (v.Yes("Ignored") || v.Yes("Disabled") || ignored(v.Text("Ticket State"))) {
		o.State = exposure.StateSuppressed
	}
	o.Location = location(v.Text("Port"), v.Text("Protocol"), "")
	o.Evidence = append(o.Evidence, note("virtual host", v.Text("FQDN"), "instance", v.Text("Instance"), "category", v.Text("Category"),
		"vendor reference", v.Text("Vendor Reference"), "threat indicators", v.Text("RTI"), "QDS", v.Text("QDS", "QVS Score"))...)
	r.Weakness(o)
	return nil
}

func cell(v record.Value, name string) string { return term.Unguarded(v.Text(name)) }

// asset is the asset of a row of VMDR: it has a name for people, which often is
// that of a host.
func asset(v record.Value) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetHost, Name: v.Text("Asset Name"), OS: v.Text("Operating System")}
	if term.IsHost(a.Name) {
		a.Add(exposure.IDHostname, a.Name)
	}
	for _, addresses := range []string{v.Text("Asset IPV4"), v.Text("Asset IPV6")} {
		for ip := range strings.FieldsFuncSeq(addresses, term.Between) {
			a.Add(exposure.IDIP, ip)
		}
	}
	return a
}
