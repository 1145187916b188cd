// Package tfsec reads the JSON reports of tfsec, which looks at Terraform: those
// of version 1 and of the versions before it.
//
// # Coverage
//
// No report says of which directory it is. Two of one repository could not be
// told apart, and one would close what the other found, so none covers anything.
package tfsec

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

// Reader reads tfsec reports. See https://github.com/aquasecurity/tfsec
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "tfsec" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "tfsec (JSON)", "https://github.com/aquasecurity/tfsec"
}

// Sniff implements discover.Reader. A report in which nothing was found is
// known by its one member.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("results[].rule_id", "results[].location.filename") || h.Has("results[].rule_provider") ||
		strings.Join(strings.Fields(string(h.Bytes())), "") == `{"results":null}`
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool:    "tfsec",
		Records: map[string]record.Handler{"results[]": result},
	}.Read(ctx, r)
}

func result(r *record.Report, v record.Value) error {
	rule := v.Text("rule_id", "long_id")
	o := exposure.Observation{
		Class: "misconfig", Detection: exposure.DetectionStatic, Confidence: 80,
		Rule: rule, Title: v.Text("rule_description"), Description: v.Text("impact"), Solution: v.Text("resolution"),
		Severity: term.Level(v.Text("severity")), References: term.Links(v.Text("link") + " " + strings.Join(v.Texts("links"), " ")),
		Location: exposure.Location{File: term.File(v.Text("location.filename")), Line: v.Int("location.start_line"), Resource: v.Text("resource")},
	}
	switch v.Text("status") {
	case "1", "passed":
		return nil
	case "2", "ignored":
		o.State = exposure.StateSuppressed
	}
	if v.Yes("passed") {
		return nil
	}
	if what := v.Text("description"); what != "" {
		o.Evidence = []exposure.Evidence{{Kind: "note", Text: what}}
		if o.Location.Resource == "" {
			o.Location.Resource = quoted(what)
		}
	}
	r.Weakness(o)
	return nil
}

// quoted is the resource in the text of an older version: the first name in
// quotes that has a type before it.
func quoted(text string) string {
	_, rest, _ := strings.Cut(text, "'")
	name, _, ok := strings.Cut(rest, "'")
	if !ok || !strings.Contains(name, ".") || strings.ContainsAny(name, " /") {
		return ""
	}
	return name
}
