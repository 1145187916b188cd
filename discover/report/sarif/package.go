package sarif

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/exposure"
)

// SARIF has no place for the package of a vulnerability, so scanners tell it in
// words. Without it all packages of a file would be one finding.

var (
	// Grype: "A high vulnerability in npm package: ejs, version 2.7.4 was found at: …"
	grypeMessage = regexp.MustCompile(`vulnerability in (\S+) package: (\S+), version (\S+) `)
	// OSV-Scanner: "Package 'ejs@2.7.4' is vulnerable to 'CVE-…'"
	osvMessage = regexp.MustCompile(`^Package '(.+)@([^'@]+)' is vulnerable`)
)

// told is what a text says of a package.
type told struct{ name, installed, version, fixed, fix, kind string }

// tell reads the members that Trivy's message and Grype's help list, one a line.
func tell(s string) (t told) {
	found := 0
	for line := range strings.SplitSeq(s, "\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		var to *string
		switch name {
		case "Package":
			to = &t.name
		case "Installed Version":
			to = &t.installed
		case "Version":
			to = &t.version
		case "Fixed Version":
			to = &t.fixed
		case "Fix Version":
			to = &t.fix
		case "Type":
			to = &t.kind
		default:
			continue
		}
		if *to == "" {
			*to = strings.TrimSuffix(strings.Trim(value, " "), "\r")
		}
		if found++; found == maxTold {
			break
		}
	}
	return t
}

// maxTold bounds the members that are read.
const maxTold = 20

// componentIn finds the package in the message of a result, or in the help of
// its rule.
func componentIn(words string, help told) exposure.Component {
	var c exposure.Component
	kind := ""
	if m := grypeMessage.FindStringSubmatch(words); m != nil {
		kind, c.Name, c.Version = m[1], m[2], m[3]
	} else if m := osvMessage.FindStringSubmatch(words); m != nil {
		c.Name, c.Version = m[1], m[2]
	}
	for _, t := range []told{tell(words), help} {
		if c.Name != "" && c.Fixed != "" {
			break
		}
		if t.name == "" || c.Name != "" && t.name != c.Name {
			continue
		}
		c.Name = t.name
		c.Version = cmp.Or(c.Version, t.installed+t.version)
		c.Fixed = cmp.Or(c.Fixed, t.fixed+t.fix)
		kind = cmp.Or(kind, t.kind)
	}
	if c.Name != "" && c.Version != "" {
		c.Purl = packageURL(kind, c.Name, c.Version)
	}
	return c
}

// packageURL makes the package URL for Grype's types of packages whose names
// are whole; an archive of Java, say, is told without its group.
func packageURL(kind, name, version string) string {
	namespace := ""
	switch kind {
	case "npm":
		kind = packageurl.TypeNPM
	case "python":
		kind = packageurl.TypePyPi
	case "gem":
		kind = packageurl.TypeGem
	case "go-module":
		kind = packageurl.TypeGolang
	case "rust-crate":
		kind = packageurl.TypeCargo
	case "dotnet":
		kind = packageurl.TypeNuget
	case "php-composer":
		kind = packageurl.TypeComposer
	default:
		return ""
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		namespace, name = name[:i], name[i+1:]
	}
	return packageurl.NewPackageURL(kind, namespace, name, version, nil, "").ToString()
}

// setPurl takes up a package URL, unless another one is known.
func setPurl(c *exposure.Component, purl string) {
	p, err := packageurl.FromString(purl)
	if err != nil || c.Purl != "" {
		return
	}
	c.Purl = purl
	if c.Name == "" {
		c.Name, c.Version = strings.TrimPrefix(p.Namespace+"/"+p.Name, "/"), p.Version
	}
}
