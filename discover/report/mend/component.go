package mend

import (
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// ecosystems by the types of libraries. What is matched by the file alone, such
// as JAVA_ARCHIVE, is in none.
func ecosystem(kind string) string {
	switch kind = strings.ToUpper(kind); {
	case kind == "MAVEN_ARTIFACT":
		return "maven"
	case strings.HasPrefix(kind, "NODE_PACKAGED"), kind == "NPM_PACKAGE", kind == "JAVASCRIPT/NODE.JS":
		return "npm"
	case strings.HasPrefix(kind, "PYTHON_PACKAGE"), kind == "PYTHON":
		return "pypi"
	case strings.HasPrefix(kind, "NUGET_PACKAGE"):
		return "nuget"
	case strings.HasPrefix(kind, "RUBY_GEM"):
		return "gem"
	case kind == "GO_PACKAGE", kind == "GO_MODULE":
		return "golang"
	case kind == "PHP_PACKAGE":
		return "composer"
	case kind == "RUST_PACKAGE", kind == "RUST_CRATE":
		return "cargo"
	case kind == "DEBIAN_PACKAGE":
		return "debian"
	case kind == "ALPINE_PACKAGE":
		return "alpine"
	}
	return ""
}

// component is the library. Its artifact is called by the name of a file in
// some ecosystems, with the version in it; the group is then its name.
func component(v record.Value) exposure.Component {
	group, artifact := v.Text("groupId"), v.Text("artifactId")
	c := exposure.Component{Version: v.Text("version"), Name: artifact, Path: v.Text("path", "locations.path", "systemPath")}
	if c.Name == "" {
		c.Name = v.Text("name", "filename")
	}
	if group != "" && c.Version != "" && strings.Contains(c.Name, c.Version) {
		c.Name = group
	}
	var licenses []string
	for l := range v.List("licenses") {
		if l.IsText() {
			licenses = append(licenses, l.Text())
		} else {
			licenses = append(licenses, l.Text("name"))
		}
	}
	c.License = strings.Join(licenses, ", ")
	switch kind := ecosystem(v.Text("libraryType", "type")); {
	case kind == "maven" && group != "":
		c.Purl = term.Purl(kind, group+":"+artifact, c.Version)
	case kind == "maven": // the artifact alone is no name
	case kind != "" && group != "":
		c.Purl = term.Purl(kind, group, c.Version)
	default:
		c.Purl = term.Purl(kind, c.Name, c.Version)
	}
	return c
}

// fix is what the best fix says: the versions to which to upgrade, and all of it
// for people.
func fix(v record.Value) (versions, solution string) {
	what := v.Text("fixResolution")
	if what == "" || strings.EqualFold(what, "no_fix") {
		return "", ""
	}
	if message := v.Text("message"); message != "" && !strings.HasPrefix(strings.ToLower(what), strings.ToLower(message)) {
		solution = message + ": "
	}
	if kind := v.Text("type"); kind != "" && kind != "UPGRADE_VERSION" {
		return "", solution + what
	}
	var all []string
	for piece := range strings.SplitSeq(what, ",") {
		if version := versionOf(strings.TrimSpace(piece)); version != "" {
			all = append(all, version)
		}
	}
	return strings.Join(all, ","), solution + what
}

// versionOf is the version in group:artifact:version, name - version,
// name-version or by itself.
func versionOf(s string) string {
	if _, version, ok := strings.Cut(s, " - "); ok {
		return version
	}
	s = s[strings.LastIndexAny(s, ": ")+1:]
	for i := -1; i < len(s); i++ {
		if i >= 0 && s[i] != '-' {
			continue
		}
		rest := strings.TrimPrefix(s[i+1:], "v")
		if rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return s[i+1:]
		}
	}
	return ""
}
