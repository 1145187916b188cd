package invicti

import (
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// alerts are the reports of Acunetix.
func alerts() record.Spec {
	aborted := false
	return record.Spec{
		Tool: "acunetix",
		About: func(top record.Value, run *exposure.Run) {
			run.Finished = date(top.Text("@ExportedOn"))
			if run.Failed = aborted; aborted {
				run.Failure = "a scan was aborted"
			}
		},
		First: []string{"ScanGroup.Scan.Aborted"},
		Records: map[string]record.Handler{
			"ScanGroup.Scan.Aborted": func(_ *record.Report, v record.Value) error {
				aborted = aborted || v.Yes()
				return nil
			},
			"ScanGroup.Scan.Crawler.Cookies":            crawled(0),
			"ScanGroup.Scan.Crawler.SiteFiles.SiteFile": crawled(1),
			"ScanGroup.Scan.ReportItems.ReportItem":     item,
		},
	}
}

// crawled keeps where the crawler began, which has the scheme that the target
// may lack. The crawler is that many elements up.
func crawled(up int) record.Handler {
	return func(r *record.Report, _ record.Value) error {
		r.State = r.Up(up).Text("@StartUrl")
		return nil
	}
}

// target is the address that was scanned.
func target(r *record.Report) term.Endpoint {
	at := term.ParseEndpoint(r.Up(1).Text("StartURL"))
	if start, ok := r.State.(string); ok {
		if crawl := term.ParseEndpoint(start); crawl.Host == at.Host && (at.Port == 0 || at.Port == crawl.Port) {
			at = crawl
		}
	}
	return at
}

// item states an alert of Acunetix.
func item(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Class: "web", Detection: exposure.DetectionRemote,
		Rule: v.Text("Name"), Title: v.Text("Name"), Severity: term.Severity(v.Text("Severity")),
		Description: term.Paragraphs(v.Text("Description"), v.Text("Impact"), v.Text("DetailedInformation")),
		Solution:    term.Plain(v.Text("Recommendation")),
		CWEs:        term.CWEs(list(v, "CWEList.CWE", "@id")),
		Evidence: evidence(
			"request", v.Text("TechnicalDetails.Request"),
			"response", v.Text("TechnicalDetails.Response"),
			"note", term.Plain(v.Text("Details")),
			"code", v.Text("AOP_Additional"),
		),
		Seen: date(r.Up(1).Text("FinishTime", "StartTime")),
	}
	if v.Yes("IsFalsePositive") {
		o.State = exposure.StateNotAffected
	}
	o.Advisories, _ = term.Advisories(list(v, "CVEList.CVE", "@id", "Id"), "")
	for _, path := range []string{"CVSS", "CVSS3", "CVSS4"} {
		o.CVSS = append(o.CVSS, term.Vectors(v.Text(path+".Descriptor"))...)
	}
	o.References = term.Links(list(v, "References.Reference", "URL"))
	at := target(r)
	// What an alert affects is a path, an address, or a part of the server in words.
	switch affects := v.Text("Affects"); {
	case strings.Contains(affects, "://"):
		at = term.ParseEndpoint(affects)
	case strings.HasPrefix(affects, "/"):
		at.Path = affects
	default:
		at.Path = ""
	}
	at.Place(&o)
	if os := r.Up(1).Text("Os"); !o.Asset.IsZero() && !term.Nothing(os) {
		o.Asset.OS = os
	}
	if o.Location.Parameter = v.Text("Parameter"); o.Location.Parameter == "<empty>" {
		o.Location.Parameter = ""
	}
	o.Location.File = term.File(v.Text("AOP_SourceFile"))
	o.Location.Line = v.Int("AOP_SourceLine")
	r.Weakness(o)
	return nil
}

// list is a list in one text, of elements that say it by themselves or in a
// member.
func list(v record.Value, path string, members ...string) string {
	var all []string
	for e := range v.List(path) {
		s := ""
		if e.IsObject() {
			s = e.Text(members...)
		}
		if s == "" {
			s = e.Text()
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}
