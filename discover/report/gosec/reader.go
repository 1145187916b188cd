// Package gosec reads the JSON reports of gosec, which looks for weaknesses in
// Go code.
//
// A report lists what was found, not what was looked at, so it covers nothing.
package gosec

import (
	"context"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads gosec reports. See https://github.com/securego/gosec
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "gosec" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "gosec (JSON)", "https://github.com/securego/gosec#output-formats"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("Issues[].rule_id", "Issues[].details") || h.Has("Issues", "Stats.nosec") || h.Has("Golang errors")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool:    "gosec",
		About:   func(top record.Value, run *exposure.Run) { run.Version = top.Text("GosecVersion") },
		Records: map[string]record.Handler{"Issues[]": issue},
		Bare:    func(top record.Value) bool { return top.At("Stats").Exists() },
	}.Read(ctx, r)
}

// credentials is the rule that finds secrets in code.
const credentials = "G101"

func issue(r *record.Report, v record.Value) error {
	line, _, _ := strings.Cut(v.Text("line"), "-")
	number, err := strconv.Atoi(line)
	if err != nil {
		number = 0
	}
	snippet := code(v.Text("code"), v.Text("line"))
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Confidence: term.Confidence(v.Text("confidence")),
		Rule: v.Text("rule_id"), Title: v.Text("details"), Severity: term.Severity(v.Text("severity")), CWEs: term.CWEs(v.Text("cwe.id")),
		Location: exposure.Location{File: term.File(v.Text("file")), Line: number, Column: v.Int("column"), Snippet: snippet},
	}
	o.References = term.Links(v.Text("cwe.url"))
	if o.Rule == credentials { // the code is the secret
		o.Class, o.Location.Snippet, o.Location.Symbol = "secret", "", term.Mark(snippet)
	}
	if all := v.Text("code"); all != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "code", Text: all})
	}
	if fix := v.Text("autofix"); fix != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "Suggested fix: " + fix})
	}
	o.State = state(v, &o)
	r.Weakness(o)
	return nil
}

// state is suppressed where a comment in the code or the configuration says so.
func state(v record.Value, o *exposure.Observation) exposure.State {
	s := exposure.StatePresent
	if v.Yes("nosec") {
		s = exposure.StateSuppressed
	}
	for sup := range v.List("suppressions") {
		s = exposure.StateSuppressed
		if why := sup.Text("justification"); why != "" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "Suppressed: " + why})
		}
	}
	return s
}

// code is the code at the lines of the issue, without the numbers that newer
// versions write before each line: it stays the same when it moves.
func code(text, lines string) string {
	first, last, several := strings.Cut(lines, "-")
	from, err := strconv.Atoi(first)
	if err != nil {
		from = -1
	}
	to := from
	if n, err := strconv.Atoi(last); several && err == nil {
		to = n
	}
	var at, all []string
	for line := range strings.Lines(text) {
		number, rest, numbered := strings.Cut(strings.TrimSpace(line), ":")
		n, err := strconv.Atoi(number)
		if !numbered || err != nil {
			return strings.TrimSpace(text) // of an older version
		}
		rest = strings.TrimSpace(rest)
		all = append(all, rest)
		if n >= from && n <= to {
			at = append(at, rest)
		}
	}
	if len(at) == 0 {
		at = all
	}
	return strings.TrimSpace(strings.Join(at, "\n"))
}
