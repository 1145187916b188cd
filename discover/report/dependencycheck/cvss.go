package dependencycheck

import (
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
)

// metric is a metric of a CVSS vector with the names that it has in reports.
type metric struct {
	letters string
	names   []string
}

func version3() []metric {
	return []metric{
		{"AV", []string{"attackVector"}}, {"AC", []string{"attackComplexity"}}, {"PR", []string{"privilegesRequired"}}, {"UI", []string{"userInteraction"}},
		{"S", []string{"scope"}}, {"C", []string{"confidentialityImpact"}}, {"I", []string{"integrityImpact"}}, {"A", []string{"availabilityImpact"}},
	}
}

// version2 has the names with the slips of the tool's templates.
func version2() []metric {
	return []metric{
		{"AV", []string{"accessVector", "cvssAccessVector"}}, {"AC", []string{"accessComplexity", "cvssAccessComplexity"}},
		{"Au", []string{"authenticationr", "authenticationr>", "authentication", "cvssAuthenticationr", "cvssAuthentication"}},
		{"C", []string{"confidentialImpact", "confidentialityImpact", "cvssConfidentialImpact"}},
		{"I", []string{"integrityImpact", "cvssIntegrityImpact"}}, {"A", []string{"availabilityImpact", "cvssAvailabilityImpact"}},
	}
}

// vectors puts the vectors together that a report states by their metrics.
func vectors(v record.Value) []string {
	all := []string{v.Text("cvssV4.vectorString")}
	if three := vector(v.At("cvssV3"), version3()); three != "" {
		version := "3.1"
		if v.Text("cvssV3.version") == "3.0" {
			version = "3.0"
		}
		all = append(all, "CVSS:"+version+"/"+three)
	}
	two := vector(v.At("cvssV2"), version2())
	if two == "" {
		two = vector(v, version2()) // before version 5
	}
	return term.Vectors(strings.Join(append(all, two), " "))
}

// vector is "" when a metric is missing. The first letter of each value is its
// sign, in all versions.
func vector(v record.Value, metrics []metric) string {
	var parts []string
	for _, m := range metrics {
		value := v.Text(m.names...)
		if value == "" {
			return ""
		}
		parts = append(parts, m.letters+":"+strings.ToUpper(value[:1]))
	}
	return strings.Join(parts, "/")
}
