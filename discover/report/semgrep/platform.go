package semgrep

import (
	"cmp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// finding reads what the API lists: a weakness in code, of a dependency, or a
// secret, which has other names for all.
func finding(r *record.Report, v record.Value) error {
	if v.At("findingPath").Exists() {
		return secret(r, v)
	}
	rule := v.At("rule")
	id := v.Text("rule_name", "rule.name")
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Confidence: term.Confidence(v.Text("confidence", "rule.confidence")), State: state(v),
		Asset: repository(v.Text("repository.name"), v.Text("repository.url"), v.Text("line_of_code_url")),
		Rule:  id, Title: name(id), Description: v.Text("rule_message", "rule.message"), Severity: severity(v.Text("severity")),
		Solution: v.Text("assistant.guidance.instructions", "assistant.guidance.summary"),
		CWEs:     term.CWEs(strings.Join(rule.Texts("cwe_names"), " ")), References: term.Links(v.Text("line_of_code_url")),
		Location: exposure.Location{
			File: term.File(v.Text("location.file_path")), Line: v.Int("location.line"), Column: v.Int("location.column"),
			Symbol: fingerprint(v.Text("match_based_id", "syntactic_id")),
		},
	}
	if found := v.At("found_dependency"); found.Exists() {
		o.Class, o.Detection, o.Location.Symbol = "vuln", exposure.DetectionAuthenticated, ""
		o.Advisories, _ = term.Advisories("", v.Text("vulnerability_identifier"))
		o.Title = sentence(o.Description)
		component(&o, found, o.Location.File)
		o.Component.Fixed = fixes(v, o.Component.Name)
	} else if secrets(id, record.Value{}) {
		o.Class = "secret"
	}
	note(&o, "note", term.Facts(
		"Status", v.Text("status"), "Triage", v.Text("triage_state"), "Reason", v.Text("triage_reason"), "Comment", v.Text("triage_comment"), "Ref", v.Text("ref"),
		"Reachability", v.Text("reachability"), "Reachable when", v.Text("reachable_condition"), "Transitivity", v.Text("found_dependency.transitivity"),
		"Suggested fix", v.Text("assistant.autofix.fix_code"), "Assistant", strings.TrimSpace(v.Text("assistant.autotriage.verdict")+" "+v.Text("assistant.autotriage.reason")),
	))
	r.Weakness(o)
	return nil
}

func fixes(v record.Value, pkg string) string {
	var all []string
	for fix := range v.List("fix_recommendations") {
		if fix.Text("package") == pkg && fix.Text("version") != "" {
			all = append(all, fix.Text("version"))
		}
	}
	return strings.Join(all, ", ")
}

// state reads the status of a finding: removed is one whose rule or file is no
// longer looked at.
func state(v record.Value) exposure.State {
	status := strings.ToLower(strings.TrimPrefix(v.Text("status"), "FINDING_STATUS_"))
	switch {
	case status == "fixed" || status == "" && v.Text("state") == "fixed":
		return exposure.StateFixed
	case strings.Contains(status, "ignored"), status == "" && v.Text("state") == "muted":
		if strings.EqualFold(v.Text("triage_reason"), "false_positive") {
			return exposure.StateNotAffected
		}
		return exposure.StateSuppressed
	case status == "removed" || status == "" && v.Text("state") == "removed":
		return exposure.StateSuppressed
	}
	return exposure.StatePresent
}

// secret reads a secret. The API tells nothing of it but its kind and place.
func secret(r *record.Report, v record.Value) error {
	kind := v.Text("type")
	path, line := splitLine(v.Text("findingPath"))
	o := exposure.Observation{
		Class: "secret", Detection: exposure.DetectionStatic, State: state(v), CWEs: []int{798},
		Confidence: term.Confidence(strings.TrimPrefix(v.Text("confidence"), "CONFIDENCE_")),
		Asset:      repository(v.Text("repository.name"), v.Text("repository.url"), v.Text("findingPathUrl")),
		Rule:       kind, Title: kind, Severity: severity(v.Text("severity")), References: term.Links(v.Text("findingPathUrl")),
		Location: exposure.Location{File: term.File(path), Line: line},
	}
	if id := v.Text("id"); id != "" {
		o.Location.Symbol = "finding " + id
	}
	validity(&o, v.Text("validationState"))
	note(&o, "note", term.Facts("Status", v.Text("status"), "Ref", v.Text("ref"), "Commit", v.Text("historicalInfo.gitCommit")))
	r.Weakness(o)
	return nil
}

// splitLine takes apart a path with the number of a line behind it.
func splitLine(path string) (file string, line int) {
	file, number, ok := cutLast(path, ":")
	if !ok {
		return path, 0
	}
	for _, c := range number {
		if c < '0' || c > '9' || line > 1<<24 {
			return path, 0
		}
		line = line*10 + int(c-'0')
	}
	return file, line
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// dependency reads a vulnerable dependency as the platform lists them for a
// deployment.
func dependency(r *record.Report, v record.Value) error {
	adv, dep, at := v.At("advisory"), v.At("matchedDependency"), v.At("dependencyFileLocation")
	ids, _ := term.Advisories(strings.Join(adv.Texts("references.cveIds"), " "), "")
	pkg, version := dep.Text("name"), strings.TrimLeft(dep.Text("versionSpecifier"), "= ")
	o := exposure.Observation{
		Class: "vuln", Detection: exposure.DetectionAuthenticated, Confidence: 80, State: triage(v.Text("triage.status")),
		Asset: repository(v.Text("repositoryName"), at.Text("url")),
		Rule:  adv.Text("ruleId"), Advisories: ids, Title: cmp.Or(v.Text("title"), adv.Text("title")), Description: adv.Text("description"), Severity: severity(adv.Text("severity")),
		CWEs: term.CWEs(strings.Join(adv.Texts("references.cweIds"), " ")), References: adv.Texts("references.urls"),
		Location: exposure.Location{File: term.File(at.Text("path")), Line: at.Int("startLine")},
		Component: exposure.Component{
			Purl: term.Purl(adv.Text("ecosystem"), pkg, version), Name: pkg, Version: version, Path: term.File(at.Text("path")),
			Fixed: strings.TrimLeft(v.Text("closestSafeDependency.versionSpecifier"), "= "),
		},
	}
	note(&o, "note", term.Facts(
		"Exposure", v.Text("exposureType"), "Reachability", adv.Text("reachability"), "Reachable if", adv.Text("reachableIf"), "Transitivity", v.Text("transitivity"), "Triage", v.Text("triage.status"),
	))
	r.Weakness(o)
	return nil
}

func triage(status string) exposure.State {
	status = strings.ToUpper(status)
	switch {
	case strings.Contains(status, "FALSE_POSITIVE"):
		return exposure.StateNotAffected
	case strings.Contains(status, "FIXED"):
		return exposure.StateFixed
	case strings.Contains(status, "IGNORED"), strings.Contains(status, "WONT_FIX"), strings.Contains(status, "ACCEPTABLE_RISK"):
		return exposure.StateSuppressed
	}
	return exposure.StatePresent
}
