// Package semgrep reads the JSON of Semgrep and Opengrep: the reports of the
// command line, and what the API of Semgrep's platform lists of code, secrets
// and dependencies.
//
// Code is known by its text. Where Semgrep leaves that out, as it does for
// who is not logged in and in its API, its own fingerprint stands for it; for a
// secret, a short hash of it.
//
// A report names the files that were looked at and not the rules that ran, so
// it covers nothing.
package semgrep

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Semgrep reports. See
// https://semgrep.dev/docs/semgrep-appsec-platform/json-and-sarif and https://semgrep.dev/api/v1/docs/
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "semgrep" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Semgrep (JSON of the command line and of the platform's API)", "https://semgrep.dev/docs/semgrep-appsec-platform/json-and-sarif"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch {
	case h.Form() != '{':
		return false
	case h.Has("results[].check_id", "results[].extra"):
		return true
	case h.Has("errors", "paths.scanned"), h.Has("errors[].level", "errors[].type", "errors[].code"): // the results may come late
		return true
	case h.Has("results", "errors") && !h.Has("results[]"):
		return bare(h)
	case h.Has("findings[].rule_name") || h.Has("findings[].rule_message"):
		return h.HasNames("match_based_id") || h.HasNames("syntactic_id") || h.HasNames("triage_state") || h.HasNames("line_of_code_url")
	case h.Has("findings[].findingPath"):
		return h.HasNames("validationState") || h.HasNames("findingPathUrl")
	}
	return h.Has("vulns[].advisory", "vulns[].matchedDependency") || h.Has("vulns[].advisory", "vulns[].dependencyFileLocation")
}

// bare reports whether a document is what an old version writes that found
// nothing: results and errors, perhaps with its version, and no more.
func bare(h *decode.Head) bool {
	var doc map[string]any
	if decode.Unmarshal(h.Bytes(), &doc) != nil {
		return false
	}
	delete(doc, "version")
	return len(doc) == 2
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool:    "semgrep",
		About:   func(top record.Value, run *exposure.Run) { run.Version = top.Text("version") },
		Records: map[string]record.Handler{"results[]": result, "findings[]": finding, "vulns[]": dependency},
	}.Read(ctx, r)
}

// severity reads the words of the rules, which became those of the platform:
// error is high, warning is medium and info is low.
func severity(word string) exposure.Severity {
	word = strings.TrimPrefix(strings.ToUpper(word), "SEVERITY_")
	switch word {
	case "INFO":
		return exposure.SeverityLow
	case "INVENTORY", "EXPERIMENT":
		return exposure.SeverityInfo
	}
	return term.Level(word)
}

// said is a value, unless it says that it is for those who are logged in.
func said(s string) string {
	if s == "requires login" {
		return ""
	}
	return s
}

// name is the rule without the folders that lead to it.
func name(rule string) string { return rule[strings.LastIndexByte(rule, '.')+1:] }

// sentence is the first sentence of a message: the rules for dependencies have
// no names.
func sentence(message string) string {
	first, _, _ := strings.Cut(term.OneLine(message), ". ")
	return strings.TrimSuffix(first, ".")
}

func fingerprint(id string) string {
	if id = said(id); id == "" {
		return ""
	}
	return "fingerprint " + id
}

// repository is that of an address, or of a name.
func repository(name string, links ...string) (a exposure.AssetRef) {
	for _, link := range links {
		if a = term.Repository(link); !a.IsZero() {
			return a
		}
	}
	if name != "" {
		a.Kind, a.Name = exposure.AssetRepository, name
		a.Add(exposure.IDName, name)
	}
	return a
}

func note(o *exposure.Observation, kind, text string) {
	if text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: kind, Text: text})
	}
}
