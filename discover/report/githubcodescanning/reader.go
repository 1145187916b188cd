// Package githubcodescanning reads the code scanning alerts of GitHub as its
// REST API lists them, for a repository or an organisation.
//
// An alert keeps its number when code moves, so that number tells alerts of one
// rule in one file apart. The tool is the one that found it, such as CodeQL.
package githubcodescanning

import (
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

const tool = "github-code-scanning"

// Reader reads alerts. See https://docs.github.com/en/rest/code-scanning/code-scanning
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return tool }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "GitHub code scanning alerts (REST API JSON)", "https://docs.github.com/en/rest/code-scanning/code-scanning"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Has("[].most_recent_instance", "[].rule.id") || h.Has("most_recent_instance", "rule.id", "tool.name")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{Tool: tool, Records: map[string]record.Handler{"[]": alert}}.Read(ctx, r)
}

func alert(r *record.Report, v record.Value) error {
	rule, at := v.At("rule"), v.At("most_recent_instance")
	o := exposure.Observation{
		Tool: strings.ToLower(term.OneLine(v.Text("tool.name"))), Class: "code", Detection: exposure.DetectionStatic, Confidence: 70,
		Asset: repository(v), State: state(v), Rule: rule.Text("id", "name"), Title: rule.Text("description", "name"), Description: rule.Text("full_description"),
		Solution: section(rule.Text("help"), "Recommendation"), Severity: severity(rule), CWEs: cwes(rule),
		References: term.Links(rule.Text("help_uri") + " " + v.Text("html_url")),
		Location:   exposure.Location{File: term.File(at.Text("location.path")), Line: at.Int("location.start_line"), Column: at.Int("location.start_column")},
	}
	if n := v.Text("number"); n != "" {
		o.Location.Symbol = "alert " + n
	}
	if id := cmp.Or(rule.Text("id"), rule.Text("name")); term.IsCVE(id) || strings.HasPrefix(id, "GHSA-") {
		o.Class, o.Advisories = "vuln", []string{exposure.NormalAdvisory(id)}
	}
	o.Evidence = evidence(v, at)
	r.Weakness(o)
	return nil
}

// repository is told by the addresses of the alert.
func repository(v record.Value) exposure.AssetRef {
	for _, link := range []string{v.Text("repository.html_url"), v.Text("html_url")} {
		if a := term.Repository(link); !a.IsZero() {
			return a
		}
	}
	if _, rest, ok := strings.Cut(v.Text("url"), "/repos/"); ok {
		if name, _, ok := strings.Cut(rest, "/code-scanning/"); ok && strings.HasPrefix(v.Text("url"), "https://api.github.com/") {
			return term.Repository("https://github.com/" + name)
		}
	}
	return exposure.AssetRef{}
}

func state(v record.Value) exposure.State {
	if v.Text("state") == "dismissed" && v.Text("dismissed_reason") == "false positive" {
		return exposure.StateNotAffected
	}
	return term.State(v.Text("state"))
}

// severity is that of security, where the rule is about it.
func severity(rule record.Value) exposure.Severity {
	if s := term.Severity(rule.Text("security_severity_level")); s != exposure.SeverityUnknown {
		return s
	}
	return term.Level(rule.Text("severity"))
}

// cwes are those of the tags: external/cwe/cwe-079.
func cwes(rule record.Value) []int {
	var names []string
	for _, tag := range rule.Texts("tags") {
		if i := strings.LastIndexByte(tag, '/'); strings.Contains(tag, "cwe") {
			names = append(names, tag[i+1:])
		}
	}
	return term.CWEs(strings.Join(names, " "))
}

// section is what stands below a heading of a text in Markdown.
func section(text, heading string) string {
	var b strings.Builder
	in := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			in = strings.TrimSpace(strings.TrimLeft(line, "#")) == heading
			continue
		}
		if in {
			b.WriteString(line)
		}
	}
	return strings.TrimSpace(b.String())
}

func evidence(v, at record.Value) (all []exposure.Evidence) {
	if s := at.Text("message.text"); s != "" {
		all = append(all, exposure.Evidence{Kind: "output", Text: s})
	}
	if s := term.Facts(
		"Ref", at.Text("ref"), "Commit", at.Text("commit_sha"), "Category", at.Text("category"), "Code", strings.Join(at.Texts("classifications"), ", "),
		"Dismissed", v.Text("dismissed_reason"), "Comment", v.Text("dismissed_comment"),
	); s != "" {
		all = append(all, exposure.Evidence{Kind: "note", Text: s})
	}
	return all
}
