// Package bandit reads the JSON reports of Bandit, which looks for weaknesses in
// Python code.
package bandit

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Bandit reports. See
// https://bandit.readthedocs.io/en/latest/formatters/json.html
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "bandit" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Bandit (JSON)", "https://bandit.readthedocs.io/en/latest/formatters/json.html"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("metrics._totals", "generated_at") || h.Has("results[].test_id", "results[].issue_severity", "results[].issue_text")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool:    "bandit",
		About:   func(top record.Value, run *exposure.Run) { run.Finished = top.Time("generated_at") },
		Records: map[string]record.Handler{"results[]": result},
	}.Read(ctx, r)
}

// confidence is that of Bandit on the scale of OpenVAS.
func confidence(word string) int {
	switch word {
	case "HIGH":
		return 95
	case "MEDIUM":
		return 70
	case "LOW":
		return 30
	}
	return 0
}

func result(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Confidence: confidence(v.Text("issue_confidence")),
		Rule: v.Text("test_id"), Title: v.Text("issue_text"), Severity: term.Severity(v.Text("issue_severity")),
		Location: exposure.Location{File: term.File(v.Text("filename")), Line: v.Int("line_number"), Column: v.Int("col_offset"), Snippet: code(v)},
		CWEs:     term.CWEs(v.Text("issue_cwe.id")), References: term.Links(v.Text("more_info")),
	}
	if name := v.Text("test_name"); name != "" {
		o.Description = "Check " + name + "."
	}
	if all := v.Text("code"); all != "" {
		o.Evidence = []exposure.Evidence{{Kind: "code", Text: all}}
	}
	r.Weakness(o)
	return nil
}

// code is what is reported of the code, without its numbers: it stays the same
// when lines above it are added.
func code(v record.Value) string {
	reported := map[string]bool{v.Text("line_number"): true}
	for _, n := range v.Texts("line_range") {
		reported[n] = true
	}
	var b strings.Builder
	for line := range strings.Lines(v.Text("code")) {
		number, text, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if reported[number] {
			b.WriteString(strings.TrimSpace(text) + "\n")
		}
	}
	return strings.TrimSpace(b.String())
}
