package stixform

import (
	"regexp"
	"strings"

	"github.com/leeward-ctem/leeward/intel"
)

// Bounds of what is kept of a description: some sentences. Only its start is
// looked at.
const (
	maxSummary = 600
	maxLooked  = 3 << 10
)

// The descriptions of ATT&CK are Markdown with citations and some HTML.
var (
	anchor = regexp.MustCompile(`\[([^\[\]]*)\]\(https?://[^()\s]*\)`)
	tag    = regexp.MustCompile(`</?(?:code|br|b|i|p|em|strong|li|ul|sup)\s*/?>`)
)

// summary is the start of a description as plain text.
func summary(s string) string {
	s = s[:min(len(s), maxLooked)]
	s = uncited(s)
	if strings.Contains(s, "](http") {
		s = anchor.ReplaceAllString(s, "$1")
	}
	if strings.IndexByte(s, '<') >= 0 {
		s = tag.ReplaceAllString(s, "")
	}
	return strings.Clone(intel.Cut(s, maxSummary)) // not to keep all of it in memory
}

// uncited is a text without its citations, such as " (Citation: Report (2024))".
func uncited(s string) string {
	const begins = "(Citation:"
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, begins)
		if !ok {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(strings.TrimRight(before, " "))
		open := 1
		i := strings.IndexFunc(rest, func(r rune) bool {
			switch r {
			case '(':
				open++
			case ')':
				open--
			}
			return open == 0
		})
		if i < 0 { // cut off within it
			return b.String()
		}
		s = rest[i+1:]
	}
}

// names are the others of an entry, each once.
func names(name string, lists ...[]string) []string {
	seen := map[string]bool{name: true}
	var all []string
	for _, list := range lists {
		for _, n := range list {
			n = intel.Cut(n, intel.MaxName)
			if n == "" || seen[n] || len(all) == intel.MaxNames {
				continue
			}
			seen[n] = true
			all = append(all, n)
		}
	}
	return all
}

// address is a URL for people, empty if it is none that may be shown.
func address(url string) string {
	if !strings.HasPrefix(url, "https://") || len(url) > 500 || !intel.ValidLine(url) {
		return ""
	}
	return url
}
