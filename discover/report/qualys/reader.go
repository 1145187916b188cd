// Package qualys reads the reports of Qualys: of Vulnerability Management, the
// asset data report, the results of a scan and the answer of the host detection
// API in XML, and reports in CSV; of VMDR, the exports by QID and by CVE in CSV;
// of Web Application Scanning, the reports of scans and of applications in XML.
//
// A QID is the rule. Reports are made by templates and filters that leave out
// what they are told to, and name no QID that was looked for in vain, so they
// cover nothing: what is fixed is listed as fixed.
//
// The definitions of the QIDs stand at the end of most reports. Findings wait for
// them, see [record.Report.Wait].
package qualys

import (
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

const tool = "qualys"

// The classes of checks.
const (
	classVuln = "vuln"
	classWeb  = "web"
)

// Reader reads Qualys reports. See
// https://docs.qualys.com/en/vm/api/pdf/qualys-api-xml-dtd-reference.pdf
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return tool }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Qualys VM, VMDR and WAS (XML, CSV)", "https://docs.qualys.com/en/vm/api/pdf/qualys-api-xml-dtd-reference.pdf"
}

// The roots of the reports in XML.
const (
	assetReport = "ASSET_DATA_REPORT"
	scanResults = "SCAN"
	detections  = "HOST_LIST_VM_DETECTION_OUTPUT"
	webScan     = "WAS_SCAN_REPORT"
	webApps     = "WAS_WEBAPP_REPORT"
)

// headers are the columns of the reports in CSV: of VM, and of VMDR.
func headers() [][]string {
	return [][]string{{"IP", "QID", "Title", "Severity"}, {"QID", "Title", "Severity", "Asset IPV4"}, {"QID", "Title", "Severity", "Asset Id"}}
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch root, _ := h.Root(); root {
	case assetReport, detections, webScan, webApps:
		return true
	case scanResults:
		return h.Has("SCAN.HEADER.KEY.@value") || h.Has("SCAN.IP.@value") || h.Has("SCAN.ERROR")
	}
	for _, columns := range headers() {
		if h.HasRow(columns...) {
			return true
		}
	}
	return h.HasRow("IP", "Total Vulnerabilities", "Security Risk") // the header is below the list of hosts
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	w := &web{}
	spec := record.Spec{
		Tool: tool, Headers: headers(), Complete: w.complete,
		About: func(top record.Value, run *exposure.Run) {
			about(top, run)
			w.about(run)
		},
		Records: map[string]record.Handler{
			"row": row,
			assetReport + ".HOST_LIST.HOST.VULN_INFO_LIST.VULN_INFO":         vulnInfo,
			assetReport + ".GLOSSARY.VULN_DETAILS_LIST.VULN_DETAILS":         vulnDetails,
			detections + ".RESPONSE.HOST_LIST.HOST.DETECTION_LIST.DETECTION": vulnInfo,
			scanResults + ".IP.INFOS.CAT.INFO":                               scanItem("Ig"),
			scanResults + ".IP.SERVICES.CAT.SERVICE":                         scanItem("Ig"),
			scanResults + ".IP.VULNS.CAT.VULN":                               scanItem("Vuln"),
			scanResults + ".IP.PRACTICES.CAT.PRACTICE":                       scanItem("Practice"),
		},
	}
	for path, handle := range w.records() {
		spec.Records[path] = handle
	}
	return spec.Read(ctx, r)
}

// about reads what the headers of VM reports say of the scan.
func about(top record.Value, run *exposure.Run) {
	for k := range top.List("HEADER.KEY") {
		switch value := k.Text(); k.Text("@value") {
		case "DATE":
			run.Started = k.Time()
		case "STATUS":
			switch value {
			case "FINISHED", "NOVULNSFOUND", "NOHOSTALIVE", "LOADING", "":
			default:
				run.Failed, run.Failure = true, "the status of the scan is "+value
			}
		}
	}
	if t := top.Time("HEADER.GENERATION_DATETIME"); !t.IsZero() {
		run.Finished = t
	}
}

// severity is the level of a QID from 1, minimal, to 5, urgent. What was only
// gathered is information, whatever its level.
func severity(level, kind string) exposure.Severity {
	if gathered(kind) {
		return exposure.SeverityInfo
	}
	switch level {
	case "1":
		return exposure.SeverityInfo
	case "2":
		return exposure.SeverityLow
	case "3":
		return exposure.SeverityMedium
	case "4":
		return exposure.SeverityHigh
	case "5":
		return exposure.SeverityCritical
	}
	return term.Severity(level)
}

// gathered reports whether a kind of QID is that of information.
func gathered(kind string) bool {
	switch kind {
	case "Ig", "Info", "Information Gathered", "Information":
		return true
	}
	return false
}

// confidence is that of a kind of QID, on the scale of OpenVAS.
func confidence(kind string) int {
	switch kind {
	case "Vuln", "Confirmed":
		return 95
	case "Practice", "Potential":
		return 50
	}
	return 0
}
