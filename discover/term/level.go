package term

import "github.com/leeward-ctem/leeward/exposure"

// Level reads the words that linters and compilers have for a severity: error
// and warning, and those of [Severity].
func Level(s string) exposure.Severity {
	var word lowered
	switch string(word.of(s)) {
	case "error":
		return exposure.SeverityHigh
	case "warning", "warn":
		return exposure.SeverityMedium
	case "style":
		return exposure.SeverityInfo
	}
	return Severity(s)
}

// Confidence is how sure a tool is that says so in words, on the scale of
// OpenVAS; 0 when it says nothing.
func Confidence(s string) int {
	var word lowered
	switch string(word.of(s)) {
	case "high":
		return 95
	case "medium":
		return 70
	case "low":
		return 30
	}
	return 0
}
