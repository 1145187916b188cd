package term

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/exposure"
)

// Place says where a weakness is that was found at an endpoint: on the host of
// its name or address, at its port and path. Without a host nothing is said.
func (e Endpoint) Place(o *exposure.Observation) {
	if !IsHost(e.Host) {
		return
	}
	o.Asset.Kind = exposure.AssetHost
	o.Asset.Add(exposure.IDHostname, e.Host) // or its address
	if port := cmp.Or(e.Port, DefaultPort(e.Scheme)); port != 0 {
		o.Location.Port, o.Location.Protocol = port, "tcp"
	}
	if e.Scheme != "" {
		o.Location.Service = e.Scheme
	}
	if e.Path != "" && (e.Scheme == "" || strings.HasPrefix(e.Scheme, "http") || strings.HasPrefix(e.Scheme, "ws")) {
		o.Location.Path = e.Path
	}
}

// File is the path of a file as observations state it: with slashes, and
// without what stands for the directory of the project.
func File(path string) string {
	path = strings.ReplaceAll(strings.TrimSpace(path), `\`, "/")
	for {
		rest, ok := strings.CutPrefix(path, "./")
		if !ok {
			return path
		}
		path = strings.TrimLeft(rest, "/")
	}
}

// CPE takes the name of a product in the Common Platform Enumeration apart, in
// either of its forms: cpe:/a:vendor:product:version and
// cpe:2.3:a:vendor:product:version:…. What is not stated is empty, and so is the
// kind ("a" application, "o" operating system, "h" hardware) of what is no CPE.
func CPE(s string) (kind, vendor, product, version string) {
	s = strings.TrimSpace(s)
	rest, ok := strings.CutPrefix(s, "cpe:/")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "cpe:2.3:"); !ok {
			return "", "", "", ""
		}
	}
	parts := strings.Split(strings.ReplaceAll(rest, `\:`, "\x00"), ":")
	at := func(i int) string {
		if i >= len(parts) || parts[i] == "*" || parts[i] == "-" {
			return ""
		}
		p := strings.ReplaceAll(strings.ReplaceAll(parts[i], "\x00", ":"), `\`, "")
		if plain, err := url.PathUnescape(p); err == nil {
			p = plain
		}
		return strings.ToValidUTF8(strings.ReplaceAll(p, "\x00", ""), "")
	}
	return at(0), at(1), at(2), at(3)
}

// types of package URLs by the words that scanners use for ecosystems, package
// managers and languages. See https://github.com/package-url/purl-spec
var types = map[string]string{
	"npm": "npm", "node": "npm", "nodejs": "npm", "yarn": "npm", "pnpm": "npm", "javascript": "npm", "js": "npm", "nodemodule": "npm",
	"pypi": "pypi", "pip": "pypi", "python": "pypi", "pipenv": "pypi", "poetry": "pypi",
	"maven": "maven", "java": "maven", "gradle": "maven", "jar": "maven",
	"gem": "gem", "rubygems": "gem", "ruby": "gem", "bundler": "gem",
	"golang": "golang", "go": "golang", "gomodules": "golang", "gomod": "golang",
	"cargo": "cargo", "cratesio": "cargo", "rust": "cargo",
	"nuget": "nuget", "dotnet": "nuget", "net": "nuget",
	"composer": "composer", "packagist": "composer", "php": "composer",
	"deb": "deb", "debian": "deb", "ubuntu": "deb", "dpkg": "deb", "rpm": "rpm", "rhel": "rpm", "redhat": "rpm", "centos": "rpm", "alpine": "apk", "apk": "apk",
	"hex": "hex", "pub": "pub", "cocoapods": "cocoapods", "swift": "swift", "conan": "conan", "conda": "conda", "hackage": "hackage", "cran": "cran",
}

// Purl is the package URL of a package of an ecosystem, as a scanner calls it;
// "" when no type is known for it. The name may hold a namespace: @scope/name,
// group:artifact, github.com/owner/name.
func Purl(ecosystem, name, version string) string {
	kind := types[letters(ecosystem)]
	name, version = strings.Trim(strings.TrimSpace(name), "/"), strings.TrimSpace(version)
	if kind == "" || name == "" || strings.ContainsAny(name, " ?#\n\t") {
		return ""
	}
	if strings.ContainsAny(version, " <>=,|*") {
		version = "" // a range is no version
	}
	if kind == "maven" {
		name = strings.Replace(name, ":", "/", 1)
	}
	namespace := ""
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		namespace, name = name[:i], name[i+1:]
	}
	return packageurl.NewPackageURL(kind, namespace, name, version, nil, "").ToString()
}
