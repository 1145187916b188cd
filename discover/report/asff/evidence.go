package asff

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/exposure"
)

// The bounds of what is kept of a finding: references, and lines of what was seen.
const (
	maxLinks = 200
	maxLines = 60
)

func links(v record.Value) (all []string) {
	for _, url := range []string{v.Text("Remediation.Recommendation.Url"), v.Text("SourceUrl")} {
		if url != "" && !slices.Contains(all, url) {
			all = append(all, url)
		}
	}
	return all
}

// evidence is what a product saw, why a check failed, and what people noted.
func evidence(v record.Value) (all []exposure.Evidence) {
	var seen, notes []string
	for name, m := range v.Members("ProductFields") {
		if what, ok := strings.CutPrefix(name, "aws/guardduty/service/action/"); ok && m.IsText() && len(seen) < maxLines {
			if line := what + ": " + m.Text(); !slices.Contains(seen, line) {
				seen = append(seen, line)
			}
		}
	}
	for reason := range v.List("Compliance.StatusReasons") {
		if text := reason.Text("Description", "ReasonCode"); text != "" && len(seen) < maxLines {
			seen = append(seen, text)
		}
	}
	note := func(label, text string) {
		if text != "" {
			notes = append(notes, label+text)
		}
	}
	if required := v.Texts("Compliance.RelatedRequirements"); len(required) > 0 {
		note("required by ", strings.Join(required[:min(len(required), maxLines)], "; "))
	}
	if status := v.Text("Workflow.Status"); status != "NEW" {
		note("workflow: ", status)
	}
	if archived(v) {
		note("record: ", "archived")
	}
	note("note: ", v.Text("Note.Text"))
	if seen != nil {
		all = append(all, exposure.Evidence{Kind: "output", Text: strings.Join(seen, "\n")})
	}
	if notes != nil {
		all = append(all, exposure.Evidence{Kind: "note", Text: strings.Join(notes, "\n")})
	}
	return all
}
