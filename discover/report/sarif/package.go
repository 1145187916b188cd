package sarif

import (
	"regexp"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/exposure"
)

// SARIF has no place for the package of a vulnerability, so scanners tell it in
// words. Without it all packages of a file would be one finding.

var (
	// Trivy's message and Grype's help list members, one a line.
	packageLine = regexp.MustCompile(`(?m)^(Package|Installed Version|Version|Fixed Version|Fix Version|Type): *(.*?) *$`)
	// Grype: "A high vulnerability in npm package: ejs, version 2.7.4 was found at: …"
	grypeMessage = regexp.MustCompile(`vulnerability in (\S+) package: (\S+), version (\S+) `)
	// OSV-Scanner: "Package 'ejs@2.7.4' is vulnerable to 'CVE-…'"
	osvMessage = regexp.MustCompile(`^Package '(.+)@([^'@]+)' is vulnerable`)
)

// componentIn finds the package in the message of a result, or in the help of
// its rule.
func componentIn(words, help string) exposure.Component {
	var c exposure.Component
	kind := ""
	if m := grypeMessage.FindStringSubmatch(words); m != nil {
		kind, c.Name, c.Version = m[1], m[2], m[3]
	} else if m := osvMessage.FindStringSubmatch(words); m != nil {
		c.Name, c.Version = m[1], m[2]
	}
	for _, s := range []string{words, help} {
		if c.Name != "" && c.Fixed != "" {
			break
		}
		members := map[string]string{}
		for _, m := range packageLine.FindAllStringSubmatch(s, 20) {
			if members[m[1]] == "" {
				members[m[1]] = strings.TrimSuffix(m[2], "\r")
			}
		}
		name := members["Package"]
		if name == "" || c.Name != "" && name != c.Name {
			continue
		}
		c.Name = name
		if c.Version == "" {
			c.Version = members["Installed Version"] + members["Version"]
		}
		if c.Fixed == "" {
			c.Fixed = members["Fixed Version"] + members["Fix Version"]
		}
		if kind == "" {
			kind = members["Type"]
		}
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
