// Package gitlab reads the security reports of GitLab, which all its analyzers
// write, and others for it: static and dynamic analysis, secrets, dependencies,
// images in registries and clusters, and fuzzing.
//
// Thresholds, allow lists and excluded paths of the job keep findings out of a
// report without a trace, so it covers nothing.
package gitlab

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

// Reader reads GitLab security reports of the schemas 1 to 15. See
// https://gitlab.com/gitlab-org/security-products/security-report-schemas
type Reader struct{}

// Name implements discover.Reader.
func (Reader) Name() string { return "gitlab" }

// Describe implements discover.Described.
func (Reader) Describe() (title, docs string) {
	return "GitLab security reports: SAST, secrets, dependencies, containers, DAST, fuzzing (JSON)", "https://gitlab.com/gitlab-org/security-products/security-report-schemas"
}

// Sniff implements discover.Reader.
func (Reader) Sniff(h *decode.Head) bool {
	switch {
	case h.Form() == '[': // schema 1
		return h.Has("[].location", "[].identifiers[].type", "[].identifiers[].value") && (h.Has("[].cve") || h.Has("[].category"))
	case !h.Has("version", "vulnerabilities"):
		return false
	}
	return h.Has("vulnerabilities[].location", "vulnerabilities[].identifiers[].type") || h.Has("scan.scanner.id") || h.Has("scan.analyzer.id") || h.Has("remediations") || h.Has("dependency_files")
}

// Read implements discover.Reader.
func (Reader) Read(ctx context.Context, r io.Reader) iter.Seq2[exposure.Observation, error] {
	return record.Spec{
		Tool:  "gitlab",
		About: about,
		Records: map[string]record.Handler{
			"[]":                                vulnerability,
			"vulnerabilities[]":                 vulnerability,
			"dependency_files[].dependencies[]": dependency,
		},
	}.Read(ctx, r)
}

func about(top record.Value, run *exposure.Run) {
	if id := scanner(top.Text("scan.scanner.id", "scan.scanner.name", "scan.analyzer.id")); id != "" {
		run.Tool = id
	}
	run.Version = top.Text("scan.scanner.version", "scan.analyzer.version")
	run.Format = top.Text("version")
	run.Started, run.Finished = top.Time("scan.start_time"), top.Time("scan.end_time")
	if strings.EqualFold(top.Text("scan.status"), "failure") {
		run.Failed = true
		var messages []string
		for m := range top.List("scan.messages") {
			messages = append(messages, m.Text("value"))
		}
		run.Failure = strings.Join(messages, "\n")
	}
}

// maxScanner bounds the name of a scanner.
const maxScanner = 100

// scanner is the name of a scanner by its id.
func scanner(id string) string {
	if len(id) > maxScanner {
		return ""
	}
	return strings.ToLower(term.OneLine(id))
}

// dependency is a package that a lock file or an image holds.
func dependency(r *record.Report, v record.Value) error {
	file := r.Up(0)
	path, manager := file.Text("path"), file.Text("package_manager")
	var a exposure.AssetRef
	c := exposure.Component{Name: v.Text("package.name"), Version: v.Text("version")}
	if image, ok := strings.CutPrefix(path, "container-image:"); ok {
		a = term.Image(image)
		c.Purl = term.SystemPurl(manager, c.Name, c.Version)
	} else {
		c.Path = term.File(path)
		c.Purl = term.Purl(ecosystem(manager, path), c.Name, c.Version)
	}
	if c.Name != "" {
		r.Inventory(a, c)
	}
	return nil
}

// ecosystem is that of a package manager, or of the file that holds its packages.
func ecosystem(manager, path string) string {
	switch manager {
	case "":
	case "sbt":
		return "maven"
	case "setuptools", "uv":
		return "pypi"
	default:
		return manager
	}
	switch name := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:]); name {
	case "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "package.json", "bun.lock":
		return "npm"
	case "gemfile.lock", "gems.locked":
		return "gem"
	case "go.sum", "go.mod", "go.graph":
		return "golang"
	case "pom.xml", "build.gradle", "build.gradle.kts", "gradle.lockfile", "build.sbt", "maven.graph.json", "gradle.graph.txt", "dependencies.lock":
		return "maven"
	case "composer.lock":
		return "composer"
	case "conan.lock", "conanfile.txt", "conanfile.py":
		return "conan"
	case "cargo.lock":
		return "cargo"
	case "pipfile", "pipfile.lock", "poetry.lock", "setup.py", "uv.lock", "pipdeptree.json":
		return "pypi"
	case "pubspec.lock":
		return "pub"
	case "podfile.lock":
		return "cocoapods"
	case "package.resolved":
		return "swift"
	default:
		switch {
		case strings.HasPrefix(name, "requirements") || strings.HasPrefix(name, "requires"):
			return "pypi"
		case strings.HasSuffix(name, ".csproj") || strings.HasSuffix(name, "packages.lock.json") || strings.HasSuffix(name, "project.assets.json"):
			return "nuget"
		case strings.HasSuffix(name, ".gemspec"):
			return "gem"
		}
	}
	return ""
}
