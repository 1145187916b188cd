// Package veracode reads the detailed reports of Veracode in XML, the answers of
// its findings API, and the results of its pipeline scans in JSON.
//
// Reports tell no code. Veracode keeps the number of a flaw in an application
// from scan to scan, however its code moves, so that number tells two flaws of
// one file apart.
package veracode

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Veracode reports. See
// https://docs.veracode.com/r/c_findings_v2_intro
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "veracode" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Veracode detailed report (XML), findings API and pipeline scan (JSON)", "https://docs.veracode.com/r/c_findings_v2_intro"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	if root, space := h.Root(); root == "detailedreport" {
		return strings.Contains(space, "veracode") || h.Has("detailedreport.@report_format_version")
	}
	for _, list := range []string{"findings[].", "_embedded.findings[].", "[]._embedded.findings[]."} {
		if h.Has(list+"finding_details", list+"finding_status") {
			return true
		}
	}
	return h.Has("_embedded.findings", "page.total_elements") || h.Has("pipeline_scan", "findings") || h.Has("findings[].issue_type_id", "findings[].cwe_id")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool:  "veracode",
		About: about,
		Records: map[string]record.Handler{
			"detailedreport.severity.category.cwe.staticflaws.flaw":                        flaw,
			"detailedreport.severity.category.cwe.dynamicflaws.flaw":                       flaw,
			"detailedreport.severity.category.cwe.manualflaws.flaw":                        flaw,
			"detailedreport.software_composition_analysis.vulnerable_components.component": component,

			"findings[]":              finding,
			"_embedded.findings[]":    finding,
			"[]._embedded.findings[]": finding, // pages
		},
	}.Read(ctx, r)
}

func about(top record.Value, run *exposure.Run) {
	run.Version = top.Text("static-analysis.@engine_version")
	run.Format = top.Text("@report_format_version")
	run.Started = top.Time("static-analysis.@submitted_date", "dynamic-analysis.@submitted_date")
	run.Finished = top.Time("static-analysis.@published_date", "dynamic-analysis.@published_date", "@last_update_time")
	if top.Text("scan_status") == "FAILURE" {
		run.Failed, run.Failure = true, top.Text("message")
	}
}

// application is the asset that is scanned, unless a flaw names a host.
func application(name string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetRepository}
	ref.Add(exposure.IDName, name)
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

// severity reads the numbers from 5, very high, to 0, informational.
func severity(number string) exposure.Severity {
	switch number {
	case "5":
		return exposure.SeverityCritical
	case "4":
		return exposure.SeverityHigh
	case "3":
		return exposure.SeverityMedium
	case "2", "1": // low, very low
		return exposure.SeverityLow
	case "0":
		return exposure.SeverityInfo
	}
	return exposure.SeverityUnknown
}

// decided is what follows from a mitigation that was accepted: that there is no
// weakness, or that it may stay.
func decided(action string) exposure.State {
	low := strings.ToLower(action)
	if strings.Contains(low, "false") && strings.Contains(low, "positive") || low == "fp" {
		return exposure.StateNotAffected
	}
	return exposure.StateSuppressed
}

// place is the file of a flaw and its number in the application.
func place(o *exposure.Observation, file, issue, function string) {
	o.Location.File = strings.TrimLeft(file, "/")
	o.Location.Symbol = function
	if issue != "" {
		o.Location.Symbol = "flaw " + issue
	}
}

// note adds a text to the evidence.
func note(o *exposure.Observation, name, text string) {
	if text = strings.TrimSpace(text); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: name + ": " + text})
	}
}

// titled is the title of a weakness of a component.
func titled(o *exposure.Observation) string {
	name := o.Rule
	if len(o.Advisories) > 0 {
		name = o.Advisories[0]
	}
	if o.Component.Name == "" {
		return name
	}
	return name + " in " + o.Component.Name
}
