// Package snyk reads the JSON of the command line of Snyk: of projects and
// their packages, of images, and of infrastructure as code. What it says of code
// is SARIF.
//
// A project is named by its name: the directory that the report names too is
// that of whoever ran the test, and the same for many projects. Neither the
// packages that are well nor those that options left out are listed, so a
// report covers nothing.
package snyk

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// Reader reads Snyk reports. See
// https://docs.snyk.io/developer-tools/snyk-cli/commands/test
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "snyk" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "Snyk CLI (JSON)", "https://docs.snyk.io/developer-tools/snyk-cli/commands/test"
}

// Sniff implements discover.Reader. What names a project comes behind its
// vulnerabilities, and so perhaps behind the head.
func (Reader) Sniff(h *decode.Head) bool {
	for _, at := range []string{"", "[]."} {
		switch {
		case h.Has(at + "infrastructureAsCodeIssues"),
			h.Has(at+"vulnerabilities", at+"dependencyCount"),
			h.Has(at+"vulnerabilities", at+"licensesPolicy"),
			h.Has(at+"vulnerabilities[].semver", at+"vulnerabilities[].id"),
			h.Has(at+"vulnerabilities[].identifiers", at+"vulnerabilities[].from"),
			h.Has(at + "vulnerabilities[].upgradePath"),
			h.Has(at+"vulnerabilities[].isUpgradable", at+"vulnerabilities[].isPatchable"):
			return true
		}
	}
	return false
}

// Read implements discover.Reader. A project is one record: its name, which is
// part of the identity of what is found, stands at its end.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	failure := ""
	project := func(r *record.Report, v record.Value) error {
		if why := v.Text("error"); why != "" {
			failure = cmp.Or(failure, why)
			return nil
		}
		return test(r, v)
	}
	return record.Spec{
		Tool:    "snyk",
		About:   func(_ record.Value, run *exposure.Run) { run.Failed, run.Failure = failure != "", failure },
		Records: map[string]record.Handler{"": project, "[]": project},
	}.Read(ctx, r)
}

// project is what was tested.
type project struct {
	asset   exposure.AssetRef
	manager string
	file    string
}

func test(r *record.Report, v record.Value) error {
	if !v.At("vulnerabilities").IsList() && !v.At("infrastructureAsCodeIssues").IsList() {
		return errors.New("a project without vulnerabilities and infrastructureAsCodeIssues: it is no test of Snyk")
	}
	p := project{asset: asset(v), manager: v.Text("packageManager"), file: term.File(v.Text("displayTargetFile", "targetFile"))}
	stated := func(state exposure.State) record.Handler {
		return func(r *record.Report, v record.Value) error { return p.vulnerability(r, v, state) }
	}
	for _, part := range []struct {
		of   string
		read record.Handler
	}{
		{"vulnerabilities", stated(exposure.StatePresent)},
		{"filtered.ignore", stated(exposure.StateSuppressed)},
		{"filtered.patch", stated(exposure.StateFixed)},
		{"infrastructureAsCodeIssues", p.configuration},
		{"applications", test}, // of an image
	} {
		if err := r.Parts(v.List(part.of), part.read); err != nil {
			return err
		}
	}
	return nil
}

// asset names what was tested: an image, or a project.
func asset(v record.Value) (ref exposure.AssetRef) {
	name, path := v.Text("projectName"), v.Text("path")
	rest, image := strings.CutPrefix(name, "docker-image|")
	if image || v.At("docker").IsObject() {
		ref.Kind = exposure.AssetImage
		whole := cmp.Or(path, rest)
		_, whole, _ = cutLast(whole, "docker-image|")
		repository, digest, pinned := strings.Cut(whole, "@")
		switch tagged := strings.Contains(repository[strings.LastIndexByte(repository, '/')+1:], ":"); {
		case strings.HasSuffix(whole, ".tar"):
			ref.Add(exposure.IDPath, whole) // an image in a file
			return ref
		case repository != "" && !tagged && !pinned:
			repository += ":latest" // which is what was tested
			fallthrough
		case tagged:
			ref.Add(exposure.IDImage, repository)
		default:
			ref.Name = repository // it holds many images, of which the digest names one
		}
		ref.Add(exposure.IDDigest, digest)
		return ref
	}
	if name == "" {
		return ref
	}
	ref.Kind, ref.Name = exposure.AssetRepository, name
	ref.Add(exposure.IDName, name)
	return ref
}

// cutLast cuts s around the last sep; without one all of it is behind.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

func (p project) vulnerability(r *record.Report, v record.Value, state exposure.State) error {
	id := v.Text("id")
	if id == "" {
		return errors.New("a vulnerability without id")
	}
	name, version := v.Text("packageName", "moduleName", "name"), v.Text("version")
	license := v.Text("type") == "license" || strings.HasPrefix(id, "snyk:lic:")
	o := exposure.Observation{
		Class: "vuln", Asset: p.asset, State: state, Rule: id, Title: v.Text("title"), Description: v.Text("description"),
		Severity: term.Severity(v.Text("severityWithCritical", "severity")), CWEs: term.CWEs(strings.Join(v.Texts("identifiers.CWE"), " ")),
		Detection: exposure.DetectionAuthenticated, Confidence: 97, CVSS: vectors(v), References: references(v, id),
		Component: exposure.Component{
			Purl: purl(v.Text("packageManager"), p.manager, name, version), Name: name, Version: version, Path: p.file,
			Fixed: strings.Join(v.Texts("fixedIn"), ", "),
		},
	}
	if o.Component.Fixed == "" {
		o.Component.Fixed = v.Text("nearestFixedInVersion")
	}
	if license {
		o.Class, o.Component.License = "license", v.Text("license")
	}
	o.Advisories, _ = term.Advisories(strings.Join(v.Texts("identifiers.CVE"), " "), strings.Join(v.Texts("identifiers.GHSA"), " "))
	o.Aliased = term.Aliased(o.Advisories)
	o.Solution = solution(v, name, o.Component.Fixed)
	o.Evidence = evidence(v)
	r.Weakness(o)
	return nil
}

func vectors(v record.Value) []string {
	all := []string{v.Text("CVSSv3")}
	for s := range v.List("cvssSources") {
		all = append(all, s.Text("vector"))
	}
	return term.Vectors(strings.Join(all, " "))
}

func references(v record.Value, id string) []string {
	var all []string
	if strings.HasPrefix(id, "SNYK-") {
		all = append(all, "https://security.snyk.io/vuln/"+id)
	}
	for ref := range v.List("references") {
		all = append(all, ref.Text("url"))
	}
	return term.Links(strings.Join(all, "\n"))
}

// solution says what Snyk advises: another version of what the project itself
// names, if that helps.
func solution(v record.Value, name, fixed string) string {
	for step := range v.List("upgradePath") {
		if step.IsText() {
			return "Upgrade to " + step.Text() + "."
		}
	}
	if fixed != "" {
		return "Upgrade " + name + " to version " + fixed + " or higher."
	}
	if v.Yes("isPatchable") {
		return "Apply the patch of Snyk."
	}
	return ""
}

func evidence(v record.Value) (all []exposure.Evidence) {
	if from := v.Texts("from"); len(from) > 0 {
		all = append(all, exposure.Evidence{Kind: "path", Text: strings.Join(from, " > ")})
	}
	for _, note := range []struct{ about, text string }{
		{"Exploit", v.Text("exploit")}, {"Reachability", v.Text("reachability")}, {"Instruction of the Dockerfile", v.Text("dockerfileInstruction")},
		{"Base image", v.Text("dockerBaseImage")}, {"Triage", v.Text("insights.triageAdvice")},
	} {
		if note.text != "" && note.text != "Not Defined" {
			all = append(all, exposure.Evidence{Kind: "note", Text: note.about + ": " + note.text})
		}
	}
	if v.Yes("malicious") {
		all = append(all, exposure.Evidence{Kind: "note", Text: "The package is malicious."})
	}
	for ignored := range v.List("filtered.ignored") {
		if reason := ignored.Text("reason"); reason != "" {
			all = append(all, exposure.Evidence{Kind: "note", Text: "Ignored: " + reason})
		}
	}
	return all
}

// purl is the package URL of a package. The managers of distributions are named
// after these, with a version behind; a binary package stands behind its source.
func purl(manager, project, name, version string) string {
	manager = cmp.Or(manager, project)
	if kind, _, ok := strings.Cut(manager, ":"); ok || manager == "deb" || manager == "rpm" || manager == "apk" {
		_, binary, _ := cutLast(name, "/")
		switch kind {
		case "debian", "ubuntu":
			return term.Purl("deb", kind+"/"+binary, version)
		case "alpine", "wolfi", "chainguard":
			return term.Purl("apk", kind+"/"+binary, version)
		case "rhel", "centos", "amzn", "oracle", "rocky", "fedora", "sles":
			return term.Purl("rpm", kind+"/"+binary, version)
		}
		return term.Purl(kind, binary, version)
	}
	return term.Purl(manager, name, version)
}

// configuration reads an issue of infrastructure as code.
func (p project) configuration(r *record.Report, v record.Value) error {
	id := v.Text("publicId", "id")
	if id == "" {
		return errors.New("an issue without id")
	}
	o := exposure.Observation{
		Class: "misconfig", Asset: p.asset, Rule: id, Title: v.Text("title"), Severity: term.Severity(v.Text("severity")), Detection: exposure.DetectionStatic, Confidence: 80,
		Solution: v.Text("resolve", "iacDescription.resolve"),
		Location: exposure.Location{File: p.file, Resource: strings.Join(v.Texts("path"), "."), Line: max(v.Int("lineNumber"), 0)},
	}
	if o.Location.Resource == "" {
		o.Location.Resource = v.Text("msg")
	}
	for _, s := range []string{v.Text("issue", "iacDescription.issue"), v.Text("impact", "iacDescription.impact")} {
		o.Description = strings.TrimSpace(o.Description + "\n" + s)
	}
	if v.Yes("isIgnored") {
		o.State = exposure.StateSuppressed
	}
	o.References = term.Links(v.Text("documentation") + "\n" + strings.Join(v.Texts("references"), "\n"))
	r.Weakness(o)
	return nil
}
