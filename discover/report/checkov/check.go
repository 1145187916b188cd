package checkov

import (
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// The classes of checks.
const (
	classMisconfig = "misconfig"
	classSecret    = "secret"
	classVuln      = "vuln"
	classLicense   = "license"
)

// classOf tells the class of a check by the kind of its report.
func classOf(r *record.Report, v record.Value) string {
	rule := v.Text("check_id")
	switch kind := r.Up(1).Text("check_type"); {
	case strings.HasPrefix(rule, "BC_LIC"):
		return classLicense
	case v.At("vulnerability_details.id").Exists():
		return classVuln
	case kind == "secrets", strings.HasPrefix(rule, "CKV_SECRET"):
		return classSecret
	}
	return classMisconfig
}

func failed(r *record.Report, v record.Value) error { return check(r, v, exposure.StatePresent) }

func skipped(r *record.Report, v record.Value) error { return check(r, v, exposure.StateSuppressed) }

func check(r *record.Report, v record.Value, state exposure.State) error {
	class := classOf(r, v)
	if class == classMisconfig {
	}
	o := exposure.Observation{
		Class: class, State: state, Detection: exposure.DetectionStatic, Confidence: 80,
		Rule: v.Text("check_id", "bc_check_id"), Title: v.Text("check_name"), Description: description(v), Severity: term.Severity(v.Text("severity")),
		References: term.Links(plain(v.At("guideline"))),
		Location:   exposure.Location{File: file(v), Line: line(v)},
	}
	resource := v.Text("resource_address", "resource")
	switch class {
	case classVuln, classLicense:
		pkg(&o, v.At("vulnerability_details"))
	case classSecret: // the resource is a hash of it
		o.CWEs, o.Confidence, o.Location.Symbol = []int{798}, 70, term.Mark(resource)
	default:
		o.Location.Resource = resource
	}
	if text := code(v); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "code", Text: text})
	}
	if text := term.Facts(
		"Evaluated", strings.Join(v.Texts("check_result.evaluated_keys"), ", "), "Skipped", plain(v.At("check_result.suppress_comment")),
		"Suggested fix", plain(v.At("fixed_definition")), "Called from", plain(v.At("caller_file_path")), "Details", strings.Join(v.Texts("details"), "\n"),
	); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: text})
	}
	r.Weakness(o)
	return nil
}

// pkg takes up the package that a check is about.
func pkg(o *exposure.Observation, d record.Value) {
	name, version := d.Text("package_name"), d.Text("package_version")
	o.Component = exposure.Component{Purl: term.Purl(ecosystem(d, o.Location.File), name, version), Name: name, Version: version, Path: o.Location.File}
	if o.Class == classLicense {
		o.Component.License = d.Text("license")
		o.Location.Symbol = o.Component.License
		return
	}
	o.Detection = exposure.DetectionAuthenticated
	o.Title = d.Text("id") + " in " + name
	o.Advisories, _ = term.Advisories("", d.Text("id"))
	o.CVSS = term.Vectors(d.Text("vector"))
	o.References = append(o.References, term.Links(d.Text("link"))...)
	if text := d.Text("description"); text != "" {
		o.Description = text
	}
	o.Component.Fixed = fixed(d)
}

// fixed are the versions that fix a weakness. Newer reports list them, older
// ones say it in the status.
func fixed(d record.Value) string {
	if all := d.Texts("fixed_versions"); len(all) > 0 {
		return strings.Join(all, ", ")
	}
	if v := d.Text("fix_version", "lowest_fixed_version"); !term.Nothing(v) {
		return v
	}
	if _, v, ok := strings.Cut(d.Text("status"), "fixed in "); ok {
		return v
	}
	return ""
}

// ecosystem is that of a package, as the report says or as the file tells.
func ecosystem(d record.Value, file string) string {
	if kind := d.Text("package_type", "language"); kind != "" {
		return kind
	}
	switch name := file[strings.LastIndexByte(file, '/')+1:]; {
	case name == "package.json", name == "package-lock.json", name == "yarn.lock", name == "pnpm-lock.yaml":
		return "npm"
	case name == "pom.xml", strings.HasPrefix(name, "build.gradle"):
		return "maven"
	case name == "go.mod", name == "go.sum":
		return "golang"
	case strings.HasPrefix(name, "requirements"), name == "Pipfile", name == "Pipfile.lock", name == "poetry.lock":
		return "pypi"
	case name == "Gemfile", name == "Gemfile.lock":
		return "gem"
	case name == "composer.json", name == "composer.lock":
		return "composer"
	}
	return ""
}

// file is relative to the repository where the report says so: to the directory
// that Checkov ran in. What it unpacked for itself has another name each time.
func file(v record.Value) string {
	path := term.File(v.Text("repo_file_path", "file_path"))
	if own := term.File(v.Text("file_path")); own != "" && strings.HasPrefix(path, "/tmp/") {
		path = own
	}
	return strings.TrimLeft(path, "/")
}

func line(v record.Value) int {
	for n := range v.List("file_line_range") {
		return n.Int()
	}
	return 0
}

// code are the lines of code, without their numbers.
func code(v record.Value) string {
	var b strings.Builder
	for pair := range v.List("code_block") {
		last := ""
		for part := range pair.List("") {
			if part.IsText() {
				last = part.Text()
			}
		}
		if last != "" {
			b.WriteString(last + "\n")
		}
	}
	return strings.TrimSpace(b.String())
}

func description(v record.Value) string {
	text := plain(v.At("description"))
	if text == "" {
		text = plain(v.At("short_description"))
	}
	var all []string
	for name, list := range v.Members("benchmarks") {
		for b := range list.List("") {
			all = append(all, name+" "+b.Text("name"))
		}
	}
	if len(all) > 0 {
		text += "\n\nBenchmarks: " + strings.Join(all, ", ") + "."
	}
	return strings.TrimSpace(text)
}

// plain is the text of a member that is a text or something else.
func plain(v record.Value) string {
	if v.IsText() {
		return v.Text()
	}
	return ""
}
