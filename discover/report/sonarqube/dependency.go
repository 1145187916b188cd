package sonarqube

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// dependency reads the message of an issue about a component with known
// vulnerabilities, as the plug-in of Dependency-Check writes it: names and
// values with colons between, parted by bars.
func dependency(o *exposure.Observation, message string) bool {
	if !strings.HasPrefix(message, "Filename: ") {
		return false
	}
	o.Class = "vuln"
	for part := range strings.SplitSeq(message, " | ") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), ": ")
		switch name {
		case "Filename":
			o.Component.Name, o.Component.Version = parted(strings.TrimSpace(value))
		case "Reference", "References":
			for word := range strings.FieldsFuncSeq(value, term.Between) {
				if id := exposure.NormalAdvisory(word); (term.IsCVE(id) || strings.HasPrefix(id, "GHSA-") && term.IsAdvisory(id)) && !slices.Contains(o.Advisories, id) {
					o.Advisories = append(o.Advisories, id)
				}
			}
		}
	}
	return true
}

// parted parts the name of a file, or name:version, into name and version.
func parted(s string) (name, version string) {
	if name, version, ok := strings.Cut(s, ":"); ok && !strings.ContainsAny(version, ":/") {
		return name, version
	}
	return term.NameVersion(term.Archive(s))
}
