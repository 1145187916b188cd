package xray

import (
	"strings"

	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// identify takes an id of Xray apart, such as "npm://left:1.0",
// "gav://com.example:shop:2.0" or "deb://debian:bookworm:libc6:2.36". See
// https://jfrog.com/help/r/xray-rest-apis/component-identifiers
func identify(id string) exposure.Component {
	kind, rest, ok := strings.Cut(id, "://")
	if !ok {
		name, version := cut(id)
		return exposure.Component{Name: name, Version: version}
	}
	var c exposure.Component
	parts := strings.Split(rest, ":")
	n := len(parts)
	switch kind {
	case "rpm": // release:name:epoch:version; the release is a number, and says no vendor
		switch {
		case n >= 4:
			c.Name, c.Version = parts[n-3], parts[n-1]
		case n == 3 && digits(parts[1]): // name:epoch:version
			c.Name, c.Version = parts[0], parts[2]
		case n == 3:
			c.Name, c.Version = parts[1], parts[2]
		default:
			c.Name, c.Version = cut(rest)
		}
		return c
	case "deb", "alpine": // vendor:release:name:version, with an epoch perhaps
		system := kind
		switch {
		case kind == "alpine" && n >= 3:
			c.Name, c.Version = parts[1], strings.Join(parts[2:], ":")
		case kind == "deb" && n >= 4:
			system, c.Name, c.Version = parts[0], parts[2], strings.Join(parts[3:], ":")
		default:
			c.Name, c.Version = cut(rest)
		}
		c.Purl = term.SystemPurl(system, c.Name, c.Version)
		return c
	case "generic": // sha256:hash/name
		_, c.Name, _ = strings.Cut(rest, "/")
		return c
	}
	c.Name, c.Version = cut(rest)
	c.Purl = purl(kind, c.Name, c.Version)
	return c
}

// purl is the package URL of a package of a kind, as Xray calls it.
func purl(kind, name, version string) string {
	if strings.EqualFold(kind, "gav") {
		kind = "maven"
	}
	return term.Purl(kind, name, version)
}

// cut takes the version from the end of a name.
func cut(s string) (name, version string) {
	i := strings.LastIndexByte(s, ':')
	if i <= 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// artifact is what was scanned, by its id and where it lies in Artifactory.
func artifact(id, path string) exposure.AssetRef {
	var ref exposure.AssetRef
	kind, rest, _ := strings.Cut(id, "://")
	switch kind {
	case "docker", "oci":
		ref.Kind = exposure.AssetImage
		term.AddImage(&ref, rest)
	case "build", "release", "releasebundle": // its number is a version
		ref.Kind = exposure.AssetPackage
		name, _ := cut(rest)
		ref.Add(exposure.IDName, kind+"://"+name)
	default:
		ref.Kind = exposure.AssetPackage
		if c := identify(id); c.Purl != "" {
			ref.Add(exposure.IDPurl, c.Purl)
		} else if path != "" {
			ref.Add(exposure.IDPath, path)
		} else if rest != "" {
			ref.Add(exposure.IDName, id)
		}
	}
	if len(ref.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return ref
}
