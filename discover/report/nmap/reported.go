package nmap

import (
	"regexp"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/exposure"
)

var (
	cveIDs = regexp.MustCompile(`CVE-\d{4}-\d{4,}`)
	// vector2 is a CVSS 2 vector as the scripts write it.
	vector2 = regexp.MustCompile(`AV:[LAN]/AC:[HML]/Au:[MSN]/C:[NPC]/I:[NPC]/A:[NPC]`)
	// idLine states the ids: "IDs:  CVE:CVE-2014-0160  BID:66690".
	idLine = regexp.MustCompile(`(?m)^\s*IDs:\s*(.+)$`)
	// risk is how the text states the risk factor.
	risk = regexp.MustCompile(`(?m)^\s*Risk factor:\s*(\w+)`)
	// stateLine states in the text what became of the weakness named above.
	stateLine = regexp.MustCompile(`^\s*State:\s*(.+?)\s*$`)
	// verdict is how scripts from before the vulns library put it:
	// "MS08-067: LIKELY VULNERABLE (host stopped responding)".
	verdict = regexp.MustCompile(`^\s*(\S.*?):\s*((?:LIKELY )?VULNERABLE\b.*?)\s*$`)
)

// reported reads what a script found that uses the vulns library, or states
// the same way that something is VULNERABLE. See
// https://nmap.org/nsedoc/lib/vulns.html
func reported(s *script) (found []exposure.Observation) {
	for i := range s.Tables {
		t := &s.Tables[i]
		title, state := t.get("title"), t.get("state")
		if title == "" || !vulnerable(state) {
			continue
		}
		ids := append(t.list("ids"), t.Key)
		o := finding(s, title, state, ids)
		o.Description = strings.Join(t.list("description"), "\n")
		for _, r := range t.list("refs") {
			refer(&o, r)
		}
		for _, key := range []string{"check_results", "exploit_results", "extra_info"} {
			if lines := t.list(key); lines != nil {
				o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: strings.Join(lines, "\n")})
			}
		}
		if r := t.get("risk_factor"); r != "" {
			o.Severity = severityWord(r)
		} else if len(s.Tables) == 1 {
			if m := risk.FindStringSubmatch(s.Output); m != nil {
				o.Severity = severityWord(m[1])
			}
		}
		for _, sub := range t.Tables {
			if sub.Key != "scores" {
				continue
			}
			for _, e := range sub.Elems {
				if v := vector2.FindString(e.Text); v != "" && len(o.CVSS) < maxList && !slices.Contains(o.CVSS, v) {
					o.CVSS = append(o.CVSS, v)
				}
			}
		}
		found = append(found, o)
	}
	if len(s.Tables) == 0 && strings.Contains(s.Output, "VULNERABLE") {
		return textual(s)
	}
	return found
}

// textual reads the same from the text alone.
func textual(s *script) (found []exposure.Observation) {
	lines := strings.Split(s.Output, "\n")
	title := ""
	start := 0 // of the part on one weakness
	for i, line := range lines {
		if m := stateLine.FindStringSubmatch(line); m != nil {
			if title != "" && vulnerable(m[1]) {
				end := i + 1
				for end < len(lines) && strings.TrimSpace(lines[end]) != "VULNERABLE:" && (end+1 >= len(lines) || !stateLine.MatchString(lines[end+1])) {
					end++
				}
				part := strings.Join(lines[start:end], "\n")
				ids := part
				if m := idLine.FindStringSubmatch(part); m != nil {
					ids = m[1]
				}
				o := finding(s, title, m[1], []string{ids})
				if m := risk.FindStringSubmatch(part); m != nil {
					o.Severity = severityWord(m[1])
				}
				if v := vector2.FindString(part); v != "" {
					o.CVSS = []string{v}
				}
				for _, w := range strings.Fields(part) {
					refer(&o, w)
				}
				o.Evidence = []exposure.Evidence{{Kind: "output", Text: strings.TrimSpace(part)}}
				found = append(found, o)
			}
			title = ""
			continue
		}
		if m := verdict.FindStringSubmatch(line); m != nil {
			o := finding(s, m[1], m[2], []string{line})
			o.Evidence = []exposure.Evidence{{Kind: "output", Text: strings.TrimSpace(line)}}
			found = append(found, o)
			continue
		}
		if t := strings.TrimSpace(line); t != "" {
			title, start = t, i
		}
	}
	return found
}

// maxList bounds the ids and addresses of one weakness.
const maxList = 200

// refer adds s to the references if it is an address.
func refer(o *exposure.Observation, s string) {
	if (strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")) && len(o.References) < maxList && !slices.Contains(o.References, s) {
		o.References = append(o.References, s)
	}
}

// finding is a weakness that a script is sure of to the degree of its state.
// The CVE ids in ids are names of this one.
func finding(s *script, title, state string, ids []string) exposure.Observation {
	o := exposure.Observation{Rule: s.ID, Title: title}
	for _, id := range ids {
		for _, cve := range cveIDs.FindAllString(id, -1) {
			if len(o.Advisories) < maxList && !slices.Contains(o.Advisories, cve) {
				o.Advisories = append(o.Advisories, cve)
			}
		}
	}
	o.Aliased = len(o.Advisories) > 1
	if o.Advisories == nil {
		// One script may look for several weaknesses: their titles differ.
		o.Rule += ":" + title
	}
	state = strings.ToUpper(state)
	switch {
	case strings.HasPrefix(state, "LIKELY"):
		o.Detection, o.Confidence = exposure.DetectionBanner, 30
	case strings.Contains(state, "EXPLOITABLE"):
		o.Detection, o.Confidence = exposure.DetectionExploit, 100
	default:
		o.Detection, o.Confidence = exposure.DetectionRemote, 95
	}
	return o
}

// vulnerable reports whether a state is one of those. One of them is misspelt
// by the library.
func vulnerable(state string) bool {
	state = strings.TrimPrefix(strings.ToUpper(state), "LIKELY ")
	return strings.HasPrefix(state, "VULNERABLE") || strings.HasPrefix(state, "VUNERABLE")
}

func severityWord(s string) exposure.Severity {
	switch strings.ToLower(s) {
	case "critical":
		return exposure.SeverityCritical
	case "high":
		return exposure.SeverityHigh
	case "medium":
		return exposure.SeverityMedium
	case "low":
		return exposure.SeverityLow
	case "none", "info":
		return exposure.SeverityInfo
	}
	return exposure.SeverityUnknown
}
