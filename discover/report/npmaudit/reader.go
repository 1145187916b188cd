// Package npmaudit reads what the package managers of Node.js report when they
// ask the npm registry about the packages of a project.
//
// npm 6, pnpm and Yarn 2 and 3 write one document with the advisories by their
// numbers, npm 7 and later one with the vulnerable packages by their names, and
// Yarn 1 and 4 a document a line. None names the project, none lists the
// packages that are well, and the parts of a tree that were left out are not
// said, so a report covers nothing.
package npmaudit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads the audits of npm, Yarn and pnpm. See
// https://docs.npmjs.com/cli/commands/npm-audit
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "npm-audit" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "npm, Yarn and pnpm audit (JSON, JSON lines)", "https://docs.npmjs.com/cli/commands/npm-audit"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	return h.Form() == '{' && (document(h) || lines(h))
}

// document recognises one document with everything.
func document(h *decode.Head) bool {
	switch {
	case h.Has("auditReportVersion", "vulnerabilities"), h.Has("actions[].resolves", "actions[].module"):
		return true
	case h.Has("advisories"):
		return h.Has("metadata.vulnerabilities", "metadata.totalDependencies") || h.Has("actions", "muted") || h.HasNames("module_name", "vulnerable_versions")
	}
	return false
}

// lines recognises a document a line.
func lines(h *decode.Head) bool {
	return h.Has("type") && (h.Text("type") == "error" && h.Text("data") != "" || h.Has("data.advisory.module_name") || h.Has("data.resolution.path") || h.Has("data.vulnerabilities", "data.totalDependencies")) ||
		h.Has("value", "children.Severity", "children.Issue")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	br := bufio.NewReaderSize(r, 64<<10)
	head, _ := br.Peek(4 << 10)
	if h := decode.NewHead(head); h.Has("type") || h.Has("value") {
		return yarn(ctx, br)
	}
	return record.Spec{
		Tool: "npm-audit",
		About: func(top record.Value, run *exposure.Run) {
			run.Format = top.Text("auditReportVersion")
			if run.Failure = top.Text("error.summary", "error.code"); run.Failure != "" {
				run.Failed = true
			}
		},
		Records: map[string]record.Handler{
			"advisories{}":    func(r *record.Report, v record.Value) error { return advisory(r, v, "") },
			"vulnerabilities": vulnerabilities,
		},
	}.Read(ctx, br)
}

// weakness is what all forms have in common. Quality 97 is that of a lock file
// on the scale of OpenVAS.
func weakness(name, version string) exposure.Observation {
	return exposure.Observation{
		Class: "vuln", Detection: exposure.DetectionAuthenticated, Confidence: 97,
		Component: exposure.Component{Purl: term.Purl("npm", name, version), Name: name, Version: version},
	}
}

// identify names a weakness. The numbers of advisories change with every change
// of their text since GitHub writes them, so its ids go first.
func identify(o *exposure.Observation, number string, cves []string, named ...string) {
	ghsa := ""
	for _, n := range named {
		if n = n[strings.LastIndexByte(n, '/')+1:]; strings.HasPrefix(strings.ToUpper(n), "GHSA-") && term.IsAdvisory(n) {
			ghsa = exposure.NormalAdvisory(n)
			break
		}
	}
	o.Advisories, _ = term.Advisories(strings.Join(cves, " "), ghsa)
	o.Aliased = term.Aliased(o.Advisories)
	if o.Rule = ghsa; ghsa == "" {
		o.Rule = number
	}
}

// advisory reads an advisory of the older form, with the places where its
// package is. path is the one of them that a line is about.
func advisory(r *record.Report, v record.Value, path string) error {
	name := v.Text("module_name")
	if name == "" {
		return errors.New("an advisory without module_name, so nobody knows what it concerns")
	}
	var versions, paths []string
	if path != "" {
		paths = append(paths, path)
	}
	for f := range v.List("findings") {
		version := f.Text("version")
		versions = append(versions, version)
		for _, p := range f.Texts("paths") {
			if p != path {
				paths = append(paths, p)
			}
		}
	}
	first := ""
	if len(versions) > 0 {
		first = versions[0]
	}
	o := weakness(name, first)
	identify(&o, v.Text("id"), v.Texts("cves"), v.Text("github_advisory_id"), v.Text("url"))
	o.Title, o.Description, o.Solution = v.Text("title"), v.Text("overview"), v.Text("recommendation")
	o.Severity = term.Severity(v.Text("severity"))
	o.CWEs = term.CWEs(strings.Join(v.Texts("cwe"), " "))
	o.CVSS = term.Vectors(v.Text("cvss.vectorString"))
	o.References = term.Links(v.Text("url") + "\n" + strings.Join(v.Texts("references"), "\n"))
	if fixed := v.Text("patched_versions"); fixed != "<0.0.0" { // which stands for none
		o.Component.Fixed = fixed
	}
	if len(paths) > 0 {
		o.Component.Path = paths[0]
	}
	o.Evidence = evidence(paths, versions, v.Text("vulnerable_versions"))
	r.Weakness(o)
	return nil
}

// maxPaths bounds the places of a package that are kept.
const maxPaths = 50

func evidence(paths, versions []string, vulnerable string) (all []exposure.Evidence) {
	if n := len(paths); n > maxPaths {
		paths = append(paths[:maxPaths:maxPaths], fmt.Sprintf("and %d more", n-maxPaths))
	}
	if len(paths) > 0 {
		all = append(all, exposure.Evidence{Kind: "path", Text: strings.Join(paths, "\n")})
	}
	if len(versions) > maxPaths {
		versions = versions[:maxPaths]
	}
	note := ""
	if len(versions) > 0 {
		note = "Installed: " + strings.Join(versions, ", ") + ". "
	}
	if vulnerable != "" {
		note += "Vulnerable: " + vulnerable + "."
	}
	if note = strings.TrimSpace(note); note != "" {
		all = append(all, exposure.Evidence{Kind: "note", Text: note})
	}
	return all
}

// vulnerabilities reads the packages of the newer form.
func vulnerabilities(r *record.Report, v record.Value) error {
	all := v.Members("")
	neededBy := map[string][]string{}
	var advised []string // those with an advisory of their own
	for name, p := range all {
		if !p.IsObject() {
			continue // which is said below
		}
		own := false
		for via := range p.List("via") {
			if own = own || via.IsObject(); via.IsText() {
				neededBy[via.Text()] = append(neededBy[via.Text()], name)
			}
		}
		if own {
			advised = append(advised, name)
		}
	}
	told := reached(advised, neededBy)
	return r.Parts(func(yield func(record.Value) bool) {
		for name, p := range all {
			if p.Key = name; !yield(p) {
				return
			}
		}
	}, func(r *record.Report, v record.Value) error { return vulnerable(r, v, told[v.Key]) })
}

// reached are names, and all that lead to them.
func reached(names []string, from map[string][]string) map[string]bool {
	all := map[string]bool{}
	for len(names) > 0 {
		last := len(names) - 1
		name := names[last]
		if names = names[:last]; !all[name] {
			all[name] = true
			names = append(names, from[name]...)
		}
	}
	return all
}

// vulnerable reads a package: one weakness for each of its advisories. Of a
// package that is listed only because it needs others there is none when these
// have entries of their own that lead to an advisory.
func vulnerable(r *record.Report, v record.Value, elsewhere bool) error {
	if !v.IsObject() {
		return errors.New("it is no package")
	}
	name := v.Text("name")
	if name == "" {
		name = v.Key
	}
	nodes := v.Texts("nodes")
	own := false
	for via := range v.List("via") {
		if !via.IsObject() {
			continue
		}
		own = true
		o := weakness(name, "")
		identify(&o, via.Text("source"), nil, via.Text("url"))
		o.Title, o.Solution = via.Text("title"), solution(v.At("fixAvailable"))
		if o.Severity = term.Severity(via.Text("severity")); o.Severity == exposure.SeverityUnknown {
			o.Severity = term.Severity(v.Text("severity"))
		}
		o.CWEs = term.CWEs(strings.Join(via.Texts("cwe"), " "))
		o.CVSS = term.Vectors(via.Text("cvss.vectorString"))
		o.References = term.Links(via.Text("url"))
		if len(nodes) > 0 {
			o.Component.Path = nodes[0]
		}
		o.Evidence = evidence(nodes, nil, via.Text("range"))
		if effects := v.Texts("effects"); len(effects) > 0 {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "Needed by " + strings.Join(effects[:min(len(effects), maxPaths)], ", ") + "."})
		}
		r.Weakness(o)
	}
	if !own && !elsewhere {
		o := weakness(name, "")
		o.Rule, o.Title, o.Severity = "vulnerable-dependency", "The package needs vulnerable ones", term.Severity(v.Text("severity"))
		o.Solution = solution(v.At("fixAvailable"))
		o.Evidence = evidence(nodes, nil, v.Text("range"))
		if needs := v.Texts("via"); len(needs) > 0 {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: "It needs " + strings.Join(needs[:min(len(needs), maxPaths)], ", ") + "."})
		}
		r.Weakness(o)
	} else if !own {
		r.Inventory(exposure.AssetRef{}, exposure.Component{Purl: term.Purl("npm", name, ""), Name: name})
	}
	return nil
}

// solution says what npm would do.
func solution(fix record.Value) string {
	if !fix.IsObject() {
		if fix.Yes() {
			return "Run npm audit fix."
		}
		return ""
	}
	name := fix.Text("name")
	if name == "" {
		return ""
	}
	s := "Update " + name
	if version := fix.Text("version"); version != "" {
		s += " to " + version
	}
	if fix.Yes("isSemVerMajor") {
		s += ", which is a major change"
	}
	return s + "."
}
