// Package invicti reads the reports of Invicti, which was Netsparker, and of its
// sister Acunetix: the JSON that Invicti, Netsparker and Acunetix 360 share, the
// XML of Invicti and Netsparker in its editions, and the XML of Acunetix.
//
// A report lists where something was found, not where it was looked for, so it
// covers nothing.
package invicti

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads reports of Invicti, Netsparker and Acunetix. See
// https://www.invicti.com/support/reports/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "invicti" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Invicti, Netsparker, Acunetix 360 (JSON, XML) and Acunetix (XML)", "https://www.invicti.com/support/reports/"
}

// roots are the root elements of the editions of Invicti.
func roots() []string {
	return []string{
		"invicti", "invicti-standard", "invicti-enterprise", "netsparker", "netsparker-cloud", "netsparker-enterprise", "acunetix360", "acunetix-360",
	}
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	if h.Form() == '{' {
		return h.Has("Target.ScanId", "Target.Initiated") || h.Has("Vulnerabilities[].Certainty", "Vulnerabilities[].Type")
	}
	root, _ := h.Root()
	return root == "ScanGroup" && h.Has("ScanGroup.Scan") || slices.Contains(roots(), root)
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return func(yield func(exposure.Observation, error) bool) {
		h, r := decode.Peek(r)
		s := issues()
		if root, _ := h.Root(); root == "ScanGroup" {
			s = alerts()
		}
		for o, err := range s.Read(ctx, r) {
			if !yield(o, err) {
				return
			}
		}
	}
}

// issues are the reports of Invicti.
func issues() record.Spec {
	s := record.Spec{
		Tool: "invicti",
		About: func(top record.Value, run *exposure.Run) {
			run.Started = date(top.Text("Target.Initiated"))
			run.Finished = date(top.Text("Generated", "@generated"))
		},
		Records: map[string]record.Handler{"Vulnerabilities[]": vulnerability},
	}
	for _, root := range roots() {
		s.Records[root+".vulnerability"] = vulnerability
		s.Records[root+".vulnerabilities.vulnerability"] = vulnerability
	}
	return s
}

// date reads a date whose numbers stand in the order of the account that made
// the report: the day first, as long as nobody changed it, and the month first
// where the desktop edition states the zone.
func date(s string) time.Time {
	clock, zone, zoned := strings.Cut(s, "(UTC")
	if zoned {
		return term.Date(clock + strings.TrimSuffix(zone, ")"))
	}
	day, rest, ok := strings.Cut(s, "/")
	month, rest, more := strings.Cut(rest, "/")
	if !ok || !more || len(rest) < 4 || month > "12" || len(month) != 2 {
		return term.Date(s)
	}
	return term.Date(rest[:4] + "-" + month + "-" + day + rest[4:])
}
