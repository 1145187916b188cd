package sarif

import (
	"slices"
	"strconv"
	"strings"

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

func parseProperties(b bag) (p properties) {
	if b.kind() != '{' {
		return p
	}
	all := make(members, 0, 8)
	if decode.Known(string(b), &all) != nil {
		return p
	}
	slices.SortStableFunc(all, func(a, b member) int { return strings.Compare(a.name, b.name) })
	for i, m := range all {
		if i+1 < len(all) && all[i+1].name == m.name {
			continue // the last one counts
		}
		raw := m.value
		switch strings.ToLower(m.name) {
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
			if !strings.Contains(string(raw), "CVSS:") && strings.IndexByte(string(raw), '\\') < 0 {
				continue
			}
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
func texts(raw bag) []string {
	many := make(list[text, *text], 0, 8)
	var one text
	switch raw.kind() {
	case '[':
		_ = decode.Known(string(raw), &many) // what fits is taken
	case '{':
	default:
		_ = decode.Known(string(raw), &one)
		many = list[text, *text]{one}
	}
	var all []string
	for _, t := range many[:min(len(many), maxTags)] {
		if s := t.trim(); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// appendCWE adds the weaknesses in a text, as tags write them:
// external/cwe/cwe-079, CWE-79: text.
func appendCWE(list []int, s string) []int {
	for i, found := 0, 0; found < maxTags; i++ {
		n := index(s[i:], "cwe")
		if n < 0 {
			break
		}
		i += n
		if i > 0 && inWord(s[i-1]) {
			continue
		}
		if n := numberOf(s[i+len("cwe"):]); n > 0 {
			list = appendNew(list, n)
			found++
		}
	}
	return list
}

// numberOf is the number of a CWE, of five digits at most, that a text begins
// with; 0 if it begins with none.
func numberOf(s string) int {
	if s != "" && strings.IndexByte("-_: ", s[0]) >= 0 {
		s = s[1:]
	}
	s = strings.TrimLeft(s, "0")
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end > 5 || end < len(s) && inWord(s[end]) {
		return 0
	}
	n, _ := strconv.Atoi(s[:end])
	return n
}

// inWord reports whether a byte is a letter, a digit or an underscore.
func inWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
}

// index is where a word, which is in lower case, stands in s in any case; -1 if
// it does not.
func index(s, word string) int {
	for i := range max(0, len(s)-len(word)+1) {
		if s[i]|0x20 == word[0] && strings.EqualFold(s[i:i+len(word)], word) {
			return i
		}
	}
	return -1
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
