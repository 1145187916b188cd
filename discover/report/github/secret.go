package github

import (
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// secret states an alert of secret scanning. GitHub makes one alert for a
// secret of a repository, wherever it stands, so its number tells two apart;
// the secret itself is kept nowhere.
func secret(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Tool: "github-secret-scanning", Class: "secret", Detection: exposure.DetectionStatic,
		Asset: repository(v, record.Value{}), State: resolution(v),
		Rule: v.Text("secret_type"), Title: v.Text("secret_type_display_name", "secret_type"),
		CWEs: []int{798}, // use of hard-coded credentials
	}
	if strings.EqualFold(v.Text("validity"), "active") {
		// Whoever issued it says that it works.
		o.Detection, o.Confidence = exposure.DetectionExploit, 99
	}
	if n := v.Text("number"); n != "" {
		o.Location.Symbol = "alert " + n
	}
	at := v.At("first_location_detected")
	if !at.IsObject() {
		for l := range v.List("locations") {
			at = l.At("details")
			break
		}
	}
	if at.IsObject() {
		o.Location.File, o.Location.Line, o.Location.Column = term.File(at.Text("path")), at.Int("start_line"), at.Int("start_column")
	}
	if url := v.Text("html_url"); url != "" {
		o.References = []string{url}
	}
	o.Evidence = told(v, at)
	r.Weakness(o)
	return nil
}

// resolution is why an alert was closed.
func resolution(v record.Value) exposure.State {
	if !strings.EqualFold(v.Text("state"), "resolved") {
		return exposure.StatePresent
	}
	switch strings.ToLower(v.Text("resolution")) {
	case "false_positive":
		return exposure.StateNotAffected
	case "revoked":
		return exposure.StateFixed
	}
	return exposure.StateSuppressed
}

// told is what is said of a secret beside its place.
func told(v, at record.Value) []exposure.Evidence {
	var lines []string
	for _, f := range []struct{ label, path string }{
		{"created", "created_at"}, {"validity:", "validity"}, {"resolved", "resolved_at"}, {"resolution:", "resolution"}, {"comment:", "resolution_comment"},
	} {
		if s := v.Text(f.path); s != "" {
			lines = append(lines, f.label+" "+s)
		}
	}
	for _, f := range []struct{ path, text string }{
		{"publicly_leaked", "leaked to the public"}, {"multi_repo", "in several repositories"}, {"push_protection_bypassed", "pushed in spite of the protection"},
	} {
		if v.Yes(f.path) {
			lines = append(lines, f.text)
		}
	}
	if at.IsObject() {
		for _, in := range []string{
			"commit_sha", "commit_url", "page_url", "issue_title_url", "issue_body_url", "issue_comment_url", "discussion_title_url", "discussion_body_url", "discussion_comment_url",
			"pull_request_title_url", "pull_request_body_url", "pull_request_comment_url", "pull_request_review_url", "pull_request_review_comment_url",
		} {
			if s := at.Text(in); s != "" {
				lines = append(lines, strings.TrimSuffix(in, "_url")+" "+s)
			}
		}
	}
	if lines == nil {
		return nil
	}
	return []exposure.Evidence{{Kind: "note", Text: strings.Join(lines, "\n")}}
}
