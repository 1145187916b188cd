package dependencycheck

import (
	"cmp"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// component is the software that a file holds: by its package URL, by the
// coordinates of older reports, or by the name of the file.
func component(v record.Value) exposure.Component {
	file := v.Text("fileName")
	c := exposure.Component{Path: v.Text("filePath"), License: term.OneLine(v.Text("license"))}
	if strings.Contains(file, ": ") || c.Path == "" {
		c.Path = file // of a file within an archive, which says more than its place
	}
	for _, id := range packages(v) {
		if purl, err := packageurl.FromString(id); err == nil {
			c.Purl, c.Name, c.Version = id, called(purl), purl.Version
			return c
		}
	}
	for id := range v.List("identifiers.identifier") {
		if coordinates(&c, id.Text("@type"), id.Text("name")) {
			return c
		}
	}
	if v.At("identifiers").IsList() {
		for id := range v.List("identifiers") {
			if coordinates(&c, id.Text("type"), id.Text("name")) {
				return c
			}
		}
	}
	c.Name, c.Version = plain(cmp.Or(file, c.Path)), version(v)
	return c
}

func packages(v record.Value) (ids []string) {
	list := v.List("identifiers.package")
	if v.At("packages").IsList() {
		list = v.List("packages")
	}
	for p := range list {
		if id := p.Text("id"); strings.HasPrefix(id, "pkg:") {
			ids = append(ids, id)
		}
	}
	return ids
}

// called is the name of a package as people write it.
func called(p packageurl.PackageURL) string {
	switch {
	case p.Namespace == "":
		return p.Name
	case p.Type == "maven":
		return p.Namespace + ":" + p.Name
	}
	return p.Namespace + "/" + p.Name
}

// coordinates takes the name that reports before version 5 give: in brackets,
// with colons between its parts.
func coordinates(c *exposure.Component, kind, name string) bool {
	name = strings.Trim(name, "()")
	i := strings.LastIndexByte(name, ':')
	if kind == "" || kind == "cpe" || i <= 0 {
		return false
	}
	c.Name, c.Version = name[:i], name[i+1:]
	c.Purl = term.Purl(kind, c.Name, c.Version)
	return true
}

// plain is the name of a file without its version, so that the next version of
// it is the same software: jquery-3.1.1.min.js is jquery.min.js.
func plain(file string) string {
	dir, base := "", file
	if i := strings.LastIndexAny(file, `/\: `); i >= 0 {
		dir, base = file[:i+1], file[i+1:]
	}
	if strings.ContainsAny(dir, `/\`) {
		dir = "" // where it lies is no name
	}
	for i := 1; i+1 < len(base); i++ {
		if base[i] != '-' && base[i] != '_' || base[i+1] < '0' || base[i+1] > '9' {
			continue
		}
		return dir + base[:i] + extension(base[i:])
	}
	return dir + base
}

// extension is what the name of a file ends with behind its version.
func extension(s string) string {
	i := strings.LastIndexByte(s, '.')
	if i < 0 || i+1 == len(s) || s[i+1] >= '0' && s[i+1] <= '9' {
		return ""
	}
	if small := strings.LastIndex(s, ".min."); small >= 0 {
		return s[small:]
	}
	return s[i:]
}

// version is the one of which the tool is surest, of a file that no package is
// known for.
func version(v record.Value) string {
	list := v.List("evidenceCollected.evidence")
	if v.At("evidenceCollected.versionEvidence").Exists() {
		list = v.List("evidenceCollected.versionEvidence")
	}
	best, found := 0, ""
	for e := range list {
		if e.Text("@type", "type") != "version" {
			continue
		}
		n := 1
		switch strings.ToUpper(e.Text("@confidence", "confidence")) {
		case "HIGHEST":
			n = 4
		case "HIGH":
			n = 3
		case "MEDIUM":
			n = 2
		}
		if n > best {
			best, found = n, e.Text("value")
		}
	}
	return found
}
