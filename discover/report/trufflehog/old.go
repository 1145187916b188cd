package trufflehog

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// old reads a finding of version 2: what a rule found in one file of a commit.
func old(r *record.Report, v record.Value) error {
	secrets := v.Texts("stringsFound")
	slices.Sort(secrets)
	secrets = slices.Compact(secrets)
	o := exposure.Observation{
		Class: "secret", Detection: exposure.DetectionStatic, Confidence: 50, CWEs: []int{798},
		Rule: v.Text("reason"), Title: v.Text("reason"),
		Location: exposure.Location{File: term.File(v.Text("path")), Symbol: term.Mark(strings.Join(secrets, "\n"))},
	}
	// The longest first: one may be a part of another.
	slices.SortStableFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	if text := around(v.Text("diff"), secrets); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "match", Text: text})
	}
	if text := term.Facts("Commit", v.Text("commitHash"), "Branch", v.Text("branch"), "Date", v.Text("date"), "Message", v.Text("commit")); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: term.Masked(text, secrets...)})
	}
	r.Weakness(o)
	return nil
}

// maxLines bounds the lines of a diff that are kept, maxStrings the strings
// that are looked for in it.
const (
	maxLines   = 20
	maxStrings = 50
)

// around are the lines of a diff in which the secrets are, without them.
func around(diff string, secrets []string) string {
	if len(secrets) > maxStrings {
		return "" // a file of keys: what is around them says nothing
	}
	var kept []string
	for line := range strings.Lines(diff) {
		if masked := term.Masked(line, secrets...); masked != line {
			kept = append(kept, strings.TrimRight(masked, "\r\n"))
			if len(kept) == maxLines {
				break
			}
		}
	}
	return strings.Join(kept, "\n")
}
