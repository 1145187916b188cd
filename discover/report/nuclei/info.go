package nuclei

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/exposure"
)

// info is what a template says of itself. Every result repeats it.
type info struct {
	name, description, solution string
	severity                    exposure.Severity
	advisories                  []string
	cwes                        []int
	cvss                        []string
	references                  []string
	tags                        []string
	verified                    bool // somebody tried the template on a real target
}

// How many bytes of infos are kept decoded, and how long one may be: the whole
// public template library fits.
const (
	maxInfos    = 16 << 20
	maxInfoSize = 8 << 10
)

// infos remembers decoded infos by their bytes.
type infos struct {
	known map[string]*info
	size  int
}

func newInfos() infos { return infos{known: map[string]*info{}} }

func (c *infos) get(raw jsontext.Value) (*info, error) {
	if i, ok := c.known[string(raw)]; ok {
		return i, nil
	}
	i, err := parseInfo(raw)
	if err != nil {
		return nil, err
	}
	if len(raw) <= maxInfoSize {
		if c.size += len(raw); c.size > maxInfos {
			clear(c.known)
			c.size = len(raw)
		}
		c.known[string(raw)] = i
	}
	return i, nil
}

func parseInfo(raw jsontext.Value) (*info, error) {
	var doc struct {
		Name, Severity, Description, Impact, Remediation jsontext.Value
		Reference, References, Tags                      jsontext.Value
		Metadata                                         struct{ Verified jsontext.Value }
		Classification                                   struct {
			CVE    jsontext.Value `json:"cve-id"`
			CWE    jsontext.Value `json:"cwe-id"`
			Vector jsontext.Value `json:"cvss-metrics"`
		}
	}
	if len(raw) > 0 {
		if err := decode.Unmarshal(raw, &doc); err != nil {
			return nil, err
		}
	}
	i := &info{verified: string(doc.Metadata.Verified) == "true"}
	var first error
	one := func(raw jsontext.Value) string {
		s, err := text(raw, 0)
		if first == nil {
			first = err
		}
		return strings.TrimSpace(s)
	}
	many := func(raw jsontext.Value, separators string) []string {
		l, err := list(raw)
		if first == nil {
			first = err
		}
		var parts []string
		for _, s := range l {
			for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
				if part = strings.TrimSpace(part); part != "" && len(parts) < maxList {
					parts = append(parts, part)
				}
			}
		}
		return parts
	}
	i.name = strings.Join(strings.Fields(one(doc.Name)), " ")
	i.description = one(doc.Description)
	if impact := one(doc.Impact); impact != "" {
		i.description = strings.TrimSpace(i.description + "\n\nImpact: " + impact)
	}
	i.solution = one(doc.Remediation)
	i.severity = severity(one(doc.Severity))
	i.tags = many(doc.Tags, ",")
	for _, r := range append(many(doc.Reference, "\n"), many(doc.References, "\n")...) {
		r = strings.TrimSpace(strings.TrimPrefix(r, "- ")) // a list in YAML that was read as text
		if !slices.Contains(i.references, r) {
			i.references = append(i.references, r)
		}
	}
	if v := one(doc.Classification.Vector); strings.Contains(v, ":") {
		i.cvss = []string{v}
	}
	for _, c := range many(doc.Classification.CWE, ",") {
		if n, err := strconv.Atoi(strings.TrimPrefix(strings.ToUpper(c), "CWE-")); err == nil && n > 0 && !slices.Contains(i.cwes, n) {
			i.cwes = append(i.cwes, n)
		}
	}
	for _, c := range many(doc.Classification.CVE, ",") {
		i.addCVE(c)
	}
	return i, first
}

var cveID = regexp.MustCompile(`(?i)^CVE-\d{4}-\d{4,}$`)

// addCVE adds what is a CVE id; templates also state "CVE-2020-XXXX" or none.
func (i *info) addCVE(id string) {
	if id = strings.ToUpper(id); cveID.MatchString(id) && !slices.Contains(i.advisories, id) {
		i.advisories = append(i.advisories, id)
	}
}

func severity(word string) exposure.Severity {
	switch strings.ToLower(word) {
	case "critical":
		return exposure.SeverityCritical
	case "high":
		return exposure.SeverityHigh
	case "medium":
		return exposure.SeverityMedium
	case "low":
		return exposure.SeverityLow
	case "info":
		return exposure.SeverityInfo
	}
	return exposure.SeverityUnknown
}
