package semgrep

import (
	"cmp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// result reads a match that the command line reports.
func result(r *record.Report, v record.Value) error {
	extra := v.At("extra")
	meta := extra.At("metadata")
	rule := v.Text("check_id")
	o := exposure.Observation{
		Class: "code", Detection: exposure.DetectionStatic, Confidence: term.Confidence(meta.Text("confidence")),
		Rule: rule, Title: name(rule), Description: extra.Text("message"), Severity: severity(extra.Text("severity")),
		CWEs:       term.CWEs(strings.Join(meta.Texts("cwe"), " ")),
		References: links(meta),
		Location:   exposure.Location{File: term.File(v.Text("path")), Line: v.Int("start.line"), Column: v.Int("start.col")},
	}
	if extra.Yes("is_ignored") {
		o.State = exposure.StateSuppressed
	}
	code := strings.TrimSpace(said(extra.Text("lines")))
	note(&o, "code", code)
	note(&o, "note", term.Facts("Suggested fix", extra.Text("fix"), "Commit", extra.Text("historical_info.git_commit")))
	switch {
	case extra.At("sca_info").Exists():
		supply(&o, extra.At("sca_info"), meta)
	case secrets(rule, meta):
		o.Class = "secret"
		o.Location.Symbol = cmp.Or(term.Mark(code), fingerprint(extra.Text("fingerprint")))
		validity(&o, extra.Text("validation_state"))
	case code != "":
		o.Location.Snippet = code
	default:
		o.Location.Symbol = fingerprint(extra.Text("fingerprint"))
	}
	r.Weakness(o)
	return nil
}

func links(meta record.Value) []string {
	all := append(meta.Texts("references"), meta.Texts("source-rule-url")...)
	return term.Links(strings.Join(append(all, meta.Text("source"), meta.Text("shortlink")), " "))
}

// secrets reports whether a rule looks for secrets.
func secrets(rule string, meta record.Value) bool {
	for part := range strings.SplitSeq(rule, ".") {
		if part == "secrets" {
			return true
		}
	}
	return meta.At("secret_type").Exists() || meta.Text("product") == "secrets"
}

// validity takes up what became of a secret that was tried.
func validity(o *exposure.Observation, state string) {
	switch strings.TrimPrefix(state, "VALIDATION_STATE_") {
	case "CONFIRMED_VALID":
		o.Detection, o.Confidence = exposure.DetectionExploit, 100
	case "CONFIRMED_INVALID", "VALIDATION_ERROR":
		note(o, "note", "Validation: "+state)
	}
}

// supply reads what is known of a vulnerable dependency.
func supply(o *exposure.Observation, info, meta record.Value) {
	found := info.At("dependency_match.found_dependency")
	o.Class, o.Detection = "vuln", exposure.DetectionAuthenticated
	ids, _ := term.Advisories("", meta.Text("sca-vuln-database-identifier", "cve")+" "+meta.Text("ghsa"))
	o.Advisories, o.Aliased = ids, term.Aliased(ids)
	o.Title = sentence(o.Description)
	component(o, found, info.Text("dependency_match.lockfile"))
	var fixed []string
	for fix := range meta.List("sca-fix-versions") {
		for pkg, version := range fix.Members("") {
			if pkg == o.Component.Name && version.IsText() {
				fixed = append(fixed, version.Text())
			}
		}
	}
	o.Component.Fixed = strings.Join(fixed, ", ")
	note(o, "note", term.Facts("Reachable", info.Text("reachable"), "Transitivity", found.Text("transitivity")))
}

func component(o *exposure.Observation, found record.Value, lockfile string) {
	name, version := found.Text("package"), found.Text("version")
	o.Component = exposure.Component{
		Purl: term.Purl(found.Text("ecosystem"), name, version), Name: name, Version: version, Path: term.File(cmp.Or(found.Text("lockfile_path"), lockfile)),
	}
}
