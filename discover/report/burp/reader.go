// Package burp reads the XML reports of issues of Burp Suite.
//
// A report lists where something was found, not where it was looked for, so it
// covers nothing.
package burp

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Burp Suite reports. See
// https://portswigger.net/burp/documentation/desktop/running-scans/reporting
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "burp" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Burp Suite issues (XML)", "https://portswigger.net/burp/documentation/desktop/running-scans/reporting"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	root, _ := h.Root()
	return root == "issues" && (h.Has("issues.@burpVersion") || h.Has("issues.issue.serialNumber"))
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool: "burp",
		About: func(top record.Value, run *exposure.Run) {
			run.Version = top.Text("@burpVersion")
			run.Finished = exported(top.Text("@exportTime"))
		},
		Records: map[string]record.Handler{"issues.issue": issue},
	}.Read(ctx, r)
}

// exported reads the time of an export, as Java writes it.
func exported(s string) time.Time {
	t, err := time.Parse("Mon Jan 02 15:04:05 MST 2006", s)
	if err != nil {
		return term.Date(s)
	}
	return t.UTC()
}

func issue(r *record.Report, v record.Value) error {
	o := exposure.Observation{
		Class: "web", Detection: exposure.DetectionRemote, Confidence: confidence(v.Text("confidence")),
		Rule: v.Text("type"), Title: v.Text("name"), Severity: severity(v.Text("severity")),
		Description: term.Paragraphs(v.Text("issueDetail"), items(v), v.Text("issueBackground")),
		Solution:    term.Paragraphs(v.Text("remediationDetail"), v.Text("remediationBackground")),
		CWEs:        term.CWEs(strings.Join(term.Links(v.Text("vulnerabilityClassifications")), " ")),
		References:  term.Links(v.Text("references")),
		Evidence:    messages(v),
	}
	if o.CWEs == nil {
		o.CWEs = term.CWEs(term.Plain(v.Text("vulnerabilityClassifications")))
	}
	if v.Text("severity") == "False positive" {
		o.State = exposure.StateNotAffected
	}
	at := term.ParseEndpoint(v.Text("host"))
	at.Path = v.Text("path")
	at.Place(&o)
	o.Asset.Add(exposure.IDIP, v.Text("host.@ip"))
	o.Location.Parameter = parameter(v.Text("location"))
	r.Weakness(o)
	return nil
}

func severity(word string) exposure.Severity {
	if word == "Information" || word == "False positive" {
		return exposure.SeverityInfo
	}
	return term.Severity(word)
}

// confidence is that of Burp on the scale of OpenVAS.
func confidence(word string) int {
	switch word {
	case "Certain":
		return 95
	case "Firm":
		return 70
	case "Tentative":
		return 30
	}
	return 0
}

// parameter is the part of a request in the brackets behind its path: the name
// of a parameter, header or cookie.
func parameter(location string) string {
	_, in, ok := strings.Cut(location, " [")
	if !ok {
		return ""
	}
	name := strings.TrimSuffix(in, "]")
	for _, what := range []string{" parameter", " cookie", " HTTP header", " XML attribute", " XML parameter", " JSON parameter"} {
		if short, ok := strings.CutSuffix(name, what); ok {
			return short
		}
	}
	return name
}

func items(v record.Value) string {
	return strings.Join(v.Texts("issueDetailItems.issueDetailItem"), "\n")
}

// maxMessages bounds the requests and responses that are kept of an issue.
const maxMessages = 3

func messages(v record.Value) (all []exposure.Evidence) {
	n := 0
	for pair := range v.List("requestresponse") {
		if n++; n > maxMessages {
			break
		}
		for _, kind := range []string{"request", "response"} {
			if text := pair.Decoded(kind); text != "" {
				all = append(all, exposure.Evidence{Kind: kind, Text: text})
			}
		}
	}
	return all
}
