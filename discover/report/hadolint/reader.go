// Package hadolint reads the JSON reports of Hadolint, which looks at
// Dockerfiles.
//
// A report lists what was found, not the files that were looked at, so it
// covers nothing.
package hadolint

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

// Reader reads Hadolint reports. See https://github.com/hadolint/hadolint
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "hadolint" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Hadolint (JSON)", "https://github.com/hadolint/hadolint#cli"
}

// Sniff implements discover.Reader. ShellCheck, whose reports look alike, has
// numbers for codes.
func (Reader) Sniff(h *decode.Head) bool {
	code := h.Text("[].code")
	return h.Has("[].level", "[].line", "[].message", "[].file") && (strings.HasPrefix(code, "DL") || strings.HasPrefix(code, "SC"))
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{Tool: "hadolint", Records: map[string]record.Handler{"[]": remark}}.Read(ctx, r)
}

func remark(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Class: "misconfig", Detection: exposure.DetectionStatic, Confidence: 80,
		Rule: v.Text("code"), Title: v.Text("message"), Severity: term.Level(v.Text("level")),
		Location: exposure.Location{File: term.File(v.Text("file")), Line: v.Int("line"), Column: v.Int("column")},
	}
	if o.Location.File == "-" { // its input
		o.Location.File = ""
	}
	if v.Text("level") == "ignore" {
		o.State = exposure.StateSuppressed
	}
	switch {
	case strings.HasPrefix(o.Rule, "DL"):
		o.References = []string{"https://github.com/hadolint/hadolint/wiki/" + o.Rule}
	case strings.HasPrefix(o.Rule, "SC"):
		o.References = []string{"https://www.shellcheck.net/wiki/" + o.Rule}
	}
	r.Weakness(o)
	return nil
}
