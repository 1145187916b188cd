// Package checkmarx reads the reports of Checkmarx: the XML of CxSAST, what the
// command line and the API of Checkmarx One answer in JSON, and the JSON of the
// reports that their pages export.
//
// A data flow is known by its query and by where it ends: the file and the code
// of the sink. Queries go by language and name, which are the same in all forms
// and do not change when a query is rated differently.
package checkmarx

import (
	"context"
	"io"
	"iter"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Checkmarx reports. See
// https://docs.checkmarx.com/en/34965-68640-results.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "checkmarx" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Checkmarx SAST (XML) and Checkmarx One (JSON of the CLI, the API and reports)", "https://docs.checkmarx.com/en/34965-68640-results.html"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	if root, _ := h.Root(); root == "CxXMLResults" {
		return true
	}
	return h.Form() == '{' && (isResults(h) || isReport(h))
}

// isResults recognises what the command line and the API answer.
func isResults(h *decode.Head) bool {
	return h.Has("results[].similarityId", "results[].state") || h.Has("results[].similarityID", "results[].state") || h.Has("results", "totalCount", "scanID")
}

// isReport recognises the reports of the pages, in their two generations.
func isReport(h *decode.Head) bool {
	for _, part := range []string{"scanResults.resultsList", "iacScanResults.technology", "scaScanResults.packages", "scanResults.sast.languages", "scanResults.kics.languages", "scanResults.sca.languages"} {
		if h.Has(part) {
			return true
		}
	}
	return h.Has("scanResults", "reportHeader")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	head, r := decode.Peek(r)
	return record.Spec{
		Tool:  "checkmarx",
		Whole: head.Form() == '{' && isReport(head), // what the weaknesses are comes last
		About: about,
		Records: map[string]record.Handler{
			"CxXMLResults.Query.Result": result,
			"results[]":                 found,

			"reportHeader":                                                        header,
			"vulnerabilityDetails[]":                                              details,
			"scanResults.resultsList[].vulnerabilities[]":                         flow,
			"scanResults{}.languages[].queries[].vulnerabilities[]":               flow,
			"iacScanResults.technology[].queries[].resultsList[]":                 setting,
			"scaScanResults.packages[].packageCategory[].categoryResults[]":       dependency,
			"containerScanResults.packages[].packageCategory[].categoryResults[]": dependency,
		},
		First: []string{"reportHeader", "vulnerabilityDetails[]"},
	}.Read(ctx, r)
}

func about(top record.Value, run *exposure.Run) {
	run.Version = top.Text("@CheckmarxVersion")
	if run.Started = top.Time("@ScanStart"); !run.Started.IsZero() {
		run.Finished = run.Started.Add(lasted(top.Text("@ScanTime")))
	}
}
