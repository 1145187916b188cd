package qualys

import (
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// machine is the asset that elements or columns of the given names tell.
func machine(v record.Value, dns, netbios, address, system string) exposure.AssetRef {
	a := exposure.AssetRef{Kind: exposure.AssetHost, OS: v.Text(system)}
	for _, name := range []string{v.Text(dns), v.Text(netbios), v.Text(address)} {
		if !term.Nothing(name) && term.IsHost(name) {
			a.Add(exposure.IDHostname, name) // or its address
		}
	}
	return a
}

// vulnInfo states one QID on a host.
func vulnInfo(r *record.Report, v record.Value) error {
	host := r.Up(1)
	kind := v.Text("TYPE")
	o := exposure.Observation{
		Class: classVuln, Asset: machine(host, "DNS", "NETBIOS", "IP", "OPERATING_SYSTEM"), Rule: v.Text("QID"), Confidence: confidence(kind),
		Detection: detection(host.Text("TRACKING_METHOD")), Evidence: output(v.Text("RESULT", "RESULTS")),
		Severity: exposure.SeverityUnknown,
	}
	if o.Asset.OS == "" {
		o.Asset.OS = host.Text("OS")
	}
	o.Asset.Add(exposure.IDHostname, host.Text("DNS_DATA.FQDN"))
	o.Asset.Add(exposure.IDIP, host.Text("IPV6"))
	o.Asset.Add(exposure.IDAgent, host.Text("QG_HOSTID"))
	if level := v.Text("SEVERITY"); level != "" || gathered(kind) {
		o.Severity = severity(level, kind)
	}
	o.State, o.Seen = state(v, []string{"VULN_STATUS", "STATUS"}, []string{"LAST_FIXED", "LAST_FIXED_DATETIME"}, []string{"LAST_FOUND", "LAST_FOUND_DATETIME"})
	if o.State == exposure.StatePresent && (v.Yes("IS_IGNORED") || v.Yes("IS_DISABLED") || ignored(v.Text("TICKET_STATE"))) {
		o.State = exposure.StateSuppressed
	}
	o.Location = location(v.Text("PORT"), v.Text("PROTOCOL"), v.Text("SERVICE"))
	o.Evidence = append(o.Evidence, note("virtual host", v.Text("FQDN"), "instance", v.Text("INSTANCE"))...)
	r.Wait(o)
	return nil
}

// state is what the status says, and when it was so: what is fixed was last
// found before that.
func state(v record.Value, status, fixed, found []string) (exposure.State, time.Time) {
	s := term.State(v.Text(status...))
	if s == exposure.StateFixed {
		return s, v.Time(fixed...)
	}
	return s, v.Time(found...)
}

// ignored reports whether the state of a ticket is that of an ignored finding.
func ignored(ticket string) bool { return strings.Contains(strings.ToLower(ticket), "ignored") }

// detection is how the scanner knows, as far as the tracking of the host tells:
// an agent sits on it.
func detection(tracking string) exposure.Detection {
	if strings.Contains(strings.ToUpper(tracking), "AGENT") {
		return exposure.DetectionAuthenticated
	}
	return exposure.DetectionRemote
}

func location(port, protocol, service string) (l exposure.Location) {
	if l.Port = term.Port(port); l.Port == 0 {
		return l
	}
	if l.Protocol = strings.ToLower(term.Unguarded(protocol)); term.Nothing(l.Protocol) {
		l.Protocol = "tcp"
	}
	l.Service = service
	return l
}

func output(text string) []exposure.Evidence {
	if text = term.Unguarded(text); term.Nothing(text) {
		return nil
	}
	return []exposure.Evidence{{Kind: "output", Text: text}}
}

// note is what pairs of a name and a value say.
func note(pairs ...string) []exposure.Evidence {
	var lines []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := term.Unguarded(pairs[i+1]); !term.Nothing(value) {
			lines = append(lines, pairs[i]+": "+value)
		}
	}
	if lines == nil {
		return nil
	}
	return []exposure.Evidence{{Kind: "note", Text: strings.Join(lines, "\n")}}
}

// vulnDetails defines a QID.
func vulnDetails(r *record.Report, v record.Value) error {
	o := described(v, v.Text("THREAT"), v.Text("THREAT_COMMENT"), v.Text("IMPACT"), v.Text("IMPACT_COMMENT"))
	o.Severity = severity(v.Text("SEVERITY"), "")
	return r.Define(v.Text("QID"), o)
}

// described is what a report says of a QID, where it says it at length.
func described(v record.Value, texts ...string) exposure.Observation {
	o := exposure.Observation{
		Title: v.Text("TITLE"), Description: term.Paragraphs(texts...), Solution: term.Paragraphs(v.Text("SOLUTION"), v.Text("SOLUTION_COMMENT")),
	}
	var cves, links []string
	for c := range v.List("CVE_ID_LIST.CVE_ID") {
		cves = append(cves, c.Text("ID"))
	}
	o.Advisories, _ = term.Advisories(strings.Join(cves, ","), "")
	for _, list := range []string{"VENDOR_REFERENCE_LIST.VENDOR_REFERENCE", "BUGTRAQ_ID_LIST.BUGTRAQ_ID"} {
		for ref := range v.List(list) {
			links = append(links, ref.Text("URL"))
		}
	}
	for src := range v.List("CORRELATION.EXPLOITABILITY.EXPLT_SRC") {
		for e := range src.List("EXPLT_LIST.EXPLT") {
			links = append(links, e.Text("LINK"))
		}
	}
	o.References = term.Links(strings.Join(links, " "))
	scores := []string{v.Text("CVSS3_SCORE.CVSS3_BASE"), v.Text("CVSS3_BASE"), v.Text("CVSS_SCORE.CVSS_BASE"), v.Text("CVSS_BASE")}
	o.CVSS = term.Versioned(term.Vectors(strings.Join(scores, " ")))
	return o
}

// scanItem states one QID in the results of a scan, which describe it each time.
func scanItem(kind string) record.Handler {
	return func(r *record.Report, v record.Value) error {
		cat, ip := r.Up(0), r.Up(2)
		o := described(v, v.Text("DIAGNOSIS"), v.Text("DIAGNOSIS_COMMENT"), v.Text("CONSEQUENCE"), v.Text("CONSEQUENCE_COMMENT"))
		o.Class, o.Rule, o.Asset = classVuln, v.Text("@number"), machine(ip, "@name", "NETBIOS_HOSTNAME", "@value", "OS")
		o.Severity, o.Confidence, o.Detection = severity(v.Text("@severity"), kind), confidence(kind), exposure.DetectionRemote
		if o.Advisories == nil {
			o.Advisories, _ = term.Advisories(v.Text("@cveid"), "")
		}
		o.Location = location(cat.Text("@port"), cat.Text("@protocol"), "")
		o.Evidence = append(output(v.Text("RESULT")), note("category", cat.Text("@value"), "virtual host", cat.Text("@fqdn"), "over", strings.TrimPrefix(cat.Text("@misc"), "over "))...)
		r.Weakness(o)
		return nil
	}
}
