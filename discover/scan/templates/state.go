package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/scan"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/internal/secret"
)

// Qualities of detection on the scale of OpenVAS, as in the reader of Nuclei's
// own results.
const (
	qodShown    = 99
	qodVerified = 95
	qodRemote   = 80
	qodBanner   = 75
)

// weakness states a match.
func (l *look) weakness(t *Template, m *match) exposure.Observation {
	o := exposure.Observation{
		Kind: exposure.ObservedWeakness, Class: class, Rule: t.rule(m.matcher), Advisories: slices.Clone(t.Advisories), Title: t.Name, Description: t.Description,
		Solution: t.Solution, Severity: t.Severity, CWEs: t.CWEs, CVSS: t.CVSS, References: t.References,
		Detection: exposure.DetectionRemote, Confidence: qodRemote, Evidence: evidence(t, m),
	}
	if m.matcher != "" {
		o.Title = cut(t.Name+": "+m.matcher, 197)
	}
	switch {
	case t.Credentials:
		o.Detection, o.Confidence = exposure.DetectionExploit, qodShown
	case t.Severity == exposure.SeverityInfo && slices.Contains(t.Tags, "tech"):
		o.Detection, o.Confidence = exposure.DetectionBanner, qodBanner
	case t.verified:
		o.Confidence = qodVerified
	}
	if l.job.Kind != scan.Service {
		return o
	}
	o.Location = exposure.Location{Port: l.job.Port, Protocol: "tcp", Service: l.job.Service}
	if m.protocol == "http" {
		o.Location.Service, o.Location.Path, o.Location.Method = l.target.scheme(), m.path, m.method
	}
	return o
}

const maxShort = 120

// evidence shows what was asked and what was looked for. The answer is not
// quoted: it may be full of secrets.
func evidence(t *Template, m *match) (all []exposure.Evidence) {
	if m.protocol == "http" {
		all = append(all, exposure.Evidence{Kind: "request", Text: fmt.Sprintf("%s %s: %d", m.method, secret.Text(printable(cut(m.path, 300)), 400), m.status)})
	}
	if m.what != "" {
		all = append(all, exposure.Evidence{Kind: "note", Text: "matched: " + m.what})
	}
	if len(m.extracted) == 0 {
		return all
	}
	if slices.ContainsFunc(t.Tags, sensitive) {
		return append(all, exposure.Evidence{Kind: "note", Text: fmt.Sprintf("%d values were extracted, which are not shown", len(m.extracted))})
	}
	var shown []string
	for _, s := range m.extracted[:min(len(m.extracted), 5)] {
		shown = append(shown, secret.Text(printable(cut(s, maxShort)), 2*maxShort))
	}
	return append(all, exposure.Evidence{Kind: "match", Text: strings.Join(shown, "\n")})
}

// sensitive tells by a tag that what a template extracts is secret.
func sensitive(tag string) bool {
	switch tag {
	case "exposure", "exposures", "secret", "secrets", "token", "tokens", "keys", "key", "credential", "credentials", "config", "files", "backup", "lfi":
		return true
	}
	return false
}
