// Package sonarqube reads issues and security hotspots of SonarQube: the answers
// of its web API in JSON, and the reports that sonar-report makes of them in
// HTML and JSON.
//
// None of them tells the code. SonarQube follows an issue through the analyses
// of a project and keeps its key, however its code moves, so the key tells two
// issues of one file apart.
package sonarqube

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads reports of SonarQube. See
// https://next.sonarqube.com/sonarqube/web_api/api/issues
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "sonarqube" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "SonarQube issues and hotspots (JSON of the web API, JSON and HTML of sonar-report)", "https://next.sonarqube.com/sonarqube/web_api/api/issues"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	if h.Form() == '<' {
		return isPage(h)
	}
	if h.Has("sonarBaseURL") || h.Has("issues", "hotspotKeys") {
		return true
	}
	for _, page := range []string{"", "[]."} {
		if h.Has(page+"issues[].rule", page+"issues[].component", page+"issues[].project") || h.Has(page+"hotspots[].vulnerabilityProbability", page+"hotspots[].component") ||
			h.Has(page+"issues", page+"paging.pageIndex") || h.Has(page+"hotspots", page+"paging.pageIndex") {
			return true
		}
	}
	return false
}

// isPage recognises the HTML of sonar-report.
func isPage(h *decode.Head) bool { return bytes.Contains(h.Bytes(), []byte("<title>SonarQube ")) }

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	head, r := decode.Peek(r)
	if head.Form() == '<' {
		return readPage(ctx, r)
	}
	rules := map[string]rule{}
	learn := func(_ *record.Report, v record.Value) error {
		if len(rules) < maxRules {
			rules[cmp.Or(v.Text("key"), v.Key)] = rule{name: v.Text("name"), text: v.Text("htmlDesc", "mdDesc")}
		}
		return nil
	}
	found := func(r *record.Report, v record.Value) error {
		i := issueOf(v)
		i.project = cmp.Or(i.project, r.Top().Text("sonarComponent", "projectName"))
		r.Weakness(i.observe(rules[i.rule]))
		return nil
	}
	return record.Spec{
		Tool:  "sonarqube",
		About: func(top record.Value, run *exposure.Run) { run.Finished = reported(top.Text("date")) },
		Records: map[string]record.Handler{
			"issues[]": found, "hotspots[]": found, "[].issues[]": found, "[].hotspots[]": found,
			"rules{}": learn, "rules[]": learn, "[].rules[]": learn,
		},
		First: []string{"rules{}", "rules[]", "[].rules[]"}, Whole: true,
	}.Read(ctx, r)
}

// maxRules bounds the rules that are kept; SonarQube has some 6,000.
const maxRules = 20_000

// rule is what is told of a rule apart from its issues.
type rule struct{ name, text string }

// issue is an issue or a hotspot, in whatever form.
type issue struct {
	rule, key, project, component string
	line                          int
	severity, status, resolution  string
	title, message, kind          string
	tags                          []string
	flows                         []string
}

func issueOf(v record.Value) issue {
	i := issue{
		rule: v.Text("rule", "ruleKey"), key: v.Text("key"), project: v.Text("project"), component: v.Text("component"), line: v.Int("line", "textRange.startLine"),
		severity: v.Text("severity", "vulnerabilityProbability"), status: v.Text("issueStatus", "status"), resolution: v.Text("resolution"),
		title: v.Text("description"), message: v.Text("message"), kind: v.Text("type"), tags: v.Texts("tags"),
	}
	if i.severity == "" {
		i.severity = impact(v)
	}
	for flow := range v.List("flows") {
		for at := range flow.List("locations") {
			i.flows = append(i.flows, strings.TrimSpace(path(at.Text("component"), i.project)+":"+at.Text("textRange.startLine")+" "+at.Text("msg")))
		}
	}
	return i
}

// impact is the severity for security, or else the first there is.
func impact(v record.Value) string {
	word := ""
	for i := range v.List("impacts") {
		if s := i.Text("severity"); word == "" || i.Text("softwareQuality") == "SECURITY" {
			word = s
		}
	}
	return word
}

// observe states an issue, with what its rule says.
func (i issue) observe(about rule) exposure.Observation {
	o := exposure.Observation{
		Class: class(i.rule), Detection: exposure.DetectionStatic, Asset: project(i.project),
		Rule: i.rule, Title: cmp.Or(about.name, i.title, i.message), Description: term.Plain(about.text), References: term.Links(about.text),
		Severity: severity(i.severity), State: state(i.status, i.resolution), CWEs: cwes(about.text, i.message, i.tags),
		Location: exposure.Location{File: path(i.component, i.project), Line: i.line},
	}
	if i.message != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: i.message})
	}
	if len(i.flows) > 0 {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "path", Text: strings.Join(i.flows, "\n")})
	}
	if i.key != "" {
		o.Location.Symbol = "issue " + i.key
	}
	if dependency(&o, i.message) && len(o.Advisories) > 0 {
		o.Location.Symbol = ""
		o.Title = cmp.Or(about.name, "Component with known vulnerabilities")
		if len(o.Advisories) == 1 {
			o.Title = o.Advisories[0] + " in " + o.Component.Name
		}
	}
	return o
}

// project is the asset that was analysed.
func project(key string) exposure.AssetRef {
	ref := exposure.AssetRef{Kind: exposure.AssetRepository}
	ref.Add(exposure.IDName, key)
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}

// path is the file of a component, whose key begins with that of the project,
// and perhaps of a module. The project itself is no file.
func path(component, project string) string {
	if component == project {
		return ""
	}
	file := strings.TrimPrefix(component, project+":")
	return term.File(file[strings.LastIndexByte(file, ':')+1:])
}

// class tells what sort of check a rule is, by its repository.
func class(rule string) string {
	repository, _, _ := strings.Cut(rule, ":")
	switch repository {
	case "secrets":
		return "secret"
	case "docker", "terraform", "kubernetes", "cloudformation", "azureresourcemanager", "ansible":
		return "misconfig"
	}
	return "code"
}

// severity reads the words for issues, for impacts and for the probability of
// hotspots. Of the first, critical is the second worst.
func severity(word string) exposure.Severity {
	switch strings.ToUpper(word) {
	case "BLOCKER":
		return exposure.SeverityCritical
	case "CRITICAL", "HIGH":
		return exposure.SeverityHigh
	case "MAJOR", "MEDIUM":
		return exposure.SeverityMedium
	case "MINOR", "LOW":
		return exposure.SeverityLow
	case "INFO":
		return exposure.SeverityInfo
	}
	return exposure.SeverityUnknown
}

// state reads what was decided of an issue: a resolution says more than that
// there is one.
func state(status, resolution string) exposure.State {
	switch strings.ToUpper(resolution) {
	case "SAFE":
		return exposure.StateNotAffected
	case "ACKNOWLEDGED", "EXCEPTION":
		return exposure.StateSuppressed
	case "REMOVED":
		return exposure.StateFixed
	}
	if s := term.State(resolution); s != exposure.StatePresent {
		return s
	}
	return term.State(status)
}

// cwes are those that a rule, a message and tags name. Other numbers in their
// texts are none.
func cwes(text, message string, tags []string) (ids []int) {
	named := append([]string{}, tags...)
	for _, s := range []string{term.Plain(text), message} {
		named = append(named, strings.FieldsFunc(s, term.Between)...)
	}
	for _, word := range named {
		if word = strings.Trim(word, `[]()"':.`); len(word) > 4 && strings.EqualFold(word[:4], "CWE-") {
			for _, id := range term.CWEs(word) {
				if !slices.Contains(ids, id) && len(ids) < 100 {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids
}
