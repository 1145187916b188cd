package generic

import (
	"cmp"
	"github.com/leeward-ctem/leeward/discover/term"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// state is what a finding says of its status. A person's judgement counts
// before a fix, and a fix before what only silences it.
func (r *record) state() exposure.State {
	if !r.judged && r.text[fieldFixed] == "" {
		return exposure.StatePresent
	}
	said := func(f field) bool {
		v, _ := term.Bool(r.value(f))
		return v
	}
	word := term.State(r.value(fieldStatus))
	// The column of the version that fixes is taken by some for a yes or no.
	fixed := said(fieldMitigated) || strings.EqualFold(r.value(fieldFixed), "true") || strings.EqualFold(r.value(fieldFixed), "yes")
	if at := r.value(fieldMitigatedAt); at != "" {
		v, ok := term.Bool(at)
		fixed = fixed || v || !ok && !term.Date(at).IsZero()
	}
	active, stated := term.Bool(r.value(fieldActive))
	switch {
	case said(fieldFalsePositive), word == exposure.StateNotAffected:
		return exposure.StateNotAffected
	case fixed, word == exposure.StateFixed:
		return exposure.StateFixed
	case said(fieldAccepted), said(fieldOutOfScope), said(fieldDuplicate), word == exposure.StateSuppressed:
		return exposure.StateSuppressed
	case stated && !active:
		// Nothing says why, so nothing says that it is fixed.
		return exposure.StateSuppressed
	}
	return exposure.StatePresent
}

// class reads the class of checks; see [exposure.Coverage].
func class(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ToLower(s)
	switch s {
	case "vulnerability", "vulnerabilities", "sca", "dependency":
		return "vuln"
	case "misconfiguration", "misconfigurations", "iac", "config", "configuration":
		return "misconfig"
	case "secrets":
		return "secret"
	case "credentials":
		return "credential"
	case "licence", "licenses":
		return "license"
	case "port":
		return "ports"
	case "sast":
		return "code"
	case "dast":
		return "web"
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (i == 0 || c != '-' && (c < '0' || c > '9')) || i >= 40 {
			return ""
		}
	}
	return s
}

// Qualities of detection on the scale of OpenVAS.
const (
	qodVerified  = 99 // a person looked
	qodCertain   = 95
	qodFirm      = 70
	qodTentative = 30
)

// confidence is on the scale of OpenVAS, 0 when nothing is said.
func (r *record) confidence() int {
	if v, _ := term.Bool(r.value(fieldVerified)); v {
		return qodVerified
	}
	word := r.value(fieldConfidence)
	if word == "" && r.rank[fieldScannerConfidence] == 0 {
		return 0
	}
	if n, err := strconv.Atoi(strings.TrimSuffix(word, "%")); err == nil && n >= 0 && n <= 100 {
		return n
	}
	switch strings.ToLower(cmp.Or(word, r.value(fieldScannerConfidence))) {
	case "confirmed":
		return qodVerified
	case "certain", "high", "1", "2": // numbers are those of DefectDojo
		return qodCertain
	case "firm", "medium", "3", "4", "5":
		return qodFirm
	case "tentative", "low", "6", "7", "8", "9", "10":
		return qodTentative
	}
	return 0
}

// toolName is the name of a scanner as observations state it.
func toolName(s string) string {
	s = strings.ToLower(term.OneLine(s))
	if term.Nothing(s) || strings.HasPrefix(s, "generic findings import") {
		return ""
	}
	s = strings.TrimSuffix(s, " (generic findings import)")
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == ':' || r < ' ' {
			return '-'
		}
		return r
	}, s)
	return bounded(s, 100)
}
