package match

import (
	"cmp"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/leeward-ctem/leeward/exposure"
)

// Package is a version of a package in the words of OSV.
type Package struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Version   string `json:"version,omitempty"`
}

// maxPurl bounds the package URLs that are read, in bytes.
const maxPurl = 4096

// FromPurl reads a package URL, see
// https://github.com/package-url/purl-spec. The packages of a distribution are
// those of one release of it, so a URL that does not say which is an error, and
// so is a type that OSV has no advisories for.
func FromPurl(purl string) (Package, error) {
	if len(purl) > maxPurl {
		return Package{}, exposure.Errorf(exposure.Invalid, "a package URL of %d bytes is none", len(purl))
	}
	u, err := packageurl.FromString(purl)
	if err != nil {
		return Package{}, exposure.Errorf(exposure.Invalid, "not a package URL: %w", err)
	}
	p := Package{Version: u.Version, Name: u.Name}
	if u.Namespace != "" {
		p.Name = u.Namespace + "/" + u.Name
	}
	switch u.Type {
	case "apk", "deb", "rpm":
		return packaged(&u)
	case "golang":
		p.Ecosystem = "Go"
		if p.Name == "std" || p.Name == "go" {
			p.Name = "stdlib"
		}
	case "maven":
		p.Ecosystem, p.Name = "Maven", u.Namespace+":"+u.Name
	default:
		p.Ecosystem = ecosystemOf(u.Type)
	}
	if p.Ecosystem == "" {
		return Package{}, exposure.Errorf(exposure.Unsupported, "there are no advisories for packages of the type %s", cut(u.Type))
	}
	if !line(p.Name, MaxName) {
		return Package{}, exposure.Errorf(exposure.Invalid, "not a package URL: the name %q is none", cut(p.Name))
	}
	return p, nil
}

// ecosystemOf is the ecosystem of a type of package URL whose packages have
// the same name in both.
func ecosystemOf(purlType string) string {
	switch purlType {
	case "npm":
		return "npm"
	case "pypi":
		return "PyPI"
	case "nuget":
		return "NuGet"
	case "cargo":
		return "crates.io"
	case "gem":
		return "RubyGems"
	case "composer":
		return "Packagist"
	case "hex":
		return "Hex"
	case "pub":
		return "Pub"
	case "swift":
		return "SwiftURL"
	case "conan":
		return "ConanCenter"
	case "cran":
		return "CRAN"
	case "bioconductor":
		return "Bioconductor"
	case "hackage":
		return "Hackage"
	case "julia":
		return "Julia"
	case "bitnami":
		return "Bitnami"
	case "github", "githubactions":
		return "GitHub Actions"
	}
	return ""
}

// packaged reads the URL of a package of a distribution. Advisories of Debian,
// Ubuntu and Alpine name the source package, which scanners put under
// "upstream".
func packaged(u *packageurl.PackageURL) (Package, error) {
	q := u.Qualifiers.Map()
	p := Package{Name: u.Name, Version: u.Version}
	if source, version, stated := strings.Cut(q["upstream"], "@"); source != "" && u.Type != "rpm" {
		p.Name = source
		if stated {
			p.Version = version
		}
	}
	if epoch := q["epoch"]; epoch != "" && p.Version != "" && !strings.Contains(p.Version, ":") {
		p.Version = epoch + ":" + p.Version
	}
	name, release := distribution(u.Type, cmp.Or(u.Namespace, "?"), strings.ToLower(q["distro"]))
	switch {
	case name == "":
		return Package{}, exposure.Errorf(exposure.Unsupported, "there are no advisories for %s packages of %q", u.Type, cut(u.Namespace))
	case release == "":
		return Package{}, exposure.Errorf(exposure.Invalid, "the package URL does not say of which release of %s the package is: add a qualifier such as distro=%s-1.2", name, cut(u.Namespace))
	case !line(p.Name, MaxName) || len(release) > 40 || !line(release, 40):
		return Package{}, exposure.Errorf(exposure.Invalid, "not a package URL: the name %q is none", cut(p.Name))
	}
	if p.Ecosystem = name; release != rolling {
		p.Ecosystem += ":" + release
	}
	return p, nil
}

// rolling is the release of a distribution that has only one.
const rolling = "rolling"

// distribution is the ecosystem of a distribution, and the release as OSV
// spells it, see https://ossf.github.io/osv-schema/#defined-ecosystems
func distribution(purlType, namespace, distro string) (name, release string) {
	number := distro[strings.LastIndexByte(distro, '-')+1:]
	major, minor, _ := strings.Cut(strings.TrimLeft(number, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	if major == "" || !isDigit(major[0]) {
		major = ""
	}
	switch purlType + "/" + namespace {
	case "apk/wolfi":
		return "Wolfi", rolling
	case "apk/chainguard":
		return "Chainguard", rolling
	case "apk/alpine":
		if number == "edge" {
			return "Alpine", number
		}
		if major != "" && minor != "" {
			release = "v" + major + "." + minor
		}
		return "Alpine", release
	case "deb/debian":
		return "Debian", cmp.Or(major, debianReleases(number))
	case "deb/ubuntu":
		if major != "" && minor != "" {
			return "Ubuntu", ubuntuRelease(major + "." + minor)
		}
		return "Ubuntu", ubuntuRelease(ubuntuReleases(number))
	case "rpm/redhat", "rpm/rhel":
		if major != "" {
			release = "enterprise_linux:" + major
		}
		return "Red Hat", release
	case "rpm/almalinux":
		return "AlmaLinux", major
	case "rpm/rocky", "rpm/rockylinux", "rpm/rocky-linux":
		return "Rocky Linux", major
	case "rpm/mageia":
		return "Mageia", major
	case "rpm/opensuse":
		if strings.Contains(distro, "tumbleweed") {
			return "openSUSE", "Tumbleweed"
		}
		if major != "" && minor != "" {
			release = "Leap " + major + "." + minor
		}
		return "openSUSE", release
	case "rpm/suse", "rpm/sles":
		switch {
		case major == "":
		case minor == "" || minor == "0":
			release = "Linux Enterprise Server " + major
		default:
			release = "Linux Enterprise Server " + major + " SP" + minor
		}
		return "SUSE", release
	}
	return "", ""
}

// ubuntuRelease marks the releases that are supported for long: those of April
// of even years.
func ubuntuRelease(number string) string {
	if year, ok := strings.CutSuffix(number, ".04"); ok && year != "" && (year[len(year)-1]-'0')%2 == 0 {
		return number + ":LTS"
	}
	return number
}

func debianReleases(codename string) string {
	return numberOf(codename, "wheezy", "7", "jessie", "8", "stretch", "9", "buster", "10", "bullseye", "11", "bookworm", "12", "trixie", "13", "forky", "14", "duke", "15")
}

func ubuntuReleases(codename string) string {
	return numberOf(codename, "trusty", "14.04", "xenial", "16.04", "bionic", "18.04", "focal", "20.04", "jammy", "22.04", "kinetic", "22.10", "lunar", "23.04", "mantic", "23.10", "noble", "24.04", "oracular", "24.10", "plucky", "25.04", "questing", "25.10", "resolute", "26.04")
}

// numberOf finds what follows a word in a list.
func numberOf(word string, list ...string) string {
	for i := 0; i+1 < len(list); i += 2 {
		if list[i] == word {
			return list[i+1]
		}
	}
	return ""
}
