package gitlab

import (
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// identity is what the identifiers of an entry say.
type identity struct {
	tool       string // whose rule it is
	rule       string
	advisories []string
	cwes       []int
	links      []string
	notes      []exposure.Evidence
}

// maxLinks bounds the references of an entry.
const maxLinks = 200

func (id *identity) link(url string) {
	if url != "" && len(id.links) < maxLinks && !slices.Contains(id.links, url) {
		id.links = append(id.links, url)
	}
}

func (id *identity) advisory(name string) {
	if name = exposure.NormalAdvisory(name); !slices.Contains(id.advisories, name) {
		id.advisories = append(id.advisories, name)
	}
}

// identify reads the identifiers. The first that is of the scanner's own names
// the rule; a weakness that is published is its own rule.
func identify(v record.Value) identity {
	var id identity
	var vendors, classes []string
	for i := range v.List("identifiers") {
		kind, name, value := strings.ToLower(i.Text("type")), i.Text("name"), i.Text("value")
		id.link(i.Text("url"))
		switch {
		case kind == "cwe":
			id.cwes = appendCWEs(id.cwes, value, name)
			continue
		case kind == "cve" || kind == "ghsa":
			if !term.IsAdvisory(value) {
				value = name
			}
			if term.IsAdvisory(value) {
				id.advisory(value)
			}
			continue
		case kind == "owasp" || kind == "wasc" || kind == "capec" || kind == "osvdb" || kind == "hackerone":
			classes = append(classes, name)
			continue
		case vendor(kind) && term.IsAdvisory(value):
			vendors = append(vendors, value)
			continue
		}
		// Some analyzers put the description where the value belongs.
		if value == "" || strings.Contains(value, " ") && name != "" && !strings.Contains(name, " ") {
			value = name
		}
		if id.rule == "" {
			id.tool, id.rule = owner(kind), value
		}
	}
	if cve := v.Text("cve"); len(id.advisories) == 0 && term.IsCVE(cve) {
		id.advisory(cve)
	}
	// The advisory of a vendor covers several weaknesses: it names this one
	// when nothing better does.
	for _, name := range vendors {
		if len(id.advisories) == 0 {
			id.advisory(name)
		} else {
			id.notes = append(id.notes, exposure.Evidence{Kind: "note", Text: "vendor advisory " + name})
		}
	}
	if len(classes) > 0 {
		id.notes = append(id.notes, exposure.Evidence{Kind: "note", Text: strings.Join(classes, "\n")})
	}
	if id.rule == "" && len(id.advisories) > 0 {
		id.rule = id.advisories[0]
	}
	return id
}

// owner is the scanner that a type of identifiers belongs to: semgrep of
// semgrep_id, gitleaks of gitleaks_rule_id.
func owner(kind string) string {
	for _, what := range []string{"_rule_id", "_rule_type", "_test_id", "_pluginid", "_warning_code", "_id", "_type"} {
		if name, ok := strings.CutSuffix(kind, what); ok {
			return scanner(name)
		}
	}
	return scanner(kind)
}

// vendor reports whether a type of identifiers is that of a vendor's advisories.
func vendor(kind string) bool {
	switch kind {
	case "usn", "rhsa", "rhba", "elsa", "glsa", "dsa", "dla", "alas", "suse-su", "kb", "cisco-sa":
		return true
	}
	return false
}

func appendCWEs(ids []int, value, name string) []int {
	found := term.CWEs(value)
	if found == nil {
		found = term.CWEs(name)
	}
	for _, n := range found {
		if !slices.Contains(ids, n) {
			ids = append(ids, n)
		}
	}
	return ids
}
