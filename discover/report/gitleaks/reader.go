// Package gitleaks reads the reports of Gitleaks, which looks for secrets in
// files and in the history of repositories: JSON and CSV of version 8, and the
// JSON of the versions before it, as a list or one record a line.
//
// A secret is known by the file and the rule, and by a short hash that tells it
// from others there. It is the same in however many commits it stands; commits
// and their authors are evidence. Nothing of the secret itself is taken: where
// the text around it is kept, asterisks stand in its place.
//
// A report lists what was found, not where it was looked for, so it covers
// nothing.
package gitleaks

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Gitleaks reports. See https://github.com/gitleaks/gitleaks
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "gitleaks" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Gitleaks (JSON, CSV)", "https://github.com/gitleaks/gitleaks#reporting"
}

func header() []string { return []string{"RuleID", "Secret", "Match", "StartLine"} }

// Sniff implements discover.Reader. A report without leaks is the word null in
// older versions; no other format is.
func (Reader) Sniff(h *decode.Head) bool {
	switch h.Form() {
	case '[':
		return h.Has("[].RuleID", "[].Secret") || h.Has("[].Secret", "[].Entropy", "[].StartLine") || h.Has("[].offender", "[].commit")
	case '{':
		return h.Has("RuleID", "Secret", "StartLine") || h.Has("offender", "commit")
	}
	return h.HasRow(header()...) || string(bytes.TrimSpace(h.Bytes())) == "null"
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "gitleaks", Lines: true, Header: header(),
		Records: map[string]record.Handler{"[]": leak, "row": row},
	}.Read(ctx, r)
}

// leak states a leak.
func leak(r *record.Report, v record.Value) error {
	o := observe(v)
	if tags := v.Texts("Tags"); len(tags) > 0 {
		o.Description = "Tags: " + strings.Join(tags, ", ") + "."
	}
	r.Weakness(o)
	return nil
}

// row states a leak of a table. Its tags come last, where the end of a report
// that is cut off looks like a shorter tag.
func row(r *record.Report, v record.Value) error {
	r.Weakness(observe(v))
	return nil
}

// observe reads a leak. Names match without regard to case, so that File,
// Commit and others are those of all versions.
func observe(v record.Value) exposure.Observation {
	secret, around := v.Text("Secret", "offender"), v.Text("Match", "Context", "line")
	rule := v.Text("RuleID", "rule", "reason", "Description")
	o := exposure.Observation{
		Class: "secret", Detection: exposure.DetectionStatic, Confidence: 70, CWEs: []int{798},
		Asset: repository(v), Rule: rule, Title: cmp.Or(v.Text("Description"), rule),
		Location: exposure.Location{
			File: term.File(v.Text("File")), Symbol: term.Mark(distinct(secret, around)),
			Line: v.Int("StartLine", "lineNumber"), Column: v.Int("StartColumn"),
		},
	}
	if around != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "match", Text: term.Masked(around, secret)})
	}
	if note := commit(v, secret); note != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: note})
	}
	return o
}

// distinct is what tells a secret from others. One that Gitleaks wrote over is
// told by the text around it.
func distinct(secret, around string) string {
	if term.Redacted(secret) {
		return around
	}
	return secret
}

// commit tells where in the history the secret is.
func commit(v record.Value, secret string) string {
	return term.Masked(term.Facts(
		"Commit", v.Text("Commit"), "Date", v.Text("Date"), "Author", v.Text("Author")+" "+v.Text("Email"),
		"Message", v.Text("Message", "commitMessage", "commitMsg"), "Fingerprint", v.Text("Fingerprint"), "Link", v.Text("Link", "leakURL"),
	), secret)
}

// repository is where the leak is: told by a link to it, or by a name. The
// directory that was looked through has no name.
func repository(v record.Value) exposure.AssetRef {
	a := term.Repository(v.Text("Link", "repoURL", "leakURL"))
	if name := v.Text("repo"); a.IsZero() && strings.Trim(name, "./") != "" {
		a.Kind, a.Name = exposure.AssetRepository, name
		a.Add(exposure.IDName, name)
	}
	return a
}
