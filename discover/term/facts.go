package term

import "strings"

// Facts writes pairs of a name and a value as lines, for evidence. What has no
// value is left out.
func Facts(pairs ...string) string {
	var lines []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := strings.TrimSpace(pairs[i+1]); value != "" {
			lines = append(lines, pairs[i]+": "+value)
		}
	}
	return strings.Join(lines, "\n")
}
