package match

import (
	"regexp"
	"strings"
)

// Key is the name of a package as it is compared: ecosystems tell names apart
// by different rules. Package URLs of Go and GitHub are in lower case whatever
// the name is, so these are compared without case too.
func Key(ecosystem, name string) string {
	switch baseOf(ecosystem) {
	case "PyPI":
		return python(name)
	case "Go", "NuGet", "Packagist", "GitHub Actions", "SwiftURL", "Hex", "Pub", "ConanCenter":
		return strings.ToLower(name)
	}
	return name
}

// python normalises a name by
// https://packaging.python.org/en/latest/specifications/name-normalization/
func python(name string) string {
	var b strings.Builder
	gap := false
	for i := range len(name) {
		c := name[i]
		if c == '-' || c == '_' || c == '.' {
			gap = true
			continue
		}
		if gap {
			b.WriteByte('-')
			gap = false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	if gap {
		b.WriteByte('-')
	}
	return b.String()
}

// release matches versions of Go itself as it names them: go1.21rc2, 1.20.
var release = regexp.MustCompile(`^(?:go|v)?(\d+)\.(\d+)(?:\.(\d+))?(?:(rc|beta)(\d+))?$`)

// Version is a version as the advisories of its ecosystem spell it. Those of
// the standard library and the tools of Go are written go1.21rc2 by themselves,
// and 1.21.0-rc.2 in advisories.
func Version(ecosystem, key, version string) string {
	version = strings.TrimSpace(version)
	if ecosystem != "Go" || key != "stdlib" && key != "toolchain" {
		return version
	}
	version, _, _ = strings.Cut(version, " ") // go1.21.3 X:boringcrypto
	p := release.FindStringSubmatch(version)
	if p == nil {
		return version
	}
	v := p[1] + "." + p[2] + "." + p[3]
	if p[3] == "" {
		v += "0"
	}
	if p[4] != "" {
		v += "-" + p[4] + "." + p[5]
	}
	return v
}
