package nmap

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

// vulnersLine is an entry in the text: an id, its score and its address.
// Newer versions name the version of the score.
var vulnersLine = regexp.MustCompile(`^\s*(\S+)\s+(?:cvss[0-9.]*:\s*)?([0-9]+(?:\.[0-9]+)?)\s+(https?://\S+)(.*)$`)

// vulnersGroup is the product that the entries below are of.
var vulnersGroup = regexp.MustCompile(`^\s*(cpe:/\S+?):?\s*$`)

// vulners reads the entries of the vulners script: what is known of the
// version that the service claims to be, whatever was patched in it. See
// https://nmap.org/nsedoc/scripts/vulners.html
func vulners(s *script, c exposure.Component) []exposure.Observation {
	if found := vulnersTables(s.Tables, c); found != nil {
		return found
	}
	var found []exposure.Observation
	of := c
	for line := range strings.SplitSeq(s.Output, "\n") {
		if m := vulnersGroup.FindStringSubmatch(line); m != nil {
			of = product(m[1], c)
			continue
		}
		if m := vulnersLine.FindStringSubmatch(line); m != nil {
			found = append(found, vulnersEntry(m[1], m[2], m[3], strings.Contains(m[4], "EXPLOIT"), of))
		}
	}
	return found
}

// vulnersTables reads the structure: tables of entries by the product's CPE.
func vulnersTables(tables []table, c exposure.Component) (found []exposure.Observation) {
	for i := range tables {
		t := &tables[i]
		if id := t.get("id"); id != "" {
			address := "https://vulners.com/" + t.get("type") + "/" + id
			if t.get("type") == "" {
				address = ""
			}
			found = append(found, vulnersEntry(id, t.get("cvss"), address, t.get("is_exploit") == "true", c))
		}
		found = append(found, vulnersTables(t.Tables, product(t.Key, c))...)
	}
	return found
}

// product is the component of a group of entries.
func product(cpe string, c exposure.Component) exposure.Component {
	if p := cpeComponent(cpe); p.Name != "" {
		return p
	}
	return c
}

func vulnersEntry(id, score, address string, exploit bool, c exposure.Component) exposure.Observation {
	o := exposure.Observation{
		Rule:       "vulners",
		Advisories: []string{exposure.NormalAdvisory(id)},
		Title:      id,
		Component:  c,
		Detection:  exposure.DetectionBanner,
		Confidence: 30,
	}
	if c.Name != "" {
		o.Title += " in " + strings.TrimSpace(c.Name+" "+c.Version)
	}
	if address != "" {
		o.References = []string{address}
	}
	var note []string
	if n, err := strconv.ParseFloat(score, 64); err == nil {
		o.Severity = severityOf(n)
		note = append(note, "CVSS score: "+score)
	}
	if exploit {
		note = append(note, "this entry is an exploit")
	}
	if note != nil {
		o.Evidence = []exposure.Evidence{{Kind: "note", Text: strings.Join(note, "\n")}}
	}
	return o
}

// severityOf is the rating of a CVSS score, see
// https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale
func severityOf(score float64) exposure.Severity {
	switch {
	case score >= 9:
		return exposure.SeverityCritical
	case score >= 7:
		return exposure.SeverityHigh
	case score >= 4:
		return exposure.SeverityMedium
	case score > 0:
		return exposure.SeverityLow
	}
	return exposure.SeverityInfo
}
