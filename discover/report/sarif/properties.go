package sarif

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// properties is what tools commonly put into a property bag.
type properties struct {
	severity   exposure.Severity // by security-severity
	scored     bool              // security-severity is there
	tags       []string
	cwes       []int
	vectors    []string
	confidence int
}

// maxTags bounds the tags of a bag.
const maxTags = 100

func parseProperties(raw jsontext.Value) (p properties) {
	if len(raw) == 0 || raw.Kind() != '{' {
		return p
	}
	var bag map[string]jsontext.Value
	if decode.Unmarshal(raw, &bag) != nil {
		return p
	}
	names := make([]string, 0, len(bag))
	for name := range bag {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		raw := bag[name]
		switch strings.ToLower(name) {
		case "tags":
			p.tags = texts(raw)
			for _, t := range p.tags {
				p.cwes = appendCWE(p.cwes, t)
				p.confidence = max(p.confidence, confidenceTag(t))
			}
		case "cwe", "cwes", "cweid", "cwe-id", "cwe_id", "cweids":
			for _, t := range texts(raw) {
				if n, err := strconv.Atoi(t); err == nil && n > 0 {
					p.cwes = appendNew(p.cwes, n)
				} else {
					p.cwes = appendCWE(p.cwes, t)
				}
			}
		case "security-severity":
			if t := texts(raw); len(t) == 1 {
				p.severity, p.scored = securitySeverity(t[0])
			}
		case "precision", "confidence", "issue_confidence":
			if t := texts(raw); len(t) == 1 {
				p.confidence = confidence(t[0])
			}
		default:
			for _, t := range texts(raw) {
				if strings.HasPrefix(t, "CVSS:") {
					p.vectors = appendNew(p.vectors, t)
				}
			}
		}
	}
	return p
}

// texts returns the texts of a list, or the one that stands alone.
func texts(raw jsontext.Value) []string {
	var many []text
	var one text
	switch raw.Kind() {
	case '[':
		_ = decode.Unmarshal(raw, &many) // what fits is taken
	case '{':
	default:
		_ = decode.Unmarshal(raw, &one)
		many = []text{one}
	}
	var all []string
	for _, t := range many[:min(len(many), maxTags)] {
		if s := t.trim(); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// cwe matches a weakness as tags write it: external/cwe/cwe-079, CWE-79: text.
var cwe = regexp.MustCompile(`(?i)\bcwe[-_: ]?0*([1-9][0-9]{0,4})\b`)

func appendCWE(list []int, s string) []int {
	for _, m := range cwe.FindAllStringSubmatch(s, maxTags) {
		n, _ := strconv.Atoi(m[1])
		list = appendNew(list, n)
	}
	return list
}

// securitySeverity reads a score of 0 to 10, or the word that some tools write
// in its place.
func securitySeverity(s string) (exposure.Severity, bool) {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		switch {
		case n >= 9:
			return exposure.SeverityCritical, true
		case n >= 7:
			return exposure.SeverityHigh, true
		case n >= 4:
			return exposure.SeverityMedium, true
		case n > 0:
			return exposure.SeverityLow, true
		case n == 0:
			return exposure.SeverityInfo, true
		}
		return 0, false
	}
	switch strings.ToLower(s) {
	case "critical":
		return exposure.SeverityCritical, true
	case "high", "error":
		return exposure.SeverityHigh, true
	case "medium", "moderate", "warning":
		return exposure.SeverityMedium, true
	case "low":
		return exposure.SeverityLow, true
	case "info", "informational", "note", "negligible":
		return exposure.SeverityInfo, true
	}
	return 0, false
}

// confidence puts a word on the scale of OpenVAS.
func confidence(word string) int {
	switch strings.ToLower(word) {
	case "very-high", "certain":
		return 90
	case "high", "firm":
		return 80
	case "medium":
		return 60
	case "low", "tentative":
		return 30
	}
	return 0
}

// confidenceTag reads a tag such as "HIGH CONFIDENCE".
func confidenceTag(tag string) int {
	if word, ok := strings.CutSuffix(strings.ToUpper(tag), " CONFIDENCE"); ok {
		return confidence(word)
	}
	return 0
}

func appendNew[T comparable](list []T, v T) []T {
	if len(list) >= 1000 || slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
