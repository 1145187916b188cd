// Package fortify reads the results of Fortify: the documents in an FPR file, the
// XML reports that were made of them, and those of WebInspect.
//
// Fortify gives each issue an instance id that does not depend on lines, and
// finds the issue again by it from scan to scan. The code is in a result only
// when the scan was told to put it there, so the instance id tells two issues of
// one file apart.
//
// What people decided stands in audit.xml, apart from the weaknesses in
// audit.fvdl. In an archive the two are one report. Decisions are newer than the
// scan and are stated with their own time, so that neither the result without
// them, imported later, takes them back, nor they bring back what was fixed since.
package fortify

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads results of Fortify. See
// https://www.microfocus.com/documentation/fortify-static-code-analyzer-and-tools/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "fortify" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Fortify results (FPR) and reports (XML), WebInspect scans (XML)", "https://www.microfocus.com/documentation/fortify-static-code-analyzer-and-tools/"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch root, space := h.Root(); root {
	case "FVDL", "Audit", "Attachments":
		return strings.Contains(space, "fortify")
	case "ReportDefinition":
		return h.Has("ReportDefinition.TemplateName", "ReportDefinition.ReportSection")
	case "Scan":
		return h.Has("Scan.Issues.Issue.VulnerabilityID") || h.Has("Scan.Issues.Issue.CheckTypeID")
	}
	return false
}

// maxHeld is how much of a result is held, in bytes: what it says of its rules,
// their impact and the code comes last.
const maxHeld = 48 << 20

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return read(ctx, r, nil)
}

// read reads any of the documents; decided may be nil.
func read(ctx context.Context, r io.Reader, decided *decisions) iter.Seq2[exposure.Observation, error] {
	head, r := decode.Peek(r)
	root, _ := head.Root()
	k := newKnown()
	k.decided = decided
	return record.Spec{
		Tool: "fortify", Whole: root == "FVDL", Hold: maxHeld,
		About: k.about,
		Records: map[string]record.Handler{
			"FVDL.Build.BuildID":                    k.build,
			"FVDL.Build.Project":                    k.build,
			"FVDL.Vulnerabilities.Vulnerability":    k.vulnerability,
			"FVDL.Description":                      k.description,
			"FVDL.UnifiedNodePool.Node":             k.node,
			"FVDL.Snippets.Snippet":                 k.snippet,
			"FVDL.EngineData.EngineVersion":         k.engine,
			"FVDL.EngineData.RuleInfo.Rule":         k.rule,
			"Audit.IssueList.Issue":                 nothing,
			"Attachments.AttachmentList.Attachment": nothing,

			"ReportDefinition.ReportSection.SubSection.IssueListing.Chart.GroupingSection.Issue": reported,
			"Scan.Issues.Issue": web,
		},
		First: []string{
			"FVDL.Build.BuildID", "FVDL.Build.Project", "FVDL.Description", "FVDL.UnifiedNodePool.Node", "FVDL.Snippets.Snippet", "FVDL.EngineData.EngineVersion", "FVDL.EngineData.RuleInfo.Rule",
		},
	}.Read(ctx, r)
}

// cwes reads "CWE ID 259,CWE ID 798". Other numbers are places in lists.
func cwes(s string) (ids []int) {
	for part := range strings.SplitSeq(s, "CWE ID ") {
		n := 0
		for i := 0; i < len(part) && part[i] >= '0' && part[i] <= '9' && n < 1<<20; i++ {
			n = n*10 + int(part[i]-'0')
		}
		if n > 0 && len(ids) < 100 {
			ids = append(ids, n)
		}
	}
	return ids
}

// note adds a text to the evidence.
func note(o *exposure.Observation, kind, text string) {
	if text = strings.TrimSpace(text); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: kind, Text: text})
	}
}
